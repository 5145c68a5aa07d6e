//! Sleepers by the time at which they want to be woken.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;
use std::time::Instant;

use crate::unit::Unit;

#[derive(Default)]
pub(super) struct Timers {
    due: BinaryHeap<Reverse<Due>>,
    serial: u64,
}

struct Due {
    at: Instant,
    serial: u64,
    unit: Arc<Unit>,
}

impl Timers {
    pub(super) fn add(&mut self, at: Instant, unit: Arc<Unit>) {
        self.serial += 1;
        self.due.push(Reverse(Due { at, serial: self.serial, unit }));
    }

    /// Wakes whose time has come.
    pub(super) fn ring(&mut self, now: Instant) {
        while self.due.peek().is_some_and(|first| first.0.at <= now) {
            if let Some(Reverse(due)) = self.due.pop() {
                due.unit.unpark();
            }
        }
    }

    pub(super) fn next(&self) -> Option<Instant> {
        self.due.peek().map(|first| first.0.at)
    }

    pub(super) fn clear(&mut self) {
        self.due.clear();
    }
}

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.serial) == (other.at, other.serial)
    }
}

impl Eq for Due {}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Due {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.serial).cmp(&(other.at, other.serial))
    }
}
