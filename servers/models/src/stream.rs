//! A connected socket as each place waits for it. The only file beside `listener.rs` that knows sockets of places.
//!
//! On an event loop a wait gives the loop to others; on a thread it is a plain blocking system call, which signals end
//! with `EINTR`. A stop ends the wait for the client's next bytes, never the writing of a response.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream as ThreadStream};
use std::time::Duration;

use bytes::{Buf, BytesMut};
use palco_actors::{Actor, Context, Wait};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream as TaskStream;

/// Room made for one read.
const READ_BYTES: usize = 4 << 10;
/// Room made when the last read filled its room: large transfers take fewer system calls.
const READ_BYTES_LARGE: usize = 64 << 10;

/// After last words, how much of what the client still sends is read and thrown away, and for how long, so that the
/// kernel does not answer it with a reset that overtakes the words.
const LINGER_BYTES_MAX: usize = 256 << 10;
const LINGER_MAX: Duration = Duration::from_secs(2);

#[derive(Debug)]
pub(crate) enum Stream {
    Task(TaskStream),
    Thread(ThreadStream),
}

impl Stream {
    /// Reads once. `Some(Ok(0))` is the end of input, `None` a stop.
    pub(crate) async fn read<A: Actor>(
        &mut self,
        cx: &Context<A>,
        buffer: &mut BytesMut,
    ) -> Option<io::Result<usize>> {
        let filled = buffer.capacity() >= READ_BYTES && buffer.len() == buffer.capacity();
        let room = if filled { READ_BYTES_LARGE } else { READ_BYTES };
        match self {
            Self::Task(stream) => {
                buffer.reserve(room);
                cx.unless_stopped(stream.read_buf(buffer)).await
            }
            Self::Thread(stream) => {
                let start = buffer.len();
                buffer.resize(start + room, 0);
                let read =
                    cx.blocking_call(Wait::UntilStop, || stream.read(&mut buffer[start..])).await;
                let end = start + read.as_ref().and_then(|read| read.as_ref().ok()).unwrap_or(&0);
                buffer.truncate(end);
                read
            }
        }
    }

    /// Writes all of `buffer` and leaves it empty.
    pub(crate) async fn write_all<A: Actor>(
        &mut self,
        cx: &Context<A>,
        buffer: &mut BytesMut,
    ) -> io::Result<()> {
        while buffer.has_remaining() {
            let written = match self {
                Self::Task(stream) => stream.write(buffer).await?,
                Self::Thread(stream) => cx
                    .blocking_call(Wait::ThroughStop, || stream.write(buffer))
                    .await
                    .unwrap_or(Ok(0))?,
            };
            if written == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            buffer.advance(written);
        }
        Ok(())
    }

    /// Says that nothing more will be written, then waits for the client to have read it: until its end of input,
    /// bounded in bytes and time.
    pub(crate) async fn linger<A: Actor>(mut self, cx: &Context<A>) {
        let mut scratch = BytesMut::new();
        match &mut self {
            Self::Task(stream) => {
                if stream.shutdown().await.is_err() {
                    return;
                }
            }
            Self::Thread(stream) => {
                let ready = stream
                    .shutdown(Shutdown::Write)
                    .and_then(|()| stream.set_read_timeout(Some(LINGER_MAX)));
                if ready.is_err() {
                    return;
                }
            }
        }
        let drained = async {
            let mut thrown_away = 0;
            while thrown_away < LINGER_BYTES_MAX {
                match self.read(cx, &mut scratch).await {
                    Some(Ok(read @ 1..)) => thrown_away += read,
                    Some(Ok(0) | Err(_)) | None => break,
                }
                scratch.clear();
            }
        };
        cx.system().within(LINGER_MAX, drained).await;
    }
}
