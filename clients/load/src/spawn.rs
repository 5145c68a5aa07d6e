//! Starting and losing a process, side by side: what std, a bare C program, palco and its actors need for one life, from
//! a small parent and from one with much memory; and what superservers need, which start one for each connection.
//!
//! Every life is waited for: started, run, ended, reaped (an actor: started, asked once, stopped, and the news of its
//! end). Rounds are interleaved, in an order that is rotated, with the small parent and with the large one in turn.
//! Processor time is that of this process and of all that descend from it.

mod report;
mod stage;
mod superservers;
mod ways;

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use palco_threads::block_on;

use crate::actors::{Load, Outcome, Round};
use crate::machine::Machine;
pub use report::{SpawnReport, SpawnTable};
pub use stage::Ballast;
use stage::Stage;
pub use superservers::{SuperserverRow, SuperserverTable, Superservers};
use ways::Way;

/// What to measure and for how long.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How often every way has its turn with each parent, and every superserver with each program; ratios are paired
    /// round by round. At least 1, 7 by default.
    pub rounds: usize,
    /// Lives of the shortest kind of process in a round, 100 by default; other ways take a fixed multiple of it.
    pub lives: u64,
    /// What the large parent has touched, 256 MiB by default.
    pub ballast_mib: usize,
    /// Connections in a round with a superserver, one after the other; then twice as many by several clients. At least 1,
    /// 200 by default.
    pub connections: usize,
    /// After this long in a round no such connection is begun any more, 3 s by default.
    pub patience: Duration,
    /// The program `palco`, which is measured as a superserver (`palco inetd`); none by default.
    pub palco: Option<PathBuf>,
    /// One part alone; both by default.
    pub only: Option<Part>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            rounds: 7,
            lives: 100,
            ballast_mib: 256,
            connections: 200,
            patience: Duration::from_secs(3),
            palco: None,
            only: None,
        }
    }
}

impl Settings {
    /// A fifth of the work: seconds, for a look and not for a record.
    #[must_use]
    pub fn quick() -> Self {
        let patience = Duration::from_secs(1);
        Self { rounds: 5, lives: 30, connections: 40, patience, ..Self::default() }
    }
}

/// What there is to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Ways to start something and lose it again.
    Lives,
    /// Superservers, which start a program for each connection.
    Superservers,
}

impl Part {
    /// Both, in the order of the report.
    pub const ALL: [Self; 2] = [Self::Lives, Self::Superservers];

    /// The name used on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Lives => "lives",
            Self::Superservers => "superservers",
        }
    }
}

impl FromStr for Part {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|part| part.name() == name).ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            format!("there is no part `{name}`; parts are: {names}")
        })
    }
}

/// How far a part of a run has come.
#[derive(Clone, Debug)]
pub struct Progress {
    /// Whose turn begins.
    pub what: String,
    /// The round, from 1.
    pub round: usize,
    /// Turns done so far, of this part.
    pub done: usize,
    /// Turns in the whole part.
    pub total: usize,
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, round, done, total } = self;
        write!(f, "{done}/{total} round {round}: {what}")
    }
}

/// One round of each way, or why there is none, for one parent.
type Played = Vec<Result<Vec<Round>, String>>;

/// Measures. Takes about two minutes by default and needs the machine for itself.
///
/// The program must have called [`palco_actors::enter`] with what [`crate::players`] adds; a way that cannot run has a
/// row that says so, and a superserver that is not there likewise. Superservers and their programs run as the user of this
/// process, on ports of 127.0.0.1; all of them have ended when this returns. Blocks the calling thread, so it must not be
/// called on an event loop.
pub fn run(settings: &Settings, mut progress: impl FnMut(Progress)) -> SpawnReport {
    let mut machine = Machine::look();
    let is_wanted = |part| settings.only.is_none_or(|only| only == part);
    let tables = is_wanted(Part::Lives).then(|| lives(settings, &mut progress));
    let superservers =
        is_wanted(Part::Superservers).then(|| superservers::run(settings, &mut progress));
    machine.look_again();
    SpawnReport::new(machine, settings.rounds.max(1), tables.unwrap_or_default(), superservers)
}

fn lives(settings: &Settings, progress: &mut dyn FnMut(Progress)) -> Vec<SpawnTable> {
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
                let what = format!("{}, {parent_mib} MiB", way.name);
                progress(Progress { what, round: round + 1, done, total });
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
    let played = parents.into_iter().zip(&played);
    played.map(|(parent_mib, played)| SpawnTable::new(parent_mib, &ways, played)).collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_parts_are_read_back() {
        for part in Part::ALL {
            assert_eq!(part.name().parse(), Ok(part));
        }
        assert!("all".parse::<Part>().unwrap_err().contains("superservers"));
    }
}
