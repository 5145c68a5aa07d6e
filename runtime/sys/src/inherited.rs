//! Take over descriptors that this process was started with.
//!
//! The crate `listenfd` does what [`take_listening`] does, and is not what is needed: it takes descriptors that are meant
//! for nobody or for another process (its protocol is systemd's, loosened for development), leaves `LISTEN_FDNAMES` to
//! the children, believes any count, and gives out a descriptor only as a type of std, for which it cannot tell a
//! listening socket from a connection. With it as without it, this file would be where the environment is changed.

use std::env;
use std::ffi::OsString;
use std::io;
use std::mem::ManuallyDrop;
use std::ops::Range;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::fork::is_single_threaded;

/// One bit for each number that has been taken.
static TAKEN: AtomicU64 = AtomicU64::new(0);

/// Where the descriptors of `sd_listen_fds(3)` begin.
const LISTEN_FDS_START: RawFd = 3;

/// Descriptors that [`take_listening`] takes at most: as many as [`TAKEN`] has bits for.
const LISTEN_FDS_MAX: usize = 61;

/// What an activator says beside the descriptors: for whom they are, how many, their names, and, again, for whom.
const LISTEN_VARIABLES: [&str; 4] =
    ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PIDFDID"];

/// Takes over the seqpacket socket that the process was started with under this number, once. To be called before
/// anything else has opened descriptors. It becomes close-on-exec.
///
/// # Errors
/// `InvalidInput` when there is no such socket, the number is not between 3 and 63, or it has been taken before.
pub fn take_inherited_socket(number: RawFd) -> io::Result<OwnedFd> {
    let refused = |why: &str| Err(invalid(format!("descriptor {number} {why}")));
    if !(3..64).contains(&number) {
        return refused("is none that a process is given");
    }
    // SAFETY: plain system call. Not dropped unless it turns out to be what was asked for, so nobody's is closed.
    let fd = ManuallyDrop::new(unsafe { OwnedFd::from_raw_fd(number) });
    if socket_option(&fd, libc::SO_DOMAIN) != Some(libc::AF_UNIX)
        || socket_option(&fd, libc::SO_TYPE) != Some(libc::SOCK_SEQPACKET)
    {
        return refused("is no unix seqpacket socket");
    }
    if !claim(number) {
        return refused("has been taken before");
    }
    close_on_exec(number)?;
    Ok(ManuallyDrop::into_inner(fd))
}

/// Takes over the descriptors that an activator has started this process with, as `sd_listen_fds(3)` has it: systemd,
/// `systemd-socket-activate`, `palco activate`. In their order, from number 3 on; whatever they are, it is for the caller
/// to look. They become close-on-exec, and the variables go, so that no child takes them for its own. `None`: there is no
/// activator, or its descriptors are meant for another process.
///
/// To be called before there are threads, and before anything else has opened descriptors; a second call finds nothing.
///
/// # Errors
/// `Deadlock` when the process has several threads, `InvalidInput` when `LISTEN_FDS` is no number from 1 to 61, or one of
/// the descriptors is not open, was opened by this process itself, or has been taken before.
pub fn take_listening() -> io::Result<Option<Vec<OwnedFd>>> {
    let announced = announced(|name| env::var_os(name), process::id());
    forget(&LISTEN_VARIABLES)?;
    match announced? {
        Some(count) => take(LISTEN_FDS_START..LISTEN_FDS_START + count).map(Some),
        None => Ok(None),
    }
}

/// How many descriptors the environment has for the process `pid`.
fn announced(variable: impl Fn(&str) -> Option<OsString>, pid: u32) -> io::Result<Option<RawFd>> {
    let text = |name| variable(name).map(|value| value.to_string_lossy().into_owned());
    let (Some(meant), Some(count)) = (text("LISTEN_PID"), text("LISTEN_FDS")) else {
        return Ok(None);
    };
    if meant.parse() != Ok(pid) {
        return Ok(None);
    }
    match count.parse::<usize>() {
        Ok(number @ 1..=LISTEN_FDS_MAX) => {
            RawFd::try_from(number).map(Some).map_err(io::Error::other)
        }
        _ => {
            let text = format!("LISTEN_FDS=`{count}` is no number from 1 to {LISTEN_FDS_MAX}");
            Err(invalid(text))
        }
    }
}

/// Removes variables from the environment.
fn forget(names: &[&str]) -> io::Result<()> {
    let present = || names.iter().filter(|name| env::var_os(name).is_some());
    if present().next().is_none() {
        return Ok(());
    }
    if !is_single_threaded()? {
        let text =
            "the environment must not be changed once there are threads, which may be reading it";
        return Err(io::Error::new(io::ErrorKind::Deadlock, text));
    }
    for name in present() {
        // SAFETY: the only thread of the process is here, so nobody reads the environment meanwhile.
        unsafe { env::remove_var(name) };
    }
    Ok(())
}

/// Takes all of these numbers, or none.
fn take(numbers: Range<RawFd>) -> io::Result<Vec<OwnedFd>> {
    for number in numbers.clone() {
        // SAFETY: plain system call; on a number that is not open it fails.
        let flags = unsafe { libc::fcntl(number, libc::F_GETFD) };
        if flags < 0 {
            return Err(invalid(format!("descriptor {number} is announced, but not open")));
        }
        // What comes from an exec has survived it; what Rust opens would not.
        if flags & libc::FD_CLOEXEC != 0 {
            let text = format!("descriptor {number} is none that the process was started with");
            return Err(invalid(text));
        }
    }
    let mut taken = Vec::new();
    for number in numbers {
        if !claim(number) {
            return Err(invalid(format!("descriptor {number} has been taken before")));
        }
        // SAFETY: it is open, it was before this process began, and the claim is there once, so nobody else owns it.
        taken.push(unsafe { OwnedFd::from_raw_fd(number) });
        close_on_exec(number)?;
    }
    Ok(taken)
}

fn invalid(text: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, text)
}

/// Whether this number, of 0 to 63, is taken for the first time.
fn claim(number: RawFd) -> bool {
    TAKEN.fetch_or(1 << number, Ordering::Relaxed) & (1 << number) == 0
}

fn close_on_exec(number: RawFd) -> io::Result<()> {
    // SAFETY: plain system call.
    match unsafe { libc::fcntl(number, libc::F_SETFD, libc::FD_CLOEXEC) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// `None` when it is no socket, or not open.
fn socket_option(fd: &OwnedFd, option: libc::c_int) -> Option<libc::c_int> {
    let mut value: libc::c_int = 0;
    let mut length = size_of::<libc::c_int>() as libc::socklen_t;
    // SAFETY: the value and its length live throughout the call.
    let result = unsafe {
        libc::getsockopt(
            fd.as_raw_fd(),
            libc::SOL_SOCKET,
            option,
            (&raw mut value).cast(),
            &raw mut length,
        )
    };
    (result == 0).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_such_a_socket_is_taken_and_only_once() {
        assert!(take_inherited_socket(1).is_err());
        assert!(take_inherited_socket(64).is_err());
        let mut pair = [0; 2];
        // SAFETY: room for two descriptors, which nobody else owns.
        let made =
            unsafe { libc::socketpair(libc::AF_UNIX, libc::SOCK_SEQPACKET, 0, pair.as_mut_ptr()) };
        assert_eq!(made, 0);
        // SAFETY: plain system call; number 60 is used by no other test.
        assert_eq!(unsafe { libc::dup2(pair[0], 60) }, 60);
        let taken = take_inherited_socket(60).unwrap();
        assert!(take_inherited_socket(60).is_err(), "twice");
        assert_eq!(taken.as_raw_fd(), 60);
        drop(taken);
        // SAFETY: plain system call; number 61 is used by no other test.
        assert_eq!(unsafe { libc::dup2(1, 61) }, 61);
        let error = take_inherited_socket(61).unwrap_err();
        assert_eq!(error.to_string(), "descriptor 61 is no unix seqpacket socket");
        for fd in [pair[0], pair[1], 61] {
            // SAFETY: descriptors that this test has made.
            unsafe { libc::close(fd) };
        }
    }

    fn read_announced(pid: Option<&str>, count: Option<&str>) -> io::Result<Option<RawFd>> {
        let variable = |name: &str| match name {
            "LISTEN_PID" => pid.map(OsString::from),
            "LISTEN_FDS" => count.map(OsString::from),
            _ => None,
        };
        announced(variable, 17)
    }

    #[test]
    fn descriptors_for_another_process_or_for_nobody_are_left_alone() {
        assert_eq!(read_announced(Some("17"), Some("2")).unwrap(), Some(2));
        for pid in [None, Some(""), Some("18"), Some("self"), Some("-17")] {
            assert_eq!(read_announced(pid, Some("2")).unwrap(), None, "{pid:?}");
            assert_eq!(read_announced(pid, Some("nonsense")).unwrap(), None, "{pid:?}");
        }
        assert_eq!(read_announced(Some("17"), None).unwrap(), None);
    }

    #[test]
    fn a_count_that_is_none_is_refused() {
        for count in ["", "0", "-1", "62", "99999999999999999999", "two"] {
            let error = read_announced(Some("17"), Some(count)).unwrap_err().to_string();
            assert!(error.contains(&format!("`{count}`")), "{error}");
        }
        assert_eq!(read_announced(Some("17"), Some("61")).unwrap(), Some(61));
    }

    #[test]
    fn descriptors_are_taken_all_or_none_and_only_those_that_came_through_an_exec() {
        let error = |numbers| take(numbers).unwrap_err().to_string();
        for number in [56, 57] {
            // SAFETY: plain system call; these numbers are used by no other test.
            assert_eq!(unsafe { libc::dup2(1, number) }, number);
        }
        assert_eq!(error(56..59), "descriptor 58 is announced, but not open");
        // SAFETY: plain system call; this number is used by no other test.
        assert_eq!(unsafe { libc::dup3(1, 58, libc::O_CLOEXEC) }, 58);
        assert_eq!(error(56..59), "descriptor 58 is none that the process was started with");
        let taken = take(56..58).unwrap();
        assert_eq!(taken.iter().map(AsRawFd::as_raw_fd).collect::<Vec<_>>(), [56, 57]);
        for number in [56, 57] {
            // SAFETY: plain system call.
            assert_eq!(unsafe { libc::fcntl(number, libc::F_GETFD) }, libc::FD_CLOEXEC);
        }
        drop(taken);
        for number in [56, 57] {
            // SAFETY: plain system call; the number is free again.
            assert_eq!(unsafe { libc::dup2(1, number) }, number);
        }
        assert_eq!(error(56..58), "descriptor 56 has been taken before");
        for number in [56, 57, 58] {
            // SAFETY: descriptors that this test has made.
            unsafe { libc::close(number) };
        }
    }

    #[test]
    fn without_an_activator_there_is_nothing_to_take() {
        assert!(take_listening().unwrap().is_none());
    }
}
