//! What a run has found: for programs as JSON, for people as Markdown or a table.

mod figure;
mod page;
mod text;

pub(crate) use figure::{micros, number};
pub(crate) use page::{Escaped, document, list, page, table};
pub(crate) use text::{
    Facts, Section, aligned, facts_of, markdown, markdown_list, markdown_table, plain, ranged,
    spread,
};

use serde::{Deserialize, Serialize};

use crate::actors::{Contestant, Question, Refusal, Round};
use crate::machine::Machine;
use crate::stats::{Samples, Spread, middle};

/// Name and version of the JSON form. The number grows when a field changes its meaning or goes.
pub const SCHEMA: &str = "palco-bench-actors/1";

/// What a reader must know to read the figures rightly.
pub(crate) const NOTES: &[&str] = &[
    "Every handler adds a number to a count and replies with the count; every reply is verified, and a contestant that \
     gets one wrong has no figures.",
    "Rounds are interleaved and each starts from nothing: new threads, new runtimes, then a warm-up of a tenth.",
    "p50, p99 and max are over all samples of all rounds; a sample is as many operations as its row says, divided by \
     them. Best and median are whole rounds: wall time by operations.",
    "A ratio is that of the p50s of the same round; its median and range are over the rounds. Below 1 is faster than \
     the baseline.",
    "CPU is user and system time of the whole process while the samples were taken, so it includes both sides and \
     whatever spins.",
    "Where an actor is in a process, CPU is that of this process and of all that descend from it: its own clock, the \
     reaped children's (RUSAGE_CHILDREN), the living ones' clocks. `confined`: rlimits, Landlock, seccomp, as always.",
    "Where threads are not pinned, `other thread` is wherever the kernel put it, often the asker's own core: then CPU \
     and wall time are alike. On another core it must be woken, or found spinning.",
    "palco: supervised, observed, every ask with a deadline. The peers' asks have none, and nobody supervises their \
     actors.",
    "Peers' features: actix none, kameo none (no tracing, no metrics), ractor tokio_runtime alone (no propagation of \
     spans). tokio runtimes have one thread and all drivers on, as actix's arbiters have.",
    "A burst of tells fits the mailbox unless its row says that senders wait; it ends with one ask, whose time is \
     included.",
    "Memory is the growth of the resident set, after one message to each actor.",
];

/// One run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Report {
    /// [`SCHEMA`] of the writer.
    pub schema: String,
    /// What it ran on.
    pub machine: Machine,
    /// Rounds of every row.
    pub rounds: usize,
    /// The timed questions.
    pub tables: Vec<Table>,
    /// Memory of idle actors.
    pub memory: Vec<MemoryRow>,
    /// How to read the figures.
    pub notes: Vec<String>,
}

/// The answers to one question.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Table {
    /// The question.
    pub question: Question,
    /// Name of the row that the others are compared with.
    pub baseline: Option<String>,
    /// The contestants.
    pub rows: Vec<Row>,
}

/// One contestant.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Row {
    /// Its name.
    pub name: String,
    /// Where asker and actor ran, and what bounds the mailbox.
    pub setting: String,
    /// What was measured, unless the row was refused.
    pub figures: Option<Figures>,
    /// Why there are no figures.
    pub refused: Option<String>,
}

/// Times in nanoseconds per operation.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Figures {
    /// Operations timed in all rounds.
    pub ops: u64,
    /// Operations timed together.
    pub ops_per_sample: u64,
    /// Half of the samples took less.
    pub p50_ns: f64,
    /// 99 of 100 samples took less.
    pub p99_ns: f64,
    /// The slowest sample.
    pub max_ns: f64,
    /// The best whole round.
    pub best_ns: f64,
    /// The median whole round.
    pub median_ns: f64,
    /// Processor time of the process, median of the rounds.
    pub cpu_ns: f64,
    /// p50 by the baseline's p50, paired by round.
    pub ratio: Option<Spread>,
    /// Wall time by the baseline's, paired by round; the outliers are in it.
    pub ratio_wall: Option<Spread>,
    /// Processor time by the baseline's, paired by round.
    pub ratio_cpu: Option<Spread>,
    /// p50 of each round, in order.
    pub rounds_p50_ns: Vec<f64>,
}

/// Memory of one contestant's idle actors.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MemoryRow {
    /// The question.
    pub question: Question,
    /// The contestant.
    pub name: String,
    /// What the actors were.
    pub setting: String,
    /// How many were kept at once.
    pub actors: usize,
    /// Growth of the resident set by actor.
    pub bytes_per_actor: Option<u64>,
    /// Why there is no figure.
    pub refused: Option<String>,
}

impl Report {
    /// The JSON form.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("numbers and text alone")
    }
}

impl Table {
    /// One table for each question that was asked.
    pub(crate) fn all(
        contestants: &[Contestant],
        played: &[Result<Vec<Round>, Refusal>],
    ) -> Vec<Self> {
        let tables = Question::ALL.into_iter().map(|question| {
            let of_question: Vec<_> =
                contestants.iter().zip(played).filter(|(c, _)| c.question == question).collect();
            Self::new(question, &of_question)
        });
        tables.filter(|table| !table.rows.is_empty()).collect()
    }

    fn new(question: Question, played: &[(&Contestant, &Result<Vec<Round>, Refusal>)]) -> Self {
        // Without peers there is no marked baseline: then the first bare row is.
        let baseline = played
            .iter()
            .find(|(contestant, _)| contestant.is_baseline)
            .or_else(|| played.iter().find(|(contestant, _)| contestant.name.starts_with("bare")));
        let rounds = baseline.and_then(|(_, rounds)| rounds.as_ref().ok());
        let rows = played.iter().map(|(contestant, outcome)| {
            let (figures, refused) = match outcome {
                Ok(own) => (Some(Figures::new(own, rounds)), None),
                Err(refusal) => (None, Some(refusal.to_string())),
            };
            let (name, setting) = (contestant.name.to_owned(), contestant.setting.to_owned());
            Row { name, setting, figures, refused }
        });
        let baseline = baseline.map(|(contestant, _)| contestant.name.to_owned());
        Self { question, baseline, rows: rows.collect() }
    }
}

impl Figures {
    pub(crate) fn new(rounds: &[Round], baseline: Option<&Vec<Round>>) -> Self {
        let ops_per_sample = rounds.first().map_or(1, |round| round.ops_per_sample);
        let mut samples = Samples::new(ops_per_sample);
        for round in rounds {
            samples.add(&round.samples);
        }
        let wall = Spread::of(walls(rounds));
        let ratio = |of: fn(&[Round]) -> Vec<f64>| {
            Spread::of_ratios(&of(rounds), &of(baseline.map_or(&[], Vec::as_slice)))
        };
        Self {
            ops: rounds.iter().map(|round| round.ops).sum(),
            ops_per_sample,
            p50_ns: samples.quantile(0.5),
            p99_ns: samples.quantile(0.99),
            max_ns: samples.quantile(1.0),
            best_ns: wall.map_or(0.0, |wall| wall.min),
            median_ns: wall.map_or(0.0, |wall| wall.median),
            cpu_ns: Spread::of(cpus(rounds)).map_or(0.0, |cpu| cpu.median),
            ratio: ratio(p50s),
            ratio_wall: ratio(walls),
            ratio_cpu: ratio(cpus),
            rounds_p50_ns: p50s(rounds),
        }
    }
}

fn p50s(rounds: &[Round]) -> Vec<f64> {
    let p50 = |round: &Round| per_op(middle(&mut round.samples.clone()), round.ops_per_sample);
    rounds.iter().map(p50).collect()
}

fn walls(rounds: &[Round]) -> Vec<f64> {
    rounds.iter().map(|round| per_op(round.wall_nanos, round.ops)).collect()
}

fn cpus(rounds: &[Round]) -> Vec<f64> {
    rounds.iter().map(|round| per_op(round.cpu_nanos, round.ops)).collect()
}

fn per_op(nanos: u64, ops: u64) -> f64 {
    nanos as f64 / ops.max(1) as f64
}

#[cfg(test)]
mod tests;
