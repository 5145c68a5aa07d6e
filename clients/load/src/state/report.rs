//! What a run has found: for programs as JSON, for people as a table, Markdown or a page with pictures.

mod chart;
mod text;

use std::time::Duration;

use palco_measure::Seen;
use palco_measure::report::{Environment, Grade};
use serde::{Deserialize, Serialize};

use super::closed::Sample;
use super::side::{Side, Task, Way};
use super::{AheadRow, Cell, Found, MemoryRow, RecoveryRow, Settings, StaleRow, TermRow, targets};
use crate::registers::Target;
use crate::stats::Spread;

/// Name and version of the JSON form. The number grows when a field changes its meaning or goes.
const SCHEMA: &str = "palco-bench-state/1";

/// What a reader must know to read the figures rightly.
const NOTES: &[&str] = &[
    "Every server is a process on this machine and serves the same directory; what is read is in the page cache. The \
     client is one thread of the benchmark on the same processors, alike for all; its processor time counts for nobody. \
     Every block is looked at: a wrong one, or an error, and the row has no figures.",
    "Round trips are how often the client waited: a new connection is one, and so are all questions that are sent together. \
     Bytes are those that the client has sent and got, without the headers of TCP and IP.",
    "ops/CPU-s: blocks by second of the processor time, user and system, of all processes of the server, from their own \
     clocks. Each figure is the median of the rounds; ranges are over the rounds.",
    "p50 and p99 are those of an answer; where 16 are under way at once, from the first question to the last answer.",
    "On loopback a round trip costs some microseconds of two processors. Over a network it costs its time: multiply.",
    "Writes: an append over HTTP is on the disk, with its key, before it is answered; a write over SFTP is in the memory of \
     the server (volatile, leases) or of the kernel (journalled, sftp-server), and on the disk only after fsync. These are \
     different promises. nginx takes no writes without modules.",
    "State is what the server says it remembers of a client (state@palco). Over HTTP it is 0 by type: a session has no \
     fields. Memory is the growth of all its processes by connection, pages that are shared divided by those who share \
     them (Pss), of a server that has had one client before.",
    "Recovery: the server is killed with all its processes right after a read was sent, and started again at once. \
     Times begin when it takes connections again, which is looked for every 5 ms. A read failed if its answer had not come: \
     a server that answers faster than the kill comes has none.",
    "Staleness: one client writes the time into a file every 10 ms, another reads it every 0.5 ms with palco's client. A \
     read is old if a newer write was confirmed before it began; its age is how long before. Over HTTP each write replaces \
     the file and is on the disk before it is confirmed.",
    "Lease terms: one client reads 50 times a second what nobody writes. Messages are requests and answers. Theory is Gray \
     and Cheriton's 2/(1 + R·t), where a read asks when the term has ended; palco's client renews by the clock at half of the term, whether anything is read or not: 4/(R·t).",
];

/// One run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StateReport {
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
    /// Seconds that each cell was measured in each round.
    pub cell_seconds: f64,
    /// Seconds that the run took.
    pub seconds: f64,
    /// What a block costs, by what is done with it.
    pub tables: Vec<CostTable>,
    /// How many reads were answered from what had been read ahead.
    pub ahead: Vec<AheadRow>,
    /// What is remembered.
    pub memory: Vec<MemoryRow>,
    /// What a kill costs.
    pub recovery: Vec<RecoveryRow>,
    /// How old what is read is.
    pub stale: Vec<StaleRow>,
    /// What leases cost by their term.
    pub terms: Vec<TermRow>,
    /// What must hold.
    pub targets: Vec<Target>,
    /// How to read the figures.
    pub notes: Vec<String>,
}

/// What a block costs.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CostTable {
    /// What is done with it.
    pub task: Task,
    /// By whom, and how.
    pub rows: Vec<CostRow>,
}

/// One server in one way.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CostRow {
    /// Who.
    pub side: Side,
    /// How.
    pub way: Way,
    /// What was measured, unless the row was refused.
    pub figures: Option<CostFigures>,
    /// Why there are no figures.
    pub refused: Option<String>,
}

/// Medians and ranges over the rounds.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CostFigures {
    /// Blocks of all rounds.
    pub ops: u64,
    /// By second.
    pub per_second: Spread,
    /// By second of the server's processor time; nothing if that was too little to be seen.
    pub per_cpu_second: Option<Spread>,
    /// Half of the answers took less, in microseconds.
    pub p50_us: Spread,
    /// 99 of 100 took less, in microseconds.
    pub p99_us: Spread,
    /// Round trips by block.
    pub round_trips: Spread,
    /// Bytes that the client has sent by block.
    pub bytes_sent: Spread,
    /// Bytes that it has got by block.
    pub bytes_received: Spread,
}

impl StateReport {
    pub(super) fn new(
        settings: &Settings,
        found: Found,
        versions: Vec<String>,
        seen: Seen,
        took: Duration,
    ) -> Self {
        let mut tables: Vec<CostTable> = Vec::new();
        for (Cell { task, side, way }, played) in found.cells {
            let (figures, refused) = match played {
                Ok(samples) => (CostFigures::of(&samples), None),
                Err(why) => (None, Some(why)),
            };
            let row = CostRow { side, way, figures, refused };
            match tables.iter_mut().find(|table| table.task == task) {
                Some(table) => table.rows.push(row),
                None => tables.push(CostTable { task, rows: vec![row] }),
            }
        }
        let is_asked = |side: &Side| side.peer().is_none_or(|peer| settings.peers.contains(&peer));
        let sides = Side::ALL.into_iter().filter(is_asked);
        let notes = NOTES.iter().map(|note| (*note).to_owned());
        let settings_of = sides.map(|side| format!("{}: {}.", side.name(), side.setting()));
        let mut report = Self {
            schema: SCHEMA.to_owned(),
            command: settings.command.clone(),
            environment: seen.environment,
            opt_level: env!("PALCO_LOAD_OPT_LEVEL").to_owned(),
            grade: seen.grade,
            remarks: seen.remarks,
            versions,
            rounds: settings.rounds.max(1),
            seed: settings.seed,
            cell_seconds: settings.lasts.as_secs_f64(),
            seconds: took.as_secs_f64(),
            tables,
            ahead: found.ahead,
            memory: found.memory,
            recovery: found.recovery,
            stale: found.stale,
            terms: found.terms,
            targets: Vec::new(),
            notes: notes.chain(settings_of).collect(),
        };
        report.targets = targets::all(&report);
        report
    }

    /// The JSON form.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("numbers and text alone")
    }
}

impl CostFigures {
    /// Nothing of no rounds.
    fn of(samples: &[Sample]) -> Option<Self> {
        let spread = |of: fn(&Sample) -> f64| Spread::of(samples.iter().map(of));
        let by_cpu = samples.iter().filter(|sample| sample.cpu_seconds > 0.0);
        Some(Self {
            ops: samples.iter().map(|sample| sample.ops).sum(),
            per_second: spread(|sample| sample.ops as f64 / sample.seconds)?,
            per_cpu_second: Spread::of(by_cpu.map(|of| of.ops as f64 / of.cpu_seconds)),
            p50_us: spread(|sample| sample.p50_nanos as f64 / 1e3)?,
            p99_us: spread(|sample| sample.p99_nanos as f64 / 1e3)?,
            round_trips: spread(|of| of.tally.round_trips as f64 / of.ops.max(1) as f64)?,
            bytes_sent: spread(|of| of.tally.sent as f64 / of.ops.max(1) as f64)?,
            bytes_received: spread(|of| of.tally.received as f64 / of.ops.max(1) as f64)?,
        })
    }
}

#[cfg(test)]
mod tests;
