//! What TCP tells about urgent data and about bytes that are on their way.

use std::ffi::{c_int, c_ulong};
use std::io;
use std::os::fd::{AsFd, AsRawFd};

/// `SIOCATMARK`, which libc does not declare for Linux.
const AT_MARK: c_ulong = 0x8905;

/// Whether the next byte to be read is the one that urgent data stood before (sockatmark(3)).
///
/// # Errors
/// The kernel's: `ENOTTY` when it is no stream socket.
pub fn is_at_mark(socket: impl AsFd) -> io::Result<bool> {
    ask(&socket, AT_MARK).map(|answer| answer != 0)
}

/// How many bytes the other side has not acknowledged, sent or not (`SIOCOUTQ`, tcp(7)).
///
/// # Errors
/// The kernel's: `ENOTTY` when it is no socket, `EINVAL` when it listens.
pub fn unsent_bytes(socket: impl AsFd) -> io::Result<usize> {
    usize::try_from(ask(&socket, libc::TIOCOUTQ)?).map_err(io::Error::other)
}

fn ask(socket: &impl AsFd, question: c_ulong) -> io::Result<c_int> {
    let mut answer: c_int = 0;
    // SAFETY: both questions are answered with an int, which lives throughout the call.
    let result = unsafe { libc::ioctl(socket.as_fd().as_raw_fd(), question, &raw mut answer) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(answer) }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};

    use super::*;

    fn pair() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        (client, listener.accept().unwrap().0)
    }

    fn send_urgent(stream: &TcpStream, bytes: &[u8]) {
        // SAFETY: `bytes` lives throughout the call.
        let sent = unsafe {
            libc::send(stream.as_raw_fd(), bytes.as_ptr().cast(), bytes.len(), libc::MSG_OOB)
        };
        assert_eq!(sent, isize::try_from(bytes.len()).unwrap());
    }

    #[test]
    fn the_mark_stands_where_the_urgent_byte_was() {
        let (mut client, mut server) = pair();
        client.write_all(b"before").unwrap();
        send_urgent(&client, b"!");
        client.write_all(b"after").unwrap();
        let mut bytes = [0; 6];
        server.read_exact(&mut bytes).unwrap();
        // The kernel knows the mark once the urgent byte has come.
        while !is_at_mark(&server).unwrap() {}
        server.read_exact(&mut bytes[..5]).unwrap();
        assert_eq!(&bytes[..5], b"after");
        assert!(!is_at_mark(&server).unwrap());
    }

    #[test]
    fn what_nobody_reads_is_counted_until_somebody_does() {
        let (mut client, mut server) = pair();
        assert_eq!(unsent_bytes(&client).unwrap(), 0);
        client.set_nonblocking(true).unwrap();
        let mut written = 0;
        while let Ok(count) = client.write(&[0; 4096]) {
            written += count;
        }
        let queued = unsent_bytes(&client).unwrap();
        assert!(queued > 0 && queued <= written, "{queued} of {written}");
        let mut bytes = vec![0; written];
        server.read_exact(&mut bytes).unwrap();
        while unsent_bytes(&client).unwrap() > 0 {}
    }

    #[test]
    fn what_is_no_socket_is_an_error() {
        let file = tempfile::tempfile().unwrap();
        assert_eq!(is_at_mark(&file).unwrap_err().raw_os_error(), Some(libc::ENOTTY));
        assert_eq!(unsent_bytes(&file).unwrap_err().raw_os_error(), Some(libc::ENOTTY));
    }
}
