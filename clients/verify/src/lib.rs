//! Real clusters of register nodes, broken again and again while clients use them, and a judge over what the clients were
//! told.
//!
//! | file | what |
//! |---|---|
//! | `run.rs` | [`run`]: from the first node to the verdict |
//! | `settings.rs`, `faults.rs` | [`Settings`], [`Faults`]: what is wanted |
//! | `schedule.rs` | what goes wrong when, from the seed |
//! | `strike.rs`, `strike/` | one fault, begun and ended |
//! | `cluster.rs`, `node.rs`, `process.rs` | nodes as processes, and the commands that people use on them |
//! | `ground.rs`, `ground/`, `disk.rs` | networks and disks of their own |
//! | `client.rs` | what clients ask |
//! | `recorder.rs`, `figures.rs` | what they were told, and how long it took |
//! | `judge.rs`, `judge/` | whether it can be true: the simulator's checkers |
//! | `endgame.rs` | the last reads: nothing that was answered is lost |
//! | `report.rs`, `report/` | [`Report`]: the verdict, in text, as data, as a page |
//!
//! This room must never know how registers work: what clients were told is all that it judges.

#![forbid(unsafe_code)]

mod client;
mod cluster;
mod disk;
mod endgame;
mod error;
mod faults;
mod figures;
mod ground;
mod judge;
mod node;
mod process;
mod recorder;
mod report;
mod run;
mod schedule;
mod settings;
mod strike;

pub use error::VerifyError;
pub use faults::{Fault, Faults};
pub use figures::{Counts, Gap, Latencies};
pub use report::{During, Report, Verdict};
pub use run::{Progress, run};
pub use settings::{Settings, Target};
pub use strike::Stretch;
