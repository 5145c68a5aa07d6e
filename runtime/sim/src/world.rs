//! The world: one thread, one seed, a clock that jumps from event to event. Participants run in it as they are; all
//! that surrounds them is simulated.
//!
//! | file | what |
//! |---|---|
//! | `world/machines.rs` | machines, and who runs on them |
//! | `world/begin.rs` | how a run begins |
//! | `world/carry.rs` | what participants ask for is done |
//! | `world/keys.rs` | the keys of a run |
//! | `world/wishes.rs` | what clients want |
//! | `world/clients.rs` | asking, and asking again |
//! | `world/answers.rs` | being told |
//! | `world/drivers.rs` | reconfigurations, sound and otherwise |
//! | `world/strikes.rs` | what goes wrong, and is mended |
//! | `world/lives.rs` | crashes, restarts, lost disks, pauses |
//! | `world/settle.rs` | the end: all is mended, and everything must come to rest |
//! | `world/judge.rs` | all checks |

mod answers;
mod begin;
mod carry;
mod clients;
mod drivers;
mod judge;
mod keys;
mod lives;
mod machines;
mod settle;
mod strikes;
mod wishes;

use std::time::Duration;

use palco_core::Time;
use palco_rambo::{Barrier, Command, Configuration, Effect, Event, Message, NodeId};

use crate::invariants::Objection;
use crate::network::{Machine, Network, TroubleId};
use crate::random::{Random, scramble};
use crate::report::{Figures, Report};
use crate::scenario::Scenario;
use crate::schedule::Schedule;
use crate::trace::{Happening, Recorder, Sent};
use clients::Client;
use drivers::Driver;
use judge::Judge;
use keys::Keys;
use machines::Machines;

/// Events between two looks at everything that is too dear to be looked at each time.
const LOOK_EVERY: u64 = 4_096;

/// A run.
#[derive(Debug)]
pub(crate) struct World<'a> {
    scenario: &'a Scenario,
    seed: u64,
    now: Time,
    schedule: Schedule<Planned>,
    network: Network,
    machines: Machines,
    keys: Keys,
    clients: Vec<Client>,
    drivers: Vec<Driver>,
    judge: Judge,
    recorder: Recorder,
    figures: Figures,
    digest: u64,
    events: u64,
    /// Given to the founders, and to who forgot that it was one.
    first: Configuration,
    founders: usize,
    disks: Random,
    chance: Random,
    misfortune: Random,
    /// Operations that were not asked for yet.
    left: u64,
    /// Operations under way.
    open: u64,
    requests: u64,
    last_done: Option<Time>,
    phase: Phase,
    /// Every message goes through its form as bytes.
    wire: bool,
    /// Room for effects, used again.
    effects: Vec<Effect>,
}

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Clients ask, and things go wrong.
    Busy,
    /// Nothing goes wrong any more.
    Mended,
}

/// Something that will happen.
#[derive(Debug)]
enum Planned {
    /// A message arrives.
    Arrives { to: NodeId, from: NodeId, message: Message, sent: Sent },
    /// A flush is done.
    Flushed { machine: Machine, life: u32 },
    /// A participant hears of it.
    Heard { machine: Machine, life: u32, reached: Barrier },
    /// An alarm rings.
    Rings { machine: Machine, life: u32 },
    /// A request reaches a participant.
    Reaches { machine: Machine, life: u32, request: u64, deadline: Time, command: Command },
    /// A client wants something, or tries again.
    Wants { client: u32 },
    /// A driver wants another configuration.
    Drives { driver: u32 },
    /// Something goes wrong.
    Strikes,
    /// It is over.
    Mends(Mend),
}

/// What is over.
#[derive(Clone, Copy, Debug)]
enum Mend {
    Trouble(TroubleId),
    Down { machine: Machine, life: u32 },
}

impl World<'_> {
    /// From begin to end.
    pub(crate) fn run(mut self) -> Report {
        self.begin();
        self.be_busy();
        if self.is_well() {
            self.settle();
        }
        if self.is_well() {
            self.search();
        }
        self.report()
    }

    fn is_well(&self) -> bool {
        self.judge.violations.is_empty()
    }

    /// Events and time that are enough for a run: more is a run that does not end.
    fn bounds(&self) -> (u64, Time) {
        let Scenario { operations, nodes, clients, .. } = *self.scenario;
        let events = 2_000_000 + operations.saturating_mul(2_000 + 20 * u64::from(nodes));
        let each = operations / u64::from(clients.max(1)) + 1;
        (events, Time::START + Duration::from_secs(120 + 8 * each))
    }

    /// Until clients have asked everything and been told something about each.
    fn be_busy(&mut self) {
        let (events_max, time_max) = self.bounds();
        while self.left + self.open > 0 && self.is_well() {
            if !self.advance() {
                return self
                    .object("liveness", "nothing will happen any more, and operations wait");
            }
            if self.events > events_max || self.now > time_max {
                let (events, left, open) = (self.events, self.left, self.open);
                let what =
                    format!("{events} events, and {left} operations are left, {open} under way");
                return self.object("liveness", &what);
            }
        }
    }

    /// The next event; false if there is none.
    fn advance(&mut self) -> bool {
        let Some((at, planned)) = self.schedule.pop() else { return false };
        self.now = self.now.max(at);
        self.events += 1;
        if self.events.is_multiple_of(LOOK_EVERY) {
            self.look();
        }
        if let Some(planned) = self.delayed(planned) {
            self.note(&planned);
            self.happens(planned);
        }
        true
    }

    /// What happens to who stands still happens when it goes on.
    fn delayed(&mut self, planned: Planned) -> Option<Planned> {
        let machine = match &planned {
            Planned::Arrives { to, .. } => self.machines.machine_of(*to),
            Planned::Heard { machine, .. }
            | Planned::Rings { machine, .. }
            | Planned::Reaches { machine, .. } => Some(*machine),
            // The disk does not stand still.
            Planned::Flushed { .. }
            | Planned::Wants { .. }
            | Planned::Drives { .. }
            | Planned::Strikes
            | Planned::Mends(_) => None,
        };
        let until = machine.map_or(self.now, |machine| self.machines.node(machine).paused_until);
        if until > self.now {
            self.schedule.push(until, planned);
            return None;
        }
        Some(planned)
    }

    fn happens(&mut self, planned: Planned) {
        match planned {
            Planned::Arrives { to, from, message, sent } => self.arrives(to, from, message, sent),
            Planned::Flushed { machine, life } => self.flushed(machine, life),
            Planned::Heard { machine, life, reached } => {
                if self.lives(machine, life) {
                    self.step(machine, Event::Persisted(reached));
                }
            }
            Planned::Rings { machine, life } => self.rings(machine, life),
            Planned::Reaches { machine, life, request, deadline, command } => {
                if self.lives(machine, life) {
                    self.step(machine, Event::Asked { request, deadline, command });
                }
            }
            Planned::Wants { client } => self.wants(client),
            Planned::Drives { driver } => self.drives(driver),
            Planned::Strikes => self.strikes(),
            Planned::Mends(mend) => self.mends(mend),
        }
    }

    fn lives(&self, machine: Machine, life: u32) -> bool {
        let node = self.machines.node(machine);
        node.life == life && node.participant.is_some()
    }

    /// What is too dear for every event.
    fn look(&mut self) {
        let verdict = self.judge.keeps(&self.keys, &self.machines);
        self.judge.heed(self.now, verdict);
        self.look_for_overdue();
    }

    fn note(&mut self, planned: &Planned) {
        let (kind, who, what) = match planned {
            Planned::Arrives { to, from, message, .. } => {
                (1, to.0 << 32 | from.0, carry::mark(message))
            }
            Planned::Flushed { machine, life } => (2, u64::from(*machine), u64::from(*life)),
            Planned::Heard { machine, reached, .. } => (3, u64::from(*machine), *reached),
            Planned::Rings { machine, life } => (4, u64::from(*machine), u64::from(*life)),
            Planned::Reaches { machine, request, .. } => (5, u64::from(*machine), *request),
            Planned::Wants { client } => (6, u64::from(*client), 0),
            Planned::Drives { driver } => (7, u64::from(*driver), 0),
            Planned::Strikes => (8, 0, 0),
            Planned::Mends(_) => (9, 0, 0),
        };
        self.mix(kind ^ self.now.as_nanos() << 4);
        self.mix(who ^ what.rotate_left(20));
    }

    fn mix(&mut self, what: u64) {
        self.digest = scramble(self.digest ^ what);
    }

    fn object(&mut self, check: &'static str, what: &str) {
        self.judge.heed(self.now, Err(Objection { check, what: what.to_owned() }));
    }

    fn report(mut self) -> Report {
        for violation in &self.judge.violations {
            let what = format!("{}: {}", violation.check, violation.what);
            self.recorder.record(violation.at, || Happening::Violation { what });
        }
        let figures = &mut self.figures;
        figures.runs = 1;
        figures.virtual_time = self.now - Time::START;
        figures.latency_p50 = figures.latencies.percentile(50);
        figures.latency_p99 = figures.latencies.percentile(99);
        Report {
            seed: self.seed,
            violations: self.judge.violations,
            digest: self.digest,
            figures: self.figures,
            trace: self.recorder.into_trace(),
        }
    }
}
