//! What it costs a system to be looked at: the same actors with nobody there, with an observer, and under its eyes.
//!
//! Every turn begins with a new system and ends with the check that all messages were handled and counted. Rounds are
//! interleaved, in an order that is rotated; within a round the modes of one workload follow each other, so a mode and
//! its baseline run within moments of each other.
//!
//! | file | what |
//! |---|---|
//! | `workload.rs` | what the actors do, and one turn of it |
//! | `stage.rs`, `players.rs` | the actors with their account; what each of them does |
//! | `looking.rs` | who looks, how closely, and what they have seen |
//! | `report.rs` | what the run has found |

mod looking;
mod players;
mod report;
mod stage;
mod workload;

use std::fmt;
use std::future::ready;
use std::time::Duration;

use crate::actors::Refusal;
use crate::machine::Machine;
pub use looking::{Mode, Seen};
pub use report::{ObserveReport, ObserveRow, ObserveTable};
pub use workload::Workload;
use workload::{Turn, take_turn};

/// What to measure and for how long.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// How often every mode of every workload has its turn; losses are paired round by round. At least 1, 7 by default.
    pub rounds: usize,
    /// How long a turn runs before it is measured, 200 ms by default.
    pub warm_up: Duration,
    /// How long it is measured then, 800 ms by default. Who watches takes one whole snapshot in that time.
    pub window: Duration,
    /// Actors of the paced and the saturated stage, 2 000 by default.
    pub actors: usize,
    /// Messages a second of the paced stage, 100 000 by default.
    pub paced_messages: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            rounds: 7,
            warm_up: Duration::from_millis(200),
            window: Duration::from_millis(800),
            actors: 2_000,
            paced_messages: 100_000,
        }
    }
}

impl Settings {
    /// A fifth of the time: for a look and not for a record.
    #[must_use]
    pub fn quick() -> Self {
        Self {
            rounds: 3,
            warm_up: Duration::from_millis(100),
            window: Duration::from_millis(400),
            ..Self::default()
        }
    }
}

/// How far a run has come.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// What the actors do.
    pub workload: Workload,
    /// Who looks, in the turn that begins.
    pub mode: Mode,
    /// The round, from 1.
    pub round: usize,
    /// Turns done so far.
    pub done: usize,
    /// Turns in the whole run.
    pub total: usize,
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { workload, mode, round, done, total } = self;
        write!(f, "{done}/{total} round {round}: {}, {}", workload.name(), mode.name())
    }
}

/// The turns of each mode, or why there are none, for one workload.
type Played = Vec<Result<Vec<Turn>, Refusal>>;

/// Measures. Takes two minutes by default and needs the machine for itself. Starts no processes.
///
/// Blocks the calling thread, so it must not be called on an event loop.
pub fn run(settings: &Settings, mut progress: impl FnMut(Progress)) -> ObserveReport {
    let mut machine = Machine::look();
    // On a thread that may run everywhere: palco counts the cores when it first waits, and spins only if there are two.
    palco_threads::block_on(ready(()));
    let rounds = settings.rounds.max(1);
    let total = rounds * Workload::ALL.len() * Mode::ALL.len();
    let mut played: [Played; Workload::ALL.len()] =
        Workload::ALL.map(|_| Mode::ALL.map(|_| Ok(Vec::new())).into());
    let mut done = 0;
    for round in 0..rounds {
        for (workload, played) in Workload::ALL.into_iter().zip(&mut played) {
            for turn in 0..Mode::ALL.len() {
                let index = (turn + round) % Mode::ALL.len();
                let mode = Mode::ALL[index];
                progress(Progress { workload, mode, round: round + 1, done, total });
                done += 1;
                if let Ok(turns) = &mut played[index] {
                    match take_turn(workload, mode, settings) {
                        Ok(turn) => turns.push(turn),
                        Err(refusal) => played[index] = Err(refusal),
                    }
                }
            }
        }
    }
    machine.look_again();
    ObserveReport::new(machine, settings, Workload::ALL.into_iter().zip(played))
}
