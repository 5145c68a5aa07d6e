//! What will happen, by time. What is to happen at the same time happens in the order in which it was planned.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use palco_core::Time;

/// A queue by time. The heap moves small entries about; what will happen stays in its slot.
#[derive(Debug)]
pub(crate) struct Schedule<T> {
    heap: BinaryHeap<Reverse<(Time, u64, u32)>>,
    slots: Vec<Option<T>>,
    free: Vec<u32>,
    planned: u64,
}

impl<T> Schedule<T> {
    /// Nothing will happen.
    pub(crate) fn new() -> Self {
        Self { heap: BinaryHeap::new(), slots: Vec::new(), free: Vec::new(), planned: 0 }
    }

    /// Plans something.
    pub(crate) fn push(&mut self, at: Time, what: T) {
        let slot = match self.free.pop() {
            Some(slot) => {
                self.slots[slot as usize] = Some(what);
                slot
            }
            None => {
                self.slots.push(Some(what));
                u32::try_from(self.slots.len() - 1).expect("fewer than 2³² things are planned")
            }
        };
        self.heap.push(Reverse((at, self.planned, slot)));
        self.planned += 1;
    }

    /// What happens next, and when.
    pub(crate) fn pop(&mut self) -> Option<(Time, T)> {
        let Reverse((at, _, slot)) = self.heap.pop()?;
        self.free.push(slot);
        let what = self.slots[slot as usize].take().expect("an entry's slot is full");
        Some((at, what))
    }

    /// When something happens next.
    pub(crate) fn next_at(&self) -> Option<Time> {
        self.heap.peek().map(|Reverse((at, _, _))| *at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn earlier_first_and_at_one_time_in_the_order_of_planning() {
        let mut schedule = Schedule::new();
        for (at, what) in [(5, 'c'), (1, 'a'), (5, 'd'), (3, 'b')] {
            schedule.push(Time::from_nanos(at), what);
        }
        assert_eq!(schedule.next_at(), Some(Time::from_nanos(1)));
        assert_eq!(schedule.pop(), Some((Time::from_nanos(1), 'a')));
        schedule.push(Time::from_nanos(5), 'e');
        let rest: String = std::iter::from_fn(|| schedule.pop()).map(|(_, what)| what).collect();
        assert_eq!(rest, "bcde");
        assert_eq!(schedule.slots.len(), 4, "a slot that is free is used again");
    }
}
