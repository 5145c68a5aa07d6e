//! A disk: a queue in front of a log. A flush covers what is queued when it begins, one at a time, without a timer:
//! that is group commit. A crash takes what was not flushed, but for a torn part.

mod log;

use std::collections::VecDeque;

use palco_rambo::{Barrier, Message, NodeId, Record};

pub(crate) use log::Log;

/// A disk, and what waits for it.
#[derive(Debug, Default)]
pub(crate) struct Disk {
    log: Log,
    queue: VecDeque<(Barrier, Record)>,
    /// Of the queue, what the flush under way covers; 0 if there is none.
    flushing: usize,
    reached: Barrier,
    sends: VecDeque<Held>,
}

/// A message that may not leave before its barrier.
#[derive(Debug)]
pub(crate) struct Held {
    after: Barrier,
    /// To whom.
    pub(crate) to: NodeId,
    /// What.
    pub(crate) message: Message,
}

impl Disk {
    /// What would survive a crash.
    pub(crate) fn log(&self) -> &Log {
        &self.log
    }

    /// The log alone, of a machine that will not be seen again.
    pub(crate) fn into_log(self) -> Log {
        self.log
    }

    /// Queues a record.
    pub(crate) fn append(&mut self, barrier: Barrier, record: Record) {
        self.queue.push_back((barrier, record));
    }

    /// Keeps a message until its barrier is reached, behind those that are kept; gives it back if it need not wait.
    pub(crate) fn hold(&mut self, to: NodeId, after: Barrier, message: Message) -> Option<Held> {
        let held = Held { after, to, message };
        if after <= self.reached {
            return Some(held);
        }
        self.sends.push_back(held);
        None
    }

    /// Begins a flush, if there is something to flush and none is under way.
    pub(crate) fn begin_flush(&mut self) -> bool {
        if self.flushing > 0 || self.queue.is_empty() {
            return false;
        }
        self.flushing = self.queue.len();
        true
    }

    /// The flush is done: says up to which barrier, and of how many records.
    pub(crate) fn end_flush(&mut self) -> (Barrier, usize) {
        let count = std::mem::take(&mut self.flushing);
        for (barrier, record) in self.queue.drain(..count) {
            self.reached = barrier;
            self.log.append(record);
        }
        (self.reached, count)
    }

    /// The next message that need not wait any longer.
    pub(crate) fn release(&mut self) -> Option<Held> {
        let ready = |held: &mut Held| held.after <= self.reached;
        let at = self.sends.iter_mut().position(ready)?;
        self.sends.remove(at)
    }

    /// Records that a crash may take.
    pub(crate) fn unflushed(&self) -> usize {
        self.queue.len()
    }

    /// The machine stops: of what was not flushed the first `torn` records survive.
    pub(crate) fn crash(&mut self, torn: usize) {
        for (_, record) in self.queue.drain(..).take(torn) {
            self.log.append(record);
        }
        (self.flushing, self.reached) = (0, 0);
        self.sends.clear();
    }
}

#[cfg(test)]
mod tests {
    use palco_rambo::{Body, Version};

    use super::*;

    fn began(boot: u32) -> Record {
        Record::Began { node: NodeId(1), boot }
    }

    fn message() -> Message {
        Message { version: Version::default(), map: None, body: Body::AskMap }
    }

    #[test]
    fn a_flush_covers_what_was_queued_when_it_began() {
        let mut disk = Disk::default();
        assert!(!disk.begin_flush());
        disk.append(1, began(1));
        assert!(disk.begin_flush());
        disk.append(2, began(2));
        assert!(!disk.begin_flush(), "one at a time");
        assert_eq!(disk.end_flush(), (1, 1));
        assert_eq!(disk.log().records(), [began(1)]);
        assert!(disk.begin_flush());
        assert_eq!(disk.end_flush(), (2, 1));
    }

    #[test]
    fn messages_wait_for_their_barrier_and_leave_in_order() {
        let mut disk = Disk::default();
        disk.append(1, began(1));
        disk.append(2, began(2));
        assert!(disk.hold(NodeId(7), 0, message()).is_some());
        for (to, after) in [(2, 1), (3, 2), (4, 1)] {
            assert!(disk.hold(NodeId(to), after, message()).is_none());
        }
        disk.flushing = 1;
        disk.end_flush();
        let left: Vec<_> = std::iter::from_fn(|| disk.release()).map(|held| held.to.0).collect();
        assert_eq!(left, [2, 4]);
        assert!(disk.begin_flush());
        disk.end_flush();
        assert_eq!(disk.release().map(|held| held.to.0), Some(3));
    }

    #[test]
    fn a_crash_takes_what_was_not_flushed_but_for_a_torn_part_and_all_that_waited() {
        let mut disk = Disk::default();
        for boot in 1..=4 {
            disk.append(u64::from(boot), began(boot));
        }
        disk.hold(NodeId(2), 4, message());
        assert!(disk.begin_flush());
        disk.crash(2);
        assert_eq!(disk.log().records(), [began(2)], "of four records two survived");
        assert!(disk.release().is_none() && !disk.begin_flush());
    }
}
