//! Something that can be measured for one round, and what a round must show for its figures to count.

use serde::{Deserialize, Serialize};

use crate::Key;

/// One cell of the matrix, ready to run.
///
/// Made once, then asked for a round again and again, in between those of all others. Threads and processes that a round
/// needs are started and ended inside it, so that the next subject finds one thread and no children.
pub trait Subject {
    /// Which cell.
    fn key(&self) -> Key;

    /// Runs one round: warm-up, then as many operations as fit into about `budget_nanos`.
    ///
    /// # Errors
    /// [`Unavailable`] where this machine cannot do it at all; the row says so and is not asked again.
    fn round(&mut self, budget_nanos: u64) -> Result<Raw, Unavailable>;
}

/// This machine, or this build, cannot run a subject: what is missing and what to do.
#[derive(thiserror::Error, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[error("{0}")]
pub struct Unavailable(pub String);

/// What one round saw, before anybody judges it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Raw {
    /// One figure per sample in the section's measure: nanoseconds a hop, nanoseconds a unit, …
    pub samples: Vec<f64>,
    /// How many operations are behind them, warm-up not counted.
    pub operations: u64,
    /// How many operations the clock was read around at once.
    pub batch: u32,
    /// Where a working set is touched: nanoseconds a hop that the same touch costs without any switch.
    pub touch: Option<f64>,
    /// Bytes that the operations moved, where messages have a size.
    pub bytes: u64,
    /// What the kernel, and the sides themselves, counted meanwhile: one entry a side that switches.
    pub sides: Vec<Side>,
    /// How many switches of each side an operation must take, if that is known; a hop of a blocking ping-pong: each
    /// side blocks once a round trip, so 0.5 a hop.
    pub switches_expected: Option<f64>,
    /// Turns that were not the next in order, where the sides pass a sequence word; nothing where there is none.
    pub out_of_turn: Option<u64>,
    /// Nanoseconds of processor time of all sides.
    pub cpu_nanos: Option<u64>,
    /// Why the figures must not be trusted, as far as the round itself noticed.
    pub objection: Option<String>,
}

/// What one side counted from after the warm-up to the end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Side {
    /// Context switches by the kernel's count, voluntary (`ru_nvcsw`).
    pub voluntary: u64,
    /// The same, involuntary (`ru_nivcsw`).
    pub involuntary: u64,
    /// Times it found itself on another processor than the one it was told to stay on.
    pub strays: u64,
    /// Moves between processors by the kernel's count (`se.nr_migrations`), where it tells.
    pub migrations: Option<u64>,
    /// Switches on its processor that neither side made, where the kernel tells (a software counter of the processor).
    pub foreign: Option<u64>,
}
