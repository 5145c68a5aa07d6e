//! A connected socket on an event loop.
//!
//! Not tokio's: a read ends at an urgent mark, and what comes behind the mark is not announced again. Tokio takes a read
//! that did not fill its room for the last one there is, and would wait for ever. So here the loop is asked about urgent
//! data too, which costs nothing as long as there is none.
//!
//! The loop hears of a socket only when it has to be waited for, and of what is waited for: a client's first request is
//! often there by the time its connection is accepted, most answers fit into the kernel's buffer, and a socket that is
//! passed on is never waited for here.

use std::cell::Cell;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsRawFd, RawFd};
use std::task::{Context, Poll, ready};

use socket2::SockRef;
use tokio::io::unix::AsyncFd;
use tokio::io::{Interest, Ready};
use tokio::task::coop::consume_budget;

/// A connection.
#[derive(Debug)]
pub(crate) struct TaskStream {
    /// As long as the loop knows of the socket. Dropped before that is closed.
    watch: Option<Watch>,
    socket: TcpStream,
    /// Whether its calls return at once.
    is_begun: bool,
    /// An urgent byte has been taken, so that the loop does not speak of its mark any more.
    has_mark: Cell<bool>,
}

/// What the loop has been asked to tell.
#[derive(Debug)]
struct Watch {
    socket: AsyncFd<RawFd>,
    interest: Interest,
}

/// A listening socket.
#[derive(Debug)]
pub(crate) struct TaskListener(AsyncFd<TcpListener>);

#[expect(
    deprecated,
    reason = "what replaces it is unsafe; a descriptor does not change, and is open as long as it is watched"
)]
fn watched<T: AsRawFd>(socket: T, interest: Interest) -> io::Result<AsyncFd<T>> {
    AsyncFd::with_interest(socket, interest)
}

impl TaskStream {
    pub(crate) fn new(socket: TcpStream) -> Self {
        Self { watch: None, socket, is_begun: false, has_mark: Cell::new(false) }
    }

    pub(crate) fn get(&self) -> &TcpStream {
        &self.socket
    }

    /// The socket, which blocks.
    pub(crate) fn into_blocking(self) -> io::Result<TcpStream> {
        let Self { watch, socket, is_begun, .. } = self;
        drop(watch);
        if is_begun {
            socket.set_nonblocking(false)?;
        }
        Ok(socket)
    }

    /// An urgent byte has been taken.
    pub(crate) fn note_mark(&self) {
        self.has_mark.set(true);
    }

    /// Reads once. Cancel-safe.
    pub(crate) async fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        // Only the first is tried before the loop is asked: it sees to it that a client who never pauses has to.
        if self.begins()?
            && let Some(read) = at_once(|| (&self.socket).read(room))
        {
            return read;
        }
        let interest = Interest::READABLE | Interest::PRIORITY;
        let (mut socket, watch) =
            (&self.socket, watched_for(&mut self.watch, &self.socket, interest)?);
        loop {
            let mut guard = watch.ready(interest).await?;
            match socket.read(room) {
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
    pub(crate) async fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.begins()?;
        consume_budget().await; // a client who reads as fast as this must not have the loop for itself
        if let Some(written) = at_once(|| (&self.socket).write(bytes)) {
            return written;
        }
        let (mut socket, all) =
            (&self.socket, Interest::READABLE | Interest::PRIORITY | Interest::WRITABLE);
        let watch = watched_for(&mut self.watch, &self.socket, all)?;
        watch.async_io(Interest::WRITABLE, |_| socket.write(bytes)).await
    }

    /// Makes calls return at once, if this is the first.
    fn begins(&mut self) -> io::Result<bool> {
        if self.is_begun {
            return Ok(false);
        }
        self.socket.set_nonblocking(true)?;
        self.is_begun = true;
        Ok(true)
    }
}

/// What a call comes to if it need not wait.
fn at_once(mut call: impl FnMut() -> io::Result<usize>) -> Option<io::Result<usize>> {
    loop {
        match call() {
            Err(error) if error.kind() == ErrorKind::WouldBlock => return None,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            outcome => return Some(outcome),
        }
    }
}

/// The loop of the calling thread, asked to tell at least this about a socket.
fn watched_for<'a>(
    watch: &'a mut Option<Watch>,
    socket: &TcpStream,
    interest: Interest,
) -> io::Result<&'a AsyncFd<RawFd>> {
    // What it was asked for less is forgotten first: it knows a socket once.
    let before = watch.take_if(|watch| watch.interest | interest != watch.interest);
    drop(before);
    Ok(match watch {
        Some(watch) => &watch.socket,
        empty => {
            let socket = watched(socket.as_raw_fd(), interest)?;
            &empty.insert(Watch { socket, interest }).socket
        }
    })
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
                return Poll::Ready(Ok((TaskStream::new(socket.into()), address)));
            }
        }
    }
}
