//! Two lanes and the waking of their reader.
//!
//! The reader sleeps only after it has said so (`idle`) and then found nothing; a sender looks at `idle` only after it
//! has put its message in. Both put a full fence between the two steps, so at least one of them sees the other.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering, fence};
use std::task::Waker;

use futures_util::task::AtomicWaker;

use crate::SendError;
use crate::lane::Lane;

pub(crate) struct Mailbox<T> {
    normal: Lane<T>,
    /// Made with the first urgent message: most actors never get one.
    urgent: OnceLock<Box<Lane<T>>>,
    urgent_capacity: usize,
    idle: AtomicBool,
    reader: AtomicWaker,
}

/// Which lane a message takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LaneKind {
    Normal,
    Urgent,
}

impl<T> Mailbox<T> {
    pub(crate) fn new(capacity: usize, urgent_capacity: usize) -> Self {
        Self {
            normal: Lane::new(capacity),
            urgent: OnceLock::new(),
            urgent_capacity,
            idle: AtomicBool::new(false),
            reader: AtomicWaker::new(),
        }
    }

    pub(crate) fn lane(&self, kind: LaneKind) -> &Lane<T> {
        match kind {
            LaneKind::Normal => &self.normal,
            LaneKind::Urgent => self.urgent(),
        }
    }

    fn urgent(&self) -> &Lane<T> {
        self.urgent.get_or_init(|| Box::new(Lane::new(self.urgent_capacity)))
    }

    /// Wraps and queues `message` if there is room; gives it back otherwise. Wraps only when it will be queued.
    pub(crate) fn try_send<M>(
        &self,
        kind: LaneKind,
        message: M,
        wrap: impl FnOnce(M) -> T,
    ) -> Result<(), SendError<M>> {
        let lane = match self.open_lane(kind).and_then(|lane| lane.reserve().map(|()| lane)) {
            Ok(lane) => lane,
            Err(error) => return Err(error.map(|()| message)),
        };
        lane.put(wrap(message));
        self.wake_if_idle();
        Ok(())
    }

    /// As [`Self::try_send`], whatever the capacity: for reports whose number is bounded elsewhere.
    pub(crate) fn force<M>(
        &self,
        kind: LaneKind,
        message: M,
        wrap: impl FnOnce(M) -> T,
    ) -> Result<(), SendError<M>> {
        let lane = match self.open_lane(kind).and_then(|lane| lane.reserve_beyond().map(|()| lane))
        {
            Ok(lane) => lane,
            Err(error) => return Err(error.map(|()| message)),
        };
        lane.put(wrap(message));
        self.wake_if_idle();
        Ok(())
    }

    /// The closing reader closes `normal` and then looks for an urgent lane; so who may have just made one looks
    /// whether `normal` is closed. A fence on each side lets at least one see the other.
    fn open_lane(&self, kind: LaneKind) -> Result<&Lane<T>, SendError<()>> {
        match kind {
            LaneKind::Normal => Ok(&self.normal),
            LaneKind::Urgent => {
                let urgent = self.urgent();
                fence(Ordering::SeqCst);
                if self.normal.is_closed() { Err(SendError::Closed(())) } else { Ok(urgent) }
            }
        }
    }

    fn wake_if_idle(&self) {
        fence(Ordering::SeqCst);
        if self.idle.load(Ordering::Relaxed) && self.idle.swap(false, Ordering::Relaxed) {
            self.reader.wake();
        }
    }

    /// Wakes the reader whether it sleeps for messages or for something else.
    pub(crate) fn wake(&self) {
        self.reader.wake();
    }

    pub(crate) fn register(&self, waker: &Waker) {
        self.reader.register(waker);
    }

    /// The oldest urgent item, else the oldest normal one.
    pub(crate) fn pop(&self) -> Option<T> {
        if let Some(urgent) = self.urgent.get()
            && let Some(item) = urgent.pop()
        {
            return Some(item);
        }
        self.normal.pop()
    }

    /// Says that the reader is about to sleep; false if it must not, because something came in.
    pub(crate) fn rest(&self) -> bool {
        self.idle.store(true, Ordering::Relaxed);
        fence(Ordering::SeqCst);
        if self.has_items() {
            self.idle.store(false, Ordering::Relaxed);
            return false;
        }
        true
    }

    pub(crate) fn rise(&self) {
        self.idle.store(false, Ordering::Relaxed);
    }

    fn has_items(&self) -> bool {
        self.normal.has_items() || self.urgent.get().is_some_and(|lane| lane.has_items())
    }

    pub(crate) fn queued(&self) -> u64 {
        self.normal.queued() + self.urgent.get().map_or(0, |lane| lane.queued())
    }

    pub(crate) fn urgent_queued(&self) -> u64 {
        self.urgent.get().map_or(0, |lane| lane.queued())
    }

    pub(crate) fn accepted(&self) -> u64 {
        self.normal.accepted() + self.urgent.get().map_or(0, |lane| lane.accepted())
    }

    pub(crate) fn capacity(&self) -> u64 {
        self.normal.capacity()
    }

    /// Closes both lanes and hands out what was queued.
    pub(crate) fn close(&self, mut leftover: impl FnMut(T)) {
        self.normal.close(&mut leftover);
        fence(Ordering::SeqCst);
        if let Some(urgent) = self.urgent.get() {
            urgent.close(leftover);
        }
    }
}
