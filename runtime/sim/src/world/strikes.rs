//! What goes wrong, and is mended: at any time, for any length, several things at once, to anybody.

use std::time::Duration;

use super::{Mend, Phase, Planned, World};
use crate::network::{Cut, Machine, Trouble};
use crate::random::Random;
use crate::scenario::Fault;
use crate::trace::Happening;

/// Between two strokes, from and to.
const STRIKE_EVERY: (Duration, Duration) = (Duration::from_millis(2), Duration::from_millis(40));
/// Things that are wrong at once, at most.
const AT_ONCE_MAX: usize = 4;

/// How long it lasts: mostly as long as an operation, or as a few retries; sometimes longer than every timeout.
fn length(random: &mut Random) -> Duration {
    let (from, to) = match random.below(20) {
        0..=8 => (1, 20),
        9..=16 => (20, 150),
        _ => (150, 700),
    };
    random.between(Duration::from_millis(from), Duration::from_millis(to))
}

impl World<'_> {
    /// Something goes wrong, and something else will later.
    pub(super) fn strikes(&mut self) {
        if self.phase == Phase::Mended {
            return;
        }
        let pause = self.misfortune.between(STRIKE_EVERY.0, STRIKE_EVERY.1);
        self.schedule.push(self.now + pause, Planned::Strikes);
        let still = self
            .machines
            .iter()
            .filter(|node| node.participant.is_none() || node.paused_until > self.now);
        if still.count() + self.network.weather.len() >= AT_ONCE_MAX.max(self.machines.len() / 8) {
            return;
        }
        // Drivers make the storms.
        let kinds: Vec<_> =
            self.scenario.faults.iter().filter(|fault| *fault != Fault::Storm).collect();
        if let Some(&fault) = self.misfortune.pick(&kinds) {
            self.strike(fault);
        }
    }

    fn strike(&mut self, fault: Fault) {
        self.figures.faults += 1;
        let random = &mut self.misfortune;
        let length = length(random);
        let machines = self.machines.len();
        let machine = random.position(machines) as Machine;
        let trouble = match fault {
            Fault::Loss => Trouble::Loss(5 + random.below(40) as u32),
            Fault::Duplicate => Trouble::Duplicate(5 + random.below(40) as u32),
            Fault::Reorder => Trouble::Reorder(5 + random.below(30) as u32),
            Fault::Partition => Trouble::Cut(Cut::Sides(some(random, machines))),
            Fault::Asymmetric => {
                let some = some(random, machines);
                Trouble::Cut(if random.percent(50) { Cut::Deaf(some) } else { Cut::Mute(some) })
            }
            Fault::Ring => {
                let mut places: Vec<u32> = (0..machines as u32).collect();
                random.shuffle(&mut places);
                Trouble::Cut(Cut::Ring(places))
            }
            Fault::Slow => Trouble::Slow(machine),
            Fault::Crash => return self.crash_some(length),
            Fault::DiskLoss => return self.lose_one(machine, length),
            Fault::Pause => return self.pause(machine, length),
            Fault::Storm => unreachable!("drivers make the storms"),
        };
        self.trouble(trouble, length);
    }

    fn trouble(&mut self, trouble: Trouble, length: Duration) {
        self.recorder.record(self.now, || {
            let node = match &trouble {
                Trouble::Slow(machine) => Some(self.machines.node(*machine).identity),
                Trouble::Loss(_)
                | Trouble::Duplicate(_)
                | Trouble::Reorder(_)
                | Trouble::Cut(_) => None,
            };
            let names: Vec<_> = self.machines.identities().map(|node| node.to_string()).collect();
            Happening::Fault { node, what: described(&trouble, &names) }
        });
        let id = self.network.weather.begin(trouble);
        self.schedule.push(self.now + length, Planned::Mends(Mend::Trouble(id)));
    }

    /// Mostly one; sometimes many, perhaps all.
    fn crash_some(&mut self, length: Duration) {
        let machines = self.machines.len();
        let all: Vec<bool> = match self.misfortune.below(20) {
            0 => vec![true; machines],
            1..=3 => some(&mut self.misfortune, machines),
            _ => {
                let one = self.misfortune.position(machines);
                (0..machines).map(|machine| machine == one).collect()
            }
        };
        for machine in (0..machines as Machine).filter(|&machine| all[machine as usize]) {
            if self.machines.node(machine).participant.is_some() {
                self.crash(machine);
                // Not all at the same time.
                let more = self.misfortune.between(Duration::ZERO, length / 4);
                self.start_after(machine, length + more);
            }
        }
    }

    /// Only where what is left can go on: a majority that lost its disks is the end of every register.
    fn lose_one(&mut self, machine: Machine, length: Duration) {
        let identity = self.machines.node(machine).identity;
        if self.judge.survives(identity, &self.machines) {
            self.lose_disk(machine);
            self.start_after(machine, length);
        }
    }

    /// Something is over.
    pub(super) fn mends(&mut self, mend: Mend) {
        match mend {
            Mend::Trouble(id) => {
                self.network.weather.end(id);
                let what = if self.network.weather.len() == 0 { "mended" } else { "partly mended" };
                let what = what.to_owned();
                self.recorder.record(self.now, || Happening::Fault { node: None, what });
            }
            Mend::Down { machine, life } => {
                let node = self.machines.node(machine);
                if node.life == life && node.participant.is_none() {
                    self.restart(machine);
                }
            }
        }
    }

    /// All is over.
    pub(super) fn mend_all(&mut self) {
        self.phase = Phase::Mended;
        self.network.weather.clear();
        self.recorder.record(self.now, || Happening::Fault { node: None, what: "mended".into() });
        for machine in 0..self.machines.len() as Machine {
            self.machines.node_mut(machine).paused_until = self.now;
            if self.machines.node(machine).participant.is_none() {
                self.restart(machine);
            }
        }
    }
}

/// Some, but neither none nor all, if there are two.
fn some(random: &mut Random, count: usize) -> Vec<bool> {
    let mut all: Vec<bool> = (0..count).map(|at| at == 0 || random.percent(40)).collect();
    if count > 1 && all.iter().all(|&one| one) {
        all[count - 1] = false;
    }
    random.shuffle(&mut all);
    all
}

fn described(trouble: &Trouble, names: &[String]) -> String {
    let those = |some: &[bool], wanted: bool| -> String {
        let named = names.iter().zip(some).filter(|(_, is)| **is == wanted);
        named.map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(" ")
    };
    match trouble {
        Trouble::Loss(percent) => format!("{percent} % lost"),
        Trouble::Duplicate(percent) => format!("{percent} % twice"),
        Trouble::Reorder(percent) => format!("{percent} % overtaken"),
        Trouble::Cut(Cut::Sides(side)) => {
            format!("partition {} | {}", those(side, true), those(side, false))
        }
        Trouble::Cut(Cut::Deaf(deaf)) => format!("deaf {}", those(deaf, true)),
        Trouble::Cut(Cut::Mute(mute)) => format!("mute {}", those(mute, true)),
        Trouble::Cut(Cut::Ring(places)) => {
            let mut ring: Vec<_> = places.iter().zip(names).collect();
            ring.sort();
            let ring: Vec<_> = ring.into_iter().map(|(_, name)| name.as_str()).collect();
            format!("ring {}", ring.join(" "))
        }
        Trouble::Slow(_) => "slow".to_owned(),
    }
}
