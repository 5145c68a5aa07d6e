//! What an actor is doing, and how much it has done: words that its place writes and anybody reads.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use crossbeam::atomic::AtomicCell;
use palco_core::Time;

use crate::dead_letters::Dropped;
use crate::envelope::TypeName;
use crate::observation::Stamp;

/// Counters, written by the actor's own place only (dropped ones also by who closes the mailbox).
#[derive(Default)]
pub(crate) struct Activity {
    /// The message being handled.
    current: AtomicCell<Option<TypeName>>,
    /// What its handler says it is doing; a word that the handler chose.
    note: AtomicCell<Option<TypeName>>,
    /// Since when it has been doing that, in nanoseconds of the coarse clock.
    since: AtomicU64,
    handled: AtomicU64,
    /// Messages from the actor's own timers: sent without passing a lane.
    timed: AtomicU64,
    /// The number of the message being handled, and of the one that began it all; 0 if it is not observed.
    pub(crate) message: AtomicU64,
    trace: AtomicU64,
    pub(crate) sampled: AtomicBool,
    /// Grows when the place begins to run the actor's code, and when it gets the place back.
    turns: AtomicU64,
    pub(crate) dropped: Dropped,
    pub(crate) restarts: AtomicU32,
}

impl Activity {
    pub(crate) fn begin(&self, message: TypeName, now: Time) {
        self.since.store(now.as_nanos(), Ordering::Relaxed);
        self.current.store(Some(message));
    }

    pub(crate) fn finish(&self) {
        self.current.store(None);
        self.note.store(None);
    }

    pub(crate) fn note(&self, note: fn() -> &'static str, now: Time) {
        self.since.store(now.as_nanos(), Ordering::Relaxed);
        self.note.store(Some(note));
    }

    pub(crate) fn noted(&self) -> Option<&'static str> {
        self.note.load().map(|note| note())
    }

    /// What is handled from now on belongs to an observed message, or to none.
    pub(crate) fn follow(&self, stamp: Option<&Stamp>) {
        self.message.store(stamp.map_or(0, |stamp| stamp.id), Ordering::Relaxed);
        self.trace.store(stamp.map_or(0, |stamp| stamp.trace), Ordering::Relaxed);
        self.sampled.store(stamp.is_some_and(|stamp| stamp.sampled), Ordering::Relaxed);
    }

    /// What is handled from now on is something new with this number; 0 if it is not observed.
    pub(crate) fn follow_new(&self, trace: u64, sampled: bool) {
        self.sampled.store(sampled, Ordering::Relaxed);
        self.message.store(trace, Ordering::Relaxed);
        self.trace.store(trace, Ordering::Relaxed);
    }

    /// The place begins to run the actor's code, or gets the place back.
    pub(crate) fn count_turn(&self) {
        self.turns.store(self.turns.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }

    pub(crate) fn turns(&self) -> u64 {
        self.turns.load(Ordering::Relaxed)
    }

    pub(crate) fn trace(&self) -> u64 {
        self.trace.load(Ordering::Relaxed)
    }

    pub(crate) fn count_handled(&self) {
        // One writer: no read-modify-write needed.
        self.handled.store(self.handled.load(Ordering::Relaxed) + 1, Ordering::Release);
    }

    pub(crate) fn count_timed(&self) {
        self.timed.store(self.timed.load(Ordering::Relaxed) + 1, Ordering::Release);
    }

    pub(crate) fn current(&self) -> Option<(&'static str, Time)> {
        let name = self.current.load()?;
        Some((name(), Time::from_nanos(self.since.load(Ordering::Relaxed))))
    }

    pub(crate) fn handled(&self) -> u64 {
        self.handled.load(Ordering::Acquire)
    }

    pub(crate) fn timed(&self) -> u64 {
        self.timed.load(Ordering::Acquire)
    }
}
