//! Servers side by side: every model of palco in every place, the same designs in C and the servers people use, under work
//! of every kind.
//!
//! | file | what |
//! |---|---|
//! | `workload.rs` | [`Workload`], [`Measure`]: what is asked, and what is measured |
//! | `contestant.rs` | who is measured: [`Origin`], [`Dialect`], [`Incumbent`] |
//! | `report.rs`, `report/` | [`ServersReport`]: what the run has found, and what follows from it |

mod contestant;
mod report;
mod workload;

pub use contestant::{Dialect, Incumbent, Origin};
pub use report::{
    ContestantFacts, ControlRow, Group, Ranking, Reversal, ServersReport, ServersRow, ServersTable,
};
pub use workload::{Measure, Workload};
