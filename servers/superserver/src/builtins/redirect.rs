//! Bytes both ways between a client and another address: xinetd's `redirect`.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::pace::{End, within};
use super::stream::Traffic;

/// Bytes on their way in each direction at most.
const PIPE_BYTES: usize = 16 * 1024;

/// How long connecting may take, where no shorter idle time is set.
const CONNECT_WITHIN: Duration = Duration::from_secs(30);

/// Connects to `target`, `host:port`, and copies until both have finished. Idle is: nothing moves either way.
pub(super) async fn redirect<S: AsyncRead + AsyncWrite + Unpin>(
    client: &mut S,
    target: &str,
    idle: Option<Duration>,
    traffic: &mut Traffic,
) -> Result<(), End> {
    let patience = idle.map_or(CONNECT_WITHIN, |idle| idle.min(CONNECT_WITHIN));
    let unreachable = |error: io::Error| {
        End::Failed(io::Error::new(error.kind(), format!("redirecting to {target}: {error}")))
    };
    let mut server = match tokio::time::timeout(patience, TcpStream::connect(target)).await {
        Ok(connected) => connected.map_err(unreachable)?,
        Err(_) => return Err(unreachable(io::ErrorKind::TimedOut.into())),
    };
    // What is passed on is not held back.
    server.set_nodelay(true).map_err(unreachable)?;
    let (mut up, mut down) = (Pipe::new(), Pipe::new());
    loop {
        let step = poll_fn(|cx| {
            let (was_up, was_down) = (up.state(), down.state());
            let done_up = up.poll(cx, client, &mut server)?;
            let done_down = down.poll(cx, &mut server, client)?;
            if done_up.is_ready() && done_down.is_ready() {
                return Poll::Ready(Ok(true));
            }
            let moved = was_up != up.state() || was_down != down.state();
            if moved { Poll::Ready(Ok(false)) } else { Poll::Pending }
        });
        let stepped = within(idle, step).await;
        (traffic.received, traffic.sent) = (up.read, down.written);
        if stepped? {
            return Ok(());
        }
    }
}

/// One direction.
struct Pipe {
    buffer: Box<[u8]>,
    /// Of the buffer, what is read and not written.
    from: usize,
    to: usize,
    stage: Stage,
    read: u64,
    written: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Open,
    /// The source has finished; what is in the buffer goes out, then the sink is told.
    Ending,
    Ended,
}

impl Pipe {
    fn new() -> Self {
        let buffer = vec![0; PIPE_BYTES].into_boxed_slice();
        Self { buffer, from: 0, to: 0, stage: Stage::Open, read: 0, written: 0 }
    }

    /// Differs whenever something has moved.
    fn state(&self) -> (u64, u64, Stage) {
        (self.read, self.written, self.stage)
    }

    /// Moves what can be moved; ready when all has been, and the sink knows. Never reads before the buffer is empty.
    fn poll<R, W>(
        &mut self,
        cx: &mut Context<'_>,
        source: &mut R,
        sink: &mut W,
    ) -> Poll<io::Result<()>>
    where
        R: AsyncRead + Unpin,
        W: AsyncWrite + Unpin,
    {
        loop {
            while self.from < self.to {
                let bytes = &self.buffer[self.from..self.to];
                let taken = ready!(Pin::new(&mut *sink).poll_write(cx, bytes))?;
                if taken == 0 {
                    return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
                }
                self.from += taken;
                self.written += taken as u64;
            }
            match self.stage {
                Stage::Open => {
                    // Before it waits for more, what is written goes out.
                    let mut buffer = ReadBuf::new(&mut self.buffer);
                    let read = Pin::new(&mut *source).poll_read(cx, &mut buffer)?;
                    if read.is_pending() {
                        ready!(Pin::new(&mut *sink).poll_flush(cx))?;
                        return Poll::Pending;
                    }
                    (self.from, self.to) = (0, buffer.filled().len());
                    self.read += self.to as u64;
                    if self.to == 0 {
                        self.stage = Stage::Ending;
                    }
                }
                Stage::Ending => {
                    ready!(Pin::new(&mut *sink).poll_shutdown(cx))?;
                    self.stage = Stage::Ended;
                }
                Stage::Ended => return Poll::Ready(Ok(())),
            }
        }
    }
}
