//! TCP urgent data: one byte that overtakes the notice of it, as palco's servers and clients use it.
//!
//! A sender marks a byte as urgent; the receiver is told as soon as any segment says so, and takes the byte out of its
//! order (RFC 9293 3.8.5, RFC 6093). It is one deep: a second byte replaces the first if that was not taken yet, so
//! what is sent must be a level and no count, and whoever sends waits for an answer. New protocols should not rest on it
//! (RFC 6093 section 5): a separate port has none of its limits.
//!
//! Linux forgets a byte that was not taken as soon as the stream is read past it, and a thread that is blocked in `read`
//! goes past it the moment it comes. So whoever serves a connection with urgent data does not wait in `read`, but for
//! `POLLIN`, which an urgent byte alone does not raise; and reads on only after it was taken.

use std::io;
use std::os::fd::{AsFd, AsRawFd};

use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, recv, send};
use palco_core::RequestState;
use palco_sys::unsent_bytes;

/// So many bytes before an urgent one, at most, can be announced past: the header's urgent pointer has 16 bits and
/// counts the urgent byte too.
pub const ANNOUNCED_PAST_MAX: usize = u16::MAX as usize - 1;

/// What is there of urgent data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Urgent {
    /// The byte; it is taken.
    Byte(u8),
    /// There is one, and what it is has not arrived: the bytes before it fill up what the receiver holds. Neither
    /// `EPOLLPRI` nor a [`Watch`](crate::Watch) says so, only the signal `SIGURG`.
    Announced,
    /// There is none, or it was taken, or it stays in the stream (`SO_OOBINLINE`).
    None,
}

/// Why an urgent byte was not sent.
#[derive(Debug, thiserror::Error)]
pub enum SendUrgentError {
    /// Too much is in front of it for TCP to announce it.
    #[error(
        "{queued} bytes before the urgent byte are not acknowledged, and TCP can announce it past \
         at most {ANNOUNCED_PAST_MAX}, so it would be heard only after them; a separate urgent port has no such limit"
    )]
    Silenced {
        /// The bytes in front of it.
        queued: usize,
    },
    /// The socket takes no more bytes for now.
    #[error("the connection takes no more bytes for now; send the urgent byte again later")]
    Full,
    /// The socket does not send it.
    #[error("the urgent byte cannot be sent on this connection")]
    Failed(#[source] io::Error),
}

/// Takes the urgent byte of a socket without `SO_OOBINLINE`. Never blocks.
///
/// # Errors
/// The kernel's: `EOPNOTSUPP` and `ENOTSOCK` for what has no urgent data.
pub fn take_urgent(socket: impl AsFd) -> io::Result<Urgent> {
    let mut byte = [0];
    let flags = MsgFlags::MSG_OOB | MsgFlags::MSG_DONTWAIT;
    loop {
        match recv(socket.as_fd().as_raw_fd(), &mut byte, flags) {
            Ok(0) | Err(Errno::EINVAL | Errno::ENOTCONN) => return Ok(Urgent::None),
            Ok(_) => return Ok(Urgent::Byte(byte[0])),
            Err(Errno::EAGAIN) => return Ok(Urgent::Announced),
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
}

/// Sends a byte as urgent data, after all that was written before. Never blocks.
///
/// # Errors
/// [`SendUrgentError`]; nothing was sent then.
pub fn send_urgent(socket: impl AsFd, byte: u8) -> Result<(), SendUrgentError> {
    let queued = unsent_bytes(&socket).map_err(SendUrgentError::Failed)?;
    if queued > ANNOUNCED_PAST_MAX {
        return Err(SendUrgentError::Silenced { queued });
    }
    let flags = MsgFlags::MSG_OOB | MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL;
    loop {
        match send(socket.as_fd().as_raw_fd(), &[byte], flags) {
            Ok(_) => return Ok(()),
            Err(Errno::EAGAIN) => return Err(SendUrgentError::Full),
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(SendUrgentError::Failed(errno.into())),
        }
    }
}

/// What a client asks for with an urgent byte, about the request that is being served on that connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Call {
    /// No progress until it is resumed.
    Hold,
    /// Go on after a hold.
    Resume,
    /// Give it up.
    Cancel,
}

impl Call {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Hold, Self::Resume, Self::Cancel];

    /// What the byte asks for: `H` or `S` (suspend), `R` or `C` (continue), `K` (kill).
    #[must_use]
    pub const fn of(byte: u8) -> Option<Self> {
        match byte {
            b'H' | b'S' => Some(Self::Hold),
            b'R' | b'C' => Some(Self::Resume),
            b'K' => Some(Self::Cancel),
            _ => None,
        }
    }

    /// The byte that asks for it.
    #[must_use]
    pub const fn byte(self) -> u8 {
        match self {
            Self::Hold => b'H',
            Self::Resume => b'R',
            Self::Cancel => b'K',
        }
    }
}

/// The urgent byte that answers a [`Call`]: the state the request is in, in lower case if that is what was asked for.
///
/// Sent to clients that have sent one of the bytes of a [`Call`] and to no others. A client that does not ask for it, and
/// has no `SO_OOBINLINE`, never sees it in its stream.
#[must_use]
pub const fn acknowledgement(state: RequestState, reached: bool) -> u8 {
    let letter = letter(state);
    if reached { letter } else { letter.to_ascii_uppercase() }
}

/// What an [`acknowledgement`] says: the state, and whether it is what was asked for.
#[must_use]
pub fn of_acknowledgement(byte: u8) -> Option<(RequestState, bool)> {
    let is_it = |state: &RequestState| letter(*state) == byte.to_ascii_lowercase();
    let state = RequestState::ALL.into_iter().find(is_it)?;
    Some((state, byte.is_ascii_lowercase()))
}

const fn letter(state: RequestState) -> u8 {
    match state {
        RequestState::NotFound => b'n',
        RequestState::Queued => b'q',
        RequestState::Running => b'r',
        RequestState::Held => b'h',
        RequestState::Finished => b'f',
    }
}

#[cfg(test)]
mod tests;
