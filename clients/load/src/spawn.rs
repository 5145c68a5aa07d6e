//! Starting and losing a process, side by side: what std, a bare C program, palco and its actors need for one life, from
//! a small parent and from one with much memory.
//!
//! Every life is waited for: started, run, ended, reaped (an actor: started, asked once, stopped, and the news of its
//! end). Rounds are interleaved, in an order that is rotated, with the small parent and with the large one in turn.
//! Processor time is that of this process and of all that descend from it.

mod report;
mod stage;
mod ways;

use std::fmt;

use palco_threads::block_on;

use crate::actors::{Load, Outcome, Round};
use crate::machine::Machine;
pub use report::{SpawnReport, SpawnTable};
use stage::{Ballast, Stage};
use ways::Way;

/// What to measure and for how long.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// How often every way has its turn with each parent; ratios are paired round by round. At least 1, 7 by default.
    pub rounds: usize,
    /// Lives of the shortest kind of process in a round, 100 by default; other ways take a fixed multiple of it.
    pub lives: u64,
    /// What the large parent has touched, 256 MiB by default.
    pub ballast_mib: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self { rounds: 7, lives: 100, ballast_mib: 256 }
    }
}

impl Settings {
    /// A fifth of the work: seconds, for a look and not for a record.
    #[must_use]
    pub fn quick() -> Self {
        Self { rounds: 5, lives: 30, ..Self::default() }
    }
}

/// How far a run has come.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// The way whose turn begins.
    pub way: &'static str,
    /// What the parent has touched, in MiB.
    pub parent_mib: usize,
    /// The round, from 1.
    pub round: usize,
    /// Turns done so far.
    pub done: usize,
    /// Turns in the whole run.
    pub total: usize,
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { way, parent_mib, round, done, total } = self;
        write!(f, "{done}/{total} round {round}, {parent_mib} MiB: {way}")
    }
}

/// One round of each way, or why there is none, for one parent.
type Played = Vec<Result<Vec<Round>, String>>;

/// Measures. Takes about twenty seconds by default and needs the machine for itself.
///
/// The program must have called [`palco_actors::enter`] with what [`crate::players`] adds; a way that cannot run has a
/// row that says so. Blocks the calling thread, so it must not be called on an event loop.
pub fn run(settings: &Settings, mut progress: impl FnMut(Progress)) -> SpawnReport {
    let mut machine = Machine::look();
    let stage = Stage::new();
    let ways = ways::all();
    let rounds = settings.rounds.max(1);
    let parents = [0, settings.ballast_mib];
    let total = rounds * parents.len() * ways.len();
    let mut played: [Played; 2] = parents.map(|_| ways.iter().map(|_| Ok(Vec::new())).collect());
    let mut done = 0;
    for round in 0..rounds {
        for (parent_mib, played) in parents.into_iter().zip(&mut played) {
            let ballast = Ballast::touch(parent_mib);
            for turn in 0..ways.len() {
                let index = (turn + round) % ways.len();
                let way = &ways[index];
                progress(Progress { way: way.name, parent_mib, round: round + 1, done, total });
                done += 1;
                if let Ok(rounds) = &mut played[index] {
                    match take_turn(way, &stage, settings, &ballast) {
                        Ok(round) => rounds.push(round),
                        Err(refusal) => played[index] = Err(refusal.to_string()),
                    }
                }
            }
        }
    }
    if let Ok(system) = &stage.system {
        block_on(system.shutdown());
    }
    machine.look_again();
    SpawnReport::new(machine, rounds, &ways, parents.into_iter().zip(played))
}

fn take_turn(way: &Way, stage: &Stage, settings: &Settings, ballast: &Ballast) -> Outcome {
    let lives = (settings.lives * way.percent / 100).max(1);
    let load = Load {
        samples: lives,
        warmup_samples: lives.div_ceil(10),
        ops_per_sample: 1,
        confined: false,
        with_processes: true,
    };
    (way.run)(stage, load, ballast)
}
