//! Reading and writing that give up when nothing moves.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Why a service ends before its client has finished.
#[derive(Debug)]
pub(super) enum End {
    /// Nothing has moved for too long.
    Idle,
    /// The client is gone.
    Gone,
    /// Anything else.
    Failed(io::Error),
}

impl From<io::Error> for End {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::NotConnected
            | io::ErrorKind::TimedOut => Self::Gone,
            _ => Self::Failed(error),
        }
    }
}

/// What an operation gives, unless it takes longer than `idle`.
pub(super) async fn within<T>(
    idle: Option<Duration>,
    operation: impl Future<Output = io::Result<T>>,
) -> Result<T, End> {
    Ok(match idle {
        Some(idle) => tokio::time::timeout(idle, operation).await.map_err(|_| End::Idle)??,
        None => operation.await?,
    })
}

/// Some bytes; none is the end of the input.
pub(super) async fn read<S: AsyncRead + Unpin>(
    stream: &mut S,
    buffer: &mut [u8],
    idle: Option<Duration>,
) -> Result<usize, End> {
    within(idle, stream.read(buffer)).await
}

/// All bytes, counted as they go: a slow client is not an idle one.
pub(super) async fn write<S: AsyncWrite + Unpin>(
    stream: &mut S,
    mut bytes: &[u8],
    idle: Option<Duration>,
    sent: &mut u64,
) -> Result<(), End> {
    while !bytes.is_empty() {
        let taken = within(idle, stream.write(bytes)).await?;
        if taken == 0 {
            return Err(End::Gone);
        }
        *sent += taken as u64;
        bytes = &bytes[taken..];
    }
    within(idle, stream.flush()).await
}

/// Nothing more is written.
pub(super) async fn finish<S: AsyncWrite + Unpin>(
    stream: &mut S,
    idle: Option<Duration>,
) -> Result<(), End> {
    within(idle, stream.shutdown()).await
}
