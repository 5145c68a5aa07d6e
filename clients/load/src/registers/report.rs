//! What a run has found: for programs as JSON, for people as a table, Markdown or a page.

mod text;

use std::path::PathBuf;
use std::time::Duration;

use palco_measure::Seen;
use palco_measure::report::{Environment, Grade};
use serde::{Deserialize, Serialize};

use super::closed::Sample;
use super::store::{Operation, Store};
use super::targets::{self, Results, Target};
use super::{Cell, Contestant, GapRow, Played, Settings};
use crate::stats::Spread;

/// Name and version of the JSON form. The number grows when a field changes its meaning or goes.
const SCHEMA: &str = "palco-bench-registers/1";

/// What a reader must know to read the figures rightly.
const NOTES: &[&str] = &[
    "Every server is a process on this machine and keeps its files in one directory tree, so all have the same disk. The \
     client is one thread of the benchmark on the same processors, alike for all; its processor time counts for nobody.",
    "All servers of all stores stand during the whole run, so that rounds can be interleaved; what each uses while nobody \
     asks is in a table of its own and is part of its figures.",
    "A client has one connection (etcd: up to 16 clients share a connection of HTTP/2) and asks again when it has its \
     answer; clients are spread evenly over all servers. 10 000 registers, chosen evenly by chance. Every answer is \
     looked at: a wrong one, or an error, and the row has no figures.",
    "ops/CPU-s: operations by second of the processor time, user and system, of all server processes together, from their \
     own clocks.",
    "p50 and p99 are those of an answer; where several operations are under way at once, from the first question to the \
     last answer. Each figure is the median of the rounds; ranges are over the rounds.",
    "Bytes are payload of the TCP connections between servers, as their sockets count what they sent; segments are those \
     with payload, of which one may carry many messages. etcd's are plain, palco's encrypted.",
    "Flushes are those that the disk has completed meanwhile, whoever asked for them: on a machine with others at work they \
     say little, and a flush that two processes share is one.",
    "etcd has no pipelines: there a client has as many calls under way. gRPC is asked directly, with the messages that \
     etcd's own client sends; its JSON gateway would have cost its processes a second server.",
    "A single redis replicates nothing: it is the light speed of one process, not a peer in what it promises.",
    "Gaps: 16 clients, each every 10 ms by the clock, half of the operations writes, times from when an operation was due. \
     Who is not answered in a second, or is disconnected, asks another server. After a gap nothing is made up for.",
];

/// One run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RegistersReport {
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
    /// Versions of the peers that were measured.
    pub versions: Vec<String>,
    /// Rounds of every cell.
    pub rounds: usize,
    /// What the order followed from.
    pub seed: u64,
    /// Bytes of a value.
    pub value_bytes: usize,
    /// Operations under way at once in pipelined cells.
    pub pipeline: usize,
    /// Seconds that each cell was measured in each round, and seconds of the whole run.
    pub cell_seconds: f64,
    /// Seconds that the run took.
    pub seconds: f64,
    /// One for each operation and number of clients.
    pub tables: Vec<RegisterTable>,
    /// What servers use while nobody asks: processor time by time, of all servers of a store.
    pub idle: Vec<(Store, f64)>,
    /// What was seen while servers died or were replaced; empty if nobody looked.
    pub gaps: Vec<GapRow>,
    /// What palco wants to reach.
    pub targets: Vec<Target>,
    /// How to read the figures, and what is missing.
    pub notes: Vec<String>,
    /// Where the servers' files are, if they were to stay.
    pub kept: Option<PathBuf>,
}

/// One operation with so many clients.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RegisterTable {
    /// What was asked.
    pub operation: Operation,
    /// By how many.
    pub clients: usize,
    /// The stores.
    pub rows: Vec<RegisterRow>,
}

/// One store in one table.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RegisterRow {
    /// Who.
    pub store: Store,
    /// What was measured, unless the row was refused.
    pub figures: Option<RegisterFigures>,
    /// Why there are no figures.
    pub refused: Option<String>,
}

/// Medians and ranges over the rounds.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RegisterFigures {
    /// Operations of all rounds.
    pub ops: u64,
    /// By second.
    pub per_second: Spread,
    /// By second of the servers' processor time.
    pub per_cpu_second: Spread,
    /// Half of the answers took less, in microseconds.
    pub p50_us: Spread,
    /// 99 of 100 took less, in microseconds.
    pub p99_us: Spread,
    /// Bytes between the servers by operation; nothing if they could not be counted.
    pub wire_bytes: Option<Spread>,
    /// TCP segments with payload between the servers by operation.
    pub wire_segments: Option<Spread>,
    /// Flushes of the disk by operation.
    pub flushes: Option<Spread>,
}

/// Everything that was found.
pub(super) struct Found<'a> {
    pub(super) contestants: &'a [Contestant],
    pub(super) cells: &'a [Cell],
    pub(super) played: &'a [Result<Played, String>],
    pub(super) gaps: Vec<GapRow>,
    pub(super) versions: Vec<String>,
    pub(super) missing: Vec<String>,
    pub(super) kept: Option<PathBuf>,
}

impl RegistersReport {
    pub(super) fn new(settings: &Settings, found: Found<'_>, seen: Seen, took: Duration) -> Self {
        let stores: Vec<_> = found.contestants.iter().map(|of| of.store).collect();
        let results = Results { stores: &stores, cells: found.cells, played: found.played };
        let targets = targets::all(&results, settings.pipeline, &found.gaps);
        let mut tables: Vec<RegisterTable> = Vec::new();
        for (cell, played) in found.cells.iter().zip(found.played) {
            let store = stores[cell.store];
            let row = match played {
                Ok(samples) => {
                    RegisterRow { store, figures: RegisterFigures::of(samples), refused: None }
                }
                Err(why) => RegisterRow { store, figures: None, refused: Some(why.clone()) },
            };
            let is_its = |table: &&mut RegisterTable| {
                (table.operation, table.clients) == (cell.operation, cell.clients)
            };
            match tables.iter_mut().find(is_its) {
                Some(table) => table.rows.push(row),
                None => tables.push(RegisterTable {
                    operation: cell.operation,
                    clients: cell.clients,
                    rows: vec![row],
                }),
            }
        }
        let notes = NOTES.iter().map(|note| (*note).to_owned());
        let settings_of = stores.iter().map(|of| format!("{}: {}.", of.name(), of.setting()));
        Self {
            schema: SCHEMA.to_owned(),
            command: settings.command.clone(),
            environment: seen.environment,
            opt_level: env!("PALCO_LOAD_OPT_LEVEL").to_owned(),
            grade: seen.grade,
            remarks: seen.remarks,
            versions: found.versions,
            rounds: settings.rounds.max(1),
            seed: settings.seed,
            value_bytes: settings.value_bytes,
            pipeline: settings.pipeline,
            cell_seconds: settings.lasts.as_secs_f64(),
            seconds: took.as_secs_f64(),
            tables,
            idle: found.contestants.iter().filter_map(|of| Some((of.store, of.idle?))).collect(),
            gaps: found.gaps,
            targets,
            notes: notes.chain(settings_of).chain(found.missing).collect(),
            kept: found.kept,
        }
    }

    /// The JSON form.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("numbers and text alone")
    }
}

impl RegisterFigures {
    /// Nothing of no rounds.
    fn of(samples: &[Sample]) -> Option<Self> {
        let spread = |of: fn(&Sample) -> f64| Spread::of(samples.iter().map(of));
        let counted = |of: fn(&Sample) -> Option<f64>| Spread::of(samples.iter().filter_map(of));
        Some(Self {
            ops: samples.iter().map(|sample| sample.ops).sum(),
            per_second: spread(targets::per_second)?,
            per_cpu_second: spread(targets::per_cpu_second)?,
            p50_us: spread(targets::p50_micros)?,
            p99_us: spread(targets::p99_micros)?,
            wire_bytes: counted(|sample| sample.wire_bytes),
            wire_segments: counted(|sample| sample.wire_segments),
            flushes: counted(|sample| sample.flushes),
        })
    }
}

#[cfg(test)]
mod tests;
