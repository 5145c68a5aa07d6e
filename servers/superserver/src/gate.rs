//! The limits of one service: who may start now, who has to wait, and what the limits have done so far.

mod acted;
mod book;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use event_listener::{Event, EventListener};
use parking_lot::Mutex;

use crate::spec::{Action, Limits};

pub use acted::{Acted, Limit};
use book::Book;

/// Connections of one service that wait, accepted already, because their source is at its limit. With so many of them no
/// more are accepted: the others wait in the kernel.
pub(crate) const WAITING_MAX: u32 = 256;

/// The gate of one service.
#[derive(Debug)]
pub(crate) struct Gate {
    book: Mutex<Book>,
    /// Rung when something has ended, or the limits are others.
    room: Event,
}

/// A limit stands against a start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Excess {
    pub(crate) limit: Limit,
    pub(crate) action: Action,
    /// When it may be otherwise, if time alone changes that.
    pub(crate) until: Option<Instant>,
}

/// The right to one instance; given back when dropped.
#[derive(Debug)]
pub(crate) struct Permit {
    gate: Arc<Gate>,
    source: Option<IpAddr>,
}

/// One who waits for a permit, accepted already.
#[derive(Debug)]
pub(crate) struct Waiting<'a> {
    gate: &'a Gate,
    since: Instant,
}

impl Gate {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self { book: Mutex::new(Book::new(limits.clone())), room: Event::new() }
    }

    /// From now on these limits; what runs is not touched.
    pub(crate) fn set_limits(&self, limits: &Limits) {
        self.book.lock().limits = limits.clone();
        self.room.notify(usize::MAX);
    }

    /// What stands against any more starts, whoever asks. Counts nothing.
    pub(crate) fn obstacle(&self, now: Instant) -> Option<Excess> {
        let mut book = self.book.lock();
        if book.waiting >= WAITING_MAX {
            return Some(Excess { limit: Limit::Waiting, action: Action::Defer, until: None });
        }
        book.excess(None, now)
    }

    /// A permit for a client with this address, if no limit stands against it.
    pub(crate) fn try_admit(
        self: &Arc<Self>,
        source: Option<IpAddr>,
        now: Instant,
    ) -> Result<Permit, Excess> {
        let mut book = self.book.lock();
        let source = source.map(|address| address.to_canonical());
        match book.excess(source, now) {
            Some(excess) => Err(excess),
            None => {
                book.enter(source, now);
                Ok(Permit { gate: Arc::clone(self), source })
            }
        }
    }

    /// A permit for what runs already, whatever the limits say.
    pub(crate) fn admit_guest(self: &Arc<Self>, source: Option<IpAddr>) -> Permit {
        let source = source.map(|address| address.to_canonical());
        self.book.lock().count_in(source);
        Permit { gate: Arc::clone(self), source }
    }

    /// Takes note of one more that has to wait here.
    pub(crate) fn wait(&self, now: Instant) -> Waiting<'_> {
        self.book.lock().waiting += 1;
        Waiting { gate: self, since: now }
    }

    /// Resolves when there may be room; to be asked for before looking whether there is.
    pub(crate) fn room(&self) -> EventListener {
        self.room.listen()
    }

    /// Counts that a limit has acted.
    pub(crate) fn count(&self, limit: Limit) {
        self.book.lock().acted_mut(limit).count();
    }

    /// Notes that somebody had to wait for so long on account of this limit.
    pub(crate) fn note_wait(&self, limit: Limit, waited: Duration) {
        self.book.lock().acted_mut(limit).waited(waited);
    }

    /// What runs now, and how many wait although they have been accepted.
    pub(crate) fn occupancy(&self) -> (u32, u32) {
        let book = self.book.lock();
        (book.active, book.waiting)
    }

    /// What each limit has done.
    pub(crate) fn acted(&self) -> Vec<(Limit, Acted)> {
        let book = self.book.lock();
        Limit::ALL.into_iter().map(|limit| (limit, book.acted(limit))).collect()
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.gate.book.lock().count_out(self.source);
        // All: those who wait are held up by different limits.
        self.gate.room.notify(usize::MAX);
    }
}

impl Waiting<'_> {
    /// Notes for how long it has waited on account of this limit.
    pub(crate) fn note(&self, limit: Limit, now: Instant) {
        self.gate.note_wait(limit, now.saturating_duration_since(self.since));
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.gate.book.lock().waiting -= 1;
        self.gate.room.notify(usize::MAX);
    }
}

#[cfg(test)]
mod tests;
