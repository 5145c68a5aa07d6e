//! Services over connections.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::Poll;
use std::time::{Duration, SystemTime};

use palco_service::services::time::TimeFormat;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::chargen::{PATTERN, PATTERN_BYTES};
use super::clock;
use super::pace::{End, finish, read, within, write};
use super::redirect::redirect;
use crate::Builtin;

/// Bytes that one read takes at most.
const BUFFER_BYTES: usize = 16 * 1024;

/// How long a client that has its answer may take to close, where no idle time is set.
const CLOSE_WITHIN: Duration = Duration::from_secs(2);

/// Bytes that are thrown away while a client that has its answer closes.
const UNWANTED_BYTES_MAX: u64 = 64 * 1024;

/// How much went over a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Bytes from the client.
    pub received: u64,
    /// Bytes to the client.
    pub sent: u64,
}

impl Builtin {
    /// Serves one connection, until the client is done, is gone, or nothing has moved for `idle`.
    ///
    /// What has been answered is delivered before the connection closes: a client that has finished sending gets the rest.
    /// Nothing is read that cannot be answered yet. Cancelled, the connection closes where it is.
    ///
    /// # Errors
    /// The target of a redirection cannot be reached; [`Builtin::Tcpmux`] (`Unsupported`: [`mux`](super::mux) reads its
    /// request, and a program serves it); what the kernel says of the connection, unless it is that the client is gone.
    pub async fn serve_stream<S>(
        &self,
        mut stream: S,
        idle: Option<Duration>,
    ) -> io::Result<Traffic>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let mut traffic = Traffic::default();
        let (stream, counted) = (&mut stream, &mut traffic);
        let served = match self {
            Self::Echo => echo(stream, idle, counted).await,
            Self::Discard => discard(stream, idle, counted).await,
            Self::Daytime => tell(stream, TimeFormat::Line, idle, counted).await,
            Self::Time => tell(stream, TimeFormat::Binary, idle, counted).await,
            Self::Chargen => chargen(stream, idle, counted).await,
            Self::Redirect(target) => redirect(stream, target, idle, counted).await,
            Self::Tcpmux => {
                let message = "tcpmux does not serve: it starts the program that its request names";
                Err(End::Failed(io::Error::new(io::ErrorKind::Unsupported, message)))
            }
        };
        match served {
            Ok(()) | Err(End::Idle | End::Gone) => Ok(traffic),
            Err(End::Failed(error)) => Err(error),
        }
    }
}

async fn echo<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    idle: Option<Duration>,
    traffic: &mut Traffic,
) -> Result<(), End> {
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        let taken = read(stream, &mut buffer, idle).await?;
        traffic.received += taken as u64;
        if taken == 0 {
            return finish(stream, idle).await;
        }
        write(stream, &buffer[..taken], idle, &mut traffic.sent).await?;
    }
}

async fn discard<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    idle: Option<Duration>,
    traffic: &mut Traffic,
) -> Result<(), End> {
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        let taken = read(stream, &mut buffer, idle).await?;
        traffic.received += taken as u64;
        if taken == 0 {
            return finish(stream, idle).await;
        }
    }
}

/// One answer, unasked.
async fn tell<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    format: TimeFormat,
    idle: Option<Duration>,
    traffic: &mut Traffic,
) -> Result<(), End> {
    let text = clock::written(SystemTime::now(), format);
    write(stream, &text, idle, &mut traffic.sent).await?;
    finish(stream, idle).await?;
    // Closed with bytes unread, a connection is reset, and the answer may be lost on the way.
    let idle = Some(idle.map_or(CLOSE_WITHIN, |idle| idle.min(CLOSE_WITHIN)));
    let mut buffer = [0; 1024];
    while traffic.received < UNWANTED_BYTES_MAX {
        match read(stream, &mut buffer, idle).await? {
            0 => break,
            taken => traffic.received += taken as u64,
        }
    }
    Ok(())
}

/// Writes until nobody takes it, and throws away what comes: a client that only sends would wait for ever else. The end of
/// its input is not the end of the client.
async fn chargen<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    idle: Option<Duration>,
    traffic: &mut Traffic,
) -> Result<(), End> {
    let mut at = 0;
    let mut input_ended = false;
    let mut unwanted = [0; 1024];
    loop {
        let step = poll_fn(|cx| {
            while !input_ended {
                let mut buffer = ReadBuf::new(&mut unwanted);
                match Pin::new(&mut *stream).poll_read(cx, &mut buffer) {
                    Poll::Ready(Ok(())) if buffer.filled().is_empty() => input_ended = true,
                    Poll::Ready(Ok(())) => traffic.received += buffer.filled().len() as u64,
                    Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                    Poll::Pending => break,
                }
            }
            Pin::new(&mut *stream).poll_write(cx, &PATTERN[at..])
        });
        let taken = within(idle, step).await?;
        if taken == 0 {
            return Err(End::Gone);
        }
        traffic.sent += taken as u64;
        at = (at + taken) % PATTERN_BYTES;
    }
}
