//! What switching, creating and talking cost on this machine: figures that carry their own proof.
//!
//! | file | what |
//! |---|---|
//! | `key.rs` | [`Key`]: which cell of the matrix, in words that never change their meaning |
//! | `subject.rs` | [`Subject`]: something that can be measured for one round, and what it saw |
//! | `sides.rs`, `mechanisms.rs` | two sides, threads or processes, and how one wakes the other |
//! | `local.rs` | what switches inside one thread: calls, fibers, tasks, actors |
//! | `touch.rs` | working sets |
//! | `crew.rs` | some members at once, threads or processes |
//! | `ring.rs`, `create.rs`, `memory.rs`, `throughput.rs` | the other sections |
//! | `pipes.rs` | the four modes of a pipe |
//! | `environment.rs`, `judge.rs`, `statistics.rs`, `session.rs` | how quiet it was, what counts, what follows, in which order |
//! | `matrix.rs` | what a quick, a usual and a full run measure |
//! | `run.rs` | [`Run`]: a whole run, from the cells to the report |
//! | `report.rs` | [`Report`]: what a run has found, as data |
//! | `kept.rs` | where the last report of each topic is found again |
//! | `timeline.rs` | runs of the fibers' lab: what each policy does about a blocking call, as pictures |
//! | `render.rs`, `compare.rs`, `peers.rs` | what people make of it |

#![forbid(unsafe_code)]

mod compare;
mod create;
mod crew;
mod environment;
mod judge;
pub mod kept;
mod key;
mod local;
pub mod matrix;
mod mechanisms;
mod memory;
pub mod peers;
pub mod pipes;
mod render;
pub mod report;
pub mod ring;
mod run;
mod session;
mod sides;
mod statistics;
mod subject;
pub mod throughput;
pub mod timeline;
mod touch;

pub use compare::{Compared, ComparedRow, Difference, ReadError, Refusal, compare, read};
pub use create::{keys as create_keys, subject as create_subject};
pub use environment::{Conditions, Seen, Witnessed};
pub use key::{Cores, Key, Pages, Pattern, Policy, Section, Unit};
pub use local::{keys as local_keys, subject as local_subject};
pub use memory::{keys as memory_keys, subject as memory_subject};
pub use report::Report;
pub use run::{Run, RunError};
pub use session::Progress;
pub use sides::{keys as ping_pong_keys, subject as ping_pong};
pub use statistics::{Chance, EFFECT_MIN, difference_of_rounds, ratio_of_rounds};
pub use subject::{Raw, Side, Subject, Unavailable};

/// The commit that this was built from, with `+` if files of the runtime or of this room were changed since; empty if it
/// is not known.
pub const COMMIT: &str = env!("PALCO_MEASURE_COMMIT");
