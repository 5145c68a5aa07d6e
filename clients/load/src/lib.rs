//! Load and measurement: palco beside bare baselines and peers, interleaved in one run.
//!
//! | file | what |
//! |---|---|
//! | `actors.rs` | [`actors::run`]: ask, tell, start and stop, memory of idle actors |
//! | `actors/question.rs` | [`actors::Question`]: what is measured, in which portions |
//! | `actors/contest.rs`, `actors/pace.rs` | a contestant, its rounds and their order; the timed loops that all share |
//! | `actors/palco.rs` | palco |
//! | `actors/bare.rs`, `actors/tokio.rs` | the floor: bare queues, tokio's channels |
//! | `actors/process.rs`, `actors/process/` | the floor for processes: a bare pair of sockets, a bare ring |
//! | `actors/actix.rs`, `actors/ractor.rs`, `actors/kameo.rs` | the peers, behind feature `peers` |
//! | `actors/memory.rs` | resident memory of actors that do nothing |
//! | `servers.rs`, `servers/` | [`servers::run`]: every server model in every place, beside the same designs in C and the servers people use |
//! | `spawn.rs`, `spawn/` | [`spawn::run`]: starting and losing a process, from a small parent and from a large one |
//! | `spawn/superservers.rs`, `spawn/superservers/` | one program per connection: palco beside the inetds that are there |
//! | `live.rs`, `live/` | [`live::LiveLoad`]: load on a running server, for people who watch |
//! | `generator.rs`, `generator/` | [`generator::run`]: load on any server at intended moments, an open loop |
//! | `observe.rs`, `observe/` | [`observe::run`]: what it costs a system to be looked at |
//! | `appends.rs` | [`appends::run`]: what is lost and doubled when the server is killed |
//! | `registers.rs`, `registers/` | [`registers::run`]: replicated registers beside etcd and redis |
//! | `state.rs`, `state/` | [`state::run`]: files, stateless beside stateful |
//! | `compiled.rs`, `daemon.rs`, `server.rs` | baselines in C; other programs, which end with this one |
//! | `report.rs`, `report/` | [`Report`]: JSON, Markdown and a table for the terminal |
//! | `progress.rs` | [`Progress`]: how far a long run has come |
//! | `stats.rs`, `cpu.rs`, `family.rs`, `account.rs` | quantiles and ratios; processor time, of this process, of all its descendants, of a server with all that it starts |
//! | `cores.rs`, `machine.rs` | who may run where, and what it ran on |
//!
//! A figure never stands alone: every row has a distribution, its processor time, and its ratio to a baseline that ran
//! in the same rounds. A contestant that does not do the whole work gets no figures.

#![forbid(unsafe_code)]

mod account;
pub mod actors;
pub mod appends;
mod compiled;
mod cores;
mod cpu;
mod daemon;
mod family;
pub mod generator;
pub mod live;
mod machine;
pub mod observe;
mod picture;
mod progress;
pub mod registers;
mod report;
mod server;
pub mod servers;
pub mod spawn;
pub mod state;
mod stats;
pub mod urgent;

pub use machine::Machine;
pub use progress::Progress;
pub use report::{Figures, MemoryRow, Report, Row, SCHEMA, Table};
pub use stats::Spread;

use palco_actors::Repertoire;

/// Adds the actors that the processes of [`actors::run`] and [`spawn::run`] are started for. What [`urgent::run`]
/// needs is the work service's: [`palco_models::players`].
#[must_use]
pub fn players(repertoire: Repertoire) -> Repertoire {
    actors::players(repertoire)
}
