//! What the run has found: what is lost while somebody looks.

use std::fmt::Write;

use serde::{Deserialize, Serialize};

use super::looking::{Mode, Seen};
use super::workload::{Turn, Workload};
use super::{Played, Settings};
use crate::machine::Machine;
use crate::report::{Figures, aligned};
use crate::stats::{Samples, Spread};

/// Name and version of the JSON form.
const SCHEMA: &str = "palco-bench-observe/1";

/// What a reader must know to read the figures rightly.
const NOTES: &[&str] = &[
    "off: there is no observer. attached: there is one, and nobody who looks: messages are counted by type, and who waits \
     for whom is known. watched: a subscriber on a thread of its own writes every update as JSON, four times a second, as \
     a dashboard sends it, and once in each window a whole snapshot; of all tokens and asks every sixteenth is followed. \
     captured: that, and captures of everything, a quarter of a second each, one after the other, written as JSON too.",
    "A turn is one mode with a new system: warm-up, then the window. Turns are interleaved in an order that is rotated. It \
     ends with the account: tokens and messages agree, so do the system's counters, its ledger is balanced, nothing was \
     dropped; and who looks must have seen something. A turn that does not add up has no figures.",
    "The loss is that of messages handled (of asks, under Asks) against `off` of the same round: median, and range over \
     the rounds. Below 0 more were handled; how far a loss is from 0 in both directions tells how much of it is noise. \
     The target: watched loses less than 5 % of the paced messages.",
    "A token makes ten messages, then another one begins something new, as a request does; so every tenth message goes to \
     another loop, if there is one. Paced: an actor on each loop sends every 10 ms what is due, and gives up what is more \
     than 50 ms late. Where there are several loops, each stays on its own core; who looks runs where the kernel puts it.",
    "p50 is over all asks of all rounds, p99 the median of the rounds with its range. Under Paced they are those of a \
     thread that asks one actor after the other, one a millisecond, so they include a thread's waking.",
    "CPU an operation is user and system time of the whole process by the operations, median of the rounds, with the \
     ratio to `off` of the same round; CPU and looking are shares of one core, looking that of the observer's thread and \
     of those that write JSON. CPU has looking in it.",
    "seen: updates, actors in them, snapshots, captures, messages in them, and MiB of JSON, of all rounds and with \
     warm-ups.",
];

const HEAD: [&str; 11] = [
    "",
    "a second",
    "loss % (range)",
    "ns",
    "p50 µs",
    "p99 µs (range)",
    "CPU ns",
    "CPU ratio (range)",
    "CPU %",
    "looking %",
    "seen",
];

/// One run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ObserveReport {
    /// Name and version of this form.
    pub schema: String,
    /// What it ran on.
    pub machine: Machine,
    /// Rounds of every row.
    pub rounds: usize,
    /// How long each turn was measured, in milliseconds.
    pub window_ms: u64,
    /// One for each workload.
    pub tables: Vec<ObserveTable>,
    /// How to read the figures.
    pub notes: Vec<String>,
}

/// All modes with one workload.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ObserveTable {
    /// What the actors did.
    pub workload: Workload,
    /// The same in a sentence.
    pub title: String,
    /// The modes.
    pub rows: Vec<ObserveRow>,
}

/// One mode.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ObserveRow {
    /// Who looked.
    pub mode: Mode,
    /// Times by operation, and of the asks that were timed; unless the row was refused.
    pub figures: Option<Figures>,
    /// Operations a second.
    pub per_second: Option<Spread>,
    /// How many of them were lost against nobody looking, in percent, paired by round.
    pub loss: Option<Spread>,
    /// p99 of the timed asks of each round, in nanoseconds.
    pub p99_ns: Option<Spread>,
    /// Processor time of the process, in percent of one core.
    pub cpu_percent: Option<Spread>,
    /// That of the threads that look; part of the process's.
    pub looking_percent: Option<Spread>,
    /// What was seen in all rounds.
    pub seen: Seen,
    /// Why there are no figures.
    pub refused: Option<String>,
}

impl ObserveReport {
    pub(super) fn new(
        machine: Machine,
        settings: &Settings,
        played: impl IntoIterator<Item = (Workload, Played)>,
    ) -> Self {
        let tables = played.into_iter().map(|(workload, played)| {
            let baseline = played.first().and_then(|off| off.as_ref().ok());
            let rows = Mode::ALL.into_iter().zip(&played).map(|(mode, outcome)| match outcome {
                Ok(turns) => ObserveRow::new(mode, turns, baseline),
                Err(refusal) => ObserveRow::refused(mode, refusal.to_string()),
            });
            ObserveTable { workload, title: workload.title(settings), rows: rows.collect() }
        });
        Self {
            schema: SCHEMA.to_owned(),
            machine,
            rounds: settings.rounds.max(1),
            window_ms: u64::try_from(settings.window.as_millis()).unwrap_or(u64::MAX),
            tables: tables.collect(),
            notes: NOTES.iter().map(|note| (*note).to_owned()).collect(),
        }
    }

    /// The JSON form.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("numbers and text alone")
    }

    /// As a Markdown page.
    #[must_use]
    pub fn to_markdown(&self) -> String {
        let mut text = String::from("# Being looked at\n\n");
        for (name, value) in self.facts() {
            let _ = writeln!(text, "* {name}: {value}");
        }
        for table in &self.tables {
            let _ = writeln!(text, "\n## {}\n\n| {} |", table.title, HEAD.join(" | "));
            let _ = writeln!(text, "|{}", "---|".repeat(HEAD.len()));
            for row in &table.rows {
                let _ = writeln!(text, "| {} |", cells(row).join(" | "));
            }
        }
        let _ = writeln!(text, "\n## How to read it\n");
        for note in &self.notes {
            let _ = writeln!(text, "* {note}");
        }
        text
    }

    /// For a terminal.
    #[must_use]
    pub fn to_table(&self) -> String {
        let mut text = String::new();
        for (name, value) in self.facts() {
            let _ = writeln!(text, "{name}: {value}");
        }
        for table in &self.tables {
            let rows: Vec<_> = table.rows.iter().map(cells).collect();
            let _ = writeln!(text, "\n{}", table.title);
            text.push_str(&aligned(&HEAD.map(str::to_owned), &rows));
        }
        text
    }

    fn facts(&self) -> Vec<(&'static str, String)> {
        let mut facts = self.machine.facts();
        facts.push(("Rounds", format!("{} of {} ms, interleaved", self.rounds, self.window_ms)));
        facts
    }
}

impl ObserveRow {
    fn new(mode: Mode, turns: &[Turn], baseline: Option<&Vec<Turn>>) -> Self {
        let rounds =
            |turns: &[Turn]| turns.iter().map(|turn| turn.round.clone()).collect::<Vec<_>>();
        let figures = Figures::new(&rounds(turns), baseline.map(|off| rounds(off)).as_ref());
        let percent = |nanos: fn(&Turn) -> u64| {
            let share =
                |turn: &Turn| nanos(turn) as f64 * 100.0 / turn.round.wall_nanos.max(1) as f64;
            Spread::of(turns.iter().map(share))
        };
        let mut seen = Seen::default();
        for turn in turns {
            seen.add(&turn.seen);
        }
        Self {
            mode,
            per_second: Spread::of(turns.iter().map(per_second)),
            loss: figures.ratio_wall.map(|slower| Spread {
                median: loss(slower.median),
                min: loss(slower.min),
                max: loss(slower.max),
            }),
            p99_ns: Spread::of(turns.iter().filter_map(p99)),
            cpu_percent: percent(|turn| turn.round.cpu_nanos),
            looking_percent: percent(|turn| turn.looking_nanos),
            figures: Some(figures),
            seen,
            refused: None,
        }
    }

    fn refused(mode: Mode, why: String) -> Self {
        Self {
            mode,
            figures: None,
            per_second: None,
            loss: None,
            p99_ns: None,
            cpu_percent: None,
            looking_percent: None,
            seen: Seen::default(),
            refused: Some(why),
        }
    }
}

/// What takes so many times as long is done so many percent less often.
fn loss(slower: f64) -> f64 {
    (1.0 - 1.0 / slower) * 100.0
}

fn per_second(turn: &Turn) -> f64 {
    turn.round.ops as f64 * 1e9 / turn.round.wall_nanos.max(1) as f64
}

fn p99(turn: &Turn) -> Option<f64> {
    let mut samples = Samples::new(1);
    samples.add(&turn.round.samples);
    (!turn.round.samples.is_empty()).then(|| samples.quantile(0.99))
}

fn cells(row: &ObserveRow) -> Vec<String> {
    let name = row.mode.name().to_owned();
    let Some(figures) = &row.figures else {
        let mut cells = vec![name, "refused".to_owned()];
        cells.resize(HEAD.len() - 1, String::new());
        cells.push(row.refused.clone().unwrap_or_default());
        return cells;
    };
    let with_range = |spread: Option<Spread>, by: f64, digits: usize| {
        spread.map_or(String::new(), |Spread { median, min, max }| {
            let [median, min, max] = [median, min, max].map(|value| value / by);
            format!("{median:.digits$} ({min:.digits$}–{max:.digits$})")
        })
    };
    let middle =
        |spread: Option<Spread>| spread.map_or(String::new(), |it| format!("{:.1}", it.median));
    let timed = row.p99_ns.map_or(String::new(), |_| format!("{:.2}", figures.p50_ns / 1e3));
    vec![
        name,
        row.per_second.map_or(String::new(), |spread| format!("{:.0}", spread.median)),
        with_range(row.loss, 1.0, 1),
        format!("{:.0}", figures.median_ns),
        timed,
        with_range(row.p99_ns, 1e3, 1),
        format!("{:.0}", figures.cpu_ns),
        with_range(figures.ratio_cpu, 1.0, 2),
        middle(row.cpu_percent),
        middle(row.looking_percent),
        seen(&row.seen),
    ]
}

fn seen(seen: &Seen) -> String {
    let Seen { deltas, changed, lost, snapshots, captures, captured, not_captured, json_bytes } =
        *seen;
    if deltas == 0 {
        return "nothing".to_owned();
    }
    let mut text = format!("{deltas} updates of {changed} actors, {snapshots} snapshots");
    if lost > 0 {
        let _ = write!(text, ", {lost} updates missed");
    }
    if captures > 0 {
        let _ = write!(text, ", {captures} captures of {captured} messages");
    }
    if not_captured > 0 {
        let _ = write!(text, " and no room for {not_captured}");
    }
    let _ = write!(text, ", {:.1} MiB", json_bytes as f64 / f64::from(1 << 20));
    text
}

#[cfg(test)]
mod tests;
