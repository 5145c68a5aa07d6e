//! A connected socket on a fiber.
//!
//! Every call is tried first; only what would block waits, on the LWP where it first waits. So nothing has to be known
//! of marks of urgent data, behind which an event loop would wait for news that it has had.

use std::future::poll_fn;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::task::{Context, Poll, ready};

use palco_fibers::Source;
use socket2::SockRef;

/// A connection.
#[derive(Debug)]
pub(crate) struct FiberStream(Source<TcpStream>);

/// A listening socket.
#[derive(Debug)]
pub(crate) struct FiberListener(Source<TcpListener>);

impl FiberStream {
    pub(crate) fn new(socket: TcpStream) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        Ok(Self(Source::new(socket)?))
    }

    pub(crate) fn get(&self) -> &TcpStream {
        self.0.get()
    }

    /// The socket, which blocks.
    pub(crate) fn into_blocking(self) -> io::Result<TcpStream> {
        let socket = self.0.into_inner();
        socket.set_nonblocking(false)?;
        Ok(socket)
    }

    /// Reads once. Cancel-safe.
    pub(crate) async fn read(&self, room: &mut [u8]) -> io::Result<usize> {
        poll_fn(|task| self.0.poll_read_with(task, |mut socket| socket.read(room))).await
    }

    /// Writes once. Cancel-safe.
    pub(crate) async fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        poll_fn(|task| self.0.poll_write_with(task, |mut socket| socket.write(bytes))).await
    }
}

impl FiberListener {
    pub(crate) fn new(socket: TcpListener) -> io::Result<Self> {
        Source::new(socket).map(Self)
    }

    pub(crate) fn poll_accept(
        &self,
        task: &mut Context<'_>,
    ) -> Poll<io::Result<(FiberStream, SocketAddr)>> {
        let (socket, address) =
            ready!(self.0.poll_read_with(task, |socket| SockRef::from(socket).accept()))?;
        let address = address.as_socket().ok_or(ErrorKind::Unsupported)?;
        Poll::Ready(Ok((FiberStream::new(socket.into())?, address)))
    }
}
