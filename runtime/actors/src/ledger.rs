//! Nothing is lost: sent = handled + queued + dropped + in flight.

use serde::{Deserialize, Serialize};

use crate::ActorSnapshot;
use crate::vitals::AnyCell;

/// The account of all messages of one or more actors. Exact whenever no message is on its way; while messages flow,
/// the counters are read one after the other and may differ by what moved in between.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    /// Messages accepted into a mailbox or fired by a timer.
    pub sent: u64,
    /// Messages handled to their end.
    pub handled: u64,
    /// Messages waiting in a mailbox.
    pub queued: u64,
    /// Messages not handled, or not to their end, each with a reason.
    pub dropped: u64,
    /// Messages with a handler.
    pub in_flight: u64,
}

impl Ledger {
    /// Whether every message is accounted for.
    #[must_use]
    pub fn is_balanced(&self) -> bool {
        self.sent == self.handled + self.queued + self.dropped + self.in_flight
    }

    /// Adds an actor that has ended: nothing is queued or in flight any more.
    pub(crate) fn add_ended(&mut self, cell: &dyn AnyCell) {
        let activity = &cell.vitals().activity;
        self.sent += cell.queue().accepted + activity.timed();
        self.handled += activity.handled();
        self.dropped += activity.dropped.total();
    }

    pub(crate) fn add(&mut self, actor: &ActorSnapshot) {
        self.sent += actor.sent;
        self.handled += actor.handled;
        self.queued += actor.queued;
        self.dropped += actor.dropped_total();
        self.in_flight += actor.in_flight();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_message_unbalances_the_ledger() {
        let balanced = Ledger { sent: 10, handled: 6, queued: 2, dropped: 1, in_flight: 1 };
        assert!(balanced.is_balanced());
        assert!(!Ledger { handled: 5, ..balanced }.is_balanced());
    }
}
