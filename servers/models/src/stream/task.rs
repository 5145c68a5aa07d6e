//! A connected socket on an event loop.
//!
//! Not tokio's: a read ends at an urgent mark, and what comes behind the mark is not announced again. Tokio takes a read
//! that did not fill its room for the last one there is, and would wait for ever. So here the loop is asked about urgent
//! data too, which costs nothing as long as there is none.

use std::cell::Cell;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::task::{Context, Poll, ready};

use socket2::SockRef;
use tokio::io::unix::AsyncFd;
use tokio::io::{Interest, Ready};

/// A connection.
#[derive(Debug)]
pub(crate) struct TaskStream {
    socket: AsyncFd<TcpStream>,
    /// An urgent byte has been taken, so that the loop does not speak of its mark any more.
    has_mark: Cell<bool>,
}

/// A listening socket.
#[derive(Debug)]
pub(crate) struct TaskListener(AsyncFd<TcpListener>);

#[expect(
    deprecated,
    reason = "what replaces it is unsafe; a socket of std does not change its descriptor"
)]
fn watched<T: std::os::fd::AsRawFd>(socket: T, interest: Interest) -> io::Result<AsyncFd<T>> {
    AsyncFd::with_interest(socket, interest)
}

impl TaskStream {
    /// On the loop of the calling thread.
    pub(crate) fn new(socket: TcpStream) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        let interest = Interest::READABLE | Interest::WRITABLE | Interest::PRIORITY;
        Ok(Self { socket: watched(socket, interest)?, has_mark: Cell::new(false) })
    }

    pub(crate) fn get(&self) -> &TcpStream {
        self.socket.get_ref()
    }

    pub(crate) fn into_inner(self) -> TcpStream {
        self.socket.into_inner()
    }

    /// An urgent byte has been taken.
    pub(crate) fn note_mark(&self) {
        self.has_mark.set(true);
    }

    /// Reads once. Cancel-safe.
    pub(crate) async fn read(&self, room: &mut [u8]) -> io::Result<usize> {
        loop {
            let mut guard = self.socket.ready(Interest::READABLE | Interest::PRIORITY).await?;
            match self.get().read(room) {
                Ok(read) => {
                    let has_mark = self.has_mark.get() || guard.ready().is_priority();
                    if read < room.len() && !has_mark {
                        guard.clear_ready_matching(Ready::READABLE); // it was the last there is
                    }
                    return Ok(read);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.has_mark.set(false);
                    guard.clear_ready_matching(Ready::READABLE | Ready::PRIORITY);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Writes once. Cancel-safe.
    pub(crate) async fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.socket.async_io(Interest::WRITABLE, |mut socket| socket.write(bytes)).await
    }
}

impl TaskListener {
    /// On the loop of the calling thread; does not block.
    pub(crate) fn new(socket: TcpListener) -> io::Result<Self> {
        watched(socket, Interest::READABLE).map(Self)
    }

    pub(crate) fn poll_accept(
        &self,
        task: &mut Context<'_>,
    ) -> Poll<io::Result<(TaskStream, SocketAddr)>> {
        loop {
            let mut guard = ready!(self.0.poll_read_ready(task))?;
            let accept = |socket: &AsyncFd<TcpListener>| SockRef::from(socket.get_ref()).accept();
            // Else somebody else has accepted it.
            if let Ok(accepted) = guard.try_io(accept) {
                let (socket, address) = accepted?;
                let address = address.as_socket().ok_or(ErrorKind::Unsupported)?;
                return Poll::Ready(Ok((TaskStream::new(socket.into())?, address)));
            }
        }
    }
}
