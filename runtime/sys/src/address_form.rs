//! A TCP connection over IPv4 that came in through an IPv6 socket, made to look like what it is.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

/// Has a connected socket whose addresses are IPv4 in IPv6 (`::ffff:192.0.2.1`) say them as IPv4 from now on
/// (`IPV6_ADDRFORM`, ipv6(7)): programs that know IPv4 alone can then serve it.
///
/// # Errors
/// The kernel's: `EADDRNOTAVAIL` when the addresses are really IPv6, `ENOTCONN` when it is not connected.
pub fn show_as_ipv4(socket: BorrowedFd<'_>) -> io::Result<()> {
    let family: libc::c_int = libc::AF_INET;
    // SAFETY: the value is one int, of the length said, and lives throughout the call.
    let result = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::IPPROTO_IPV6,
            libc::IPV6_ADDRFORM,
            (&raw const family).cast(),
            size_of::<libc::c_int>() as libc::socklen_t,
        )
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv6Addr, TcpListener, TcpStream};
    use std::os::fd::AsFd;

    use super::*;

    #[test]
    fn a_mapped_connection_becomes_what_it_is_and_another_does_not() {
        let listener = TcpListener::bind((Ipv6Addr::UNSPECIFIED, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let _client = TcpStream::connect(("127.0.0.1", port)).unwrap();
        let (accepted, peer) = listener.accept().unwrap();
        assert!(peer.is_ipv6());
        show_as_ipv4(accepted.as_fd()).unwrap();
        assert!(accepted.peer_addr().unwrap().is_ipv4());
        assert!(accepted.local_addr().unwrap().is_ipv4());
        let _client = TcpStream::connect((Ipv6Addr::LOCALHOST, port)).unwrap();
        let (accepted, _) = listener.accept().unwrap();
        let error = show_as_ipv4(accepted.as_fd()).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::EADDRNOTAVAIL));
    }
}
