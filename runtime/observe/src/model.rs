//! What is shown: plain data, the same for the page, for `curl` and for tests.
//!
//! Times are milliseconds (`_ms`) or microseconds (`_us`) since the system's start; durations likewise.

mod actor;
mod stage;
mod trace;

pub use actor::{ActorPage, ActorView, ExitEntry, Histogram, Quantiles, Queued, TypeCount};
pub use stage::{Delta, Letter, Lint, LintKind, LogEntry, LogKind, StageSnapshot, Totals, Update};
pub use trace::{Capture, Flow, FlowEdge, Lifeline, MessageRecord, StepRecord, WaitEdge, Waits};
