//! Sockets where a wait gives the thread to others: on an event loop, or on a fiber.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::task::{Context, Poll};

use palco_actors::PlaceKind;

use super::fiber::{FiberListener, FiberStream};
use super::task::{TaskListener, TaskStream};

/// A connection.
#[derive(Debug)]
pub(crate) enum PolledStream {
    Task(TaskStream),
    Fiber(FiberStream),
}

/// A listening socket.
#[derive(Debug)]
pub(crate) enum PolledListener {
    Task(TaskListener),
    Fiber(FiberListener),
}

impl PolledStream {
    pub(crate) fn get(&self) -> &TcpStream {
        match self {
            Self::Task(stream) => stream.get(),
            Self::Fiber(stream) => stream.get(),
        }
    }

    /// The socket, which blocks.
    pub(crate) fn into_blocking(self) -> io::Result<TcpStream> {
        match self {
            Self::Task(stream) => stream.into_blocking(),
            Self::Fiber(stream) => stream.into_blocking(),
        }
    }

    /// An urgent byte has been taken.
    pub(crate) fn note_mark(&self) {
        match self {
            Self::Task(stream) => stream.note_mark(),
            Self::Fiber(_) => {} // it tries to read before it waits, so a mark hides nothing
        }
    }

    /// Reads once. Cancel-safe.
    pub(crate) async fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Task(stream) => stream.read(room).await,
            Self::Fiber(stream) => stream.read(room).await,
        }
    }

    /// Writes once. Cancel-safe.
    pub(crate) async fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Task(stream) => stream.write(bytes).await,
            Self::Fiber(stream) => stream.write(bytes).await,
        }
    }
}

impl PolledListener {
    /// In such a place, none where an accept may block. Must be called in that place.
    pub(crate) fn new(place: PlaceKind, socket: TcpListener) -> io::Result<Self> {
        Ok(match place {
            PlaceKind::Fiber => Self::Fiber(FiberListener::new(socket)?),
            PlaceKind::Task | PlaceKind::Thread | PlaceKind::Process | PlaceKind::Remote => {
                Self::Task(TaskListener::new(socket)?)
            }
        })
    }

    pub(crate) fn poll_accept(
        &self,
        task: &mut Context<'_>,
    ) -> Poll<io::Result<(PolledStream, SocketAddr)>> {
        match self {
            Self::Task(listener) => listener
                .poll_accept(task)
                .map_ok(|(stream, peer)| (PolledStream::Task(stream), peer)),
            Self::Fiber(listener) => listener
                .poll_accept(task)
                .map_ok(|(stream, peer)| (PolledStream::Fiber(stream), peer)),
        }
    }
}
