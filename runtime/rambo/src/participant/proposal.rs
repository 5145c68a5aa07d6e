//! The decision, as the proposer sees it: Paxos with promises from read quorums and votes from write quorums of the newest
//! configuration (slides 22 to 27). What acceptors do is in `consensus.rs`.

use std::sync::Arc;

use super::recon::{Drive, Stage};
use super::{Participant, Turn};
use crate::flaw::flawed;
use crate::tally::Need;
use crate::{Ballot, Configuration, NodeId, Outcome, Phase, Record};

impl Participant {
    /// Round 0 for who owns it, once and on disk before it is used; else promises first.
    pub(super) fn begin_proposal(&mut self, mut drive: Box<Drive>, turn: &mut Turn<'_>) {
        let top = Arc::clone(self.map.as_ref().expect("driven with a map").top());
        let next = top.index() + 1;
        let wanted = Arc::clone(drive.wanted.as_ref().expect("somebody wants it"));
        let boot = self.boot;
        if top.proposer() == self.settings.node && !self.acceptor.has_used_round_zero(next) {
            self.acceptor.use_round_zero(Arc::clone(&wanted));
            let after = self.persist(Record::RoundZero((*wanted).clone()), turn);
            drive.ballot = Ballot { round: 0, node: self.settings.node, boot };
            drive.proposing = Some(wanted);
            return self.begin_vote(drive, after, turn);
        }
        // Not that of an earlier reconfiguration of this life, whose votes may still be under way.
        if flawed!(self.settings.flaws, RoundsAnew) && drive.ballot == Ballot::ZERO {
            self.rounds = 0;
        }
        self.rounds += 1;
        drive.ballot = Ballot { round: self.rounds, node: self.settings.node, boot };
        drive.accepted = None;
        drive.tallies.begin([(&top, Need::Read)]);
        self.begin_stage(drive, Stage::Prepare, 0, turn);
    }

    pub(super) fn on_promised(
        &mut self,
        from: NodeId,
        phase: Phase,
        accepted: Option<(Ballot, Arc<Configuration>)>,
        turn: &mut Turn<'_>,
    ) {
        let Some(mut drive) = self.take_drive(phase, &[Stage::Prepare]) else { return };
        let next = self.version().end;
        let accepted = accepted.filter(|(_, configuration)| configuration.index() == next);
        if let Some((ballot, configuration)) = accepted
            && drive.accepted.as_ref().is_none_or(|(highest, _)| *highest < ballot)
            && !flawed!(self.settings.flaws, IgnoreAccepted)
        {
            drive.accepted = Some((ballot, configuration));
        }
        if let Some(mut drive) = self.answered(from, drive) {
            let accepted = drive.accepted.take().map(|(_, configuration)| configuration);
            drive.proposing = accepted.or_else(|| drive.wanted.clone());
            self.begin_vote(drive, 0, turn);
        }
    }

    /// A write quorum of the newest configuration votes. With one register (slide 27) the vote also informs, and
    /// collects from, read and write quorums of all active configurations: so the oldest can go with the decision.
    fn begin_vote(&mut self, mut drive: Box<Drive>, after: u64, turn: &mut Turn<'_>) {
        let map = self.map.clone().expect("driven with a map");
        let need =
            if self.is_single() && map.active().len() > 1 { Need::Both } else { Need::Write };
        let asked = if need == Need::Both { map.active() } else { std::slice::from_ref(map.top()) };
        drive.tallies.begin(asked.iter().map(|configuration| (configuration, need)));
        self.begin_stage(drive, Stage::Propose, after, turn);
    }

    pub(super) fn on_accepted(&mut self, from: NodeId, phase: Phase, turn: &mut Turn<'_>) {
        let Some(drive) = self.take_drive(phase, &[Stage::Propose]) else { return };
        if let Some(drive) = self.answered(from, drive) {
            self.decide(drive, turn);
        }
    }

    pub(super) fn on_refused(&mut self, phase: Phase, promised: Ballot, turn: &mut Turn<'_>) {
        let Some(mut drive) = self.take_drive(phase, &[Stage::Prepare, Stage::Propose]) else {
            return;
        };
        self.rounds = self.rounds.max(promised.round);
        drive.refusals += 1;
        drive.waiting = true;
        drive.resend_at = turn.now + self.backoff(drive.refusals);
        self.wake_by(drive.resend_at);
        self.drive = Some(drive);
    }

    pub(super) fn decide(&mut self, mut drive: Box<Drive>, turn: &mut Turn<'_>) {
        let old = self.map.clone().expect("driven with a map");
        let decided = drive.proposing.take().expect("chosen before the vote");
        let Ok(mut map) = old.with_next((*decided).clone()) else {
            // More would be active than a map holds: the upgrade must go first, and whoever wants it asks again.
            return self.end_drive(*drive, Outcome::Superseded((**old.top()).clone()), turn);
        };
        if self.is_single() {
            map = map.from_base(old.top().index());
        }
        if flawed!(self.settings.flaws, DropAtDecision) {
            map = map.from_base(decided.index());
        }
        drive.decided = Some(turn.now);
        self.adopt(map.clone(), turn);
        self.announce(&old, turn);
        if drive.wanted.as_ref() == Some(&decided) {
            self.continue_upgrade(drive, turn);
        } else {
            self.end_drive(*drive, Outcome::Superseded((*decided).clone()), turn);
        }
    }
}
