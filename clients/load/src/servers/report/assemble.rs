//! A report from what was measured.

use std::time::Duration;

use palco_measure::Seen;

use super::notes::NOTES;
use super::ranking::ranking;
use super::reversal::reversals;
use super::{ContestantFacts, SCHEMA, ServersReport, ServersRow, ServersTable, control};

/// What a run hands to its report.
pub(in crate::servers) struct Parts {
    /// The command that made it.
    pub(in crate::servers) command: String,
    /// What it ran on, and how quiet that was.
    pub(in crate::servers) environment: Seen,
    /// How the servers' processor time was counted.
    pub(in crate::servers) accounting: String,
    /// Rounds of every row.
    pub(in crate::servers) rounds: usize,
    /// What the order followed from.
    pub(in crate::servers) seed: u64,
    /// How long each turn lasted at its fixed rate.
    pub(in crate::servers) turn: Duration,
    /// How long the run took.
    pub(in crate::servers) took: Duration,
    /// Who was measured, in the order of the report.
    pub(in crate::servers) contestants: Vec<ContestantFacts>,
    /// What was measured, by workload; a round without a value is not a number.
    pub(in crate::servers) tables: Vec<ServersTable>,
    /// What a reader must know about the run, besides what is known about the machine.
    pub(in crate::servers) remarks: Vec<String>,
}

impl ServersReport {
    /// Everything that follows from what was measured is made here.
    pub(in crate::servers) fn new(parts: Parts) -> Self {
        let mut remarks = parts.environment.remarks;
        remarks.extend(parts.remarks);
        let Parts { contestants, mut tables, seed, .. } = parts;
        tables.iter_mut().flat_map(|table| &mut table.rows).for_each(clean);
        let rankings = tables.iter().filter_map(|table| ranking(table, &contestants, seed));
        let rankings: Vec<_> = rankings.collect();
        let reversals = reversals(&tables, &rankings, &contestants, seed);
        Self {
            schema: SCHEMA.to_owned(),
            command: parts.command,
            environment: parts.environment.environment,
            opt_level: env!("PALCO_LOAD_OPT_LEVEL").to_owned(),
            grade: parts.environment.grade,
            remarks,
            accounting: parts.accounting,
            rounds: parts.rounds,
            seed,
            turn_seconds: parts.turn.as_secs_f64(),
            seconds: parts.took.as_secs_f64(),
            control: control::rows(&contestants, &tables),
            contestants,
            tables,
            rankings,
            reversals,
            notes: NOTES.iter().map(|note| (*note).to_owned()).collect(),
        }
    }
}

/// Leaves nothing that is no number but rounds without a value among others that have one.
fn clean(row: &mut ServersRow) {
    row.measured.retain(|_, rounds| rounds.iter().any(|value| value.is_finite()));
    row.response_us.retain(|(quantile, micros)| quantile.is_finite() && micros.is_finite());
}
