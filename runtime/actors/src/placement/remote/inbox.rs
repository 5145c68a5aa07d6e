//! What the far end of a channel has sent, until the address's relay takes it in.

use std::collections::VecDeque;
use std::sync::Weak;

use bytes::Bytes;
use parking_lot::Mutex;

use super::wire::{AHEAD_MESSAGES_MAX, CALLS_MAX, Frame, Nonsense};
use crate::vitals::AnyCell;

/// Frames that may wait: what became of all messages ahead, all calls, and what is said of signals.
const FRAMES_MAX: usize = 2 * AHEAD_MESSAGES_MAX + CALLS_MAX + 1024;

/// Bytes of replies and calls that may wait.
const BYTES_MAX: usize = 64 << 20;

/// The near end of one channel.
pub(super) struct Inbox {
    waiting: Mutex<Waiting>,
    cell: Weak<dyn AnyCell>,
}

#[derive(Default)]
struct Waiting {
    frames: VecDeque<Came>,
    bytes: usize,
}

/// A frame that has come.
pub(super) struct Came {
    /// Which lane of the mailbox it concerns.
    pub(super) lane: usize,
    pub(super) head: Frame,
    pub(super) body: Bytes,
}

impl Inbox {
    pub(super) fn new(cell: Weak<dyn AnyCell>) -> Self {
        Self { waiting: Mutex::default(), cell }
    }

    pub(super) fn wake(&self) {
        if let Some(cell) = self.cell.upgrade() {
            cell.wake();
        }
    }

    pub(super) fn put(&self, came: Came) -> Result<(), Nonsense> {
        let mut waiting = self.waiting.lock();
        if let Some(last) = waiting.frames.back_mut()
            && last.lane == came.lane
            && is_overtaken(&last.head, &came.head)
        {
            *last = came;
            return Ok(());
        }
        waiting.bytes += came.body.len();
        waiting.frames.push_back(came);
        if waiting.frames.len() > FRAMES_MAX || waiting.bytes > BYTES_MAX {
            return Err(Nonsense::OutOfTurn("more than was asked for"));
        }
        drop(waiting);
        self.wake();
        Ok(())
    }

    pub(super) fn take(&self) -> Option<Came> {
        let mut waiting = self.waiting.lock();
        let came = waiting.frames.pop_front()?;
        waiting.bytes -= came.body.len();
        Some(came)
    }
}

/// Whether what was said before is of no interest any more.
fn is_overtaken(before: &Frame, now: &Frame) -> bool {
    matches!(
        (before, now),
        (Frame::Progress { .. }, Frame::Progress { .. })
            | (Frame::Doing { .. }, Frame::Doing { .. })
    )
}
