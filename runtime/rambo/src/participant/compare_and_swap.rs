//! Changes of keys of class cas: CASPaxos per key (Rystsov, CASPaxos: Replicated State Machines without logs, 2018, §2),
//! with quorums in every active configuration. A key's ballots are tags.
//!
//! Deviations, each needed once configurations change:
//! * ballots are ordered by the newest configuration that their proposer knew, before all else;
//! * when it is asked whether a state is chosen, neither what was handed over counts as a vote, nor a vote for an older
//!   configuration;
//! * a new configuration starts the change over from prepare with a higher ballot;
//! * the state names the last change of each client, so that what is tried again is applied once;
//! * a read, or a comparison that fails, changes nothing, but has the state it saw accepted under its own ballot unless it
//!   is chosen already.

use super::operations::{Operation, Stage, Wish};
use super::reader_writer::decoded;
use super::{Participant, Turn};
use crate::cas::{Applying, State};
use crate::flaw::flawed;
use crate::tally::Need;
use crate::{Class, NodeId, Outcome, Phase, Tag, Tagged};

/// Bits of a ballot's sequence number that count rounds; those above are the index of the newest configuration that its
/// proposer knew. A key would have to be refused a million million times for them to meet.
const ROUND_BITS: u32 = 40;

/// The largest index that has ballots of its own: sixteen million reconfigurations.
const INDEX_MAX: u64 = (1 << (u64::BITS - ROUND_BITS)) - 1;

impl Participant {
    /// Phase 1 under a ballot above all it has heard of.
    pub(super) fn begin_prepare(
        &mut self,
        slot: u32,
        mut operation: Box<Operation>,
        turn: &mut Turn<'_>,
    ) {
        operation.attempt.ballot = self.next_ballot(&operation);
        operation.best = Tagged::default();
        operation.confirmed = false;
        self.begin_phase(slot, operation, Stage::CasPrepare, Need::Read, turn);
    }

    /// Above all this node has heard of from who knows no more configurations than it does, and above all ballots of those
    /// who know fewer: what these still have accepted, and is handed over late, must not count for more than what was
    /// chosen since (pitfall 19). Who hears of a ballot of others that know more must learn of their configuration first.
    fn next_ballot(&mut self, operation: &Operation) -> Tag {
        let index = self.map.as_ref().expect("whoever takes requests on has a map").top().index();
        let any_age = flawed!(self.settings.flaws, BallotsOfAnyAge);
        let first = if any_age { 0 } else { index.min(INDEX_MAX) << ROUND_BITS };
        let entry = self.store.find(&operation.key);
        let heard = [
            entry.map_or(0, |entry| entry.promised.sequence),
            entry.map_or(0, |entry| entry.tagged.tag.sequence),
            operation.attempt.seen,
            operation.attempt.ballot.sequence,
        ];
        let of_this = heard.into_iter().filter(|round| round >> ROUND_BITS == first >> ROUND_BITS);
        self.next_tag(of_this.max().unwrap_or(first))
    }

    /// Whether a quorum that holds what was told has chosen it. For a key of class cas only if its ballot was begun with the
    /// newest configuration in mind: a vote for an older one was cast among others, some of whom may have voted for
    /// another, higher ballot of that one, and bring it along when they are members again.
    pub(super) fn is_of_newest(&self, operation: &Operation) -> bool {
        let newest = operation.tallies.range().map_or(0, |(_, newest)| newest.min(INDEX_MAX));
        operation.key.class == Class::Register
            || flawed!(self.settings.flaws, CopiesVote)
            || operation.best.tag.sequence >> ROUND_BITS >= newest
    }

    pub(super) fn on_cas_promised(
        &mut self,
        from: NodeId,
        phase: Phase,
        accepted: Tagged,
        voted: bool,
        turn: &mut Turn<'_>,
    ) {
        let Some(mut operation) = self.take(from, phase, Stage::CasPrepare, Some(&accepted)) else {
            return;
        };
        let tag = accepted.tag;
        if tag > operation.best.tag {
            operation.best = accepted;
            operation.tallies.nobody_holds();
        }
        // A promise is told only when what was accepted before it is on disk.
        if tag == operation.best.tag && (voted || flawed!(self.settings.flaws, CopiesVote)) {
            operation.tallies.hold(from);
        }
        self.after_prepare(phase.slot, operation, turn);
    }

    /// Applies the change to the state with the highest ballot, and has the result accepted.
    pub(super) fn after_prepare(
        &mut self,
        slot: u32,
        mut operation: Box<Operation>,
        turn: &mut Turn<'_>,
    ) {
        if !operation.tallies.are_met() {
            return self.operations.give_back(slot, operation);
        }
        let state = decoded(&operation.best.value);
        let (next, outcome) = match &operation.wish {
            Wish::Read | Wish::Write(_) => (None, Outcome::Cas(state.versioned())),
            Wish::Change(change, id, tried) => {
                let known = if flawed!(self.settings.flaws, NoOperationId) {
                    State { applied: Vec::new(), ..state.clone() }
                } else {
                    state.clone()
                };
                match known.apply(change, *id, *tried) {
                    Applying::Next(next) => {
                        let outcome = Outcome::Cas(next.versioned());
                        (Some(next), outcome)
                    }
                    Applying::Before(applied) if applied.version == state.version => {
                        (None, Outcome::Cas(state.versioned()))
                    }
                    Applying::Before(applied) => (
                        None,
                        Outcome::Repeated { version: applied.version, result: applied.result },
                    ),
                    Applying::Forgotten => {
                        return self.finish(slot, operation, Outcome::Unknown { tag: None }, turn);
                    }
                    Applying::Mismatch => (None, Outcome::Mismatch(state.versioned())),
                    Applying::Inapplicable => (None, Outcome::Inapplicable(state.versioned())),
                }
            }
        };
        if next.is_none() && self.is_settled(&operation) {
            self.store.confirm(&operation.key, operation.best.tag);
            return self.finish(slot, operation, outcome, turn);
        }
        let value = match &next {
            Some(next) => next.encode(),
            None => operation.best.value.clone(),
        };
        operation.attempt.outcome = Some(outcome);
        if next.is_some() {
            operation.attempt.offered = true;
            // Should this key forget its client before the change is through, it cannot be told whether it was.
            if let Wish::Change(_, _, tried) = &mut operation.wish {
                *tried = Some(tried.map_or(state.version, |version| version.min(state.version)));
            }
        }
        operation.sent = Some(Tagged { tag: operation.attempt.ballot, value });
        self.begin_phase(slot, operation, Stage::CasAccept, Need::Write, turn);
    }

    pub(super) fn on_cas_accepted(&mut self, from: NodeId, phase: Phase, turn: &mut Turn<'_>) {
        if let Some(operation) = self.take(from, phase, Stage::CasAccept, None) {
            self.after_accept(phase.slot, operation, turn);
        }
    }

    pub(super) fn after_accept(
        &mut self,
        slot: u32,
        mut operation: Box<Operation>,
        turn: &mut Turn<'_>,
    ) {
        if !operation.tallies.are_met() {
            return self.operations.give_back(slot, operation);
        }
        self.store.confirm(&operation.key, operation.attempt.ballot);
        let outcome = operation.attempt.outcome.take().expect("set when the accept phase began");
        self.finish(slot, operation, outcome, turn);
    }

    /// A higher ballot is about: waits a moment of its own, twice as long each time, and tries again above it.
    pub(super) fn on_cas_refused(
        &mut self,
        from: NodeId,
        phase: Phase,
        promised: Tag,
        turn: &mut Turn<'_>,
    ) {
        let any = flawed!(self.settings.flaws, AnyPhase);
        let mine = self.is_mine(phase);
        let Some(mut operation) = mine.then(|| self.operations.take(phase, any)).flatten() else {
            self.refusals.stale += 1;
            return;
        };
        if matches!(operation.stage, Stage::CasPrepare | Stage::CasAccept) {
            operation.attempt.seen = operation.attempt.seen.max(promised.sequence);
            operation.attempt.refusals += 1;
            self.note_refusal(operation.request, from);
            if promised.sequence >> ROUND_BITS > self.version().end.saturating_sub(1).min(INDEX_MAX)
            {
                self.timers.asked_map = None;
                self.ask_map(from, turn);
            }
            operation.stage = Stage::CasBackoff;
            operation.number = self.fresh_phase();
            operation.resend_at = turn.now + self.backoff(operation.attempt.refusals);
            self.wake_by(operation.resend_at);
        } else {
            self.refusals.stale += 1;
        }
        self.operations.give_back(phase.slot, operation);
    }
}
