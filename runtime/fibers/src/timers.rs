//! When to wake whom: a heap per LWP, touched by its thread only.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Instant;

/// Moments and the slots to wake then. Of equal moments the first that was set is first.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    heap: BinaryHeap<Reverse<(Instant, u64, usize)>>,
    set: u64,
}

impl Timers {
    pub(crate) fn set(&mut self, at: Instant, slot: usize) {
        self.heap.push(Reverse((at, self.set, slot)));
        self.set += 1;
    }

    pub(crate) fn next(&self) -> Option<Instant> {
        self.heap.peek().map(|Reverse((at, _, _))| *at)
    }

    /// A slot whose moment is `now` or before.
    pub(crate) fn take_due(&mut self, now: Instant) -> Option<usize> {
        self.next().filter(|at| *at <= now)?;
        self.heap.pop().map(|Reverse((_, _, slot))| slot)
    }

    pub(crate) fn clear(&mut self) {
        self.heap.clear();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn due_slots_come_in_order_and_none_too_early(delays in prop::collection::vec(0_u64..50, 0..60), now in 0_u64..60) {
            let start = Instant::now();
            let mut timers = Timers::default();
            for (slot, delay) in delays.iter().enumerate() {
                timers.set(start + Duration::from_millis(*delay), slot);
            }
            let now_at = start + Duration::from_millis(now);
            let mut due: Vec<(u64, usize)> = delays.iter().copied().zip(0..).filter(|(delay, _)| *delay <= now).collect();
            due.sort_unstable();
            let taken: Vec<usize> = std::iter::from_fn(|| timers.take_due(now_at)).collect();
            prop_assert_eq!(taken, due.into_iter().map(|(_, slot)| slot).collect::<Vec<_>>());
        }
    }
}
