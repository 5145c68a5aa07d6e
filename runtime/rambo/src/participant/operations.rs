//! The operations under way: each in a slot, found by the phase that an answer names.

use std::collections::VecDeque;
use std::hash::Hash;

use palco_core::Time;

use crate::tally::Tallies;
use crate::{Change, Key, NodeSet, OperationId, Phase, Tag, Tagged, Value};

/// Something asked that is not answered yet.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Operation {
    pub(super) request: u64,
    pub(super) deadline: Time,
    pub(super) key: Key,
    pub(super) wish: Wish,
    pub(super) stage: Stage,
    /// The number of its phase: fresh for each.
    pub(super) number: u64,
    pub(super) tallies: Tallies,
    /// The largest tag that was told, and its value where it was wanted.
    pub(super) best: Tagged,
    /// Whether that tag is known to be with a write quorum of every configuration.
    pub(super) confirmed: bool,
    /// Whether all answers of this phase named the same tag.
    pub(super) agreed: Option<bool>,
    /// What is being propagated; a write keeps it when it starts over (pitfall 18).
    pub(super) sent: Option<Tagged>,
    /// The members that this phase asked first, of the only configuration; nothing once it has asked all.
    pub(super) asked: Option<NodeSet>,
    /// Phases begun.
    pub(super) rounds: u32,
    pub(super) resend_at: Time,
    pub(super) resends: u32,
    /// For keys of class cas.
    pub(super) attempt: Attempt,
}

/// What is wanted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Wish {
    Read,
    Write(Value),
    /// With the version at which it may have been tried before.
    Change(Change, OperationId, Option<u64>),
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Stage {
    Query,
    Propagate,
    CasPrepare,
    CasAccept,
    /// A ballot was refused: waits for `resend_at`.
    CasBackoff,
}

/// Of a change of a key of class cas.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Attempt {
    pub(super) ballot: Tag,
    /// The highest round that was heard of.
    pub(super) seen: u64,
    pub(super) refusals: u32,
    /// What to tell when the accept phase is through.
    pub(super) outcome: Option<crate::Outcome>,
    /// Whether others may have applied the change.
    pub(super) offered: bool,
}

/// The slots, used again.
#[derive(Clone, Debug, Default)]
pub(super) struct Operations {
    slots: Vec<Option<Box<Operation>>>,
    free: VecDeque<u32>,
    /// Room for answers, used again.
    spare: Vec<Tallies>,
    active: usize,
}

impl Operations {
    /// What is under way and which slots are next; not the room for answers.
    pub(super) fn standing(&self) -> impl PartialEq + Hash + '_ {
        (&self.slots, &self.free)
    }

    pub(super) fn len(&self) -> usize {
        self.active
    }

    pub(super) fn slots(&self) -> u32 {
        u32::try_from(self.slots.len()).expect("as many slots as operations may be")
    }

    pub(super) fn tallies(&mut self) -> Tallies {
        self.spare.pop().unwrap_or_default()
    }

    /// A slot for an operation that is given back to it.
    pub(super) fn reserve(&mut self) -> u32 {
        self.active += 1;
        self.free.pop_front().unwrap_or_else(|| {
            self.slots.push(None);
            self.slots() - 1
        })
    }

    /// Takes the operation that waits for answers to a phase out of its slot; give it back or end it.
    pub(super) fn take(&mut self, phase: Phase, any: bool) -> Option<Box<Operation>> {
        let slot = self.slots.get_mut(phase.slot as usize)?;
        if slot.as_ref().is_some_and(|operation| any || operation.number == phase.number) {
            slot.take()
        } else {
            None
        }
    }

    pub(super) fn take_slot(&mut self, slot: u32) -> Option<Box<Operation>> {
        self.slots.get_mut(slot as usize)?.take()
    }

    pub(super) fn give_back(&mut self, slot: u32, operation: Box<Operation>) {
        self.slots[slot as usize] = Some(operation);
    }

    /// It is answered.
    pub(super) fn end(&mut self, slot: u32, mut operation: Box<Operation>) {
        self.active -= 1;
        self.free.push_back(slot);
        self.spare.push(std::mem::take(&mut operation.tallies));
    }
}
