//! Whose turn it is: every part of a run, round after round.

use std::io;
use std::time::Duration;

use palco_actors::PlaceKind;
use palco_core::Nice;
use palco_models::ModelKind;
use palco_urgent::{Obtained, Policy};

use super::effect::{self, Effects};
use super::flow::{self, Flow};
use super::hogs::Hogs;
use super::silence::{Stalled, Try};
use super::stage::Stage;
use super::wake::Rig;
use super::{Beside, Error, Part, Progress, QUEUED_KIB, STOOD, Settings, Solution};

/// Commands at the port while one connection stands still.
const COMMANDS: usize = 3;

/// Sends of one kind to the urgent thread.
pub(super) struct Wakes {
    pub(super) policy: Policy,
    pub(super) obtained: Obtained,
    pub(super) solution: Solution,
    pub(super) beside: Beside,
    pub(super) nanos: Vec<u64>,
}

/// Holds of one kind under one model in one place.
pub(super) struct Held {
    pub(super) model: ModelKind,
    pub(super) place: PlaceKind,
    pub(super) policy: Policy,
    pub(super) solution: Solution,
    pub(super) beside: Beside,
    pub(super) effects: Effects,
}

/// Held answers of one kind, or why there are none any more.
pub(super) struct Flows {
    pub(super) place: PlaceKind,
    pub(super) solution: Solution,
    pub(super) flows: Vec<Flow>,
    pub(super) failure: Option<String>,
}

/// Urgent bytes behind so many bytes, and the longest way of a command to the port meanwhile.
pub(super) struct Tries {
    pub(super) wanted: usize,
    /// The receiver has stood still at least so long before.
    pub(super) stood: Duration,
    pub(super) tries: Vec<Try>,
    pub(super) commands: Vec<u64>,
}

/// What a run has found, before it is a report.
pub(super) struct Found {
    pub(super) wakes: Vec<Wakes>,
    pub(super) held: Vec<Held>,
    pub(super) flows: Vec<Flows>,
    pub(super) tries: Vec<Tries>,
    /// How who sends was scheduled.
    pub(super) sender: Obtained,
}

/// Turn after turn.
pub(super) struct Turns<'a> {
    pub(super) settings: &'a Settings,
    pub(super) progress: &'a mut dyn FnMut(Progress),
    pub(super) sender: Option<Obtained>,
}

impl Turns<'_> {
    /// Calls `turn` for each of `all`, round after round, in an order that is rotated. Those that follow each other in
    /// `all` mostly do so in time.
    fn rounds<T>(
        &mut self,
        part: Part,
        all: &mut [T],
        name: impl Fn(&T) -> String,
        mut turn: impl FnMut(&mut Self, &mut T) -> io::Result<()>,
    ) -> Result<(), Error> {
        let rounds = self.settings.rounds.max(1);
        let count = all.len();
        for round in 0..rounds {
            for index in 0..count {
                let one = &mut all[(index + round) % count];
                let what = name(one);
                let done = round * count + index;
                let total = rounds * count;
                (self.progress)(Progress {
                    part,
                    what: what.clone(),
                    round: round + 1,
                    done,
                    total,
                });
                turn(self, one).map_err(|source| Error::Turn { part, what, source })?;
            }
        }
        Ok(())
    }

    pub(super) fn wakes(&mut self) -> Result<Vec<Wakes>, Error> {
        let nicest = Policy::Nice(Nice::new(-20).expect("the least nice value is one"));
        let mut rigs = Vec::new();
        for policy in [Policy::Usual, nicest, Policy::default()] {
            rigs.push(Rig::start(policy).map_err(Error::Prepare)?);
        }
        let mut all = Vec::new();
        for beside in Beside::ALL {
            for solution in Solution::ALL {
                all.extend(rigs.iter().map(|rig| Wakes {
                    policy: rig.policy,
                    obtained: rig.obtained(),
                    solution,
                    beside,
                    nanos: Vec::new(),
                }));
            }
        }
        let name = |wakes: &Wakes| {
            let Wakes { policy, solution, beside, .. } = wakes;
            format!("{policy}, {}, beside {}", solution.name(), beside.name())
        };
        self.rounds(Part::Wake, &mut all, name, |turns, wakes| {
            let rig = rigs.iter_mut().find(|rig| rig.policy == wakes.policy);
            let rig = rig.expect("there is one of each policy");
            let hogs = match wakes.beside {
                Beside::Nobody => None,
                Beside::Hogs => Some(Hogs::start(turns.settings.hogs)?),
            };
            let (nanos, sender) = rig.turn(wakes.solution, turns.settings.wakes)?;
            drop(hogs);
            // The last word: real time may have been lost meanwhile.
            wakes.obtained = rig.obtained();
            wakes.nanos.extend(nanos);
            turns.sender = Some(sender);
            Ok(())
        })?;
        Ok(all)
    }

    pub(super) fn held(&mut self, stage: &Stage) -> Result<Vec<Held>, Error> {
        let mut all = Vec::new();
        for (index, standing) in stage.servers.iter().enumerate() {
            for beside in Beside::ALL {
                all.extend(Solution::ALL.map(|solution| {
                    let held = Held {
                        model: standing.model,
                        place: standing.place,
                        policy: standing.policy,
                        solution,
                        beside,
                        effects: Effects::default(),
                    };
                    (index, held)
                }));
            }
        }
        let name = |(_, held): &(usize, Held)| {
            let Held { model, place, policy, solution, beside, .. } = held;
            let (solution, beside) = (solution.name(), beside.name());
            format!("{model} × {place}, {policy}, {solution}, beside {beside}")
        };
        self.rounds(Part::Effect, &mut all, name, |turns, (index, held)| {
            let Settings { hogs, holds, .. } = *turns.settings;
            let (standing, solution) = (&stage.servers[*index], held.solution);
            let (effects, _) = effect::turn(standing, solution, held.beside, hogs, holds)?;
            held.effects.add(effects);
            Ok(())
        })?;
        Ok(all.into_iter().map(|(_, held)| held).collect())
    }

    /// One model in each place: how an answer is sent is up to the place alone.
    pub(super) fn flows(&mut self, stage: &Stage) -> Vec<Flows> {
        let mut all = Vec::new();
        for place in PlaceKind::OF_THIS_MACHINE {
            all.extend(Solution::ALL.map(|solution| Flows {
                place,
                solution,
                flows: Vec::new(),
                failure: None,
            }));
        }
        let name = |flows: &Flows| format!("{}, {}", flows.place, flows.solution.name());
        let turned = self.rounds(Part::Flow, &mut all, name, |turns, flows| {
            let standing = stage.servers.iter().find(|standing| {
                standing.model == ModelKind::PerConnection && standing.place == flows.place
            });
            let address = standing.expect("every cell has a server").address;
            let Settings { window, hold, .. } = *turns.settings;
            match flow::turn(address, flows.solution, window, hold) {
                Ok(flow) => flows.flows.push(flow),
                // A finding: the property does not hold.
                Err(error) => flows.failure = Some(error.to_string()),
            }
            Ok(())
        });
        turned.expect("no turn fails");
        all
    }

    pub(super) fn tries(&mut self) -> Result<Vec<Tries>, Error> {
        let mut rig = Rig::start(Policy::default()).map_err(Error::Prepare)?;
        let at_once = QUEUED_KIB.map(|kib| (kib, Duration::ZERO));
        let later = STOOD.1.map(|stood| (STOOD.0, stood));
        let all = at_once.into_iter().chain(later).map(|(kib, stood)| Tries {
            wanted: kib * 1024,
            stood,
            tries: Vec::new(),
            commands: Vec::new(),
        });
        let mut all: Vec<_> = all.collect();
        let name = |tries: &Tries| format!("{} KiB", tries.wanted / 1024);
        self.rounds(Part::Silence, &mut all, name, |turns, tries| {
            let stalled = Stalled::new(tries.wanted, tries.stood)?;
            tries.tries.push(stalled.send(turns.settings.silent_after)?);
            // The port has no such limit: the connection still stands still.
            let (commands, _) = rig.turn(Solution::Port, COMMANDS)?;
            tries.commands.extend(commands);
            Ok(())
        })?;
        Ok(all)
    }
}
