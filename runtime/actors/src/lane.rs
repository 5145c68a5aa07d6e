//! One lane of a mailbox: a bounded queue for many senders and one reader, with exact counts.
//!
//! Two counters that only grow say everything: `accepted` (senders, by compare-and-swap, with the closing bit in the
//! same word, so that nothing can be accepted after the close) and `taken` (the reader alone). Their difference is
//! what is queued or about to be; capacity is exact, and after a close the reader knows how much it still has to find.

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use crossbeam::queue::SegQueue;
use event_listener::{Event, EventListener, IntoNotification};

use crate::SendError;

const CLOSED: u64 = 1 << 63;

pub(crate) struct Lane<T> {
    queue: SegQueue<T>,
    capacity: u64,
    accepted: AtomicU64,
    taken: AtomicU64,
    /// Senders that wait for room.
    room: Event,
}

impl<T> Lane<T> {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            queue: SegQueue::new(),
            capacity: capacity as u64,
            accepted: AtomicU64::new(0),
            taken: AtomicU64::new(0),
            room: Event::new(),
        }
    }

    /// Reserves room for one item, which must then be [`put`](Self::put).
    pub(crate) fn reserve(&self) -> Result<(), SendError<()>> {
        self.accept(self.capacity)
    }

    /// Reserves room whatever the capacity: for reports whose number is bounded elsewhere.
    pub(crate) fn reserve_beyond(&self) -> Result<(), SendError<()>> {
        self.accept(u64::MAX)
    }

    /// Puts in what room was reserved for.
    pub(crate) fn put(&self, item: T) {
        self.queue.push(item);
    }

    fn accept(&self, capacity: u64) -> Result<(), SendError<()>> {
        let mut accepted = self.accepted.load(Ordering::Relaxed);
        loop {
            if accepted & CLOSED != 0 {
                return Err(SendError::Closed(()));
            }
            // SeqCst against the reader's store: a sender that sees no room after it has begun to listen is woken.
            if accepted.saturating_sub(self.taken.load(Ordering::SeqCst)) >= capacity {
                return Err(SendError::Full(()));
            }
            match self.accepted.compare_exchange_weak(
                accepted,
                accepted + 1,
                Ordering::SeqCst,
                Ordering::Relaxed,
            ) {
                Ok(_) => return Ok(()),
                Err(now) => accepted = now,
            }
        }
    }

    /// Listens for room. Listen first, then try again, then wait.
    pub(crate) fn listen_for_room(&self) -> EventListener {
        self.room.listen()
    }

    /// Takes the oldest item. Only the reader may call this.
    pub(crate) fn pop(&self) -> Option<T> {
        let item = self.queue.pop()?;
        let taken = self.taken.load(Ordering::Relaxed) + 1;
        self.taken.store(taken, Ordering::SeqCst);
        // One more, even if one is on its way: every free place is one sender's.
        self.room.notify(1.additional());
        Some(item)
    }

    /// Whether a pop would find something. What a sender is only about to put in does not count: that sender looks
    /// after the reader once it has.
    pub(crate) fn has_items(&self) -> bool {
        !self.queue.is_empty()
    }

    pub(crate) fn queued(&self) -> u64 {
        let taken = self.taken.load(Ordering::SeqCst);
        (self.accepted.load(Ordering::SeqCst) & !CLOSED).saturating_sub(taken)
    }

    pub(crate) fn accepted(&self) -> u64 {
        self.accepted.load(Ordering::Acquire) & !CLOSED
    }

    pub(crate) fn capacity(&self) -> u64 {
        self.capacity
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.accepted.load(Ordering::Acquire) & CLOSED != 0
    }

    /// Refuses everything from now on and hands out all that had been accepted, also what its sender is only about to
    /// put in.
    pub(crate) fn close(&self, mut leftover: impl FnMut(T)) {
        self.accepted.fetch_or(CLOSED, Ordering::SeqCst);
        while self.queued() != 0 {
            match self.pop() {
                Some(item) => leftover(item),
                None => thread::yield_now(),
            }
        }
        self.room.notify(usize::MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn push(lane: &Lane<u32>, item: u32) -> Result<(), SendError<()>> {
        lane.reserve().map(|()| lane.put(item))
    }

    #[test]
    fn full_and_closed_differ() {
        let lane = Lane::new(1);
        push(&lane, 1).unwrap();
        assert_eq!(push(&lane, 2), Err(SendError::Full(())));
        let mut left = Vec::new();
        lane.close(|item| left.push(item));
        assert_eq!(left, [1]);
        assert_eq!(push(&lane, 3), Err(SendError::Closed(())));
    }

    #[test]
    fn what_senders_race_in_before_a_close_is_handed_out() {
        for _ in 0..200 {
            let lane = Lane::new(1_000);
            let (mut left, mut accepted) = (0, 0);
            thread::scope(|scope| {
                let senders: Vec<_> = (0..3)
                    .map(|_| scope.spawn(|| (0..50).filter(|i| push(&lane, *i).is_ok()).count()))
                    .collect();
                lane.close(|_| left += 1);
                accepted = senders.into_iter().map(|sender| sender.join().unwrap()).sum();
            });
            assert_eq!(left, accepted);
        }
    }

    #[test]
    fn capacity_is_exact_under_contention() {
        let lane = Lane::new(10);
        let accepted: usize = thread::scope(|scope| {
            let senders: Vec<_> = (0..4)
                .map(|_| scope.spawn(|| (0..100).filter(|i| push(&lane, *i).is_ok()).count()))
                .collect();
            senders.into_iter().map(|sender| sender.join().unwrap()).sum()
        });
        assert_eq!(accepted, 10);
        assert_eq!(lane.queued(), 10);
    }
}
