//! What a run has found, as data: everything that is shown is made from this, and nothing else.

use serde::{Deserialize, Serialize};

use crate::{Key, Section};

/// Grows when a field changes its meaning or goes.
pub const SCHEMA: u32 = 1;

/// One run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Report {
    /// [`SCHEMA`] of the writer.
    pub schema: u32,
    /// The command that made it.
    pub command: String,
    /// What it ran on.
    pub environment: Environment,
    /// How quiet the machine was.
    pub grade: Grade,
    /// Why it is not better, and what else a reader must know about the machine.
    pub remarks: Vec<String>,
    /// Rounds that every row was given.
    pub rounds: u32,
    /// Seconds that the run took.
    pub seconds: f64,
    /// The figures.
    pub rows: Vec<Row>,
    /// Pairs that were measured to be compared.
    pub comparisons: Vec<Comparison>,
    /// What the harness costs and found out about itself.
    pub trust: Trust,
    /// What others print for the same thing, beside the kernel's count; empty unless asked for.
    pub peers: Vec<PeerClaim>,
}

/// A figure and where it would lie in 95 of 100 runs like this one, in the section's measure.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// Median over the rounds that count, of their medians.
    pub value: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// One cell of the matrix.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Row {
    /// [`Key`] in its text form; unique in a report.
    pub id: String,
    /// Which cell.
    pub key: Key,
    /// What it costs; nothing unless it is proven.
    pub estimate: Option<Estimate>,
    /// Why there is no estimate: a machine that cannot do it, or too many rounds that do not count.
    pub refused: Option<String>,
    /// Quantiles of all samples that count, ascending, as `(quantile, value)`: what a distribution is drawn from.
    pub quantiles: Vec<(f64, f64)>,
    /// Where a working set is touched: what the touch costs without a switch.
    pub touch: Option<Estimate>,
    /// The estimate without the touch: what the switch, and filling the caches again, costs. Paired by round.
    pub refill: Option<Estimate>,
    /// Context switches of both sides together by the kernel's count, per operation.
    pub switches: Option<f64>,
    /// Nanoseconds of processor time of all sides per operation.
    pub cpu: Option<f64>,
    /// Bytes a second, where messages have a size.
    pub bytes_per_second: Option<f64>,
    /// Round by round.
    pub rounds: Vec<Round>,
}

/// One round of one row.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Round {
    /// Median of its samples.
    pub median: f64,
    /// 99 of 100 samples were below.
    pub p99: f64,
    /// Operations behind it.
    pub operations: u64,
    /// Samples taken.
    pub samples: u64,
    /// The canary just before it, as a multiple of the session's best; 1.05 is 5 % slower.
    pub canary: f64,
    /// Switches of each side per expected switch, where they are expected.
    pub switches: Vec<f64>,
    /// Why it does not count, if it does not.
    pub invalid: Option<String>,
}

/// Two rows that were measured in turns, and what lies between them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Comparison {
    /// Which question it answers, as a sentence fragment: `a process switch against a thread switch`.
    pub question: String,
    /// [`Row::id`] of what is compared.
    pub subject: String,
    /// [`Row::id`] of what it is compared with.
    pub baseline: String,
    /// Subject less baseline, paired by round.
    pub difference: Option<Estimate>,
    /// Subject by baseline, paired by round.
    pub ratio: Option<Estimate>,
    /// In words; only where the interval of the difference excludes 0 and the effect is more than 3 %.
    pub verdict: Verdict,
}

/// What a comparison says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The subject costs more.
    Slower,
    /// The subject costs less.
    Faster,
    /// No difference that could be told from chance, or none worth a word.
    Alike,
    /// One of the two has no estimate.
    Unknown,
}

/// How quiet the machine was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Grade {
    /// Quiet.
    A,
    /// Somebody else was at work.
    B,
    /// Busy: medians may stand, tails do not.
    C,
}

/// What a run ran on. Empty or nothing where it cannot be found out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Environment {
    /// Name and value, in groups; what two reports must agree on to be compared is marked.
    pub facts: Vec<Fact>,
    /// Bytes of the data caches that a core sees, from the first level on, as `(name, bytes)`.
    pub caches: Vec<(String, u64)>,
    /// When the run began.
    pub date: String,
}

/// One thing about the machine, the build or the moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    /// `machine`, `kernel`, `build`, `limits`, `moment`.
    pub group: String,
    /// What.
    pub name: String,
    /// How much, or which.
    pub value: String,
    /// Whether figures from machines that differ in it must not be compared.
    pub decides: bool,
}

/// What the harness costs, and what it found out about itself.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Trust {
    /// Nanoseconds that reading the clock takes, and which clock it is.
    pub clock: String,
    /// See `clock`.
    pub clock_nanos: f64,
    /// The harness's hop by that of a bare loop without any harness, measured in turns; 1.05 is 5 % more.
    pub overhead: Option<Estimate>,
    /// Rounds that count, of all.
    pub rounds_valid: u64,
    /// All rounds.
    pub rounds_all: u64,
    /// What was checked in every round, each as a sentence.
    pub checks: Vec<String>,
    /// What became of the mechanism that is broken on purpose: the reason why it was refused. Without one nothing here
    /// may be believed.
    pub broken_refused: Option<String>,
    /// Hardware counters: figures, or why there are none.
    pub counters: Vec<Counter>,
}

/// A hardware counter.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Counter {
    /// What it counts.
    pub name: String,
    /// Per hop of [`Counter::row`].
    pub value: Option<f64>,
    /// [`Row::id`] that it was counted for.
    pub row: String,
    /// Why there is no value.
    pub absent: Option<String>,
}

/// What another tool prints, beside what the kernel counted meanwhile.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PeerClaim {
    /// The command.
    pub command: String,
    /// Nanoseconds a switch that follow from what it prints.
    pub claimed_nanos: Option<f64>,
    /// Switches that it says or implies it made.
    pub claimed_switches: Option<u64>,
    /// Switches by the kernel's count.
    pub counted_switches: Option<u64>,
    /// Wall time by the kernel's count of switches.
    pub true_nanos: Option<f64>,
    /// In words; also why it could not be run.
    pub remark: String,
}

impl Report {
    /// The rows of a section, in the order they were measured.
    pub fn section(&self, section: Section) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(move |row| row.key.section == section)
    }

    /// The row with this id.
    #[must_use]
    pub fn row(&self, id: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.id == id)
    }
}
