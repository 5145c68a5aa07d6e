//! The messages that an actor elsewhere, in a process or on a node, has been handed and not yet dealt with.
//!
//! Each stays here, with its bytes, until the other side has said what became of it. So the end of a life loses nothing
//! that was not begun: those messages are handed to the next one, in their order.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::envelope::{Envelope, TypeName};
use crate::guard::contained;
use crate::life::dead_letter;
use crate::mailbox::LaneKind;
use crate::observation::Stamp;
use crate::portable::{MessageTable, Passed};
use crate::reply::{AnyResponder, NoReply};
use crate::vitals::Cell;
use crate::{Descriptor, DropReason, Portable};

pub(super) const LANES: [LaneKind; 2] = [LaneKind::Normal, LaneKind::Urgent];

/// How much of a lane may be ahead of the other side.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ahead {
    pub(super) messages_max: usize,
    /// A lane of which nothing is ahead takes any message.
    pub(super) bytes_max: usize,
    pub(super) asks: Asks,
    /// Whether open files and sockets can go along.
    pub(super) descriptors: bool,
}

/// When an ask may be handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asks {
    /// When nothing is ahead of it in its lane: as long as it has not been handed over it can be taken back.
    Alone,
    /// As any message: the way is long, and who gives up does not know what became of the ask.
    InARow,
}

/// How many descriptors of a lane may be ahead: a process may have only a few open at once.
const DESCRIPTORS_AHEAD_MAX: usize = 16;
const _: () = assert!(Descriptor::PER_MESSAGE_MAX <= DESCRIPTORS_AHEAD_MAX);

/// A message on its way to the process or in it.
pub(super) struct Handed {
    pub(super) number: u16,
    pub(super) name: TypeName,
    pub(super) body: Vec<u8>,
    pub(super) descriptors: Passed,
    pub(super) responder: Option<Box<dyn AnyResponder>>,
    stamp: Option<Stamp>,
}

/// Two lanes of messages, and the books that go with them.
pub(super) struct Window<A: Portable> {
    cell: Arc<Cell<A>>,
    pub(super) table: MessageTable<A>,
    ahead: Ahead,
    lanes: [VecDeque<Handed>; 2],
    /// The bytes of them all.
    bytes: [usize; 2],
    /// How many of them, from the front, have been handed over in this life.
    sent: [usize; 2],
    /// Messages dealt with in this life.
    done: [u64; 2],
    /// The lane whose first message counts as being handled.
    current: Option<usize>,
}

/// The other side says something that cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Nonsense;

impl<A: Portable> Window<A> {
    pub(super) fn new(cell: Arc<Cell<A>>, ahead: Ahead) -> Self {
        Self {
            cell,
            table: MessageTable::of(),
            ahead,
            lanes: [VecDeque::new(), VecDeque::new()],
            bytes: [0; 2],
            sent: [0; 2],
            done: [0; 2],
            current: None,
        }
    }

    /// A fresh life: everything is to be handed over again.
    pub(super) fn begin_life(&mut self) {
        self.sent = [0; 2];
        self.done = [0; 2];
    }

    /// Messages dealt with in this life.
    pub(super) fn handled(&self) -> u64 {
        self.done.iter().sum()
    }

    /// Whether somebody waits for an answer of the process.
    pub(super) fn owes_a_reply(&self) -> bool {
        self.lanes.iter().any(|lane| lane.front().is_some_and(|handed| handed.responder.is_some()))
    }

    pub(super) fn is_at_work(&self) -> bool {
        self.sent != [0; 2]
    }

    /// Whether one more message, an ask or not, may be added to a lane.
    pub(super) fn has_room(&self, lane: usize, is_ask: bool) -> bool {
        if is_ask && self.ahead.asks == Asks::Alone {
            return self.lanes[lane].is_empty();
        }
        self.lanes[lane].len() < self.ahead.messages_max && self.bytes[lane] < self.ahead.bytes_max
    }

    /// Messages that have been handed over in this life, by lane.
    pub(super) fn handed(&self) -> [u64; 2] {
        [0, 1].map(|lane| self.done[lane] + self.sent[lane] as u64)
    }

    /// Messages that have been handed over and are not dealt with, by lane.
    pub(super) fn ahead(&self) -> [usize; 2] {
        self.sent
    }

    /// Messages dealt with in this life, by lane.
    pub(super) fn done(&self) -> [u64; 2] {
        self.done
    }

    /// Adds an envelope; one that cannot cross is dropped, with the reason in the books.
    pub(super) fn add(&mut self, lane: usize, envelope: Box<dyn Envelope<A>>, body_max: usize) {
        let (name, stamp) = (envelope.message_type(), envelope.stamp().copied());
        let Some(unpacked) = envelope.unpack() else {
            return self.refuse(lane, name, None, DropReason::AskerGone);
        };
        let (message, responder) = (unpacked.message, unpacked.responder);
        let number = self.table.number((*message).type_id());
        let Some((number, entry)) =
            number.and_then(|number| Some((number, self.table.entries.get(usize::from(number))?)))
        else {
            return self.refuse(lane, name, responder, DropReason::NotPortable);
        };
        let mut body = Vec::new();
        match (entry.pack)(message, &mut body) {
            Ok(descriptors) if !descriptors.is_empty() && !self.ahead.descriptors => {
                self.refuse(lane, name, responder, DropReason::NotPortable);
            }
            Ok(descriptors) if body.len() <= body_max => {
                self.bytes[lane] += body.len();
                self.lanes[lane].push_back(Handed {
                    number,
                    name,
                    body,
                    descriptors,
                    responder,
                    stamp,
                });
            }
            Ok(_) => self.refuse(lane, name, responder, DropReason::TooLarge),
            Err(_) => self.refuse(lane, name, responder, DropReason::NotPortable),
        }
    }

    /// Drops an envelope that is not to be handed over.
    pub(super) fn turn_away(
        &mut self,
        lane: usize,
        envelope: Box<dyn Envelope<A>>,
        reason: DropReason,
    ) {
        self.refuse(lane, envelope.message_type(), None, reason);
        // A message's own Drop may panic; that is not this actor's failure.
        let _ = contained(|| envelope.discard(reason));
    }

    /// The next message to be handed over.
    pub(super) fn next_to_send(&mut self, lane: usize) -> Option<&Handed> {
        let next = self.lanes[lane].get(self.sent[lane])?;
        if !next.descriptors.is_empty() {
            let ahead = self.lanes[lane].iter().take(self.sent[lane]);
            let ahead: usize = ahead.map(|handed| handed.descriptors.len()).sum();
            if ahead + next.descriptors.len() > DESCRIPTORS_AHEAD_MAX {
                return None;
            }
        }
        self.sent[lane] += 1;
        if self.current.is_none() {
            self.current = Some(lane);
            self.cell.mailbox.count(LANES[lane]);
            begin(&self.cell, next);
        }
        Some(next)
    }

    /// The other side has dealt with all messages of a lane before this one.
    pub(super) fn done_before(&mut self, lane: usize, index: u64) -> Result<(), Nonsense> {
        while self.done[lane] < index {
            let handed = self.take(lane, None)?;
            // Handled, and its reply lost: not with a process that keeps to the protocol.
            self.settle(handed, Err(NoReply::OutcomeUnknown));
            self.cell.vitals.activity.count_handled();
            self.next_current();
        }
        Ok(())
    }

    /// The other side has replied to an ask.
    pub(super) fn replied(
        &mut self,
        lane: usize,
        index: u64,
        outcome: Result<&[u8], NoReply>,
    ) -> Result<(), Nonsense> {
        self.done_before(lane, index)?;
        let handed = self.take(lane, None)?;
        let is_reply = self.settle(handed, outcome);
        self.cell.vitals.activity.count_handled();
        self.next_current();
        if is_reply { Ok(()) } else { Err(Nonsense) }
    }

    /// A message came to no good end there.
    pub(super) fn dropped(
        &mut self,
        lane: usize,
        index: u64,
        reason: DropReason,
    ) -> Result<(), Nonsense> {
        self.done_before(lane, index)?;
        let handed = self.take(lane, Some(reason))?;
        self.enter_dropped(handed.name, reason);
        self.settle(handed, Err(NoReply::of_handed(reason)));
        self.next_current();
        Ok(())
    }

    /// The process has ended; it had dealt with so many of each lane and was handling a message of this lane. What it
    /// had not begun is kept for the next life.
    pub(super) fn end_life(&mut self, done: [u64; 2], running: Option<usize>, reason: DropReason) {
        for lane in [0, 1] {
            // Whatever a dying process wrote: no more than it was handed.
            let _ = self.done_before(lane, done[lane].min(self.handed()[lane]));
        }
        if let Some(lane) = running
            && self.sent[lane] > 0
        {
            let _ = self.dropped(lane, self.done[lane], reason);
        }
        self.pause();
        self.begin_life();
    }

    /// Nobody knows what became of the messages that have been handed over: they are dropped, and who asks is told that
    /// the outcome is unknown. All others are kept.
    pub(super) fn lose(&mut self) {
        for lane in [1, 0] {
            while self.sent[lane] > 0 {
                let _ = self.dropped(lane, self.done[lane], DropReason::NodeLost);
            }
        }
        self.pause();
        self.begin_life();
    }

    /// The actor has ended for good: what is left becomes dead letters.
    pub(super) fn discard(&mut self, reason: DropReason) {
        self.pause();
        for lane in [0, 1] {
            self.bytes[lane] = 0;
            while let Some(handed) = self.lanes[lane].pop_front() {
                self.cell.mailbox.count(LANES[lane]);
                self.enter_dropped(handed.name, reason);
                self.settle(handed, Err(NoReply::Dropped(reason)));
            }
        }
    }

    /// Takes the first message of a lane, which has been handed over.
    fn take(&mut self, lane: usize, dropped: Option<DropReason>) -> Result<Handed, Nonsense> {
        if self.sent[lane] == 0 {
            return Err(Nonsense);
        }
        let handed = self.lanes[lane].pop_front().ok_or(Nonsense)?;
        self.sent[lane] -= 1;
        self.bytes[lane] -= handed.body.len();
        self.done[lane] += 1;
        if self.current == Some(lane) {
            self.current = None;
            self.cell.vitals.activity.finish();
            self.cell.vitals.end_noting(handed.name, dropped);
        } else {
            self.cell.mailbox.count(LANES[lane]);
        }
        Ok(handed)
    }

    /// The message that counts as being handled now: the urgent lane goes first.
    fn next_current(&mut self) {
        if self.current.is_some() {
            return;
        }
        for lane in [1, 0] {
            if self.sent[lane] > 0
                && let Some(next) = self.lanes[lane].front()
            {
                self.current = Some(lane);
                self.cell.mailbox.count(LANES[lane]);
                begin(&self.cell, next);
                return;
            }
        }
    }

    /// Nothing is being handled; what was counted as such is queued again.
    fn pause(&mut self) {
        if let Some(lane) = self.current.take() {
            self.cell.vitals.activity.finish();
            self.cell.vitals.forget_noting();
            self.cell.mailbox.uncount(LANES[lane]);
        }
    }

    fn settle(&self, handed: Handed, outcome: Result<&[u8], NoReply>) -> bool {
        let Some(responder) = handed.responder else { return true };
        let entry = self.table.entries.get(usize::from(handed.number));
        entry.is_some_and(|entry| (entry.settle)(responder, outcome))
    }

    /// Not handed over at all.
    fn refuse(
        &mut self,
        lane: usize,
        name: TypeName,
        responder: Option<Box<dyn AnyResponder>>,
        reason: DropReason,
    ) {
        self.cell.mailbox.count(LANES[lane]);
        self.enter_dropped(name, reason);
        if let Some(responder) = responder {
            responder.fail(NoReply::Dropped(reason));
        }
    }

    fn enter_dropped(&self, name: TypeName, reason: DropReason) {
        self.cell.vitals.activity.dropped.add(reason, 1);
        dead_letter(&*self.cell, name(), reason);
    }
}

/// A message counts as being handled from now on.
fn begin<A: Portable>(cell: &Cell<A>, handed: &Handed) {
    let vitals = &cell.vitals;
    vitals.activity.begin(handed.name, vitals.system.clock().now_coarse());
    vitals.begin_noting(handed.stamp.as_ref(), handed.name, handed.responder.is_some());
}

impl<A: Portable> Drop for Window<A> {
    /// The place went away under the actor.
    fn drop(&mut self) {
        self.discard(DropReason::Killed);
    }
}
