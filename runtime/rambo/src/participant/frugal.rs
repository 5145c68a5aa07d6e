//! O10: whom a query asks first: no more members than it needs, which with three members saves a third of what is said.
//!
//! The slides ask everybody (slide 31). Whom a phase asks is no matter of safety: it ends when it has the answers of its
//! quorums (slide 32), whosesoever they are. So with [`Settings::patience`](crate::Settings::patience) it asks this node
//! and as few others as make a quorum, and the rest once one of these lets it wait; whoever did is doubted, and left out
//! until it has been heard of again. EPaxos calls this thrifty (Moraru, Andersen, Kaminsky, SOSP 2013, section 6.1).
//!
//! Only where one configuration is active: in the midst of a reconfiguration everybody is asked. Propagation always asks
//! everybody, for whoever is left out would have to be told later.

use palco_core::Time;

use super::operations::{Operation, Stage, Wish};
use super::{Participant, Turn};
use crate::quorum::Kind;
use crate::tally::Which;
use crate::{NodeId, NodeSet};

/// So many phases in a row ask the same members, of two to the power of this: what is said together shares a letter.
const PHASES_ALIKE: u32 = 8;

/// Who is not asked first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Doubts(Vec<Doubt>);

/// Holds until its time has passed and its node has been heard of.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Doubt {
    node: NodeId,
    until: Time,
    is_heard: bool,
}

impl Doubts {
    fn add(&mut self, node: NodeId, until: Time) {
        self.0.retain(|doubt| doubt.node != node);
        self.0.push(Doubt { node, until, is_heard: false });
    }

    /// A node lives.
    pub(super) fn heard(&mut self, node: NodeId, now: Time) {
        if self.0.is_empty() {
            return;
        }
        for doubt in self.0.iter_mut().filter(|doubt| doubt.node == node) {
            doubt.is_heard = true;
        }
        self.0.retain(|doubt| !doubt.is_heard || doubt.until > now);
    }

    fn are_about(&self, node: NodeId, now: Time) -> bool {
        self.0.iter().any(|doubt| doubt.node == node && (!doubt.is_heard || doubt.until > now))
    }
}

impl Participant {
    /// The members that a phase asks first; nothing if all of them.
    pub(super) fn choose(&self, operation: &Operation, now: Time) -> Option<NodeSet> {
        self.settings.patience?;
        if operation.stage != Stage::Query || self.is_single() {
            return None;
        }
        let configuration = operation.tallies.only()?;
        // A read that finds a write quorum agreed needs no second round (O1).
        let is_write = matches!(operation.wish, Wish::Write(_));
        let kinds: &[Kind] = if is_write { &[Kind::Read] } else { &[Kind::Read, Kind::Write] };
        let is_enough =
            |chosen: &NodeSet| kinds.iter().all(|&kind| configuration.is_quorum(kind, chosen));
        let (mut chosen, members) = (NodeSet::EMPTY, configuration.nodes().len());
        let own = configuration.position(self.settings.node);
        let (others, begin) = match own {
            Some(own) => (members - 1, own + 1),
            None => (members, 0),
        };
        if let Some(own) = own {
            chosen.insert(own);
        }
        let turn = usize::try_from(operation.number >> PHASES_ALIKE).unwrap_or_default();
        let rest = || (0..others).map(|at| (begin + (turn + at) % others) % members);
        for position in rest() {
            if is_enough(&chosen) {
                break;
            }
            let node = configuration.nodes().nth(position).expect("a position of a member");
            if !self.doubts.are_about(node, now) {
                chosen.insert(position);
            }
        }
        if !is_enough(&chosen) {
            return None;
        }
        // In a grid not everybody who came before the last one is needed.
        for position in rest().rev() {
            if !chosen.contains(position) {
                continue;
            }
            let without = chosen.iter().filter(|&other| other != position).collect();
            if is_enough(&without) {
                chosen = without;
            }
        }
        (chosen.len() < members).then_some(chosen)
    }

    /// Who was asked first lets the operation wait.
    pub(super) fn ask_the_others(
        &mut self,
        slot: u32,
        mut operation: Box<Operation>,
        turn: &mut Turn<'_>,
    ) {
        let until = turn.now + self.settings.takeover;
        let asked = operation.asked.take().unwrap_or(NodeSet::EMPTY);
        for node in operation.tallies.silent(asked) {
            // Of itself it waits for its own disk.
            if node != self.settings.node {
                self.doubts.add(node, until);
            }
        }
        operation.resend_at = turn.now + self.settings.resend;
        self.wake_by(operation.resend_at);
        self.ask_members(slot, &operation, Which::Silent, turn);
        self.operations.give_back(slot, operation);
    }

    /// Nobody waits for a node that nothing reaches.
    pub(super) fn unreachable(&mut self, node: NodeId, turn: &mut Turn<'_>) {
        self.doubts.add(node, turn.now + self.settings.takeover);
        for slot in 0..self.operations.slots() {
            let Some(operation) = self.operations.take_slot(slot) else { continue };
            let waits = operation
                .asked
                .is_some_and(|asked| operation.tallies.silent(asked).any(|silent| silent == node));
            if waits {
                self.ask_the_others(slot, operation, turn);
            } else {
                self.operations.give_back(slot, operation);
            }
        }
    }
}
