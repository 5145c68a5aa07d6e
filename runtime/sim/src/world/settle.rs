//! The end of a run: everything is mended, and then everything must come to rest within bounds. Requests end, every key
//! can be read and holds what was acknowledged, and all members agree on one configuration.

use std::time::Duration;

use palco_rambo::{NodeId, Participant, Version};

use super::World;
use crate::invariants::Objection;
use crate::linearizability::{Limits, Verdict, check_key};
use crate::scenario::ModeKind;

/// Until the first read: longer than the longest pause between two resends, and a takeover.
const CALM: Duration = Duration::from_secs(2);
/// Between two looks at who agrees.
const LOOK_AGAIN: Duration = Duration::from_millis(500);
/// Looks until somebody who does not agree never will.
const LOOKS_MAX: u32 = 60;
/// For drivers that wait still.
const DRIVERS_MAX: Duration = Duration::from_secs(20);
/// Events for one wait, at most.
const EVENTS_MAX: u64 = 20_000_000;
/// Steps of the search for one key: about a tenth of a second.
const STEPS_MAX: u64 = 2_000_000;

impl World<'_> {
    /// Mends everything and waits until all is as it should be.
    pub(super) fn settle(&mut self) {
        self.mend_all();
        self.wait(CALM, |_| false);
        self.wait(DRIVERS_MAX, |world| !world.is_driven());
        if self.is_driven() {
            self.object("liveness", "a driver still waits, although its deadline is over");
        }
        let keys = self.keys.len();
        self.read((0..keys).collect());
        for _ in 0..LOOKS_MAX {
            if !self.is_well() {
                return;
            }
            if self.disagreeing().is_none() {
                return self.is_at_rest();
            }
            // Whoever missed something hears of it by what passes.
            let some = self.chance.below(u64::from(keys)) as u32;
            self.wait(LOOK_AGAIN, |_| false);
            self.read(vec![some; self.machines.len()]);
        }
        if let Some(who) = self.disagreeing() {
            let what = format!("everything was mended long ago, and {who}");
            self.object("liveness", &what);
        }
    }

    fn is_at_rest(&mut self) {
        let verdict = self.judge.keeps(&self.keys, &self.machines);
        self.judge.heed(self.now, verdict);
        let verdict = self.judge.floor.finish();
        let verdict =
            verdict.map_err(|violation| Objection { check: "floor", what: violation.to_string() });
        self.judge.heed(self.now, verdict);
    }

    /// Goes on for so long, or until that is so.
    fn wait(&mut self, most: Duration, until: impl Fn(&Self) -> bool) {
        let (end, events) = (self.now + most, self.events);
        while self.is_well() && !until(self) {
            match self.schedule.next_at() {
                Some(at) if at <= end => self.advance(),
                Some(_) | None => {
                    self.now = end;
                    return;
                }
            };
            if self.events - events > EVENTS_MAX {
                let what = format!("{EVENTS_MAX} events in {most:?}, and no rest");
                return self.object("liveness", &what);
            }
        }
    }

    /// Reads keys, each by whoever is free; every read must be done.
    fn read(&mut self, mut keys: Vec<u32>) {
        while !keys.is_empty() && self.is_well() {
            for client in 0..self.clients.len() as u32 {
                let this = &mut self.clients[client as usize];
                if !this.is_waiting() && this.errand.is_none() {
                    this.errand = keys.pop();
                    self.wants(client);
                }
            }
            let free = |world: &Self| {
                world.clients.iter().any(|client| !client.is_waiting() && client.errand.is_none())
            };
            let enough = Duration::from_secs(60);
            self.wait(enough, free);
            if !free(self) && self.is_well() {
                self.object("liveness", "reads do not end, although everything was mended");
            }
        }
        let busy = |world: &Self| world.clients.iter().any(|client| client.is_waiting());
        self.wait(Duration::from_secs(60), |world| !busy(world));
        if busy(self) && self.is_well() {
            self.object("liveness", "reads do not end, although everything was mended");
        }
    }

    /// A member of the newest configuration that does not know, or not that the ones before are removed; who, and what
    /// it knows and does.
    fn disagreeing(&self) -> Option<String> {
        // Not all that was ever known: who learned of a decision, alone, may have crashed before it was on disk.
        let maps = self.machines.joined().filter_map(|(_, participant)| participant.map());
        let newest = maps.map(|map| map.top()).max_by_key(|newest| newest.index())?;
        let active = match self.scenario.mode {
            ModeKind::Rambo1 | ModeKind::Rambo2 => 1,
            ModeKind::Rambo3 => 2,
        };
        let end = newest.index() + 1;
        let wanted = Version { base: end.saturating_sub(active), end };
        let describe = |node: NodeId, participant: &Participant| {
            let map = participant.map().map_or("nothing".to_owned(), ToString::to_string);
            let driving = participant.driving();
            format!("{node} knows {map}, not {newest} alone; it is driving {driving:?}")
        };
        newest.nodes().find_map(|node| {
            let machine = self.machines.machine_of(node)?;
            let participant = self.machines.node(machine).participant.as_ref()?;
            let version = participant.map().map(|map| map.version());
            (version != Some(wanted)).then(|| describe(node, participant))
        })
    }

    /// The search, which knows no tags, over what clients could have written down.
    pub(super) fn search(&mut self) {
        let Some(history) = self.judge.history.take() else { return };
        let limits = Limits { steps_max: STEPS_MAX };
        let mut found = None;
        for (key, operations) in history.per_key() {
            match check_key(key, &operations, limits) {
                Verdict::Linearizable => self.figures.histories += 1,
                Verdict::Undecided { .. } => self.figures.histories_undecided += 1,
                Verdict::Violated(violation) => {
                    found = Some(violation.to_string());
                    break;
                }
            }
        }
        if let Some(what) = found {
            self.object("linearizability", &what);
        }
    }
}
