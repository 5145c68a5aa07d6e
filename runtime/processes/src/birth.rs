//! How a child of the same program is born: one message over a socket, with all that it needs to begin.
//!
//! The parent makes a seqpacket socket, starts its own program with the other end as descriptor [`BIRTH_FD`], and sends one
//! message with bytes and descriptors. The child's `main` calls [`enter`] before anything else.

use std::env;
use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use nix::sys::signal::Signal;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};
use palco_sys::PASSED_MAX;

use crate::child::Child;
use crate::error::LaunchError;
use crate::launch::Launch;
use crate::spawner::Spawner;
use crate::zygote;

/// The child's descriptor for its birth socket.
pub const BIRTH_FD: i32 = 3;

/// The most bytes that a birth message may carry.
pub const PAYLOAD_MAX: usize = 64 << 10;

/// The variable that makes a process a child: `once` or `zygote`.
pub(crate) const VARIABLE: &str = "PALCO_CHILD";
pub(crate) const ONCE: &str = "once";
pub(crate) const ZYGOTE: &str = "zygote";

/// Begins every birth message: what it is, in which version. Two bytes follow: how many descriptors come with it.
const MAGIC: [u8; 6] = *b"palco\x01";
pub(crate) const HEADER: usize = MAGIC.len() + 2;

/// How a child came to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Started for one birth.
    Once,
    /// Forked by a zygote.
    Zygote,
}

/// What a child gets to begin with.
#[derive(Debug)]
pub struct Birth {
    /// The parent's bytes.
    pub payload: Vec<u8>,
    /// The parent's descriptors, in its order; close-on-exec.
    pub descriptors: Vec<OwnedFd>,
    /// How the child came to be.
    pub role: Role,
}

/// Why a process that is said to be a child cannot be one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BirthError {
    /// The variable holds something else.
    #[error("{VARIABLE}={0}: neither `{ONCE}` nor `{ZYGOTE}`")]
    UnknownRole(String),
    /// The variable was set by somebody who is not palco.
    #[error("{VARIABLE} is set, but this process was not started by palco: {0}")]
    NoSocket(#[source] io::Error),
    /// The parent was gone before it said anything.
    #[error("the parent has ended before the birth message")]
    Ended,
    /// The message is not one of this version's.
    #[error("birth message: {0}")]
    Malformed(String),
    /// The kernel's error.
    #[error("birth socket: {0}")]
    Socket(#[source] io::Error),
    /// A zygote must not have threads: [`enter`] was called too late.
    #[error("`enter` must be the first thing in main: this process has threads already")]
    Threads,
}

/// To be called first thing in `main`. `None`: this process is nobody's child, and goes on as the program it is.
///
/// Otherwise it is a child and gets its birth. In a zygote this serves requests, and returns only in a process that was
/// forked; the zygote itself exits with 0 when its parent has gone.
///
/// # Errors
/// When the environment says that this is a child, but it has no birth socket or no message that makes sense.
pub fn enter() -> Result<Option<Birth>, BirthError> {
    let Some(role) = env::var_os(VARIABLE) else { return Ok(None) };
    let is = |name: &str| role == OsStr::new(name);
    if !is(ONCE) && !is(ZYGOTE) {
        return Err(BirthError::UnknownRole(role.to_string_lossy().into_owned()));
    }
    let socket = palco_sys::take_inherited_socket(BIRTH_FD).map_err(BirthError::NoSocket)?;
    if is(ZYGOTE) {
        return zygote::serve(socket).map(Some);
    }
    let mut message = vec![0; HEADER + PAYLOAD_MAX];
    let (length, descriptors) = receive(socket.as_fd(), &mut message)?.ok_or(BirthError::Ended)?;
    let payload = payload_of(&message[..length], descriptors.len())?.to_vec();
    Ok(Some(Birth { payload, descriptors, role: Role::Once }))
}

/// Starts a child of the program in `launch`, which calls [`enter`], and gives it its birth. It is killed when this
/// process ends.
///
/// # Errors
/// As [`Spawner::spawn`]; `Invalid` for a payload of more than [`PAYLOAD_MAX`] bytes or more than [`PASSED_MAX`]
/// descriptors.
pub async fn bear(
    spawner: &Spawner,
    launch: Launch,
    payload: &[u8],
    fds: &[BorrowedFd<'_>],
) -> Result<Child, LaunchError> {
    let message = message_of(payload, fds.len()).map_err(LaunchError::Invalid)?;
    let (here, there) = sockets().map_err(LaunchError::Socket)?;
    // The socket keeps it until there is somebody to read it.
    palco_sys::send_with(here.as_fd(), &message, fds).map_err(LaunchError::Socket)?;
    spawner.spawn(as_child(launch, ONCE, there)).await
}

/// A launch of a program that will find itself a child.
pub(crate) fn as_child(launch: Launch, role: &str, socket: OwnedFd) -> Launch {
    launch.env(VARIABLE, role).fd(BIRTH_FD, socket).death_signal(Signal::SIGKILL)
}

/// The parent's end and the child's.
pub(crate) fn sockets() -> io::Result<(OwnedFd, OwnedFd)> {
    let flags = SockFlag::SOCK_CLOEXEC;
    Ok(socketpair(AddressFamily::Unix, SockType::SeqPacket, None, flags)?)
}

/// A birth message.
pub(crate) fn message_of(payload: &[u8], fds: usize) -> Result<Vec<u8>, String> {
    if payload.len() > PAYLOAD_MAX {
        return Err(format!("{} bytes at birth, {PAYLOAD_MAX} are allowed", payload.len()));
    }
    if fds > PASSED_MAX {
        return Err(format!("{fds} descriptors at birth, {PASSED_MAX} are allowed"));
    }
    let count = u16::try_from(fds).map_err(|error| error.to_string())?;
    let mut message = Vec::with_capacity(HEADER + payload.len());
    message.extend_from_slice(&MAGIC);
    message.extend_from_slice(&count.to_le_bytes());
    message.extend_from_slice(payload);
    Ok(message)
}

/// Receives a message; `None` when the peer has gone.
pub(crate) fn receive(
    socket: BorrowedFd<'_>,
    buffer: &mut [u8],
) -> Result<Option<(usize, Vec<OwnedFd>)>, BirthError> {
    match palco_sys::receive_into(socket, buffer, PASSED_MAX) {
        Ok((0, _)) => Ok(None),
        Ok(received) => Ok(Some(received)),
        Err(error) if error.kind() == io::ErrorKind::ConnectionReset => Ok(None),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            Err(BirthError::Malformed(error.to_string()))
        }
        Err(error) => Err(BirthError::Socket(error)),
    }
}

/// The payload of a birth message that came with this many descriptors.
pub(crate) fn payload_of(message: &[u8], fds: usize) -> Result<&[u8], BirthError> {
    let malformed = |text: String| Err(BirthError::Malformed(text));
    let Some((header, payload)) = message.split_at_checked(HEADER) else {
        return malformed(format!("{} bytes are no header", message.len()));
    };
    let Some(count) = header.strip_prefix(&MAGIC) else {
        return malformed("not from this version of palco".to_owned());
    };
    let said = count.iter().rev().fold(0, |sum, byte| (sum << 8) | usize::from(*byte));
    if said != fds {
        return malformed(format!("{said} descriptors announced, {fds} arrived"));
    }
    Ok(payload)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_arrives_as_it_was_sent() {
        for payload in [&b""[..], b"x", &[7; PAYLOAD_MAX]] {
            let message = message_of(payload, 253).unwrap();
            assert_eq!(payload_of(&message, 253).unwrap(), payload);
        }
        assert!(message_of(&[0; PAYLOAD_MAX + 1], 0).is_err());
        assert!(message_of(b"", PASSED_MAX + 1).is_err());
    }

    #[test]
    fn what_is_no_such_message_is_told_from_it() {
        let text = |message: &[u8], fds| payload_of(message, fds).unwrap_err().to_string();
        assert_eq!(text(b"palco", 0), "birth message: 5 bytes are no header");
        assert_eq!(text(b"palco\x02\0\0", 0), "birth message: not from this version of palco");
        let message = message_of(b"", 3).unwrap();
        assert_eq!(text(&message, 2), "birth message: 3 descriptors announced, 2 arrived");
    }
}
