//! Everything that is asked of every run, in one place: what a node stores, what a client is told, what comes back
//! after a crash.

use palco_core::Time;
use palco_rambo::{ACTIVE_MAX, ConfigurationMap, Kind, NodeId, NodeSet, Participant, Record, Tag};

use super::keys::Keys;
use super::machines::Machines;
use crate::disk::Log;
use crate::floor::Floor;
use crate::history::History;
use crate::invariants::agreement::Agreement;
use crate::invariants::handover::{AT_REMOVAL, EVER_AFTER, Handover, held_by_quorum};
use crate::invariants::maps::Maps;
use crate::invariants::order::Order;
use crate::invariants::tags::Tags;
use crate::invariants::votes::Votes;
use crate::invariants::{Objection, Verdict, issue};
use crate::report::Violation;
use crate::scenario::{ModeKind, Scenario};

/// Operations of a run up to which it is kept as a history for the search: it costs about 300 bytes for each.
const HISTORY_OPERATIONS_MAX: u64 = 200_000;

/// All checks of a run.
#[derive(Debug)]
pub(crate) struct Judge {
    pub(crate) floor: Floor,
    pub(crate) agreement: Agreement,
    pub(crate) handover: Handover,
    pub(crate) order: Order,
    /// Not kept for runs that are too long.
    pub(crate) history: Option<History>,
    pub(crate) violations: Vec<Violation>,
    maps: Maps,
    tags: Tags,
    votes: Votes,
    mode: ModeKind,
}

impl Judge {
    /// Of a run in which nothing has happened.
    pub(crate) fn new(scenario: &Scenario, floor: Floor, keys: &Keys) -> Self {
        let active_max = match scenario.mode {
            ModeKind::Rambo1 | ModeKind::Rambo2 => scenario.active_max,
            // There the removal is part of the next decision.
            ModeKind::Rambo3 => ACTIVE_MAX,
        };
        Self {
            floor,
            agreement: Agreement::default(),
            handover: Handover::new(keys.len() as usize),
            order: Order::new(keys.len() as usize),
            history: (scenario.operations <= HISTORY_OPERATIONS_MAX).then(History::default),
            violations: Vec::new(),
            maps: Maps::new(active_max),
            tags: Tags::default(),
            votes: Votes::default(),
            mode: scenario.mode,
        }
    }

    /// Notes an objection.
    pub(crate) fn heed(&mut self, at: Time, verdict: Verdict) {
        if let Err(Objection { check, what }) = verdict {
            self.violations.push(Violation { check, at, what });
        }
    }

    /// A node stores this.
    pub(crate) fn stores(
        &mut self,
        node: NodeId,
        record: &Record,
        keys: &Keys,
        machines: &Machines,
    ) -> Verdict {
        match record {
            Record::Began { .. } | Record::RoundZero(_) => Ok(()),
            Record::Learned(map) => {
                self.maps.learned(node, map)?;
                self.agreement.learned(node, map)?;
                self.removes(map, keys, machines)
            }
            Record::Stored(key, tagged) => {
                let number = known(keys.number(key), || format!("{node} stores {key}"))?;
                self.tags.stored(node, number, key, tagged.tag)?;
                issue::stored(&mut self.floor, keys.floor(number), tagged.tag, &tagged.value)
            }
            Record::CasPromised(key, tag) => {
                let number = known(keys.number(key), || format!("{node} promises for {key}"))?;
                self.tags.promised(node, number, key, *tag)
            }
            Record::Promised(index, ballot) => self.votes.promised(node, *index, *ballot),
            Record::Accepted(ballot, one) => {
                self.votes.accepted(node, one.index(), *ballot)?;
                self.agreement.voted(node, *ballot, one)
            }
        }
    }

    fn hands_over(&self) -> bool {
        match self.mode {
            ModeKind::Rambo1 | ModeKind::Rambo2 => true,
            ModeKind::Rambo3 => false,
        }
    }

    fn removes(&mut self, map: &ConfigurationMap, keys: &Keys, machines: &Machines) -> Verdict {
        if !self.handover.removed(map.base()) || !self.hands_over() {
            return Ok(());
        }
        self.handed_over(AT_REMOVAL, keys, machines)?;
        let oldest = &map.active()[0];
        if self.agreement.newest().is_some_and(|newest| newest.index() > oldest.index()) {
            return Ok(());
        }
        for (number, key) in (0..).zip(keys.all()) {
            let tag = held_by_quorum(oldest, |node| on_disk(machines, node, |log| log.tag(key)));
            self.order.upgraded(number, key, map.base(), tag)?;
        }
        Ok(())
    }

    /// Whether all that was acknowledged is on the disks it should be on.
    pub(crate) fn keeps(&self, keys: &Keys, machines: &Machines) -> Verdict {
        if self.hands_over() { self.handed_over(EVER_AFTER, keys, machines) } else { Ok(()) }
    }

    fn handed_over(&self, check: &'static str, keys: &Keys, machines: &Machines) -> Verdict {
        let Some(oldest) = self.agreement.find(self.handover.base()) else { return Ok(()) };
        self.handover.check(check, oldest, keys.all(), |node, key| {
            on_disk(machines, node, |log| log.tag(key))
        })
    }

    /// A node came back with this in memory, and this on disk.
    pub(crate) fn restarted(
        &mut self,
        participant: &Participant,
        log: &Log,
        keys: &Keys,
    ) -> Verdict {
        let node = participant.node();
        let version = participant.map().map_or_else(Default::default, ConfigurationMap::version);
        self.maps.restarted(node, log.version(), version)?;
        for (number, key) in (0..).zip(keys.all()) {
            let disk = (log.cas_promise(key), log.tag(key));
            self.tags.restarted(node, number, key, disk, participant.held(key).tag)?;
        }
        self.votes.forget(node);
        for (index, promised, accepted) in log.votes() {
            // What was decided need not be remembered.
            if index >= log.version().end {
                let (mine, vote) = participant.promised(index);
                let now = (mine, vote.map(|(ballot, _)| ballot));
                self.votes.restarted(node, index, (promised, accepted), now)?;
            }
        }
        Ok(())
    }

    /// Whether the configurations that matter could still be used if somebody's disk were lost for good. Those that
    /// could not before are not counted.
    pub(crate) fn survives(&self, lost: NodeId, machines: &Machines) -> bool {
        let known = machines.iter().map(|node| node.disk.log().version());
        let oldest = known.filter(|version| version.end > 0).map(|version| version.base).min();
        self.agreement.usable(oldest.unwrap_or(0)).all(|one| {
            let alive = |lost: Option<NodeId>| -> bool {
                let about =
                    |node: &NodeId| machines.machine_of(*node).is_some() && Some(*node) != lost;
                let set: NodeSet = one
                    .nodes()
                    .enumerate()
                    .filter(|(_, node)| about(node))
                    .map(|(position, _)| position)
                    .collect();
                one.is_quorum(Kind::Read, &set) && one.is_quorum(Kind::Write, &set)
            };
            alive(Some(lost)) || !alive(None)
        })
    }
}

fn known(number: Option<u32>, who: impl FnOnce() -> String) -> Result<u32, Objection> {
    number.ok_or_else(|| Objection { check: "answers", what: format!("{}: no such key", who()) })
}

fn on_disk(machines: &Machines, node: NodeId, tag: impl FnOnce(&Log) -> Tag) -> Tag {
    machines.log_of(node).map_or(Tag::ZERO, tag)
}
