//! Reads and writes: a query phase, and a propagation phase unless it can be seen that it would change nothing
//! (slides 30 to 33). Each phase goes to all members of all active configurations and ends when each of these has its
//! quorum.

use super::operations::{Attempt, Operation, Stage, Wish};
use super::{Attach, Participant, Turn};
use crate::flaw::flawed;
use crate::tally::{Need, Which};
use crate::{
    Body, CAS_VALUE_BYTES_MAX, Change, Class, Failure, KEY_BYTES_MAX, Key, NodeId, Outcome, Part,
    Phase, State, Tag, Tagged, VALUE_BYTES_MAX, Value, Version, Want,
};
use palco_core::Time;

impl Participant {
    /// Takes a request on.
    pub(super) fn start(
        &mut self,
        request: u64,
        deadline: Time,
        key: Key,
        wish: Wish,
        turn: &mut Turn<'_>,
    ) {
        if let Some(failure) = self.refuse(&key, &wish) {
            turn.reply(request, Outcome::Failed(failure), 0);
            return;
        }
        let operation = Box::new(Operation {
            request,
            deadline,
            key,
            wish,
            stage: Stage::Query,
            number: 0,
            tallies: self.operations.tallies(),
            best: Tagged::default(),
            confirmed: false,
            agreed: None,
            sent: None,
            asked: None,
            rounds: 0,
            resend_at: deadline,
            resends: 0,
            attempt: Attempt::default(),
        });
        self.wake_by(deadline);
        let slot = self.operations.reserve();
        match &operation.wish {
            Wish::Change(..) => self.begin_prepare(slot, operation, turn),
            Wish::Write(_) if flawed!(self.settings.flaws, WriteSkipsQuery) => {
                let best = self.held(&operation.key);
                self.mint(slot, Box::new(Operation { best, ..*operation }), turn);
            }
            Wish::Read | Wish::Write(_) => self.begin_query(slot, operation, turn),
        }
    }

    fn refuse(&self, key: &Key, wish: &Wish) -> Option<Failure> {
        let limit = self.settings.operations_max;
        if self.map.is_none() {
            return Some(Failure::NotJoined);
        }
        if self.operations.len() >= limit {
            return Some(Failure::Busy { limit });
        }
        let (class, value, bytes_max) = match wish {
            Wish::Read => (None, None, VALUE_BYTES_MAX),
            Wish::Write(value) => (Some(Class::Register), value.as_ref(), VALUE_BYTES_MAX),
            Wish::Change(Change::Set(value) | Change::CompareAndSwap { value, .. }, ..) => {
                (Some(Class::Cas), value.as_ref(), CAS_VALUE_BYTES_MAX)
            }
            Wish::Change(Change::Append(more), ..) => {
                (Some(Class::Cas), Some(more), CAS_VALUE_BYTES_MAX)
            }
            Wish::Change(Change::Add(_), ..) => (Some(Class::Cas), None, CAS_VALUE_BYTES_MAX),
        };
        let sizes = [
            (Part::Key, key.name.len(), KEY_BYTES_MAX),
            (Part::Value, value.map_or(0, bytes::Bytes::len), bytes_max),
        ];
        let oversized = sizes
            .into_iter()
            .find(|&(_, bytes, limit)| bytes > limit)
            .map(|(what, bytes, limit)| Failure::Oversized { what, bytes, limit });
        self.refuse_key(key, class).or(oversized)
    }

    pub(super) fn begin_query(
        &mut self,
        slot: u32,
        mut operation: Box<Operation>,
        turn: &mut Turn<'_>,
    ) {
        operation.agreed = None;
        self.begin_phase(slot, operation, Stage::Query, Need::Read, turn);
    }

    pub(super) fn begin_propagate(
        &mut self,
        slot: u32,
        operation: Box<Operation>,
        turn: &mut Turn<'_>,
    ) {
        if let (Some(key), Some(sent)) = (self.single().cloned(), &operation.sent) {
            self.hold_single(&key, sent, turn);
        }
        self.begin_phase(slot, operation, Stage::Propagate, Need::Write, turn);
    }

    /// A phase under a number of its own, in all configurations that are active now: answers to an earlier one do not
    /// count (R2).
    pub(super) fn begin_phase(
        &mut self,
        slot: u32,
        mut operation: Box<Operation>,
        stage: Stage,
        need: Need,
        turn: &mut Turn<'_>,
    ) {
        let active = self.map.as_ref().expect("whoever takes requests on has a map").active();
        operation.tallies.begin(active.iter().map(|configuration| (configuration, need)));
        operation.stage = stage;
        operation.number = self.fresh_phase();
        operation.rounds += 1;
        operation.resends = 0;
        operation.asked = self.choose(&operation, turn.now);
        let patience = operation.asked.and(self.settings.patience);
        operation.resend_at = turn.now + patience.unwrap_or(self.settings.resend);
        self.wake_by(operation.resend_at);
        self.note_round(&operation);
        let which = operation.asked.as_ref().map_or(Which::All, Which::Of);
        self.ask_members(slot, &operation, which, turn);
        self.operations.give_back(slot, operation);
    }

    /// Sends what the phase asks.
    pub(super) fn ask_members(
        &mut self,
        slot: u32,
        operation: &Operation,
        which: Which<'_>,
        turn: &mut Turn<'_>,
    ) {
        let phase = self.phase(slot, operation.number);
        let key = || operation.key.clone();
        let sent = || operation.sent.clone().unwrap_or_default();
        let body = match operation.stage {
            Stage::Query => {
                let tag_alone = matches!(operation.wish, Wish::Write(_)) && !self.is_single();
                Body::Query {
                    phase,
                    key: key(),
                    want: if tag_alone { Want::Tag } else { Want::Value },
                }
            }
            Stage::Propagate => Body::Propagate { phase, key: key(), tagged: sent() },
            Stage::CasPrepare => {
                Body::CasPrepare { phase, key: key(), ballot: operation.attempt.ballot }
            }
            Stage::CasAccept => Body::CasAccept { phase, key: key(), accept: sent() },
            Stage::CasBackoff => return,
        };
        let mut nodes = std::mem::take(&mut self.nodes);
        operation.tallies.nodes(which, &mut nodes);
        for &node in &nodes {
            self.send(node, 0, Attach::Nothing, body.clone(), turn);
        }
        self.nodes = nodes;
    }

    /// The operation that an answer belongs to, if it still waits for it; counted otherwise.
    pub(super) fn take(
        &mut self,
        from: NodeId,
        phase: Phase,
        stage: Stage,
        told: Option<&Tagged>,
    ) -> Option<Box<Operation>> {
        let any = flawed!(self.settings.flaws, AnyPhase);
        let mine = self.is_mine(phase);
        let Some(mut operation) = mine.then(|| self.operations.take(phase, any)).flatten() else {
            self.refusals.stale += 1;
            return None;
        };
        let count = if operation.stage != stage {
            &mut self.refusals.stale
        } else if told.is_some_and(|told| !can_be_held(&operation.key, told)) {
            &mut self.refusals.foreign
        } else if operation.tallies.answer(from) {
            self.note_answer(operation.request, from);
            return Some(operation);
        } else {
            &mut self.refusals.stranger
        };
        *count += 1;
        self.operations.give_back(phase.slot, operation);
        None
    }

    pub(super) fn on_queried(
        &mut self,
        from: NodeId,
        phase: Phase,
        told: Tagged,
        durable: bool,
        confirmed: bool,
        turn: &mut Turn<'_>,
    ) {
        let Some(mut operation) = self.take(from, phase, Stage::Query, Some(&told)) else { return };
        if let Some(key) = self.single().cloned() {
            self.hold_single(&key, &told, turn);
        }
        operation.agreed =
            Some(operation.agreed.is_none_or(|agreed| agreed && operation.best.tag == told.tag));
        let tag = told.tag;
        if tag > operation.best.tag {
            operation.best = told;
            operation.confirmed = false;
            operation.tallies.nobody_holds();
        }
        if tag == operation.best.tag {
            operation.confirmed |= confirmed;
            if durable {
                operation.tallies.hold(from);
            }
        }
        self.after_query(phase.slot, operation, turn);
    }

    /// The query's fixed point: slide 32.
    fn after_query(&mut self, slot: u32, operation: Box<Operation>, turn: &mut Turn<'_>) {
        if !operation.tallies.are_met() {
            self.operations.give_back(slot, operation);
            return;
        }
        match &operation.wish {
            Wish::Write(_) => self.mint(slot, operation, turn),
            Wish::Read | Wish::Change(..) if self.is_settled(&operation) => {
                self.store.confirm(&operation.key, operation.best.tag);
                let outcome = read(&operation.key, &operation.best);
                self.finish(slot, operation, outcome, turn);
            }
            Wish::Read | Wish::Change(..) if operation.key.class == Class::Cas => {
                self.begin_prepare(slot, operation, turn);
            }
            Wish::Read | Wish::Change(..) => {
                let sent = Some(operation.best.clone());
                self.begin_propagate(slot, Box::new(Operation { sent, ..*operation }), turn);
            }
        }
    }

    /// Whether the value read needs no second round: nothing was ever written, a write quorum of every configuration
    /// holds it (O1), or it was seen to be so before (O2, confirmed tags).
    pub(super) fn is_settled(&self, operation: &Operation) -> bool {
        operation.best.tag == Tag::ZERO
            || operation.tallies.largest_is_held() && self.is_of_newest(operation)
            || operation.confirmed
            || flawed!(self.settings.flaws, NoWriteBack)
            || flawed!(self.settings.flaws, AgreementSuffices) && operation.agreed == Some(true)
    }

    /// Makes the write's tag: above all that a read quorum knows, and nobody else's.
    fn mint(&mut self, slot: u32, mut operation: Box<Operation>, turn: &mut Turn<'_>) {
        let Wish::Write(value) = &operation.wish else { unreachable!("only writes make tags") };
        let tag = self.next_tag(operation.best.tag.sequence);
        operation.sent = Some(Tagged { tag, value: value.clone() });
        self.begin_propagate(slot, operation, turn);
    }

    /// A tag that nobody else makes, above this sequence number.
    pub(super) fn next_tag(&mut self, above: u64) -> Tag {
        self.tags = self.tags.wrapping_add(1);
        Tag {
            sequence: above.saturating_add(1),
            node: self.settings.node,
            boot: self.boot,
            n: self.tags,
        }
    }

    pub(super) fn on_propagated(&mut self, from: NodeId, phase: Phase, turn: &mut Turn<'_>) {
        if let Some(operation) = self.take(from, phase, Stage::Propagate, None) {
            self.after_propagate(phase.slot, operation, turn);
        }
    }

    fn after_propagate(&mut self, slot: u32, operation: Box<Operation>, turn: &mut Turn<'_>) {
        if !operation.tallies.are_met() {
            self.operations.give_back(slot, operation);
            return;
        }
        let sent = operation.sent.clone().unwrap_or_default();
        self.store.confirm(&operation.key, sent.tag);
        let outcome = match operation.wish {
            Wish::Write(_) => Outcome::Written(sent.tag),
            Wish::Read | Wish::Change(..) => Outcome::Read(sent),
        };
        self.finish(slot, operation, outcome, turn);
    }

    pub(super) fn finish(
        &mut self,
        slot: u32,
        operation: Box<Operation>,
        outcome: Outcome,
        turn: &mut Turn<'_>,
    ) {
        turn.reply(operation.request, outcome, operation.rounds);
        self.operations.end(slot, operation);
    }

    /// The map has changed under an operation (R1). A configuration more must answer too; one less starts the phase
    /// over, for the answers of those that stay may be older than what only the removed ones knew (pitfall 8).
    pub(super) fn reconsider(&mut self, slot: u32, before: Version, turn: &mut Turn<'_>) {
        let Some(mut operation) = self.operations.take_slot(slot) else { return };
        let map = self.map.clone().expect("it was just learned");
        let (first, last) =
            operation.tallies.range().unwrap_or((before.base, before.end.saturating_sub(1)));
        let removed = first < map.base() && !flawed!(self.settings.flaws, KeepAnswers);
        match operation.stage {
            Stage::Query if removed => return self.begin_query(slot, operation, turn),
            Stage::Propagate if removed && flawed!(self.settings.flaws, SecondTag) => {
                return self.begin_query(slot, operation, turn);
            }
            Stage::Propagate if removed => return self.begin_propagate(slot, operation, turn),
            Stage::CasBackoff => return self.operations.give_back(slot, operation),
            // A new configuration was never prepared: an accept phase that merely reaches into it loses changes (§2).
            Stage::CasPrepare | Stage::CasAccept
                if !flawed!(self.settings.flaws, ExtendAccept) || removed =>
            {
                return self.begin_prepare(slot, operation, turn);
            }
            Stage::Query | Stage::Propagate | Stage::CasPrepare | Stage::CasAccept => {}
        }
        operation.tallies.forget_below(map.base());
        let need = match operation.stage {
            Stage::Query | Stage::CasPrepare => Need::Read,
            Stage::Propagate | Stage::CasAccept | Stage::CasBackoff => Need::Write,
        };
        for configuration in
            map.active().iter().filter(|configuration| configuration.index() > last)
        {
            operation.tallies.extend(configuration, need);
            self.note_configuration(operation.request, configuration);
        }
        operation.asked = None;
        self.ask_members(slot, &operation, Which::Silent, turn);
        match operation.stage {
            Stage::Query => self.after_query(slot, operation, turn),
            Stage::Propagate => self.after_propagate(slot, operation, turn),
            Stage::CasPrepare => self.after_prepare(slot, operation, turn),
            Stage::CasAccept => self.after_accept(slot, operation, turn),
            Stage::CasBackoff => self.operations.give_back(slot, operation),
        }
    }

    /// Time is up: what others may have heard of may have happened.
    pub(super) fn expire(&mut self, slot: u32, operation: Box<Operation>, turn: &mut Turn<'_>) {
        let outcome = match (&operation.wish, &operation.sent) {
            (Wish::Write(_), Some(sent)) => Outcome::Unknown { tag: Some(sent.tag) },
            (Wish::Change(_, _, tried), _) if operation.attempt.offered || tried.is_some() => {
                Outcome::Unknown { tag: None }
            }
            (Wish::Read | Wish::Write(_) | Wish::Change(..), _) => {
                Outcome::Failed(Failure::Timeout)
            }
        };
        self.finish(slot, operation, outcome, turn);
    }
}

/// What a read of either class tells.
fn read(key: &Key, best: &Tagged) -> Outcome {
    match key.class {
        Class::Register => Outcome::Read(best.clone()),
        Class::Cas => Outcome::Cas(decoded(&best.value).versioned()),
    }
}

/// A state that was told; none is let in that cannot be read.
pub(super) fn decoded(value: &Value) -> State {
    State::decode(value.as_ref()).unwrap_or_default()
}

/// Whether this can be what a replica holds for a key.
pub(super) fn can_be_held(key: &Key, tagged: &Tagged) -> bool {
    key.class == Class::Register || State::decode(tagged.value.as_ref()).is_ok()
}
