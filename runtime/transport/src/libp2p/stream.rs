//! The two directions of one lane of a session.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use ::libp2p::swarm::Stream;
use bytes::Bytes;
use futures_util::io::{ReadHalf, WriteHalf};
use futures_util::{AsyncReadExt, AsyncWriteExt};
use tokio::select;
use tokio::task::yield_now;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::frames::{BEAT, Cutter, length};
use crate::{Drain, Event, Hear, Lane, Peer, Session};

/// Read at once.
const READ_BYTES: usize = 64 << 10;

/// Written at once. A frame of half that or more is not copied into what is written, but written after it.
const WRITE_BYTES: usize = 256 << 10;

/// The period of a timer that is not waited for.
const UNUSED: Duration = Duration::from_secs(3600);

/// What comes in over one lane.
pub(super) struct Inward {
    pub(super) peer: Peer,
    pub(super) session: Session,
    pub(super) lane: Lane,
    pub(super) hear: Arc<dyn Hear>,
    /// Counts reads of all lanes: while it grows, the peer lives.
    pub(super) reads: Arc<AtomicU64>,
    /// Set when the session has ended: nothing is heard afterwards.
    pub(super) is_over: Arc<AtomicBool>,
    pub(super) frame_bytes_max: usize,
}

impl Inward {
    /// Hears frames until there are none any more, and says why.
    pub(super) async fn run(self, mut stream: ReadHalf<Stream>) -> String {
        let mut chunk = vec![0; READ_BYTES];
        let mut cutter = Cutter::new(self.frame_bytes_max);
        loop {
            let bytes = match stream.read(&mut chunk).await {
                Ok(0) => return "the other node ended it".to_owned(),
                Ok(bytes) => bytes,
                Err(error) => return error.to_string(),
            };
            self.reads.fetch_add(1, Ordering::Relaxed);
            let frames = match cutter.cut(&chunk[..bytes]) {
                Ok(frames) => frames,
                Err(why) => return why,
            };
            if self.is_over.load(Ordering::Relaxed) {
                return String::new();
            }
            if !frames.is_empty() {
                let Self { peer, session, lane, .. } = self;
                self.hear.hear(Event::Frames { peer, session, lane, frames });
            }
            if bytes == READ_BYTES {
                // There may be more at once, and other lanes wait for their turn.
                yield_now().await;
            }
        }
    }
}

/// What goes out over one lane.
pub(super) struct Outward {
    pub(super) drain: Drain,
    /// How often it says that this node lives, when there is nothing else to say.
    pub(super) beat: Option<Duration>,
    /// Written before everything else.
    pub(super) first: Vec<u8>,
    pub(super) frame_bytes_max: usize,
}

impl Outward {
    /// Sends what is put into the outbox until that is closed or the stream fails, and says why.
    pub(super) async fn run(self, mut stream: WriteHalf<Stream>) -> String {
        match self.send(&mut stream).await {
            Ok(()) => "this node ended it".to_owned(),
            Err(error) => error.to_string(),
        }
    }

    async fn send(mut self, stream: &mut WriteHalf<Stream>) -> io::Result<()> {
        let mut buffer = std::mem::take(&mut self.first);
        if !buffer.is_empty() {
            stream.write_all(&buffer).await?;
            stream.flush().await?;
        }
        let period = self.beat.unwrap_or(UNUSED);
        let mut beat = interval_at(Instant::now() + period, period);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            buffer.clear();
            select! {
                biased;
                frames = self.drain.next() => match frames {
                    Some(frames) => self.write(stream, &mut buffer, &frames).await?,
                    None => return Ok(()),
                },
                _ = beat.tick(), if self.beat.is_some() => buffer.extend(BEAT),
            }
            stream.write_all(&buffer).await?;
            stream.flush().await?;
            buffer.shrink_to(WRITE_BYTES);
        }
    }

    /// Writes all but the end of what the frames are as bytes, which it leaves in the buffer.
    async fn write(
        &self,
        stream: &mut WriteHalf<Stream>,
        buffer: &mut Vec<u8>,
        frames: &[Bytes],
    ) -> io::Result<()> {
        for frame in frames {
            let length = length(frame, self.frame_bytes_max).map_err(io::Error::other)?;
            buffer.extend(length);
            if frame.len() >= WRITE_BYTES / 2 {
                stream.write_all(buffer).await?;
                buffer.clear();
                stream.write_all(frame).await?;
            } else {
                buffer.extend_from_slice(frame);
            }
            if buffer.len() >= WRITE_BYTES {
                stream.write_all(buffer).await?;
                buffer.clear();
            }
        }
        Ok(())
    }
}
