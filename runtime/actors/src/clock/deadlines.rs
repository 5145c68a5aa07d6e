//! Deadlines of asks: very many are set, very few are reached.
//!
//! So setting and cancelling must cost next to nothing and expiry may be late by a tick: entries sit in a slab and are
//! looked at once a tick. A sorted map or a timer wheel costs several times as much per ask.

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

/// Something whose time can run out.
pub(crate) trait Expire: Send + Sync {
    /// Called once, on the clock's thread, when the deadline has passed; must not wait.
    fn expire(&self);
}

/// Takes a deadline back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DeadlineKey {
    shard: usize,
    slot: usize,
    /// Tells this deadline from a later one in the same slot.
    serial: u64,
}

#[derive(Default)]
pub(super) struct Deadlines {
    shards: [CachePadded<Mutex<Slab>>; SHARDS],
}

#[derive(Default)]
struct Slab {
    slots: Vec<Option<Entry>>,
    free: Vec<usize>,
    serial: u64,
}

struct Entry {
    at: Time,
    serial: u64,
    expire: Arc<dyn Expire>,
}

thread_local! {
    static SHARD: usize = {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        NEXT.fetch_add(1, Ordering::Relaxed) % SHARDS
    };
}

impl Deadlines {
    pub(super) fn insert(&self, at: Time, expire: Arc<dyn Expire>) -> DeadlineKey {
        let shard = SHARD.with(|shard| *shard);
        let mut slab = self.shards[shard].lock();
        slab.serial += 1;
        let serial = slab.serial;
        let entry = Some(Entry { at, serial, expire });
        let slot = match slab.free.pop() {
            Some(slot) => {
                slab.slots[slot] = entry;
                slot
            }
            None => {
                slab.slots.push(entry);
                slab.slots.len() - 1
            }
        };
        DeadlineKey { shard, slot, serial }
    }

    /// Removes a deadline that has not passed; does nothing to one that has.
    pub(super) fn remove(&self, key: DeadlineKey) {
        let mut slab = self.shards[key.shard].lock();
        let slot = &mut slab.slots[key.slot];
        if slot.as_ref().is_some_and(|entry| entry.serial == key.serial) {
            let entry = slot.take();
            slab.free.push(key.slot);
            drop(slab);
            drop(entry);
        }
    }

    /// Expires all that are due; false if none was.
    pub(super) fn expire(&self, now: Time) -> bool {
        let mut due = Vec::new();
        for shard in &self.shards {
            let mut slab = shard.lock();
            let Slab { slots, free, .. } = &mut *slab;
            for (index, slot) in slots.iter_mut().enumerate() {
                if slot.as_ref().is_some_and(|entry| entry.at <= now) {
                    due.extend(slot.take());
                    free.push(index);
                }
            }
        }
        for entry in &due {
            entry.expire.expire();
        }
        !due.is_empty()
    }

    pub(super) fn next(&self) -> Option<Time> {
        let first = |shard: &CachePadded<Mutex<Slab>>| {
            shard.lock().slots.iter().flatten().map(|entry| entry.at).min()
        };
        self.shards.iter().filter_map(first).min()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.shards.iter().all(|shard| {
            let slab = shard.lock();
            slab.slots.len() == slab.free.len()
        })
    }
}
