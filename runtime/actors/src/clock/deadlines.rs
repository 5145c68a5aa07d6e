//! Deadlines of asks: very many are set, very few are reached.
//!
//! So setting one must cost next to nothing, and expiry may be late by a tick: entries sit in a list and are looked at
//! once a tick. Nobody takes a deadline back: an entry that nobody else holds is dead, and its place goes to one of the
//! next that are set. A sorted map or a timer wheel costs several times as much per ask.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crossbeam::utils::CachePadded;
use palco_core::Time;
use parking_lot::Mutex;

/// Resolution of deadlines.
pub(super) const TICK: Duration = Duration::from_millis(10);

/// Asking threads share a shard only when there are more of them than this.
const SHARDS: usize = 8;

/// How many entries are looked at for a dead one before the list grows. Two, so that it cannot hold many more dead
/// entries than living ones.
const LOOKS: usize = 2;

/// Something whose time can run out.
pub(crate) trait Expire: Send + Sync {
    /// Called at most once, on the clock's thread, when the deadline has passed; must not wait.
    fn expire(&self);
}

#[derive(Default)]
pub(super) struct Deadlines {
    shards: [CachePadded<Mutex<Shard>>; SHARDS],
}

#[derive(Default)]
struct Shard {
    entries: Vec<Entry>,
    /// Where the search for a dead entry goes on.
    hand: usize,
}

struct Entry {
    at: Time,
    expire: Arc<dyn Expire>,
}

thread_local! {
    static SHARD: usize = {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        NEXT.fetch_add(1, Ordering::Relaxed) % SHARDS
    };
}

impl Entry {
    /// Whoever waited for it has gone, answered or not. A count of one cannot grow again: all clones come from those
    /// who wait.
    fn is_dead(&self) -> bool {
        Arc::strong_count(&self.expire) == 1
    }
}

impl Shard {
    /// Puts `entry` in the place of a dead one, which is returned, or at the end.
    fn insert(&mut self, entry: Entry) -> Option<Entry> {
        for _ in 0..LOOKS.min(self.entries.len()) {
            self.hand = if self.hand + 1 < self.entries.len() { self.hand + 1 } else { 0 };
            let place = &mut self.entries[self.hand];
            if place.is_dead() {
                return Some(std::mem::replace(place, entry));
            }
        }
        self.entries.push(entry);
        None
    }
}

impl Deadlines {
    pub(super) fn insert(&self, at: Time, expire: Arc<dyn Expire>) {
        let shard = SHARD.with(|shard| *shard);
        let dead = self.shards[shard].lock().insert(Entry { at, expire });
        drop(dead); // freed after the lock has been let go
    }

    /// Expires all that are due and forgets the dead; false if none was due.
    pub(super) fn expire(&self, now: Time) -> bool {
        let mut gone = Vec::new();
        for shard in &self.shards {
            gone.extend(
                shard.lock().entries.extract_if(.., |entry| entry.at <= now || entry.is_dead()),
            );
        }
        let mut was_due = false;
        for entry in gone.into_iter().filter(|entry| !entry.is_dead()) {
            was_due = true;
            entry.expire.expire();
        }
        was_due
    }

    pub(super) fn next(&self) -> Option<Time> {
        let first = |shard: &CachePadded<Mutex<Shard>>| {
            let shard = shard.lock();
            shard.entries.iter().filter(|entry| !entry.is_dead()).map(|entry| entry.at).min()
        };
        self.shards.iter().filter_map(first).min()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.shards.iter().all(|shard| shard.lock().entries.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use super::*;

    #[derive(Default)]
    struct Flag(AtomicBool);

    impl Expire for Flag {
        fn expire(&self) {
            self.0.store(true, Ordering::Relaxed);
        }
    }

    #[test]
    fn asks_one_after_the_other_share_one_entry() {
        let deadlines = Deadlines::default();
        for nanos in 1..1_000 {
            let waited_for = Arc::new(Flag::default());
            deadlines.insert(Time::from_nanos(nanos), Arc::clone(&waited_for) as Arc<dyn Expire>);
        }
        let entries = deadlines.shards.iter().map(|shard| shard.lock().entries.len());
        assert_eq!(entries.sum::<usize>(), 1);
        assert_eq!(deadlines.next(), None);
    }

    #[test]
    fn only_the_living_expire() {
        let deadlines = Deadlines::default();
        let (living, dead) = (Arc::new(Flag::default()), Arc::new(Flag::default()));
        deadlines.insert(Time::from_nanos(5), Arc::clone(&living) as Arc<dyn Expire>);
        deadlines.insert(Time::from_nanos(6), dead);
        assert_eq!(deadlines.next(), Some(Time::from_nanos(5)));
        assert!(!deadlines.expire(Time::from_nanos(4)), "nothing is due");
        assert!(deadlines.expire(Time::from_nanos(9)));
        assert!(living.0.load(Ordering::Relaxed));
        assert!(deadlines.is_empty());
    }
}
