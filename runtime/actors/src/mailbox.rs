//! Two bounded lanes and the waking of their reader.
//!
//! Senders put messages in under a lock that they hold for some ten instructions; the reader takes out all normal
//! messages at once and then handles them without looking at the lock again. So a message costs the sender one lock
//! and the reader, when it is busy, almost nothing. Whether the reader sleeps is written under the same lock: a sender
//! either finds it asleep and wakes it, or has put its message where the reader will look before it sleeps.

use std::collections::VecDeque;
use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Waker;

use parking_lot::Mutex;

use crate::SendError;
use crate::lane::Lane;

/// Room that an empty queue keeps for the next burst.
const KEPT_MESSAGES: usize = 128;

pub(crate) struct Mailbox<T> {
    gate: Mutex<Gate<T>>,
    /// Whose waker the gate holds, to be read without the lock.
    known: Known,
    normal: Lane,
    urgent: Lane,
}

struct Gate<T> {
    normal: VecDeque<T>,
    urgent: VecDeque<T>,
    closed: bool,
    /// The reader sleeps, or is about to, and wants to be woken by the next message.
    idle: bool,
    /// Kept when it is used: a reader is nearly always polled with the same waker.
    reader: Option<Waker>,
}

/// What the reader has fetched and not yet taken; in its hands alone.
pub(crate) struct Fetched<T> {
    queue: VecDeque<T>,
    /// The gate has been told that the reader wants to be woken, and nothing was left there at that moment.
    is_resting: bool,
}

/// The two words that tell one waker from another. Those of the waker that the gate holds stay its own as long.
#[derive(Default)]
struct Known {
    data: AtomicUsize,
    vtable: AtomicUsize,
}

impl Known {
    fn words(waker: &Waker) -> [usize; 2] {
        [waker.data().addr(), ptr::from_ref(waker.vtable()).addr()]
    }

    /// Only the reader calls this, and only the reader notes wakers, so it reads its own writes.
    fn is(&self, waker: &Waker) -> bool {
        [self.data.load(Ordering::Relaxed), self.vtable.load(Ordering::Relaxed)]
            == Self::words(waker)
    }

    fn note(&self, waker: &Waker) {
        let [data, vtable] = Self::words(waker);
        self.data.store(data, Ordering::Relaxed);
        self.vtable.store(vtable, Ordering::Relaxed);
    }
}

/// Which lane a message takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LaneKind {
    Normal,
    Urgent,
}

impl<T> Default for Fetched<T> {
    fn default() -> Self {
        Self { queue: VecDeque::new(), is_resting: false }
    }
}

impl<T> Mailbox<T> {
    pub(crate) fn new(capacity: usize, urgent_capacity: usize) -> Self {
        let gate = Gate {
            normal: VecDeque::new(),
            urgent: VecDeque::new(),
            closed: false,
            idle: false,
            reader: None,
        };
        Self {
            gate: Mutex::new(gate),
            known: Known::default(),
            normal: Lane::new(capacity),
            urgent: Lane::new(urgent_capacity),
        }
    }

    pub(crate) fn lane(&self, kind: LaneKind) -> &Lane {
        match kind {
            LaneKind::Normal => &self.normal,
            LaneKind::Urgent => &self.urgent,
        }
    }

    /// Queues `message` if there is room; gives it back otherwise. `erase` is called under the lock and must be cheap.
    pub(crate) fn try_send<M>(
        &self,
        kind: LaneKind,
        message: M,
        erase: impl FnOnce(M) -> T,
    ) -> Result<(), SendError<M>> {
        self.send(kind, self.lane(kind).capacity(), message, erase)
    }

    /// As [`Self::try_send`], whatever the capacity: for reports whose number is bounded elsewhere.
    pub(crate) fn force<M>(
        &self,
        kind: LaneKind,
        message: M,
        erase: impl FnOnce(M) -> T,
    ) -> Result<(), SendError<M>> {
        self.send(kind, u64::MAX, message, erase)
    }

    fn send<M>(
        &self,
        kind: LaneKind,
        capacity: u64,
        message: M,
        erase: impl FnOnce(M) -> T,
    ) -> Result<(), SendError<M>> {
        let mut gate = self.gate.lock();
        if gate.closed {
            return Err(SendError::Closed(message));
        }
        if !self.lane(kind).accept(capacity) {
            return Err(SendError::Full(message));
        }
        let queue = match kind {
            LaneKind::Normal => &mut gate.normal,
            LaneKind::Urgent => &mut gate.urgent,
        };
        queue.push_back(erase(message));
        let reader = if gate.idle { gate.reader.clone() } else { None };
        gate.idle = false;
        drop(gate);
        if let Some(reader) = reader {
            reader.wake();
        }
        Ok(())
    }

    /// Wakes the reader whether it sleeps for messages or for something else.
    pub(crate) fn wake(&self) {
        // Still idle: whether messages wake it is no matter of signals.
        let reader = self.gate.lock().reader.clone();
        if let Some(reader) = reader {
            reader.wake();
        }
    }

    /// Has `waker` woken by [`Self::wake`].
    pub(crate) fn register(&self, waker: &Waker) {
        if !self.known.is(waker) {
            self.known.note(waker);
            let before = self.gate.lock().reader.replace(waker.clone());
            drop(before);
        }
    }

    /// The oldest urgent message, else the oldest normal one; if there is none, `waker` is woken by the next.
    pub(crate) fn pop_or_rest(&self, fetched: &mut Fetched<T>, waker: &Waker) -> Option<T> {
        if self.urgent.queued() != 0
            && let Some(item) = self.gate.lock().urgent.pop_front()
        {
            fetched.is_resting = false; // its sender has found the reader idle, and another will not
            self.urgent.take();
            return Some(item);
        }
        if fetched.queue.is_empty() {
            if fetched.is_resting && self.normal.queued() == 0 && self.known.is(waker) {
                // Nobody has put anything in since; whoever does will find the reader idle, and wake it.
                return None;
            }
            self.register(waker);
            let mut gate = self.gate.lock();
            if let Some(item) = gate.urgent.pop_front() {
                drop(gate);
                fetched.is_resting = false;
                self.urgent.take();
                return Some(item);
            }
            if gate.normal.is_empty() {
                gate.idle = true;
                gate.normal.shrink_to(KEPT_MESSAGES);
                drop(gate);
                fetched.is_resting = true;
                fetched.queue.shrink_to(KEPT_MESSAGES);
                return None;
            }
            std::mem::swap(&mut gate.normal, &mut fetched.queue);
            // A lone message is mostly the last for a while: then the reader need not come back to say that it rests.
            // If another comes meanwhile, it is woken once too often.
            fetched.is_resting = fetched.queue.len() == 1;
            gate.idle = fetched.is_resting;
        }
        let item = fetched.queue.pop_front()?;
        self.normal.take();
        Some(item)
    }

    /// What `look` finds in the oldest message of a lane, for a reader that takes from each lane by itself.
    pub(crate) fn look<R>(
        &self,
        kind: LaneKind,
        fetched: &mut Fetched<T>,
        look: impl FnOnce(&T) -> R,
    ) -> Option<R> {
        if fetched.queue.is_empty() && self.lane(kind).queued() == 0 {
            return None; // the common case; what comes from now on wakes a reader that has said that it rests
        }
        if kind == LaneKind::Urgent {
            return self.gate.lock().urgent.front().map(look);
        }
        if fetched.queue.is_empty() {
            std::mem::swap(&mut self.gate.lock().normal, &mut fetched.queue);
        }
        fetched.queue.front().map(look)
    }

    /// Takes the oldest message of a lane, for a reader that [counts](Self::count) it later: until then it fills the
    /// lane.
    pub(crate) fn fetch(&self, kind: LaneKind, fetched: &mut Fetched<T>) -> Option<T> {
        match kind {
            LaneKind::Urgent => self.gate.lock().urgent.pop_front(),
            LaneKind::Normal => fetched.queue.pop_front(),
        }
    }

    /// One message that was fetched is no longer queued.
    pub(crate) fn count(&self, kind: LaneKind) {
        self.lane(kind).take();
    }

    /// One message that was counted is queued after all.
    pub(crate) fn uncount(&self, kind: LaneKind) {
        self.lane(kind).put_back();
    }

    /// Has the reader woken by the next message. To be called before it looks for those that are there.
    pub(crate) fn rest(&self) {
        self.gate.lock().idle = true;
    }

    /// Puts back what the reader will not take.
    pub(crate) fn give_back(&self, fetched: &mut Fetched<T>) {
        let mut gate = self.gate.lock();
        fetched.queue.append(&mut gate.normal);
        std::mem::swap(&mut gate.normal, &mut fetched.queue);
    }

    /// What `look` finds in the first messages, urgent ones first. Those that the reader has fetched already are not
    /// seen.
    pub(crate) fn peek<R>(&self, max: usize, look: impl Fn(LaneKind, &T) -> R) -> Vec<R> {
        let gate = self.gate.lock();
        let urgent = gate.urgent.iter().map(|item| (LaneKind::Urgent, item));
        let all = urgent.chain(gate.normal.iter().map(|item| (LaneKind::Normal, item)));
        all.take(max).map(|(kind, item)| look(kind, item)).collect()
    }

    pub(crate) fn queued(&self) -> u64 {
        self.normal.queued() + self.urgent.queued()
    }

    pub(crate) fn urgent_queued(&self) -> u64 {
        self.urgent.queued()
    }

    pub(crate) fn accepted(&self) -> u64 {
        self.normal.accepted() + self.urgent.accepted()
    }

    pub(crate) fn capacity(&self) -> u64 {
        self.normal.capacity()
    }

    /// Refuses everything from now on and hands out what was queued, urgent messages last.
    pub(crate) fn close(&self, mut leftover: impl FnMut(T)) {
        let (normal, urgent, reader) = {
            let mut gate = self.gate.lock();
            gate.closed = true;
            let normal = std::mem::take(&mut gate.normal);
            (normal, std::mem::take(&mut gate.urgent), gate.reader.take())
        };
        drop(reader);
        for item in normal {
            self.normal.take();
            leftover(item);
        }
        for item in urgent {
            self.urgent.take();
            leftover(item);
        }
        self.normal.dismiss();
        self.urgent.dismiss();
    }
}

#[cfg(test)]
mod tests;
