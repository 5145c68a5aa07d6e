//! Messages with descriptors over unix sockets (`SCM_RIGHTS`): what arrives is owned, and a message that arrives in part
//! is an error and leaves no descriptor behind.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::ptr;

/// The kernel passes no more at once.
pub const PASSED_MAX: usize = 253;

/// Control data for [`PASSED_MAX`] descriptors and its header, aligned as its header must be.
type Control = [u64; 2 + PASSED_MAX.div_ceil(2) + 1];

/// Sends one message with descriptors. On a seqpacket or datagram socket it is sent whole or not at all; on a stream as
/// much as fits. There is no `SIGPIPE`.
///
/// # Errors
/// `InvalidInput` for more than [`PASSED_MAX`] descriptors, or for descriptors without a byte to carry them; otherwise
/// the kernel's, `EPIPE` when the peer has gone.
pub fn send_with(socket: BorrowedFd<'_>, bytes: &[u8], fds: &[BorrowedFd<'_>]) -> io::Result<()> {
    send_some(socket, bytes, fds).map(drop)
}

/// As [`send_with`]; says how many bytes were taken. All descriptors go with the first of them.
///
/// # Errors
/// As [`send_with`]; `WouldBlock` when a stream that does not block is full, and then nothing has been sent.
pub fn send_some(
    socket: BorrowedFd<'_>,
    bytes: &[u8],
    fds: &[BorrowedFd<'_>],
) -> io::Result<usize> {
    if fds.len() > PASSED_MAX || (bytes.is_empty() && !fds.is_empty()) {
        let text = format!("{} descriptors with {} bytes", fds.len(), bytes.len());
        return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
    }
    let numbers: Vec<RawFd> = fds.iter().map(AsRawFd::as_raw_fd).collect();
    let mut control: MaybeUninit<Control> = MaybeUninit::uninit();
    let mut part = libc::iovec { iov_base: bytes.as_ptr().cast_mut().cast(), iov_len: bytes.len() };
    // SAFETY: msghdr is a plain C struct for which all zeroes is a valid value.
    let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
    message.msg_iov = &raw mut part;
    message.msg_iovlen = 1;
    if !numbers.is_empty() {
        let length = u32::try_from(size_of_val(numbers.as_slice())).map_err(io::Error::other)?;
        // SAFETY: CMSG_SPACE and CMSG_LEN only compute. The control data fits: there are at most PASSED_MAX numbers, for
        // which `Control` has room. CMSG_FIRSTHDR points to its begin, which is aligned for a header.
        unsafe {
            message.msg_control = control.as_mut_ptr().cast();
            message.msg_controllen = libc::CMSG_SPACE(length) as _;
            ptr::write_bytes(message.msg_control.cast::<u8>(), 0, message.msg_controllen as usize);
            let header = libc::CMSG_FIRSTHDR(&raw const message);
            (*header).cmsg_level = libc::SOL_SOCKET;
            (*header).cmsg_type = libc::SCM_RIGHTS;
            (*header).cmsg_len = libc::CMSG_LEN(length) as _;
            let data = libc::CMSG_DATA(header).cast::<RawFd>();
            ptr::copy_nonoverlapping(numbers.as_ptr(), data, numbers.len());
        }
    }
    loop {
        // SAFETY: all that `message` points to lives throughout the call.
        let sent =
            unsafe { libc::sendmsg(socket.as_raw_fd(), &raw const message, libc::MSG_NOSIGNAL) };
        if let Ok(sent) = usize::try_from(sent) {
            return Ok(sent);
        }
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
}

/// Receives one message of at most `bytes_max` bytes and `fds_max` descriptors, which are close-on-exec. Nothing and no
/// descriptors: the peer has gone.
///
/// # Errors
/// `InvalidData` when the message was longer or carried more; what did arrive of it is closed. Otherwise the kernel's.
pub fn receive_with(
    socket: BorrowedFd<'_>,
    bytes_max: usize,
    fds_max: usize,
) -> io::Result<(Vec<u8>, Vec<OwnedFd>)> {
    let mut bytes = vec![0; bytes_max];
    let (length, fds) = receive_into(socket, &mut bytes, fds_max)?;
    bytes.truncate(length);
    Ok((bytes, fds))
}

/// As [`receive_with`], into memory that is there already; says how much of it was filled.
///
/// # Errors
/// As [`receive_with`].
pub fn receive_into(
    socket: BorrowedFd<'_>,
    bytes: &mut [u8],
    fds_max: usize,
) -> io::Result<(usize, Vec<OwnedFd>)> {
    let mut control: MaybeUninit<Control> = MaybeUninit::uninit();
    let mut part = libc::iovec { iov_base: bytes.as_mut_ptr().cast(), iov_len: bytes.len() };
    // SAFETY: msghdr is a plain C struct for which all zeroes is a valid value.
    let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
    message.msg_iov = &raw mut part;
    message.msg_iovlen = 1;
    message.msg_control = control.as_mut_ptr().cast();
    let length = loop {
        message.msg_controllen = size_of::<Control>() as _;
        // SAFETY: all that `message` points to is writable for the lengths said and lives throughout the call.
        let received =
            unsafe { libc::recvmsg(socket.as_raw_fd(), &raw mut message, libc::MSG_CMSG_CLOEXEC) };
        if let Ok(length) = usize::try_from(received) {
            break length;
        }
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    };
    let fds = owned(&message);
    let cut = message.msg_flags & (libc::MSG_CTRUNC | libc::MSG_TRUNC);
    if cut != 0 || fds.len() > fds_max {
        let text = match cut & libc::MSG_TRUNC {
            0 => format!("a message with more descriptors than the {fds_max} allowed, or than fit"),
            _ => format!("a message of more than {} bytes", bytes.len()),
        };
        return Err(io::Error::new(io::ErrorKind::InvalidData, text));
    }
    Ok((length, fds))
}

/// Takes the descriptors out of a message that has just been received.
fn owned(message: &libc::msghdr) -> Vec<OwnedFd> {
    let mut fds = Vec::new();
    // SAFETY: the kernel has filled in the control data and its length; CMSG_FIRSTHDR and CMSG_NXTHDR stay inside.
    let mut header = unsafe { libc::CMSG_FIRSTHDR(message) };
    while !header.is_null() {
        // SAFETY: a header that the kernel wrote; its data has the length it says. CMSG_LEN only computes.
        unsafe {
            if (*header).cmsg_level == libc::SOL_SOCKET && (*header).cmsg_type == libc::SCM_RIGHTS {
                let length = (*header).cmsg_len as usize - libc::CMSG_LEN(0) as usize;
                let data = libc::CMSG_DATA(header).cast::<RawFd>();
                for place in 0..length / size_of::<RawFd>() {
                    fds.push(OwnedFd::from_raw_fd(data.add(place).read_unaligned()));
                }
            }
            header = libc::CMSG_NXTHDR(message, header);
        }
    }
    fds
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::{Read, Write};
    use std::os::fd::AsFd;
    use std::os::unix::net::{UnixDatagram, UnixStream};

    use super::*;

    #[test]
    fn bytes_and_descriptors_arrive_together() {
        let (here, there) = UnixStream::pair().unwrap();
        let (mut end, passed) = UnixStream::pair().unwrap();
        send_with(here.as_fd(), b"hi", &[passed.as_fd(), end.as_fd()]).unwrap();
        drop(passed);
        let (bytes, fds) = receive_with(there.as_fd(), 10, 2).unwrap();
        assert_eq!((bytes.as_slice(), fds.len()), (&b"hi"[..], 2));
        end.write_all(b"x").unwrap();
        let mut arrived = UnixStream::from(fds.into_iter().next().unwrap());
        arrived.read_exact(&mut [0]).unwrap();
        drop(here);
        let (bytes, fds) = receive_with(there.as_fd(), 10, 2).unwrap();
        assert!(bytes.is_empty() && fds.is_empty(), "the end");
    }

    #[test]
    fn as_many_as_the_kernel_allows_pass_at_once() {
        let (here, there) = UnixDatagram::pair().unwrap();
        send_with(here.as_fd(), b"x", &[here.as_fd(); PASSED_MAX]).unwrap();
        assert_eq!(receive_with(there.as_fd(), 1, PASSED_MAX).unwrap().1.len(), PASSED_MAX);
        let too_many = send_with(here.as_fd(), b"x", &[here.as_fd(); PASSED_MAX + 1]);
        assert_eq!(too_many.unwrap_err().kind(), io::ErrorKind::InvalidInput);
        let alone = send_with(here.as_fd(), b"", &[here.as_fd()]);
        assert_eq!(alone.unwrap_err().kind(), io::ErrorKind::InvalidInput);
    }

    #[test]
    fn a_message_that_is_too_large_leaves_nothing_behind() {
        let (here, there) = UnixDatagram::pair().unwrap();
        for (bytes_max, fds_max) in [(3, 2), (2, 3), (0, 0)] {
            let (mut reader, writer) = io::pipe().unwrap();
            let fds = [writer.as_fd(); 3];
            send_with(here.as_fd(), b"abc", &fds).unwrap();
            drop(writer);
            let error = receive_with(there.as_fd(), bytes_max, fds_max).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{error}");
            // The pipe ends when no writing end is left.
            assert_eq!(reader.read(&mut [0]).unwrap(), 0);
        }
    }

    #[test]
    fn what_arrives_is_not_inherited_by_programs() {
        let (here, there) = UnixStream::pair().unwrap();
        send_with(here.as_fd(), b"x", &[File::open("/dev/null").unwrap().as_fd()]).unwrap();
        let (_, fds) = receive_with(there.as_fd(), 1, 1).unwrap();
        // SAFETY: plain system call on an open descriptor.
        let flags = unsafe { libc::fcntl(fds[0].as_raw_fd(), libc::F_GETFD) };
        assert_eq!(flags, libc::FD_CLOEXEC);
    }
}
