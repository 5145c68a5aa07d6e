//! What the echo run has found.

use std::fmt::Write;

use serde::{Deserialize, Serialize};

use super::Contestant;
use super::client::Sample;
use crate::machine::Machine;
use crate::stats::{Samples, Spread};

/// Name and version of the JSON form.
const SCHEMA: &str = "palco-bench-echo/1";

/// What a reader must know to read the figures rightly.
const NOTES: &[&str] = &[
    "`std` and `C` rows are the floor: the same design with std's or libc's calls alone, and nothing observed, limited, \
     supervised, confined or interruptible.",
    "Server CPU is the median over the rounds; its ratio is paired by round.",
    "It is the processor time of this process without the client's thread, of its reaped children (RUSAGE_CHILDREN), and \
     of its living descendants (their clocks, clock_getcpuclockid), read when no process comes or goes any more. What \
     the forking C server has reaped it is asked itself.",
];

/// One run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EchoReport {
    /// Name and version of this form.
    pub schema: String,
    /// What it ran on.
    pub machine: Machine,
    /// Rounds of every row.
    pub rounds: usize,
    /// The servers, the plain ones first.
    pub rows: Vec<EchoRow>,
    /// How to read the figures, and what is missing.
    pub notes: Vec<String>,
}

/// One server.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EchoRow {
    /// Its name.
    pub name: String,
    /// What it is.
    pub setting: String,
    /// The row it is compared with.
    pub baseline: String,
    /// Connect, 64 bytes there and back, reset.
    pub connection: Cost,
    /// 64 bytes there and back.
    pub round_trip: Cost,
}

/// What one operation costs, in microseconds.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Cost {
    /// Half took less, as the client saw it.
    pub p50_us: f64,
    /// 99 of 100 took less.
    pub p99_us: f64,
    /// The slowest.
    pub max_us: f64,
    /// Processor time of the server, over the rounds.
    pub server_cpu_us: Spread,
    /// That by the baseline's, paired by round.
    pub ratio: Spread,
}

impl EchoReport {
    pub(super) fn new(
        machine: Machine,
        rounds: usize,
        contestants: &[Contestant],
        missing: Vec<String>,
    ) -> Self {
        let row = |contestant: &Contestant| {
            let baseline = &contestants[contestant.baseline];
            EchoRow {
                name: contestant.name.clone(),
                setting: contestant.setting.to_owned(),
                baseline: baseline.name.clone(),
                connection: Cost::of(&contestant.connections, &baseline.connections),
                round_trip: Cost::of(&contestant.round_trips, &baseline.round_trips),
            }
        };
        let rows: Vec<_> = contestants.iter().map(row).collect();
        let mut notes: Vec<_> = NOTES.iter().map(|note| (*note).to_owned()).collect();
        notes.extend(compared(&rows));
        notes.extend(missing);
        Self { schema: SCHEMA.to_owned(), machine, rounds, rows, notes }
    }

    /// The JSON form.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("numbers and text alone")
    }

    /// As a Markdown page.
    #[must_use]
    pub fn to_markdown(&self) -> String {
        let mut text = String::from("# Echo servers side by side\n\n");
        for (name, value) in self.machine.facts() {
            let _ = writeln!(text, "* {name}: {value}");
        }
        let _ = writeln!(text, "* rounds: {}, interleaved\n", self.rounds);
        let _ = writeln!(text, "| {} |\n|{}", HEAD.join(" | "), "---|".repeat(HEAD.len()));
        for row in &self.rows {
            let _ = writeln!(text, "| {} |", row.cells().join(" | "));
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
        let rows: Vec<_> = self.rows.iter().map(|row| row.cells().to_vec()).collect();
        let head: Vec<_> = HEAD.map(str::to_owned).to_vec();
        let mut text = String::new();
        for (name, value) in self.machine.facts() {
            let _ = writeln!(text, "{name}: {value}");
        }
        text.push('\n');
        text.push_str(&crate::report::aligned(&head, &rows));
        for note in &self.notes {
            let _ = writeln!(text, "* {note}");
        }
        text
    }
}

/// One sentence for each row that others are compared with.
fn compared(rows: &[EchoRow]) -> impl Iterator<Item = String> {
    rows.iter().filter_map(|floor| {
        let others = rows.iter().filter(|row| row.baseline == floor.name && row.name != floor.name);
        let names: Vec<_> = others.map(|row| format!("`{}`", row.name)).collect();
        let compared = || format!("Compared with `{}`: {}.", floor.name, names.join(", "));
        (!names.is_empty()).then(compared)
    })
}

const HEAD: [&str; 8] = [
    "server",
    "connection: CPU µs",
    "ratio to bare (range)",
    "p50 / p99 µs",
    "round trip: CPU µs",
    "ratio to bare (range)",
    "p50 / p99 µs",
    "what",
];

impl EchoRow {
    fn cells(&self) -> [String; 8] {
        let cost = |cost: &Cost| {
            let Spread { median, min, max } = cost.ratio;
            [
                format!("{:.1}", cost.server_cpu_us.median),
                format!("{median:.2} ({min:.2}–{max:.2})"),
                format!("{:.1} / {:.1}", cost.p50_us, cost.p99_us),
            ]
        };
        let [[a, b, c], [d, e, f]] = [cost(&self.connection), cost(&self.round_trip)];
        [self.name.clone(), a, b, c, d, e, f, self.setting.clone()]
    }
}

impl Cost {
    fn of(samples: &[Sample], baseline: &[Sample]) -> Self {
        let mut all = Samples::new(1);
        for sample in samples {
            all.add(&sample.nanos);
        }
        let cpu = |samples: &[Sample]| -> Vec<f64> {
            let each = |sample: &Sample| {
                sample.server_cpu_nanos as f64 / 1e3 / sample.nanos.len().max(1) as f64
            };
            samples.iter().map(each).collect()
        };
        let none = Spread { median: 0.0, min: 0.0, max: 0.0 };
        Self {
            p50_us: all.quantile(0.5) / 1e3,
            p99_us: all.quantile(0.99) / 1e3,
            max_us: all.quantile(1.0) / 1e3,
            server_cpu_us: Spread::of(cpu(samples)).unwrap_or(none),
            ratio: Spread::of_ratios(&cpu(samples), &cpu(baseline)).unwrap_or(none),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, baseline: &str) -> EchoRow {
        let of_rounds = [2.0, 4.0, 3.0];
        let spread = Spread::of(of_rounds).unwrap();
        let cost =
            Cost { p50_us: 1.0, p99_us: 2.0, max_us: 3.0, server_cpu_us: spread, ratio: spread };
        EchoRow {
            name: name.to_owned(),
            setting: "what it is".to_owned(),
            baseline: baseline.to_owned(),
            connection: cost.clone(),
            round_trip: cost,
        }
    }

    fn report() -> EchoReport {
        let rows = vec![row("std", "std"), row("C", "C"), row("a", "std"), row("b", "std")];
        let mut notes: Vec<_> = compared(&rows).collect();
        notes.push("There is no row `D`.".to_owned());
        let machine = Machine::default();
        EchoReport { schema: SCHEMA.to_owned(), machine, rounds: 3, rows, notes }
    }

    #[test]
    fn it_is_said_who_is_compared_with_whom() {
        let notes = report().notes;
        assert_eq!(notes, ["Compared with `std`: `a`, `b`.", "There is no row `D`."]);
    }

    #[test]
    fn what_is_missing_is_said_in_every_form() {
        let report = report();
        for text in [report.to_json(), report.to_markdown(), report.to_table()] {
            assert!(text.contains("There is no row `D`."), "{text}");
        }
    }

    #[test]
    fn a_row_has_a_cell_for_each_of_the_head() {
        let text = report().to_markdown();
        let rows: Vec<&str> = text.lines().filter(|line| line.starts_with('|')).collect();
        assert_eq!(rows.len(), 2 + 4);
        assert!(rows.iter().all(|row| row.matches('|').count() == HEAD.len() + 1), "{text}");
        assert!(text.contains("3.0 | 3.00 (2.00–4.00) | 1.0 / 2.0"), "{text}");
    }
}
