//! Pipes and sockets. Those that do not keep messages apart are read until the message is whole.

use std::io::{self, Read, Write, pipe};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;

use nix::fcntl::{FcntlArg, fcntl};
use nix::sys::socket::{AddressFamily, MsgFlags, SockFlag, SockType, recv, send, socketpair};

use super::carrier::{Ends, Inlet, Outlet};
use crate::crew::patiently;

/// What a pipe may have without a privilege, unless the limit was changed.
pub(super) const LARGE_PIPE_BYTES: i32 = 1 << 20;

struct Bytes<T>(T);

impl<T: Write + Send> Outlet for Bytes<T> {
    #[inline]
    fn send(&mut self, message: &[u8]) -> io::Result<()> {
        self.0.write_all(message)
    }
}

impl<T: Read> Inlet for Bytes<T> {
    #[inline]
    fn receive(&mut self, message: &mut [u8]) -> io::Result<()> {
        self.0.read_exact(message)
    }
}

pub(super) fn pipe_ends(bytes: Option<i32>) -> io::Result<Ends> {
    let (reader, writer) = pipe()?;
    if let Some(bytes) = bytes {
        fcntl(&writer, FcntlArg::F_SETPIPE_SZ(bytes)).map_err(|error| {
            let text =
                format!("{bytes} bytes are refused ({error}); see /proc/sys/fs/pipe-max-size");
            io::Error::other(text)
        })?;
    }
    Ok((Box::new(Bytes(writer)), Box::new(Bytes(reader))))
}

pub(super) fn unix_ends() -> io::Result<Ends> {
    let (here, there) = UnixStream::pair()?;
    Ok((Box::new(Bytes(there)), Box::new(Bytes(here))))
}

pub(super) fn tcp_ends() -> io::Result<Ends> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let there = TcpStream::connect(listener.local_addr()?)?;
    there.set_nodelay(true)?;
    loop {
        let (here, from) = listener.accept()?;
        // Anybody may connect to a port of this machine.
        if from == there.local_addr()? {
            return Ok((Box::new(Bytes(there)), Box::new(Bytes(here))));
        }
    }
}

struct Packets(OwnedFd);

impl Outlet for Packets {
    #[inline]
    fn send(&mut self, message: &[u8]) -> io::Result<()> {
        let sent = patiently(|| Ok(send(self.0.as_raw_fd(), message, MsgFlags::MSG_NOSIGNAL)?))?;
        whole(sent, message)
    }
}

impl Inlet for Packets {
    #[inline]
    fn receive(&mut self, message: &mut [u8]) -> io::Result<()> {
        let length = patiently(|| Ok(recv(self.0.as_raw_fd(), message, MsgFlags::MSG_TRUNC)?))?;
        whole(length, message)
    }
}

pub(super) fn seqpacket_ends() -> io::Result<Ends> {
    let (kind, flags) = (SockType::SeqPacket, SockFlag::SOCK_CLOEXEC);
    let (here, there) = socketpair(AddressFamily::Unix, kind, None, flags)?;
    Ok((Box::new(Packets(there)), Box::new(Packets(here))))
}

/// A message comes as a whole or not at all.
pub(super) fn whole(length: usize, message: &[u8]) -> io::Result<()> {
    match length {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        length if length == message.len() => Ok(()),
        length => {
            let text = format!("{length} bytes came instead of {}", message.len());
            Err(io::Error::new(io::ErrorKind::InvalidData, text))
        }
    }
}
