//! Processes by descriptor: watch, signal and reap exactly the one that is meant, whatever becomes of its id.

use std::ffi::{c_int, c_long};
use std::io;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};
use std::ptr;

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// By itself, with this code.
    Exited(i32),
    /// By a signal.
    Signaled {
        /// Its number; real-time signals too.
        signal: i32,
        /// Whether memory was dumped.
        core: bool,
    },
}

/// The descriptor of a child of this process. Exact as long as only its owner reaps it: an id is not given to another
/// process before.
///
/// # Errors
/// The kernel's: `ESRCH` when there is no such process, `EMFILE` when descriptors have run out.
pub fn open_pidfd(pid: i32) -> io::Result<OwnedFd> {
    // SAFETY: plain system call.
    let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    own(fd)
}

/// A duplicate of descriptor `fd` of the process `pid`, close-on-exec: the same open file, which stays open as long as
/// any of its descriptors does.
///
/// # Errors
/// The kernel's: `ESRCH` when there is no such process, `EBADF` when it has no such descriptor, `EPERM` without the
/// right to trace it (`PTRACE_MODE_ATTACH_REALCREDS`, ptrace(2)), `EMFILE` when descriptors have run out.
pub fn borrow_descriptor(pid: i32, fd: i32) -> io::Result<OwnedFd> {
    let pidfd = open_pidfd(pid)?;
    // SAFETY: plain system call on an open descriptor.
    let copy = unsafe { libc::syscall(libc::SYS_pidfd_getfd, pidfd.as_raw_fd(), fd, 0) };
    if copy < 0 {
        return Err(io::Error::last_os_error());
    }
    own(copy)
}

/// Owns what a system call has answered.
fn own(fd: c_long) -> io::Result<OwnedFd> {
    let fd = c_int::try_from(fd).map_err(io::Error::other)?;
    // SAFETY: a new descriptor, close-on-exec by itself, that nobody else owns.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Sends a signal to the process; 0 only asks whether it may be sent.
///
/// # Errors
/// The kernel's: `ESRCH` when it has been reaped, `EINVAL` for a signal that does not exist, `EPERM`.
pub fn signal_pidfd(pidfd: impl AsFd, signal: i32) -> io::Result<()> {
    let fd = pidfd.as_fd().as_raw_fd();
    // SAFETY: plain system call on an open descriptor; without siginfo the kernel fills in its own.
    let result = unsafe {
        libc::syscall(libc::SYS_pidfd_send_signal, fd, signal, ptr::null::<libc::siginfo_t>(), 0)
    };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Reaps the child if it has ended; `None` while it has not.
///
/// # Errors
/// `ECHILD` when it is no child of this process or has been reaped.
pub fn reap_pidfd(pidfd: impl AsFd) -> io::Result<Option<End>> {
    wait(&pidfd, libc::WEXITED | libc::WNOHANG)
}

/// Waits until the child has ended and reaps it; signals do not end the wait.
///
/// # Errors
/// As [`reap_pidfd`].
pub fn wait_pidfd(pidfd: impl AsFd) -> io::Result<End> {
    loop {
        match wait(&pidfd, libc::WEXITED) {
            Ok(Some(end)) => return Ok(end),
            Ok(None) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

fn wait(pidfd: &impl AsFd, options: c_int) -> io::Result<Option<End>> {
    // SAFETY: siginfo_t is a plain C struct for which all zeroes is a valid value.
    let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
    let id = pidfd.as_fd().as_raw_fd().unsigned_abs();
    // SAFETY: `info` lives throughout the call.
    if unsafe { libc::waitid(libc::P_PIDFD, id, &raw mut info, options) } != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: waitid has filled in the fields of SIGCHLD, or left zeroes when nothing has ended.
    let (pid, status) = unsafe { (info.si_pid(), info.si_status()) };
    if pid == 0 {
        return Ok(None);
    }
    Ok(Some(match info.si_code {
        libc::CLD_EXITED => End::Exited(status),
        code => End::Signaled { signal: status, core: code == libc::CLD_DUMPED },
    }))
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::process::{Command, Stdio};

    use super::*;
    use crate::masked::unblock_all;

    #[test]
    fn a_signal_that_has_no_name_is_reported_too() {
        // The child inherits the mask of the thread that starts it.
        let cat = || {
            unblock_all();
            Command::new("cat").stdin(Stdio::piped()).spawn().unwrap()
        };
        let mut child = std::thread::spawn(cat).join().unwrap();
        let pidfd = open_pidfd(child.id().try_into().unwrap()).unwrap();
        assert_eq!(reap_pidfd(&pidfd).unwrap(), None);
        let signal = libc::SIGRTMIN() + 3;
        signal_pidfd(&pidfd, signal).unwrap();
        assert_eq!(wait_pidfd(&pidfd).unwrap(), End::Signaled { signal, core: false });
        assert_eq!(signal_pidfd(&pidfd, 0).unwrap_err().raw_os_error(), Some(libc::ESRCH));
        assert_eq!(reap_pidfd(&pidfd).unwrap_err().raw_os_error(), Some(libc::ECHILD));
        child.wait().unwrap_err();
    }

    #[test]
    fn a_borrowed_descriptor_is_the_same_open_file() {
        let (reader, mut writer) = io::pipe().unwrap();
        let mut child = Command::new("cat").stdin(reader).stdout(Stdio::piped()).spawn().unwrap();
        let pid = child.id().try_into().unwrap();
        let mut borrowed = std::fs::File::from(borrow_descriptor(pid, 0).unwrap());
        child.kill().unwrap();
        child.wait().unwrap();
        writer.write_all(b"hello").unwrap();
        drop(writer);
        let mut text = String::new();
        borrowed.read_to_string(&mut text).unwrap();
        assert_eq!(text, "hello");
    }

    #[test]
    fn a_descriptor_that_is_not_there_is_not_borrowed() {
        let this = std::process::id().try_into().unwrap();
        assert_eq!(borrow_descriptor(this, -1).unwrap_err().raw_os_error(), Some(libc::EBADF));
        assert!(borrow_descriptor(i32::MAX, 0).is_err());
    }

    #[test]
    fn a_process_that_is_not_there_has_no_descriptor() {
        assert!(open_pidfd(i32::MAX).is_err());
        assert!(open_pidfd(-1).is_err());
    }
}
