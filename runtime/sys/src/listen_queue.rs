//! How many connections wait at a listening socket, and how many may.

use std::io;
use std::os::fd::{AsFd, AsRawFd};

/// The queue of connections that are established and not accepted (listen(2)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListenQueue {
    /// How many wait.
    pub waiting: u32,
    /// How many may: the backlog that the kernel has given, which it cuts to `net.core.somaxconn` without a word.
    pub most: u32,
}

/// Asks the kernel, as `ss -l` does (`TCP_INFO`, tcp(7)).
///
/// # Errors
/// The kernel's, when it is no TCP socket; `InvalidInput` when it does not listen.
pub fn listen_queue(socket: impl AsFd) -> io::Result<ListenQueue> {
    /// `TCP_LISTEN` of the kernel's states.
    const LISTEN: u8 = 10;
    // SAFETY: a structure of numbers, for which all zeros are a value.
    let mut info: libc::tcp_info = unsafe { std::mem::zeroed() };
    let mut length = libc::socklen_t::try_from(size_of::<libc::tcp_info>()).expect("a few hundred");
    // SAFETY: `info` has room for as many bytes as are said, and both live throughout the call.
    let result = unsafe {
        libc::getsockopt(
            socket.as_fd().as_raw_fd(),
            libc::IPPROTO_TCP,
            libc::TCP_INFO,
            (&raw mut info).cast(),
            &raw mut length,
        )
    };
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    if info.tcpi_state != LISTEN {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "the socket does not listen"));
    }
    // Of a socket that listens these two words mean something else than of a connection (tcp_get_info in the kernel).
    Ok(ListenQueue { waiting: info.tcpi_unacked, most: info.tcpi_sacked })
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn who_waits_is_counted_until_accepted() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let before = listen_queue(&listener).unwrap();
        assert_eq!(before.waiting, 0);
        assert!(before.most > 0);
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        assert_eq!(listen_queue(&listener).unwrap(), ListenQueue { waiting: 1, ..before });
        let accepted = listener.accept().unwrap();
        assert_eq!(listen_queue(&listener).unwrap(), before);
        assert_eq!(listen_queue(&client).unwrap_err().kind(), io::ErrorKind::InvalidInput);
        drop(accepted);
    }
}
