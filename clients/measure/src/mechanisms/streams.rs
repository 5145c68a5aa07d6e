//! Descriptors: what is written at one is read at the other, and when one side has closed its own, the other reads the end.

use std::fs::File;
use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream, UdpSocket};
use std::os::unix::net::UnixStream;
use std::sync::Arc;

use nix::sys::eventfd::{EfdFlags, EventFd};
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};

use super::{End, Role, patiently};

/// A descriptor to write to and one to read from.
#[derive(Debug)]
pub(crate) struct Stream<R, W> {
    reader: R,
    writer: W,
}

/// A pipe each way.
pub(crate) fn pipes() -> io::Result<[Stream<PipeReader, PipeWriter>; 2]> {
    let ((to_first, from_second), (to_second, from_first)) = (io::pipe()?, io::pipe()?);
    Ok([
        Stream { reader: to_first, writer: from_first },
        Stream { reader: to_second, writer: from_second },
    ])
}

/// Connected stream sockets of this machine.
pub(crate) fn unix_streams() -> io::Result<[Stream<UnixStream, UnixStream>; 2]> {
    let (first, second) = UnixStream::pair()?;
    Ok([both_ways(first, UnixStream::try_clone)?, both_ways(second, UnixStream::try_clone)?])
}

/// As [`unix_streams`], but a message is a message.
pub(crate) fn unix_seqpackets() -> io::Result<[Stream<File, File>; 2]> {
    let (family, kind) = (AddressFamily::Unix, SockType::SeqPacket);
    let (first, second) = socketpair(family, kind, None, SockFlag::SOCK_CLOEXEC)?;
    Ok([both_ways(first.into(), File::try_clone)?, both_ways(second.into(), File::try_clone)?])
}

/// A TCP connection through the loopback interface, in which nothing is kept back to fill a segment.
pub(crate) fn tcp() -> io::Result<[Stream<TcpStream, TcpStream>; 2]> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let first = TcpStream::connect(listener.local_addr()?)?;
    // Another process may have connected in between.
    let second = loop {
        let (stream, peer) = listener.accept()?;
        if peer == first.local_addr()? {
            break stream;
        }
    };
    first.set_nodelay(true)?;
    second.set_nodelay(true)?;
    Ok([both_ways(first, TcpStream::try_clone)?, both_ways(second, TcpStream::try_clone)?])
}

fn both_ways<S>(stream: S, copy: impl Fn(&S) -> io::Result<S>) -> io::Result<Stream<S, S>> {
    Ok(Stream { reader: copy(&stream)?, writer: stream })
}

impl<R: Read, W: Write> End for Stream<R, W> {
    #[inline]
    fn pass(&mut self, mut message: &[u8]) -> io::Result<()> {
        while !message.is_empty() {
            match patiently(|| self.writer.write(message))? {
                0 => return Err(io::ErrorKind::WriteZero.into()),
                written => message = message.get(written..).unwrap_or_default(),
            }
        }
        Ok(())
    }

    #[inline]
    fn take(&mut self, message: &mut [u8]) -> io::Result<()> {
        let mut filled = 0;
        while let Some(rest) = message.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match patiently(|| self.reader.read(rest))? {
                0 => return Err(closed()),
                read => filled += read,
            }
        }
        Ok(())
    }
}

fn closed() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "the other side has closed its end")
}

/// Datagrams through the loopback interface; connected, so that no others come in.
#[derive(Debug)]
pub(crate) struct Datagrams(UdpSocket);

impl Datagrams {
    pub(crate) fn pair() -> io::Result<[Self; 2]> {
        let first = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        let second = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        first.connect(second.local_addr()?)?;
        second.connect(first.local_addr()?)?;
        Ok([Self(first), Self(second)])
    }
}

impl End for Datagrams {
    #[inline]
    fn pass(&mut self, message: &[u8]) -> io::Result<()> {
        patiently(|| self.0.send(message)).map(drop)
    }

    #[inline]
    fn take(&mut self, message: &mut [u8]) -> io::Result<()> {
        let length = patiently(|| self.0.recv(message))?;
        if length == message.len() { Ok(()) } else { Err(io::ErrorKind::InvalidData.into()) }
    }
}

/// A counter each way. Its descriptors have no ends: that the other side is gone, only the alarm tells.
#[derive(Debug)]
pub(crate) struct Events {
    counters: Arc<[EventFd; 2]>,
    role: Role,
}

impl Events {
    pub(crate) fn pair() -> io::Result<[Self; 2]> {
        let counter = || EventFd::from_flags(EfdFlags::EFD_CLOEXEC);
        let counters = Arc::new([counter()?, counter()?]);
        Ok([Role::First, Role::Second].map(|role| Self { counters: counters.clone(), role }))
    }
}

impl End for Events {
    #[inline]
    fn pass(&mut self, _: &[u8]) -> io::Result<()> {
        let peer = &self.counters[self.role.peer().index()];
        patiently(|| Ok(peer.write(1)?)).map(drop)
    }

    #[inline]
    fn take(&mut self, _: &mut [u8]) -> io::Result<()> {
        let own = &self.counters[self.role.index()];
        patiently(|| Ok(own.read()?)).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn carries(mut ends: [impl End; 2]) {
        let message: Vec<u8> = (0..=255).cycle().take(4096).collect();
        let [first, second] = &mut ends;
        let mut taken = vec![0; message.len()];
        first.pass(&message).unwrap();
        second.take(&mut taken).unwrap();
        assert_eq!(taken, message);
        second.pass(&message[..64]).unwrap();
        first.take(&mut taken[..64]).unwrap();
        assert_eq!(taken[..64], message[..64]);
    }

    #[test]
    fn messages_arrive_whole_both_ways() {
        carries(pipes().unwrap());
        carries(unix_streams().unwrap());
        carries(unix_seqpackets().unwrap());
        carries(tcp().unwrap());
        carries(Datagrams::pair().unwrap());
    }

    #[test]
    fn who_reads_from_a_side_that_has_closed_is_told() {
        fn closes<E: End>([mut first, second]: [E; 2]) {
            drop(second);
            assert_eq!(first.take(&mut [0]).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        }
        closes(pipes().unwrap());
        closes(unix_streams().unwrap());
        closes(unix_seqpackets().unwrap());
        closes(tcp().unwrap());
    }
}
