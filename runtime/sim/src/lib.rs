//! A deterministic world that tries to break RAMBO, and the checkers that judge what it did.
//!
//! | file | what |
//! |---|---|
//! | `scenario.rs` | [`Scenario`]: who takes part, what they do, what goes wrong |
//! | `report.rs` | [`Report`]: what was wrong, and the figures |
//! | `trace.rs` | [`Trace`]: what happened, for drawing |
//! | `world.rs` | a run: participants as they are, all around them simulated |
//! | `network.rs`, `disk.rs` | what they stand on |
//! | `random.rs`, `schedule.rs` | chance from a seed, and time |
//! | `systems.rs` | members and quorums of a kind |
//! | `stories.rs` | [`Story`]: single runs whose every message is placed by hand |
//! | `invariants.rs` | I1 to I6, L1, L2: what must hold at every moment |
//! | `history.rs`, `floor.rs` | what clients were told, and its judge by tags: L3 |
//! | `linearizability.rs` | its judge that knows no tags |
//! | `draw.rs`, `draw/` | the recorded part of a run as SVG and as a page |
//!
//! This room must never know an operating system, a clock, a socket, a source of randomness or an async runtime.

#![forbid(unsafe_code)]

mod disk;
pub mod draw;
pub mod floor;
pub mod history;
mod invariants;
mod latencies;
pub mod linearizability;
mod network;
mod random;
mod report;
mod scenario;
mod schedule;
mod stories;
mod systems;
pub mod trace;
mod world;

pub use report::{Figures, Report, Violation};
pub use scenario::{Fault, Faults, ModeKind, QuorumKind, Scenario, TraceWish};
pub use stories::{Story, Told};
pub use trace::Trace;

/// Runs a scenario from a seed: the same two give the same run, byte for byte.
#[must_use]
pub fn run(scenario: &Scenario, seed: u64) -> Report {
    world::World::new(scenario, seed).run()
}
