//! How a run begins: founders, joiners, clients, drivers, and the first thing that will go wrong.

use std::time::Duration;

use palco_core::Time;
use palco_rambo::{Flaws, Mode, NodeId, Participant, Settings};

use super::clients::Client;
use super::drivers::Driver;
use super::judge::Judge;
use super::keys::Keys;
use super::machines::Machines;
use super::{Phase, Planned, World};
use crate::floor::Floor;
use crate::network::{Machine, Network};
use crate::random::{Random, Stream, scramble};
use crate::report::Figures;
use crate::scenario::{Fault, Faults, ModeKind, QuorumKind, Scenario};
use crate::schedule::Schedule;
use crate::systems;
use crate::trace::Recorder;

/// What is not answered is asked again after this: ten of the longest usual delays.
const RESEND: Duration = Duration::from_millis(10);
/// An upgrade that stands still is taken over after this.
const TAKEOVER: Duration = Duration::from_millis(100);
/// The members of a new configuration have this long to answer.
const PREFLIGHT: Duration = Duration::from_millis(300);
/// Between the reconfigurations of a storm, unless the scenario says otherwise.
const STORM_EVERY: Duration = Duration::from_millis(20);
/// Between reconfigurations that bring back who lost a disk.
const REPAIR_EVERY: Duration = Duration::from_millis(100);
/// Of so many runs one has its messages encoded and decoded.
const WIRE_EVERY: u64 = 16;

impl<'a> World<'a> {
    /// A world in which nothing has happened yet.
    pub(crate) fn new(scenario: &'a Scenario, seed: u64) -> Self {
        let mut chance = Random::new(seed, Stream::World);
        let mut machines = Machines::default();
        for _ in 0..scenario.nodes.max(1) {
            machines.add();
        }
        let founders = scenario.members.clamp(1, scenario.nodes.max(1)) as usize;
        let nodes: Vec<NodeId> = machines.identities().take(founders).collect();
        let first = systems::first(scenario.quorums, &nodes, &mut chance);
        let mut floor = Floor::default();
        let keys = Keys::new(scenario, &mut floor);
        let mut judge = Judge::new(scenario, floor, &keys);
        judge.agreement.founded(&first);
        Self {
            network: Network::new(scenario, seed),
            clients: (0..scenario.clients.max(1)).map(|client| Client::new(seed, client)).collect(),
            drivers: drivers(scenario, seed),
            recorder: Recorder::new(scenario.trace),
            disks: Random::new(seed, Stream::Disks),
            misfortune: Random::new(seed, Stream::Faults),
            left: scenario.operations,
            // What was not proved to be sound cannot be read from bytes.
            wire: seed.is_multiple_of(WIRE_EVERY) && scenario.quorums != QuorumKind::Broken,
            now: Time::START,
            schedule: Schedule::new(),
            figures: Figures::default(),
            digest: 0,
            events: 0,
            open: 0,
            requests: 0,
            last_done: None,
            phase: Phase::Busy,
            effects: Vec::new(),
            scenario,
            seed,
            machines,
            keys,
            judge,
            first,
            founders,
            chance,
        }
    }

    /// Everybody is started, and their disks hold that they were.
    pub(super) fn begin(&mut self) {
        for machine in 0..self.machines.len() as Machine {
            self.start(machine);
            // A member whose first life is not on disk yet is no member: whoever sets up a cluster waits for this.
            let disk = &mut self.machines.node_mut(machine).disk;
            if disk.begin_flush() {
                self.flushed(machine, 0);
            }
        }
        for client in 0..self.clients.len() as u32 {
            self.rest(client);
        }
        for driver in 0..self.drivers.len() as u32 {
            self.pause_driver(driver);
        }
        if self.scenario.faults.iter().any(|fault| fault != Fault::Storm) {
            self.schedule.push(Time::START + RESEND, Planned::Strikes);
        }
    }

    /// Somebody begins on an empty disk: knowing the configuration if a founder, else to join.
    pub(super) fn start(&mut self, machine: Machine) {
        let settings = self.settings(machine);
        let identity = settings.node;
        let mut effects = std::mem::take(&mut self.effects);
        let participant = if (identity.0 as usize) <= self.founders {
            Participant::found(settings, self.first.clone(), &mut effects)
        } else {
            Participant::join(settings, &mut effects)
        };
        self.recorder.appears(identity);
        self.machines.node_mut(machine).participant = Some(participant);
        self.carry_out(machine, effects);
    }

    /// How whoever is on a machine behaves.
    pub(super) fn settings(&self, machine: Machine) -> Settings {
        let node = self.machines.node(machine).identity;
        Settings {
            mode: match self.scenario.mode {
                ModeKind::Rambo1 => Mode::Rambo1,
                ModeKind::Rambo2 => Mode::Rambo2,
                ModeKind::Rambo3 => Mode::Rambo3(self.keys.key(0).clone()),
            },
            seeds: self.machines.identities().filter(|&other| other != node).collect(),
            resend: RESEND,
            patience: self.scenario.patience,
            takeover: TAKEOVER,
            preflight: PREFLIGHT,
            active_max: self.scenario.active_max,
            seed: scramble(self.seed ^ node.0 << 32),
            flaws: self.flaws(),
            ..Settings::new(node)
        }
    }

    pub(super) fn flaws(&self) -> Flaws {
        self.scenario.flaws
    }
}

/// Two in a storm; one where reconfigurations are wanted, or somebody must be brought back.
fn drivers(scenario: &Scenario, seed: u64) -> Vec<Driver> {
    let has = |faults: Faults, fault| faults.has(fault);
    let (count, usual) = if has(scenario.faults, Fault::Storm) {
        (2, Some(STORM_EVERY))
    } else if has(scenario.faults, Fault::DiskLoss) {
        (1, Some(REPAIR_EVERY))
    } else {
        (1, None)
    };
    match scenario.reconfigure_every.or(usual) {
        Some(every) => (0..count).map(|driver| Driver::new(seed, driver, every)).collect(),
        None => Vec::new(),
    }
}
