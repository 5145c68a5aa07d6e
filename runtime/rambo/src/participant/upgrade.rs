//! The upgrade removes old configurations after the decision (RAMBO II, slides 19 to 21; RAMBO.md §1.5, U1 to U3): read
//! and write quorums of each are informed of the new one, so that no operation passes them without hearing of it; then
//! the members of the new one fetch what the old ones hold; when a write quorum has, the old ones go.
//!
//! Deviation: the members fetch from each other instead of having it pass through the driver.

use std::sync::Arc;

use super::recon::{Drive, Stage};
use super::{Asker, Participant, Turn};
use crate::flaw::flawed;
use crate::tally::Need;
use crate::{Body, ConfigurationMap, Index, Phase};

impl Drive {
    pub(super) fn tallies_begin_below(&self, base: Index) -> bool {
        self.stage == Stage::Inform && self.tallies.range().is_some_and(|(first, _)| first < base)
    }
}

impl Participant {
    /// After a decision, or a removal: what is still to be removed?
    pub(super) fn continue_upgrade(&mut self, drive: Box<Drive>, turn: &mut Turn<'_>) {
        let map = self.map.as_ref().expect("driven with a map");
        let wants_removed = drive.wanted.as_ref().is_none_or(|wanted| map.base() < wanted.index());
        if map.active().len() > 1 && wants_removed && !self.is_single() {
            self.begin_upgrade(drive, turn);
        } else if drive.decided.is_some() {
            self.installed(*drive, turn);
        } else if let Some(wanted) = &drive.wanted {
            // This upgrade was in the way of what is wanted.
            if wanted.index() == map.top().index() + 1 {
                self.begin_preflight(drive, turn);
            } else {
                let top = (**map.top()).clone();
                self.end_drive(*drive, crate::Outcome::Superseded(top), turn);
            }
        }
    }

    /// U1: all that could pass by must hear of it.
    pub(super) fn begin_upgrade(&mut self, mut drive: Box<Drive>, turn: &mut Turn<'_>) {
        drive.target = self.upgrade_target();
        if flawed!(self.settings.flaws, NoInform) {
            return self.begin_collect(drive, turn);
        }
        let need = if flawed!(self.settings.flaws, InformReadsOnly) {
            Need::Read
        } else if flawed!(self.settings.flaws, InformWritesOnly) {
            Need::Write
        } else {
            Need::Both
        };
        let map = self.map.clone().expect("driven with a map");
        let old = map.active().iter().filter(|configuration| configuration.index() < drive.target);
        drive.tallies.begin(old.map(|configuration| (configuration, need)));
        self.begin_stage(drive, Stage::Inform, 0, turn);
    }

    /// A member of an old configuration: learned the map with the message, and says so when that is on disk.
    pub(super) fn informed(
        &mut self,
        asker: Asker,
        phase: Phase,
        target: Index,
        turn: &mut Turn<'_>,
    ) {
        if self.version().end > target {
            self.answer(asker, 0, Body::Informed { phase }, turn);
        } else {
            self.refusals.future += 1;
            self.ask_map(asker.node, turn);
        }
    }

    /// U2: the members of the new one fetch.
    pub(super) fn begin_collect(&mut self, mut drive: Box<Drive>, turn: &mut Turn<'_>) {
        if flawed!(self.settings.flaws, NoCollect) {
            return self.drop_old(drive, turn);
        }
        let map = self.map.as_ref().expect("driven with a map");
        let target = Arc::clone(map.find(drive.target).expect("active while it is upgraded to"));
        drive.tallies.begin([(&target, Need::Write)]);
        self.begin_stage(drive, Stage::Collect, 0, turn);
    }

    /// U3: a write quorum of the new one holds all; nobody needs the old ones.
    pub(super) fn drop_old(&mut self, drive: Box<Drive>, turn: &mut Turn<'_>) {
        let old = self.map.clone().expect("driven with a map");
        self.adopt(old.from_base(drive.target), turn);
        self.announce(&old, turn);
        self.continue_upgrade(drive, turn);
    }

    /// Tells everybody that was or is a member.
    pub(super) fn announce(&mut self, old: &ConfigurationMap, turn: &mut Turn<'_>) {
        let new = self.map.clone().expect("announced after it was adopted");
        let both = old.active().iter().chain(new.active());
        let mut nodes: Vec<_> =
            both.flat_map(|configuration| configuration.nodes().collect::<Vec<_>>()).collect();
        nodes.sort_unstable();
        nodes.dedup();
        for node in nodes {
            self.tell_map(node, turn);
        }
    }

    /// A member that sees an upgrade stand still takes it over: what it does twice is done once.
    pub(super) fn look_after_upgrade(&mut self, turn: &mut Turn<'_>) {
        let Some(map) = &self.map else { return };
        if map.active().len() < 2 || self.drive.is_some() || self.is_single() {
            return;
        }
        // Who comes back with more than one counts from now.
        let since = *self.timers.upgrade_stands.get_or_insert(turn.now);
        let Some(position) = map.top().position(self.settings.node) else { return };
        // One after the other, so that mostly one takes over.
        let at = since
            + self.settings.takeover * (1 + u32::try_from(position).expect("few members").min(15));
        if at > turn.now {
            return self.wake_by(at);
        }
        self.begin_upgrade(Drive::new(None, None, turn.now), turn);
    }
}
