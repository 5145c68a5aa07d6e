//! The account of one lane of a mailbox: how much may be in it, how much has come, how much has gone.
//!
//! Two counters that only grow say everything: `accepted` (written under the mailbox's lock) and `taken` (written by
//! the reader alone). Their difference is what is queued; capacity is exact, although the reader fetches many messages
//! at a time: what it has fetched and not yet taken still counts.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::bell::{Bell, Listener};

pub(crate) struct Lane {
    capacity: u64,
    accepted: AtomicU64,
    taken: AtomicU64,
    /// Senders that wait for room.
    room: Bell,
}

impl Lane {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            capacity: capacity as u64,
            accepted: AtomicU64::new(0),
            taken: AtomicU64::new(0),
            room: Bell::default(),
        }
    }

    /// Enters one more item if there is room. Only under the mailbox's lock.
    pub(crate) fn accept(&self, capacity: u64) -> bool {
        let accepted = self.accepted.load(Ordering::Relaxed);
        // SeqCst against the reader's store: a sender that sees no room after it has begun to listen is woken.
        if accepted - self.taken.load(Ordering::SeqCst) >= capacity {
            return false;
        }
        self.accepted.store(accepted + 1, Ordering::Release);
        true
    }

    /// Strikes out one item. Only the reader may call this.
    pub(crate) fn take(&self) {
        let taken = self.taken.load(Ordering::Relaxed) + 1;
        self.taken.store(taken, Ordering::SeqCst);
        self.room.ring_for_one_more();
    }

    /// Enters again what was struck out. Only the reader may call this.
    pub(crate) fn put_back(&self) {
        self.taken.store(self.taken.load(Ordering::Relaxed) - 1, Ordering::SeqCst);
    }

    /// Listens for room. Listen first, then try again, then wait.
    pub(crate) fn listen_for_room(&self) -> Listener<'_> {
        self.room.listen()
    }

    /// The lane has closed: nobody need wait for room any more.
    pub(crate) fn dismiss(&self) {
        self.room.ring();
    }

    pub(crate) fn queued(&self) -> u64 {
        let taken = self.taken.load(Ordering::Acquire);
        self.accepted.load(Ordering::Acquire).saturating_sub(taken)
    }

    pub(crate) fn accepted(&self) -> u64 {
        self.accepted.load(Ordering::Acquire)
    }

    pub(crate) fn capacity(&self) -> u64 {
        self.capacity
    }
}
