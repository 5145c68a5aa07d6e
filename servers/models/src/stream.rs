//! A connected socket as each place waits for it. The only file beside `listener.rs` that knows sockets of places.
//!
//! On an event loop or a fiber a wait gives the thread to others; on a thread of its own, or in a process, it is a plain blocking system call, which signals end
//! with `EINTR`. A stop ends the wait for the client's next bytes, never the writing of a response.

mod blocking;
mod farewell;
mod fiber;
mod polled;
mod task;

use std::io::{self, Read, Write};
use std::mem::MaybeUninit;
use std::net::TcpStream as ThreadStream;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::time::Duration;

use blocking::{write_at_once, write_until};
use bytes::{Buf, BytesMut};
use futures_util::FutureExt;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{MsgFlags, recv};
use palco_actors::{Actor, Context, Wait};
pub(crate) use polled::{PolledListener, PolledStream};
use socket2::SockRef;

use crate::timing::{Sending, Timing, Until};

/// Room made for one read.
const READ_BYTES: usize = 4 << 10;
/// Room made when the last read filled its room: large transfers take fewer system calls.
const READ_BYTES_LARGE: usize = 64 << 10;

/// How far ahead an urgent byte is looked for: as far as its sender can point.
const TO_MARK_BYTES_MAX: usize = 64 << 10;

/// What a read has come to.
#[derive(Debug)]
pub(crate) enum Heard {
    /// So many bytes.
    Bytes(usize),
    /// There will be no more.
    End,
    /// A stop came first.
    Stopped,
    /// A time limit was reached first.
    Late,
    /// The client has gone.
    Gone,
}

impl From<io::Result<usize>> for Heard {
    fn from(read: io::Result<usize>) -> Self {
        match read {
            Ok(0) => Self::End,
            Ok(bytes) => Self::Bytes(bytes),
            Err(_) => Self::Gone,
        }
    }
}

impl Heard {
    fn bytes(&self) -> usize {
        match self {
            Self::Bytes(bytes) => *bytes,
            Self::End | Self::Stopped | Self::Late | Self::Gone => 0,
        }
    }
}

/// What a write has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Written {
    /// All has been written.
    All,
    /// A time limit was reached first.
    Late,
    /// The client has gone.
    Gone,
}

/// What the next read is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    /// Whatever the client says next.
    Anything,
    /// The rest of a request that comes in parts.
    Much,
}

#[derive(Debug)]
pub(crate) enum Stream {
    /// In a place where a wait gives the thread to others.
    Polled(PolledStream),
    /// In a place that may block.
    Blocking(ThreadStream),
}

impl AsFd for Stream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Polled(stream) => stream.get().as_fd(),
            Self::Blocking(stream) => stream.as_fd(),
        }
    }
}

impl Stream {
    /// Reads once, in one go as much as suits `expected`, and waits no longer than `until`. Dropped early, it may leave
    /// bytes behind those that were in `buffer`, which mean nothing.
    pub(crate) async fn read<A: Actor>(
        &mut self,
        cx: &Context<A>,
        buffer: &mut BytesMut,
        expected: Expected,
        timing: &Timing<'_>,
        until: Option<Until>,
    ) -> Heard {
        let filled = buffer.capacity() >= READ_BYTES && buffer.len() == buffer.capacity();
        let room = match expected {
            Expected::Anything if !filled => READ_BYTES,
            Expected::Anything | Expected::Much => READ_BYTES_LARGE,
        };
        match self {
            Self::Polled(stream) => {
                // Before the look for input: a client that never pauses would never be stopped.
                if cx.is_stopping() {
                    return Heard::Stopped;
                }
                let start = buffer.len();
                buffer.resize(start + room, 0);
                let read = stream.read(&mut buffer[start..]);
                let read = match until {
                    None => cx.unless_stopped(read).await.map(Some),
                    Some(until) => {
                        cx.unless_stopped(timing.timer().within(|| until.at, read)).await
                    }
                };
                let heard = match read {
                    Some(Some(read)) => read.into(),
                    Some(None) => Heard::Late,
                    None => Heard::Stopped,
                };
                buffer.truncate(start + heard.bytes());
                heard
            }
            Self::Blocking(stream) => {
                let start = buffer.len();
                buffer.resize(start + room, 0);
                let mut call = || match timing.arm(stream, until)? {
                    true => stream.read(&mut buffer[start..]).map(Some),
                    false => Ok(None),
                };
                let heard = loop {
                    match cx.blocking_call(Wait::UntilStop, &mut call).await {
                        // The receive timeout is no more than about right.
                        Some(Err(error))
                            if until.is_some() && error.kind() == io::ErrorKind::WouldBlock => {}
                        Some(Ok(Some(read))) => break Ok(read).into(),
                        Some(Err(error)) => break Err(error).into(),
                        Some(Ok(None)) => break Heard::Late,
                        None => break Heard::Stopped,
                    }
                };
                buffer.truncate(start + heard.bytes());
                heard
            }
        }
    }

    /// Reads once, also after a stop, and waits no longer than `within`; stopped if nothing has come by then.
    pub(crate) async fn read_through_stop<A: Actor>(
        &mut self,
        cx: &Context<A>,
        buffer: &mut BytesMut,
        within: Duration,
    ) -> Heard {
        let start = buffer.len();
        buffer.resize(start + READ_BYTES, 0);
        let into = &mut buffer[start..];
        let read = match self {
            Self::Polled(stream) => cx.system().within(within, stream.read(into)).await,
            Self::Blocking(stream) => {
                let call = || {
                    stream.set_read_timeout(Some(within))?;
                    stream.read(into)
                };
                let read = cx.blocking_call(Wait::ThroughStop, call).await;
                read.filter(
                    |read| !matches!(read, Err(error) if error.kind() == io::ErrorKind::WouldBlock),
                )
            }
        };
        let heard = read.map_or(Heard::Stopped, Heard::from);
        buffer.truncate(start + heard.bytes());
        heard
    }

    /// Writes all of `buffer` and leaves it empty, unless the client does not take it in time.
    pub(crate) async fn write_all<A: Actor>(
        &mut self,
        cx: &Context<A>,
        buffer: &mut BytesMut,
        timing: &Timing<'_>,
    ) -> Written {
        let mut sending = None;
        while buffer.has_remaining() {
            let written = match self {
                _ if let Some(send) = timing.send_limit() => {
                    self.write_within(cx, buffer, timing, send, &mut sending).await
                }
                Self::Polled(stream) => stream.write(buffer).await.map(Some),
                Self::Blocking(stream) => cx
                    .blocking_call(Wait::ThroughStop, || stream.write(buffer).map(Some))
                    .await
                    .unwrap_or(Ok(Some(0))),
            };
            match written {
                Ok(Some(written @ 1..)) => buffer.advance(written),
                Ok(None) => return Written::Late,
                Ok(Some(0)) | Err(_) => return Written::Gone,
            }
        }
        Written::All
    }

    /// Writes once; none if the client takes too long.
    async fn write_within<'a, A: Actor>(
        &mut self,
        cx: &Context<A>,
        bytes: &[u8],
        timing: &'a Timing<'a>,
        send: Duration,
        sending: &mut Option<Sending<'a>>,
    ) -> io::Result<Option<usize>> {
        // As every write where waits give the thread away: a client who reads as fast must not have it for itself.
        let at_once = match self {
            Self::Polled(stream) => stream.write(bytes).now_or_never().transpose()?,
            Self::Blocking(stream) => write_at_once(stream.as_raw_fd(), bytes)?,
        };
        if at_once.is_some() {
            return Ok(at_once);
        }
        let Some(sending) = timing.wait_to_send(sending, send, self.unsent() + bytes.len()) else {
            return Ok(None);
        };
        loop {
            let written = match self {
                Self::Polled(stream) => timing
                    .timer()
                    .within(|| sending.until, stream.write(bytes))
                    .await
                    .transpose()?,
                Self::Blocking(stream) => {
                    let until = sending.until;
                    let call = || write_until(stream, bytes, timing.timer(), until);
                    cx.blocking_call(Wait::ThroughStop, call).await.unwrap_or(Ok(Some(0)))?
                }
            };
            if written.is_some() || sending.is_over(self.unsent() + bytes.len()) {
                return Ok(written);
            }
        }
    }

    /// Bytes that the client has not acknowledged.
    fn unsent(&self) -> usize {
        palco_sys::unsent_bytes(self).unwrap_or_default()
    }

    /// Writes what fits into the send buffer: all of some words into the empty one of a new socket. Waits for nothing.
    pub(crate) fn say_at_once(&self, words: &[u8]) {
        let socket = self.socket();
        let _ = socket.set_nonblocking(true).and_then(|()| socket.send(words));
    }

    /// The socket, for another process, which waits for it as a thread does.
    pub(crate) fn into_descriptor(self) -> io::Result<OwnedFd> {
        Ok(match self {
            Self::Polled(stream) => stream.into_blocking()?,
            Self::Blocking(stream) => stream,
        }
        .into())
    }

    /// An urgent byte has been taken from it.
    pub(crate) fn note_mark(&self) {
        match self {
            Self::Polled(stream) => stream.note_mark(),
            Self::Blocking(_) => {} // its reads do not wait for the news of a loop
        }
    }

    /// Its number in this process.
    pub(crate) fn descriptor(&self) -> RawFd {
        self.as_fd().as_raw_fd()
    }

    /// From now on an urgent byte stays among the others, and a read ends before it.
    pub(crate) fn keep_urgent_inline(&self) -> io::Result<()> {
        self.socket().set_out_of_band_inline(true)
    }

    /// Reads on until the urgent byte and with it, if one has come. Waits for nothing; false if there is none, or it
    /// is too far away.
    pub(crate) fn read_to_mark(&self, unread: &mut Vec<u8>) -> io::Result<bool> {
        let mut urgent = [PollFd::new(self.as_fd(), PollFlags::POLLPRI)];
        if poll(&mut urgent, PollTimeout::ZERO)? == 0 {
            return Ok(false);
        }
        while unread.len() < TO_MARK_BYTES_MAX {
            let is_at_mark = palco_urgent::is_at_mark(self)?;
            let room = if is_at_mark { 1 } else { READ_BYTES };
            let mut scratch = [0; READ_BYTES];
            let read = recv(self.descriptor(), &mut scratch[..room], MsgFlags::MSG_DONTWAIT)?;
            unread.extend_from_slice(&scratch[..read]);
            if is_at_mark || read == 0 {
                return Ok(is_at_mark);
            }
        }
        Ok(false)
    }

    /// Whether the client has sent something that has not been read. Afterwards no call on the socket waits, except
    /// in [`linger`](Self::linger).
    pub(crate) fn has_input(&self) -> bool {
        let socket = self.socket();
        let no_wait = socket.set_nonblocking(true);
        let peeked = no_wait.and_then(|()| socket.peek(&mut [MaybeUninit::uninit()]));
        matches!(peeked, Ok(1..))
    }

    /// Makes the close a reset instead of an orderly end.
    pub(crate) fn reset_on_close(&self) -> io::Result<()> {
        self.socket().set_linger(Some(Duration::ZERO))
    }

    fn socket(&self) -> SockRef<'_> {
        match self {
            Self::Polled(stream) => SockRef::from(stream.get()),
            Self::Blocking(stream) => SockRef::from(stream),
        }
    }
}
