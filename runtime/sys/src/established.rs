//! For how long a TCP connection has been established.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd};
use std::time::Duration;

/// How long ago the connection was established, to about 4 ms; counts only as long as nothing has been sent on it. So
/// it is the time that a connection which has just been accepted has waited to be.
///
/// It is `tcpi_last_data_sent` of `TCP_INFO` (tcp(7)): the kernel sets that clock when the handshake is complete, and
/// again with each segment of data that it sends. The clocks of what was received say less: both are set again when
/// the client, which need not wait for the accept, sends its request (seen on Linux 6.18: of a connection that waited
/// 500 ms and whose client spoke after 300 ms, `tcpi_last_data_recv` and `tcpi_last_ack_recv` say 200).
///
/// # Errors
/// The kernel's: `EOPNOTSUPP` or `ENOPROTOOPT` when it is no TCP socket.
pub fn established_for(socket: impl AsFd) -> io::Result<Duration> {
    let mut info = MaybeUninit::<libc::tcp_info>::zeroed();
    let mut length = size_of::<libc::tcp_info>() as libc::socklen_t;
    // SAFETY: the answer and its length live throughout the call, which writes no more than that length.
    let result = unsafe {
        libc::getsockopt(
            socket.as_fd().as_raw_fd(),
            libc::IPPROTO_TCP,
            libc::TCP_INFO,
            info.as_mut_ptr().cast(),
            &raw mut length,
        )
    };
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: plain integers, of which all bits were zero before the kernel wrote.
    let info = unsafe { info.assume_init() };
    Ok(Duration::from_millis(info.tcpi_last_data_sent.into()))
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::net::{TcpListener, TcpStream};
    use std::os::unix::net::UnixStream;
    use std::time::Instant;

    use super::*;

    #[test]
    fn what_waits_to_be_accepted_counts_from_its_handshake_whatever_it_says_meanwhile() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let connected = Instant::now();
        while connected.elapsed() < Duration::from_millis(60) {
            client.write_all(b"x").unwrap();
        }
        let (mut server, _) = listener.accept().unwrap();
        assert!(established_for(&server).unwrap() >= Duration::from_millis(50));
        server.write_all(b"y").unwrap();
        let answered = Instant::now();
        let since = established_for(&server).unwrap();
        assert!(since <= answered.elapsed() + Duration::from_millis(50), "{since:?}");
    }

    #[test]
    fn what_is_no_tcp_socket_is_an_error() {
        let (one, _other) = UnixStream::pair().unwrap();
        assert!(established_for(&one).is_err());
    }
}
