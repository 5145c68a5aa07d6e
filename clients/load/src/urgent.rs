//! Out of band: how long it takes to reach a request that is being served, whatever else the processors do.
//!
//! | file | what |
//! |---|---|
//! | `wake.rs` | from the send to the urgent thread, under each policy of that thread |
//! | `effect.rs` | from the send of a hold to the word that the request is held, under every model in every place |
//! | `flow.rs` | the bytes of an answer before, during and after a hold |
//! | `silence.rs` | urgent data behind bytes that nobody reads |
//! | `stage.rs` | the servers, and a client with one request |
//! | `hogs.rs`, `sender.rs` | who else wants the processors; who sends |
//! | `turns.rs` | whose turn it is, part after part |
//! | `kinds.rs` | what is told apart in every part |
//! | `report.rs`, `report/` | what the run has found |
//!
//! Both solutions are measured: a command at the urgent port, and TCP urgent data on the connection of the request. Rounds
//! are interleaved, in an order that is rotated. That a held answer sends nothing, and that what cannot be announced is
//! refused, are properties and not figures: see [`UrgentReport::holds`].

mod effect;
mod flow;
mod hogs;
mod kinds;
mod report;
mod sender;
mod silence;
mod stage;
mod turns;
mod wake;

use std::fmt;
use std::io;
use std::time::Duration;

use palco_models::StartError;
use palco_urgent::{Obtained, Policy};

use crate::machine::Machine;
pub use kinds::{Beside, Solution};
pub use report::{
    EffectRow, FlowRow, Latency, SilenceRow, UrgentReport, Verdict, VerdictKind, WAKE_P99_MAX,
    WakeRow,
};
use stage::Stage;
use turns::{Found, Turns};

/// Bytes in front of the urgent one, in KiB: below, about and above what the urgent pointer reaches.
pub const QUEUED_KIB: [usize; 14] = [0, 8, 16, 32, 48, 56, 60, 63, 64, 66, 72, 81, 128, 256];

/// One of these behind which a reader has been standing still for a while, and for how long.
pub const STOOD: (usize, [Duration; 3]) =
    (32, [Duration::from_millis(500), Duration::from_secs(1), Duration::from_secs(2)]);

/// What to measure and for how long.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// How often everything has its turn. At least 1, 4 by default.
    pub rounds: usize,
    /// Threads that compute, 8 by default.
    pub hogs: usize,
    /// Sends to the urgent thread in a turn, 160 by default.
    pub wakes: usize,
    /// Holds of one request in a turn, 8 by default.
    pub holds: usize,
    /// How long the bytes of an answer are counted before a hold and after it, 100 ms by default.
    pub window: Duration,
    /// How long they are counted during the hold, 300 ms by default.
    pub hold: Duration,
    /// Urgent data of which nothing was heard for so long, and for as long as the reader has stood still, is silent;
    /// 500 ms by default. It is announced by the next probe of the sender, and the pauses between probes double.
    pub silent_after: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            rounds: 4,
            hogs: 8,
            wakes: 160,
            holds: 8,
            window: Duration::from_millis(100),
            hold: Duration::from_millis(300),
            silent_after: Duration::from_millis(500),
        }
    }
}

impl Settings {
    /// One round with fewer samples: for a look and not for a record.
    #[must_use]
    pub fn quick() -> Self {
        Self { rounds: 1, holds: 4, ..Self::default() }
    }
}

/// What there is to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// From the send to the urgent thread.
    Wake,
    /// From the send to the effect.
    Effect,
    /// Bytes during a hold.
    Flow,
    /// Urgent data behind bytes that nobody reads.
    Silence,
}

impl Part {
    /// As it is shown.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Wake => "wake-up",
            Self::Effect => "effect",
            Self::Flow => "bytes during a hold",
            Self::Silence => "64 KiB",
        }
    }
}

/// How far a part of a run has come.
#[derive(Clone, Debug)]
pub struct Progress {
    /// The part.
    pub part: Part,
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
        let Self { part, what, round, done, total } = self;
        write!(f, "{} {done}/{total} round {round}: {what}", part.name())
    }
}

/// Why there is no report.
#[derive(thiserror::Error, Debug)]
#[non_exhaustive]
pub enum Error {
    /// A server could not be started.
    #[error("cannot start `{server}`")]
    Start {
        /// Which.
        server: String,
        /// Why.
        #[source]
        source: StartError,
    },
    /// The actor system or an urgent thread could not be started.
    #[error("cannot start what is to be measured")]
    Prepare(#[source] io::Error),
    /// A turn did not come to its end: its figures would mean nothing.
    #[error("{part}, {what}: cannot be measured", part = part.name())]
    Turn {
        /// The part of the run.
        part: Part,
        /// Whose turn.
        what: String,
        /// What went wrong.
        #[source]
        source: io::Error,
    },
}

/// Measures. Takes two and a half minutes by default and needs the machine for itself.
///
/// The program must have called [`palco_actors::enter`] with the [`palco_models::players`] of the work service. Blocks the
/// calling thread, which must not be a nice one: what is started inherits that.
///
/// # Errors
/// [`Error`]. A property that does not hold is no error: see [`UrgentReport::holds`].
pub fn run(settings: &Settings, mut progress: impl FnMut(Progress)) -> Result<UrgentReport, Error> {
    let mut machine = Machine::look();
    let mut turns = Turns { settings, progress: &mut progress, sender: None };
    let wakes = turns.wakes()?;
    let stage = Stage::start(&[Policy::default(), Policy::Usual])?;
    let held = turns.held(&stage)?;
    let flows = turns.flows(&stage);
    stage.stop();
    let tries = turns.tries()?;
    let sender = turns.sender.unwrap_or(Obtained { policy: Policy::Usual, why: None });
    machine.look_again();
    Ok(UrgentReport::new(machine, settings, &Found { wakes, held, flows, tries, sender }))
}
