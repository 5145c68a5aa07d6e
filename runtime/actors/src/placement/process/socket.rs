//! One of the address's sockets on its event loop: registered for reading only. A socket that is registered for writing
//! as well wakes its loop each time the other side has read something.

use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::task::{Context as Task, Poll, ready};

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::wire::Incoming;
use crate::portable::Passed;

pub(super) struct Socket {
    stream: UnixStream,
    /// Registered once something is to be read.
    reader: Option<AsyncFd<UnixStream>>,
    /// Registered while the socket is full.
    writer: Option<AsyncFd<UnixStream>>,
}

/// What reading has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    Bytes(usize),
    End,
}

impl Socket {
    pub(super) fn new(stream: UnixStream) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        Ok(Self { stream, reader: None, writer: None })
    }

    /// Writes what the socket takes; pending if it took not all, and then the task is woken when it takes more. A broken
    /// socket takes everything: that shows where it is read. The descriptors go with the first byte.
    pub(super) fn poll_write(
        &mut self,
        task: &mut Task<'_>,
        bytes: &[u8],
        descriptors: &mut Passed,
    ) -> (usize, Poll<()>) {
        let mut written = 0;
        while written < bytes.len() {
            let wrote = if descriptors.is_empty() {
                (&self.stream).write(&bytes[written..])
            } else {
                let passed: Vec<_> = descriptors.iter().map(|fd| fd.as_fd()).collect();
                palco_sys::send_some(self.stream.as_fd(), &bytes[written..], &passed)
            };
            match wrote {
                Ok(bytes) => {
                    written += bytes;
                    descriptors.clear();
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    match self.poll_room(task) {
                        Ok(Poll::Ready(())) => {}
                        Ok(Poll::Pending) => return (written, Poll::Pending),
                        Err(_) => return (bytes.len(), Poll::Ready(())),
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return (bytes.len(), Poll::Ready(())),
            }
        }
        self.writer = None;
        (written, Poll::Ready(()))
    }

    fn poll_room(&mut self, task: &mut Task<'_>) -> io::Result<Poll<()>> {
        let writer = match &mut self.writer {
            Some(writer) => writer,
            none => none.insert(register(&self.stream, Interest::WRITABLE)?),
        };
        Ok(match writer.poll_write_ready(task)? {
            Poll::Ready(mut guard) => {
                // It has been full just now: the next time it is ready is news.
                guard.clear_ready();
                Poll::Ready(())
            }
            Poll::Pending => Poll::Pending,
        })
    }

    /// Reads what has come. Pending if there is nothing, and then the task is woken by what comes.
    pub(super) fn poll_read(
        &mut self,
        task: &mut Task<'_>,
        incoming: &mut Incoming,
    ) -> Poll<io::Result<Heard>> {
        let reader = match &mut self.reader {
            Some(reader) => reader,
            none => none.insert(register(&self.stream, Interest::READABLE)?),
        };
        loop {
            let mut guard = ready!(reader.poll_read_ready(task))?;
            let read = incoming.read(&self.stream);
            if !matches!(read, Ok((_, true))) {
                guard.clear_ready(); // drained; whatever came since has made it ready anew
            }
            match read {
                Ok((0, _)) => return Poll::Ready(Ok(Heard::End)),
                Ok((bytes, _)) => return Poll::Ready(Ok(Heard::Bytes(bytes))),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }

    /// Writes one byte if there is room for it.
    pub(super) fn ring(&self) {
        // Full of bells: one of them will be heard.
        let _ = (&self.stream).write(&[0]);
    }
}

/// A duplicate, so that a socket can be registered twice.
fn register(stream: &UnixStream, interest: Interest) -> io::Result<AsyncFd<UnixStream>> {
    let stream = stream.try_clone()?;
    #[expect(
        deprecated,
        reason = "its successor is unsafe; a stream owns its descriptor as long as it lives"
    )]
    AsyncFd::with_interest(stream, interest)
}
