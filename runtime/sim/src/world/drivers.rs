//! Reconfigurations: to any of those that are up, with any sound quorums; in a storm some on purpose that must be
//! refused.

use std::time::Duration;

use palco_rambo::{Command, Failure, Index, Member, NodeId, Outcome, Quorums, Target};

use super::clients::{Place, WHO_BITS};
use super::{Phase, Planned, World};
use crate::network::Machine;
use crate::random::{Random, Stream};
use crate::scenario::{Fault, QuorumKind};
use crate::systems::{apart, system};

/// Drivers count from here among those that ask.
const FIRST: u32 = 1 << (WHO_BITS - 1);
/// How long most drivers wait, from and to.
const PATIENCE: (Duration, Duration) = (Duration::from_millis(300), Duration::from_secs(3));
/// How long a third of them waits in a storm: some give up between two ballots, and ask for something else.
const HASTE: (Duration, Duration) = (Duration::from_millis(4), Duration::from_millis(60));
/// An identity that never was and never will be.
const STRANGER: NodeId = NodeId(1 << 40);
/// Members that a driver wants, at most: more than that is another experiment.
const MEMBERS_MAX: usize = 9;

/// A driver.
#[derive(Debug)]
pub(super) struct Driver {
    random: Random,
    every: Duration,
    open: Option<Wish>,
}

/// What a driver waits for.
#[derive(Clone, Debug)]
struct Wish {
    at: Place,
    expected: Index,
    members: Vec<Member>,
    intent: Intent,
}

/// Why something is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Intent {
    /// It should work.
    Sound,
    /// Its members are gone: it must be refused.
    Dead,
    /// One of its members never was: it may work if the others suffice.
    Stranger,
    /// Its quorums miss each other: it must be refused.
    Apart,
    /// What it wants to follow is no longer the newest, or not yet.
    Outdated,
}

impl Driver {
    pub(super) fn new(seed: u64, driver: u32, every: Duration) -> Self {
        Self { random: Random::new(seed, Stream::Driver(driver)), every, open: None }
    }
}

impl World<'_> {
    /// A driver will want something after a pause.
    pub(super) fn pause_driver(&mut self, driver: u32) {
        let this = &mut self.drivers[driver as usize];
        let pause = this.random.between(this.every / 2, this.every * 3 / 2);
        self.schedule.push(self.now + pause, Planned::Drives { driver });
    }

    /// A driver wants another configuration.
    pub(super) fn drives(&mut self, driver: u32) {
        if self.phase == Phase::Mended {
            return;
        }
        let joined: Vec<_> = self
            .machines
            .joined()
            .filter_map(|(machine, participant)| Some((machine, participant.map()?.top().index())))
            .collect();
        let Some(&(machine, top)) = self.drivers[driver as usize].random.pick(&joined) else {
            return self.pause_driver(driver);
        };
        let (intent, target) = self.target(driver, top);
        if intent != Intent::Apart {
            self.judge.agreement.wanted(&target);
        }
        let request = self.new_request(FIRST + driver);
        let storm = self.scenario.faults.has(Fault::Storm);
        let this = &mut self.drivers[driver as usize];
        let (from, to) = if storm && this.random.percent(33) { HASTE } else { PATIENCE };
        let deadline = self.now + this.random.between(from, to);
        let life = self.machines.node(machine).life;
        let at = Place { machine, request, deadline };
        let (expected, members) = (target.expected, target.members.clone());
        this.open = Some(Wish { at, expected, members, intent });
        let command = Command::Reconfigure(target);
        let reaches = Planned::Reaches { machine, life, request, deadline, command };
        self.schedule.push(self.now, reaches);
    }

    fn target(&mut self, driver: u32, top: Index) -> (Intent, Target) {
        let storm = self.scenario.faults.has(Fault::Storm);
        let up: Vec<NodeId> = self
            .machines
            .iter()
            .filter(|node| node.participant.is_some())
            .map(|node| node.identity)
            .collect();
        let random = &mut self.drivers[driver as usize].random;
        let mut members = up;
        random.shuffle(&mut members);
        let count = if storm {
            1 + random.position(members.len().min(MEMBERS_MAX))
        } else {
            self.scenario.members as usize
        };
        members.truncate(count.max(1));
        let intent = match random.below(100) {
            0..=3 if storm => Intent::Dead,
            4..=6 if storm => Intent::Stranger,
            7..=9 if storm => Intent::Apart,
            10..=14 if storm => Intent::Outdated,
            _ => Intent::Sound,
        };
        let kind = match self.scenario.quorums {
            kind if !storm => kind,
            _ => QuorumKind::Mixed,
        };
        let mut expected = top;
        match intent {
            Intent::Sound | Intent::Apart => {}
            Intent::Dead => {
                // One that lives, and two that do not.
                members.truncate(1);
                members.extend([STRANGER, NodeId(STRANGER.0 + 1)]);
            }
            Intent::Stranger => members.push(STRANGER),
            Intent::Outdated if random.percent(50) => expected = top + 1,
            Intent::Outdated => expected = top.saturating_sub(1),
        }
        let (members, quorums) = match intent {
            Intent::Dead => system(QuorumKind::Majority, &members, random),
            Intent::Sound | Intent::Apart | Intent::Stranger | Intent::Outdated => {
                system(kind, &members, random)
            }
        };
        let quorums = match intent {
            Intent::Apart if members.len() > 1 => apart(members.len()),
            Intent::Apart => Quorums::Thresholds { read: 2, write: 2 },
            Intent::Sound | Intent::Dead | Intent::Stranger | Intent::Outdated => quorums,
        };
        (intent, Target { expected, members, quorums })
    }

    /// A participant answers a driver.
    pub(super) fn reconfiguration_replied(
        &mut self,
        who: u32,
        machine: Machine,
        request: u64,
        outcome: Outcome,
    ) {
        let driver = who - FIRST;
        let open = self.drivers[driver as usize]
            .open
            .take_if(|wish| wish.at.request == request && wish.at.machine == machine);
        let Some(wish) = open else {
            let what = format!("request {request} was answered, which is not open: {outcome:?}");
            return self.object("answers", &what);
        };
        let node = self.machines.node(machine).identity;
        if !is_possible(&wish, &outcome) {
            let Wish { expected, members, intent, .. } = &wish;
            let members: Vec<_> = members.iter().map(|member| member.node.to_string()).collect();
            let members = members.join(" ");
            let what = format!(
                "{node} was asked for {members} after configuration {expected} ({intent:?}) and answered {outcome:?}"
            );
            self.object("reconfiguration", &what);
        }
        let figures = &mut self.figures;
        match outcome {
            Outcome::Reconfigured(took) => {
                figures.reconfigurations += 1;
                figures.reconfiguration_phases += u64::from(took.phases);
                figures.decided += took.decided;
                figures.installed += took.installed;
                figures.installed_max = figures.installed_max.max(took.installed);
                let verdict = self.judge.agreement.seen(node, &took.configuration.into());
                self.judge.heed(self.now, verdict);
            }
            Outcome::Superseded(newest) => {
                figures.superseded += 1;
                let verdict = self.judge.agreement.seen(node, &newest.into());
                self.judge.heed(self.now, verdict);
            }
            Outcome::Failed(Failure::Dead { .. }) => figures.refused += 1,
            Outcome::Failed(_)
            | Outcome::Unknown { .. }
            | Outcome::Read(_)
            | Outcome::Written(_)
            | Outcome::Cas(_)
            | Outcome::Repeated { .. }
            | Outcome::Mismatch(_)
            | Outcome::Inapplicable(_)
            | Outcome::Left => {}
        }
        self.pause_driver(driver);
    }

    /// The machine that drivers wait for is down.
    pub(super) fn hang_up_drivers(&mut self, machine: Machine) {
        for driver in 0..self.drivers.len() as u32 {
            let open = &mut self.drivers[driver as usize].open;
            if open.take_if(|wish| wish.at.machine == machine).is_some() {
                self.pause_driver(driver);
            }
        }
    }

    /// Whether a driver waits for an answer.
    pub(super) fn is_driven(&self) -> bool {
        self.drivers.iter().any(|driver| driver.open.is_some())
    }
}

/// Whether a wish can end so.
fn is_possible(wish: &Wish, outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Reconfigured(took) => {
            let mut members = wish.members.clone();
            members.sort_by_key(|member| member.node);
            let one = &took.configuration;
            let may_work = match wish.intent {
                Intent::Sound | Intent::Stranger | Intent::Outdated => true,
                Intent::Dead | Intent::Apart => false,
            };
            may_work && one.index() == wish.expected + 1 && one.members() == members
        }
        Outcome::Failed(Failure::Configuration(_)) => wish.intent == Intent::Apart,
        Outcome::Failed(
            Failure::NotJoined | Failure::Driving | Failure::Timeout | Failure::Dead { .. },
        )
        | Outcome::Superseded(_)
        | Outcome::Unknown { .. } => true,
        Outcome::Failed(
            Failure::Busy { .. }
            | Failure::Class(_)
            | Failure::OtherKey(_)
            | Failure::Oversized { .. }
            | Failure::Member { .. },
        )
        | Outcome::Read(_)
        | Outcome::Written(_)
        | Outcome::Cas(_)
        | Outcome::Repeated { .. }
        | Outcome::Mismatch(_)
        | Outcome::Inapplicable(_)
        | Outcome::Left => false,
    }
}
