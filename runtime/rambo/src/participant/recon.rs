//! Reconfiguration, as its driver does it: the members to be are asked first whether they are there, and copy ahead
//! (rule O6); then the members of the newest configuration decide; then `upgrade.rs` removes the old ones.
//! Operations take no part in it but that they learn the map (Jehl, Meling, OPODIS 2016, found that otherwise is slower).

use std::sync::Arc;

use palco_core::Time;
use serde::{Deserialize, Serialize};

use super::{Attach, Participant, Turn};
use crate::flaw::flawed;
use crate::tally::{Need, Tallies, Which};
use crate::{
    Ballot, Body, Configuration, Failure, Index, Mode, NodeId, Outcome, Phase, Reconfigured, Target,
};

/// In the place of a slot: the phases of a reconfiguration.
const SLOT: u32 = u32::MAX;

/// Where a reconfiguration stands with its driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// The members to be are asked whether they are there, and copy ahead.
    Preflight,
    /// Promises are collected.
    Prepare,
    /// Votes are collected.
    Propose,
    /// The members of the old configurations are informed (U1).
    Inform,
    /// The members of the new one fetch (U2).
    Collect,
}

/// A reconfiguration under way, or the rest of one that somebody left behind.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Drive {
    pub(super) stage: Stage,
    /// Who wants it; nobody when an upgrade was taken over.
    pub(super) request: Option<(u64, Time)>,
    /// What is wanted; nothing when an upgrade was taken over.
    pub(super) wanted: Option<Arc<Configuration>>,
    /// What is being voted for: perhaps somebody else's.
    pub(super) proposing: Option<Arc<Configuration>>,
    pub(super) ballot: Ballot,
    pub(super) accepted: Option<(Ballot, Arc<Configuration>)>,
    pub(super) refusals: u32,
    /// The configuration that will hold all.
    pub(super) target: Index,
    number: u64,
    pub(super) tallies: Tallies,
    rounds: u32,
    began: Time,
    pub(super) decided: Option<Time>,
    pub(super) resend_at: Time,
    resends: u32,
    /// A ballot was refused: waits for `resend_at`.
    pub(super) waiting: bool,
    /// Who said it is there, in preflight.
    here: Vec<NodeId>,
}

impl Drive {
    pub(super) fn new(
        request: Option<(u64, Time)>,
        wanted: Option<Arc<Configuration>>,
        now: Time,
    ) -> Box<Self> {
        Box::new(Self {
            stage: Stage::Preflight,
            request,
            wanted,
            proposing: None,
            ballot: Ballot::ZERO,
            accepted: None,
            refusals: 0,
            target: 0,
            number: 0,
            tallies: Tallies::default(),
            rounds: 0,
            began: now,
            decided: None,
            resend_at: now,
            resends: 0,
            waiting: false,
            here: Vec::new(),
        })
    }
}

impl Participant {
    pub(super) fn reconfigure(
        &mut self,
        request: u64,
        deadline: Time,
        target: Target,
        turn: &mut Turn<'_>,
    ) {
        match self.want(target) {
            Ok(wanted) => {
                let drive = Drive::new(Some((request, deadline)), Some(Arc::new(wanted)), turn.now);
                self.wake_by(deadline);
                self.begin_drive(drive, turn);
            }
            Err(outcome) => turn.reply(request, *outcome, 0),
        }
    }

    fn want(&self, target: Target) -> Result<Configuration, Box<Outcome>> {
        let Some(map) = &self.map else {
            return Err(Box::new(Outcome::Failed(Failure::NotJoined)));
        };
        if self.drive.is_some() {
            return Err(Box::new(Outcome::Failed(Failure::Driving)));
        }
        if map.top().index() != target.expected {
            return Err(Box::new(Outcome::Superseded((**map.top()).clone())));
        }
        let next = target.expected.saturating_add(1);
        Configuration::new(next, target.members, target.quorums, self.settings.node)
            .map_err(|error| Box::new(Outcome::Failed(error.into())))
    }

    /// Too many active configurations are upgraded first (P1).
    fn begin_drive(&mut self, drive: Box<Drive>, turn: &mut Turn<'_>) {
        let map = self.map.as_ref().expect("nothing is wanted without a map");
        if map.active().len() >= self.settings.active_max && !self.is_single() {
            self.begin_upgrade(drive, turn);
        } else {
            self.begin_preflight(drive, turn);
        }
    }

    /// Nothing is proposed that could not go on working: read and write quorums of it must answer, and hold a copy (P2).
    pub(super) fn begin_preflight(&mut self, mut drive: Box<Drive>, turn: &mut Turn<'_>) {
        if flawed!(self.settings.flaws, NoPreflight) {
            return self.begin_proposal(drive, turn);
        }
        let wanted = Arc::clone(drive.wanted.as_ref().expect("somebody wants it"));
        drive.tallies.begin([(&wanted, Need::Both)]);
        drive.here.clear();
        self.begin_stage(drive, Stage::Preflight, 0, turn);
    }

    /// Begins a stage under a phase of its own and asks all that it concerns.
    pub(super) fn begin_stage(
        &mut self,
        mut drive: Box<Drive>,
        stage: Stage,
        after: u64,
        turn: &mut Turn<'_>,
    ) {
        drive.stage = stage;
        drive.number = self.fresh_phase();
        drive.rounds += 1;
        drive.resends = 0;
        drive.waiting = false;
        drive.resend_at = turn.now + self.settings.resend;
        self.wake_by(drive.resend_at);
        self.ask_stage(&drive, Which::All, after, turn);
        self.drive = Some(drive);
    }

    fn ask_stage(&mut self, drive: &Drive, which: Which, after: u64, turn: &mut Turn<'_>) {
        let phase = self.phase(SLOT, drive.number);
        let top = Arc::clone(self.map.as_ref().expect("driven with a map").top());
        let mut nodes = std::mem::take(&mut self.nodes);
        drive.tallies.nodes(which, &mut nodes);
        for &node in &nodes {
            let body = match drive.stage {
                Stage::Preflight => Body::Collect { phase, target: top.index() + 1 },
                Stage::Prepare => {
                    Body::Prepare { phase, index: top.index() + 1, ballot: drive.ballot }
                }
                Stage::Propose if top.contains(node) => {
                    let configuration =
                        Arc::clone(drive.proposing.as_ref().expect("chosen before the vote"));
                    Body::Accept { phase, ballot: drive.ballot, configuration }
                }
                // Slide 27: the vote collects from the members of all active configurations.
                Stage::Propose => Body::Inform { phase, target: top.index() },
                Stage::Inform => Body::Inform { phase, target: drive.target },
                Stage::Collect => Body::Collect { phase, target: drive.target },
            };
            self.send(node, after, Attach::Map, body, turn);
        }
        self.nodes = nodes;
    }

    /// The drive that an answer belongs to.
    pub(super) fn take_drive(&mut self, phase: Phase, stages: &[Stage]) -> Option<Box<Drive>> {
        let fits = |drive: &Drive| {
            drive.number == phase.number
                && phase.slot == SLOT
                && stages.contains(&drive.stage)
                && !drive.waiting
        };
        if self.is_mine(phase) && self.drive.as_deref().is_some_and(fits) {
            return self.drive.take();
        }
        self.refusals.stale += 1;
        None
    }

    /// Counts an answer; gives the drive when its stage is at its fixed point.
    pub(super) fn answered(&mut self, from: NodeId, mut drive: Box<Drive>) -> Option<Box<Drive>> {
        self.refusals.stranger += u64::from(!drive.tallies.answer(from));
        if drive.tallies.are_met() {
            return Some(drive);
        }
        self.drive = Some(drive);
        None
    }

    pub(super) fn on_collecting(&mut self, from: NodeId, phase: Phase) {
        if let Some(mut drive) = self.take_drive(phase, &[Stage::Preflight]) {
            if !drive.here.contains(&from) {
                drive.here.push(from);
            }
            self.drive = Some(drive);
        }
    }

    pub(super) fn on_collected(&mut self, from: NodeId, phase: Phase, turn: &mut Turn<'_>) {
        let Some(drive) = self.take_drive(phase, &[Stage::Preflight, Stage::Collect]) else {
            return;
        };
        if let Some(drive) = self.answered(from, drive) {
            if drive.stage == Stage::Preflight {
                self.begin_proposal(drive, turn);
            } else {
                self.drop_old(drive, turn);
            }
        }
    }

    pub(super) fn on_informed(&mut self, from: NodeId, phase: Phase, turn: &mut Turn<'_>) {
        let Some(drive) = self.take_drive(phase, &[Stage::Propose, Stage::Inform]) else { return };
        let voter = self.map.as_ref().is_some_and(|map| map.top().contains(from));
        if drive.stage == Stage::Propose && voter {
            // To be informed is no vote.
            self.refusals.foreign += 1;
            self.drive = Some(drive);
            return;
        }
        if let Some(drive) = self.answered(from, drive) {
            if drive.stage == Stage::Propose {
                self.decide(drive, turn);
            } else {
                self.begin_collect(drive, turn);
            }
        }
    }

    pub(super) fn end_drive(&mut self, drive: Drive, outcome: Outcome, turn: &mut Turn<'_>) {
        if let Some((request, _)) = drive.request {
            turn.reply(request, outcome, drive.rounds);
        }
    }

    pub(super) fn installed(&mut self, drive: Drive, turn: &mut Turn<'_>) {
        let (Some(wanted), Some(decided)) = (&drive.wanted, drive.decided) else { return };
        let outcome = Outcome::Reconfigured(Reconfigured {
            configuration: (**wanted).clone(),
            phases: drive.rounds,
            decided: decided - drive.began,
            installed: turn.now - drive.began,
        });
        self.end_drive(drive, outcome, turn);
    }

    /// The map has changed under a reconfiguration.
    pub(super) fn reconsider_drive(&mut self, turn: &mut Turn<'_>) {
        let Some(mut drive) = self.drive.take() else { return };
        let map = self.map.clone().expect("it was just learned");
        match (drive.stage, &drive.wanted) {
            (Stage::Preflight | Stage::Prepare | Stage::Propose, Some(wanted)) => {
                if map.top().index() < wanted.index() {
                    self.drive = Some(drive);
                } else if map.find(wanted.index()) == Some(wanted) {
                    drive.decided = Some(turn.now);
                    self.continue_upgrade(drive, turn);
                } else {
                    self.end_drive(*drive, Outcome::Superseded((**map.top()).clone()), turn);
                }
            }
            (Stage::Inform | Stage::Collect, _) if map.base() >= drive.target => {
                self.continue_upgrade(drive, turn)
            }
            // Some of those asked were removed by another driver.
            (Stage::Inform | Stage::Collect, _) if drive.tallies_begin_below(map.base()) => {
                self.begin_upgrade(drive, turn);
            }
            (Stage::Inform | Stage::Collect, _) => self.drive = Some(drive),
            (Stage::Preflight | Stage::Prepare | Stage::Propose, None) => {
                unreachable!("nothing is proposed that nobody wants")
            }
        }
    }

    pub(super) fn look_after_drive(&mut self, turn: &mut Turn<'_>) {
        let Some(mut drive) = self.drive.take() else { return };
        if let Some((request, deadline)) = drive.request {
            if deadline <= turn.now {
                // What was decided goes on, whoever waits for it.
                drive.request = None;
                let undecided = drive.stage <= Stage::Prepare && drive.decided.is_none();
                let outcome = match drive.stage {
                    Stage::Preflight => Outcome::Failed(Failure::Timeout),
                    Stage::Prepare | Stage::Propose | Stage::Inform | Stage::Collect => {
                        Outcome::Unknown { tag: None }
                    }
                };
                turn.reply(request, outcome, drive.rounds);
                if undecided {
                    return;
                }
            } else {
                self.wake_by(deadline);
            }
        }
        if drive.resend_at > turn.now {
            self.wake_by(drive.resend_at);
            self.drive = Some(drive);
            return;
        }
        if drive.waiting {
            return self.begin_proposal(drive, turn);
        }
        if drive.stage == Stage::Preflight && turn.now >= drive.began + self.settings.preflight {
            let wanted = drive.wanted.as_ref().expect("somebody wants it");
            let mut alive = Tallies::default();
            alive.begin([(wanted, Need::Both)]);
            for &node in &drive.here {
                alive.answer(node);
            }
            if !alive.are_met() {
                let silent = wanted.nodes().filter(|node| !drive.here.contains(node)).collect();
                let dead = Failure::Dead { configuration: (**wanted).clone(), silent };
                return self.end_drive(*drive, Outcome::Failed(dead), turn);
            }
        }
        drive.resends += 1;
        drive.resend_at = turn.now + self.pause(drive.resends);
        self.wake_by(drive.resend_at);
        self.ask_stage(&drive, Which::Silent, 0, turn);
        self.drive = Some(drive);
    }

    /// How far removal goes at a time.
    pub(super) fn upgrade_target(&self) -> Index {
        let map = self.map.as_ref().expect("driven with a map");
        match self.settings.mode {
            Mode::Rambo1 => map.base() + 1,
            Mode::Rambo2 | Mode::Rambo3(_) => map.top().index(),
        }
    }
}
