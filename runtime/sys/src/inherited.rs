//! Take over a descriptor that this process was started with.

use std::io;
use std::mem::ManuallyDrop;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicU64, Ordering};

/// One bit for each number that has been taken.
static TAKEN: AtomicU64 = AtomicU64::new(0);

/// Takes over the seqpacket socket that the process was started with under this number, once. To be called before
/// anything else has opened descriptors. It becomes close-on-exec.
///
/// # Errors
/// `InvalidInput` when there is no such socket, the number is not between 3 and 63, or it has been taken before.
pub fn take_inherited_socket(number: RawFd) -> io::Result<OwnedFd> {
    let refused = |why: &str| {
        let text = format!("descriptor {number} {why}");
        Err(io::Error::new(io::ErrorKind::InvalidInput, text))
    };
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
    if TAKEN.fetch_or(1 << number, Ordering::Relaxed) & (1 << number) != 0 {
        return refused("has been taken before");
    }
    // SAFETY: plain system call on an open descriptor.
    if unsafe { libc::fcntl(number, libc::F_SETFD, libc::FD_CLOEXEC) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(ManuallyDrop::into_inner(fd))
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
}
