//! What a run has found: for programs as JSON or CSV, for people as a table, Markdown or a page with pictures.

mod assemble;
mod chart;
mod choice;
mod control;
mod families;
mod judge;
mod notes;
mod page;
mod ranking;
mod reversal;
mod summary;
mod text;
mod words;

use std::collections::BTreeMap;

pub(super) use assemble::Parts;
use palco_measure::report::{Environment, Grade};
use serde::{Deserialize, Serialize};

use super::contestant::{Dialect, Origin};
use super::workload::{Measure, Workload};
use crate::stats::Spread;

/// Name and version of the JSON form. The number grows when a field changes its meaning or goes.
const SCHEMA: &str = "palco-bench-servers/1";

/// One run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ServersReport {
    /// Name and version of this form.
    pub schema: String,
    /// The command that made it.
    pub command: String,
    /// What it ran on.
    pub environment: Environment,
    /// Optimisation level of palco itself; figures of level 0 mean nothing.
    pub opt_level: String,
    /// How quiet the machine was.
    pub grade: Grade,
    /// Why it is not better, and what else a reader must know about the machine.
    pub remarks: Vec<String>,
    /// How the servers' processor time was counted.
    pub accounting: String,
    /// Rounds of every row.
    pub rounds: usize,
    /// What the order followed from.
    pub seed: u64,
    /// Seconds that each turn lasted at its fixed rate.
    pub turn_seconds: f64,
    /// Seconds that the run took.
    pub seconds: f64,
    /// Who was measured.
    pub contestants: Vec<ContestantFacts>,
    /// What was measured, by workload.
    pub tables: Vec<ServersTable>,
    /// What process control costs: the CPU of a short connection less that of the iterative server.
    pub control: Vec<ControlRow>,
    /// Which architecture for which work.
    pub rankings: Vec<Ranking>,
    /// Pairs of workloads between which the ranking reverses.
    pub reversals: Vec<Reversal>,
    /// How to read the figures.
    pub notes: Vec<String>,
}

/// One server design.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContestantFacts {
    /// Its name; rows are found by it.
    pub name: String,
    /// Whose it is.
    pub origin: Origin,
    /// What it speaks.
    pub dialect: Dialect,
    /// What the textbooks call it.
    pub classic: String,
    /// The name of the C program of the same design, for servers of palco.
    pub floor: Option<String>,
    /// How it was started; of a peer also its version.
    pub setting: String,
}

/// One workload, asked in one dialect: only rows of the same table can be compared.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ServersTable {
    /// Which.
    pub workload: Workload,
    /// What is spoken.
    pub dialect: Dialect,
    /// Requests that were due each second, the same for all; nothing where that has no meaning.
    pub rate_per_s: Option<f64>,
    /// Who, in the order of the contestants.
    pub rows: Vec<ServersRow>,
}

/// One server under one workload.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ServersRow {
    /// The name of the contestant.
    pub contestant: String,
    /// Each measure's value in each round, in the order of the rounds; not a number (`null` in JSON) where a round has none.
    #[serde(deserialize_with = "rounds_with_gaps")]
    pub measured: BTreeMap<Measure, Vec<f64>>,
    /// Response times from the intended start, of all rounds together: quantile and microseconds. May be empty.
    pub response_us: Vec<(f64, f64)>,
    /// Why there is nothing measured.
    pub refused: Option<String>,
    /// What a reader must know about this row.
    pub remarks: Vec<String>,
}

/// What one design costs beside the iterative server, and beside the C program of its own design.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ControlRow {
    /// The name of the contestant.
    pub contestant: String,
    /// CPU of a short connection, in microseconds, over the rounds.
    pub cpu_us: Spread,
    /// The same less that of the iterative server of the same origin, paired by round; for peers less C's.
    pub control_us: Option<Spread>,
    /// CPU by that of the C program of the same design, paired by round.
    pub by_floor: Option<Spread>,
    /// The same for a round trip on a connection that stays.
    pub trip_by_floor: Option<Spread>,
}

/// Which architecture for one kind of work, as the data say.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ranking {
    /// The work.
    pub workload: Workload,
    /// What was spoken.
    pub dialect: Dialect,
    /// What was compared.
    pub measure: Measure,
    /// Best first; those that cannot be told apart are in one group.
    pub groups: Vec<Group>,
    /// Who was asked and answered too little to be ranked, and why.
    pub failed: Vec<(String, String)>,
    /// What follows, in words made from the figures.
    pub sentence: String,
}

/// Servers that cannot be told apart.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// Their names and the median over the rounds.
    pub members: Vec<(String, f64)>,
}

/// Two kinds of work that want different architectures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reversal {
    /// What was spoken in both.
    pub dialect: Dialect,
    /// The one.
    pub first: Workload,
    /// The other.
    pub second: Workload,
    /// Kendall's tau-b of the two rankings, over those who are in both.
    pub tau: f64,
    /// What follows, in words made from the figures.
    pub sentence: String,
}

impl ServersReport {
    /// The JSON form.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("numbers and text alone")
    }

    /// The table of this work in this dialect.
    #[must_use]
    pub fn table(&self, workload: Workload, dialect: Dialect) -> Option<&ServersTable> {
        self.tables.iter().find(|table| table.workload == workload && table.dialect == dialect)
    }

    /// Who has this name.
    #[must_use]
    pub fn contestant(&self, name: &str) -> Option<&ContestantFacts> {
        self.contestants.iter().find(|contestant| contestant.name == name)
    }
}

impl ServersTable {
    /// The row of this contestant.
    #[must_use]
    pub fn row(&self, contestant: &str) -> Option<&ServersRow> {
        self.rows.iter().find(|row| row.contestant == contestant)
    }
}

impl ServersRow {
    /// What was measured in each round; empty if it was not.
    #[must_use]
    pub fn rounds(&self, measure: Measure) -> &[f64] {
        self.measured.get(&measure).map_or(&[], Vec::as_slice)
    }

    /// Median and range over the rounds that have a value; nothing if none has.
    #[must_use]
    pub fn spread(&self, measure: Measure) -> Option<Spread> {
        Spread::of(self.rounds(measure).iter().copied().filter(|value| value.is_finite()))
    }
}

/// `null` is no number.
fn rounds_with_gaps<'de, D: serde::Deserializer<'de>>(
    from: D,
) -> Result<BTreeMap<Measure, Vec<f64>>, D::Error> {
    let read: BTreeMap<Measure, Vec<Option<f64>>> = Deserialize::deserialize(from)?;
    let number = |value: Option<f64>| value.unwrap_or(f64::NAN);
    let rounds = |values: Vec<Option<f64>>| values.into_iter().map(number).collect();
    Ok(read.into_iter().map(|(measure, values)| (measure, rounds(values))).collect())
}

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod rendered;
#[cfg(test)]
mod tests;
