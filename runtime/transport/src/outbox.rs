//! What waits to be sent to one peer.

use std::fmt;
use std::future::poll_fn;
use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use event_listener::{Event, EventListener};
use futures_util::task::AtomicWaker;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

/// A way of its own to a peer: what fills one never delays another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Lane {
    /// Overtakes.
    Urgent,
    /// Most things.
    Normal,
    /// Much, which may take its time.
    Bulk,
}

impl Lane {
    /// All lanes, those that overtake first.
    pub const ALL: [Self; 3] = [Self::Urgent, Self::Normal, Self::Bulk];

    /// Its place in [`Self::ALL`].
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }
}

/// Bytes that may wait in each lane unless told otherwise.
pub const LANE_BYTES_DEFAULT: usize = 8 << 20;

/// Why a frame was not taken. Gives it back.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PushError {
    /// No room now.
    #[error("the lane to this peer is full")]
    Full(Bytes),
    /// The connection is over.
    #[error("the connection to this peer is over")]
    Closed(Bytes),
}

/// Where to put what is to be sent to one peer, over one connection. Cheap to clone.
#[derive(Clone)]
pub struct Outbox(Arc<Shared>);

/// The carrier's end of one lane: everything that waits is taken at once and sent in one write. Dropping it closes the
/// outbox.
pub struct Drain {
    shared: Arc<Shared>,
    lane: Lane,
}

#[derive(Default)]
struct Shared {
    lanes: [Queue; 3],
    is_closed: AtomicBool,
    room: Event,
    bytes_max: usize,
}

#[derive(Default)]
struct Queue {
    waiting: Mutex<Waiting>,
    sender: AtomicWaker,
}

#[derive(Default)]
struct Waiting {
    frames: Vec<Bytes>,
    bytes: usize,
}

impl Outbox {
    /// One with room for `bytes_max` bytes in each lane, and its other ends in the order of [`Lane::ALL`].
    #[must_use]
    pub fn new(bytes_max: usize) -> (Self, [Drain; 3]) {
        let shared = Arc::new(Shared { bytes_max, ..Shared::default() });
        let drains = Lane::ALL.map(|lane| Drain { shared: Arc::clone(&shared), lane });
        (Self(shared), drains)
    }

    /// Puts a frame into a lane. An empty lane takes any frame, however large.
    ///
    /// # Errors
    /// [`PushError`] with the frame.
    pub fn try_push(&self, lane: Lane, frame: Bytes) -> Result<(), PushError> {
        let queue = &self.0.lanes[lane.index()];
        let mut waiting = queue.waiting.lock();
        if self.is_closed() {
            return Err(PushError::Closed(frame));
        }
        if waiting.bytes > 0 && waiting.bytes + frame.len() > self.0.bytes_max {
            return Err(PushError::Full(frame));
        }
        waiting.bytes += frame.len();
        waiting.frames.push(frame);
        let was_empty = waiting.frames.len() == 1;
        drop(waiting);
        if was_empty {
            queue.sender.wake();
        }
        Ok(())
    }

    /// Completes when some lane has been emptied, or the outbox closed, after this was called.
    #[must_use]
    pub fn room(&self) -> EventListener {
        self.0.room.listen()
    }

    /// Bytes that wait in a lane.
    #[must_use]
    pub fn waiting_bytes(&self, lane: Lane) -> usize {
        self.0.lanes[lane.index()].waiting.lock().bytes
    }

    /// Whether the connection is over.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.0.is_closed.load(Ordering::Acquire)
    }

    /// Takes nothing any more.
    pub fn close(&self) {
        self.0.close();
    }
}

impl Shared {
    fn close(&self) {
        self.is_closed.store(true, Ordering::Release);
        for queue in &self.lanes {
            // After whoever is pushing now: what comes later sees that it is closed.
            drop(queue.waiting.lock());
            queue.sender.wake();
        }
        self.room.notify(usize::MAX);
    }
}

impl Drain {
    /// Which lane it empties.
    #[must_use]
    pub fn lane(&self) -> Lane {
        self.lane
    }

    /// Waits until something is to be sent, and takes it all, in order; nothing when the outbox was closed. Cancel-safe.
    pub async fn next(&mut self) -> Option<Vec<Bytes>> {
        poll_fn(|task| self.poll_next(task)).await
    }

    /// As [`Self::next`].
    pub fn poll_next(&mut self, task: &mut Context<'_>) -> Poll<Option<Vec<Bytes>>> {
        if let Some(frames) = self.take() {
            return Poll::Ready(Some(frames));
        }
        let queue = &self.shared.lanes[self.lane.index()];
        queue.sender.register(task.waker());
        match self.take() {
            Some(frames) => Poll::Ready(Some(frames)),
            None if self.shared.is_closed.load(Ordering::Acquire) => Poll::Ready(None),
            None => Poll::Pending,
        }
    }

    fn take(&self) -> Option<Vec<Bytes>> {
        let mut waiting = self.shared.lanes[self.lane.index()].waiting.lock();
        if waiting.frames.is_empty() {
            return None;
        }
        waiting.bytes = 0;
        let frames = mem::take(&mut waiting.frames);
        drop(waiting);
        self.shared.room.notify(usize::MAX);
        Some(frames)
    }
}

impl Drop for Drain {
    fn drop(&mut self) {
        self.shared.close();
    }
}

impl fmt::Debug for Outbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let waiting = Lane::ALL.map(|lane| self.waiting_bytes(lane));
        f.debug_struct("Outbox")
            .field("waiting", &waiting)
            .field("is_closed", &self.is_closed())
            .finish()
    }
}

impl fmt::Debug for Drain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Drain").field("lane", &self.lane).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use palco_threads::block_on;

    use super::*;

    fn frame(bytes: usize) -> Bytes {
        Bytes::from(vec![0; bytes])
    }

    #[test]
    fn all_that_waits_is_taken_at_once_and_in_order() {
        let (outbox, [_urgent, mut normal, _bulk]) = Outbox::new(100);
        for byte in 0..3 {
            outbox.try_push(Lane::Normal, Bytes::from(vec![byte])).unwrap();
        }
        let frames = block_on(normal.next()).unwrap();
        assert_eq!(frames, [&[0][..], &[1], &[2]]);
        assert_eq!(outbox.waiting_bytes(Lane::Normal), 0);
    }

    #[test]
    fn a_full_lane_gives_the_frame_back_and_says_when_there_is_room() {
        let (outbox, [_urgent, mut normal, _bulk]) = Outbox::new(100);
        outbox.try_push(Lane::Normal, frame(99)).unwrap();
        assert_eq!(outbox.try_push(Lane::Normal, frame(2)), Err(PushError::Full(frame(2))));
        outbox.try_push(Lane::Urgent, frame(2)).unwrap();
        let room = outbox.room();
        drop(block_on(normal.next()));
        block_on(room);
        outbox.try_push(Lane::Normal, frame(1000)).unwrap();
    }

    #[test]
    fn closed_from_either_end() {
        let (outbox, [urgent, mut normal, bulk]) = Outbox::new(100);
        outbox.try_push(Lane::Normal, frame(1)).unwrap();
        drop(urgent);
        assert!(outbox.is_closed());
        assert_eq!(outbox.try_push(Lane::Bulk, frame(1)), Err(PushError::Closed(frame(1))));
        assert!(block_on(normal.next()).is_some(), "what was taken is still to be had");
        assert_eq!(block_on(normal.next()), None);
        drop(bulk);
    }
}
