//! A report for people who read text, and for programs that read tables.

use std::fmt::Write;

use super::words::{percent, short};
use super::{ControlRow, Ranking, ServersReport, ServersRow, ServersTable};
use crate::report::{Facts, Section, facts_of, markdown_list, markdown_table, number, plain};
use crate::servers::contestant::{Dialect, Origin};
use crate::servers::workload::Measure;
use crate::stats::Spread;

pub(super) const TITLE: &str = "Servers side by side";

/// Where there is no figure.
const NOTHING: &str = "–";

const CONTROL: [&str; 8] = [
    "",
    "CPU µs/connection",
    "process control µs",
    "C's process control µs",
    "CPU by C's",
    "target",
    "round trip CPU by C's",
    "C program of the design",
];

const CSV: [&str; 8] =
    ["workload", "dialect", "contestant", "origin", "measure", "round", "value", "refused"];

impl ServersReport {
    /// Tables for a terminal, and below them what follows; without the notes.
    #[must_use]
    pub fn to_table(&self) -> String {
        let mut text = plain(&self.facts(), &self.sections());
        for (title, sentences) in self.lists() {
            let _ = writeln!(text, "\n{title}");
            for sentence in sentences {
                let _ = writeln!(text, "  * {sentence}");
            }
        }
        text
    }

    /// Tables, sentences and notes as Markdown.
    #[must_use]
    pub fn to_markdown(&self) -> String {
        let mut text = format!("# {TITLE}\n");
        let facts = self.facts().into_iter().map(|(name, value)| format!("{name}: {value}"));
        let (lists, sections) = (self.lists(), self.sections());
        for (title, sentences) in lists.iter().rev() {
            markdown_list(&mut text, title, sentences);
        }
        markdown_table(&mut text, &self.choices());
        sections.iter().for_each(|section| markdown_table(&mut text, section));
        markdown_list(&mut text, "The run", facts);
        markdown_list(&mut text, "How to read it", &self.notes);
        text
    }

    /// One line for each round of each measure of each server under each workload, with a head; a server that was refused
    /// has one line, which says why. Separated by commas, quoted where needed (RFC 4180); an empty value is a round
    /// without one.
    #[must_use]
    pub fn to_csv(&self) -> String {
        let mut text = CSV.join(",") + "\n";
        for table in &self.tables {
            for row in &table.rows {
                let origin = self.contestant(&row.contestant).map(|one| code(&one.origin));
                let mut line = |measure: &str, round: &str, value: &str| {
                    let cells = [
                        table.workload.name(),
                        &code(&table.dialect),
                        &row.contestant,
                        origin.as_deref().unwrap_or_default(),
                        measure,
                        round,
                        value,
                        row.refused.as_deref().unwrap_or_default(),
                    ];
                    let _ = writeln!(text, "{}", cells.map(quoted).join(","));
                };
                if row.refused.is_some() {
                    line("", "", "");
                }
                for (measure, rounds) in &row.measured {
                    for (round, value) in rounds.iter().enumerate() {
                        let value =
                            if value.is_finite() { value.to_string() } else { String::new() };
                        line(&code(measure), &(round + 1).to_string(), &value);
                    }
                }
            }
        }
        text
    }

    /// What is known about the run.
    pub(super) fn facts(&self) -> Facts {
        let rounds = format!(
            "{} of {} s at a fixed rate for each server and workload, order from seed {}; {:.0} s in all",
            self.rounds, self.turn_seconds, self.seed, self.seconds
        );
        let mut facts = facts_of(&self.environment, &self.opt_level);
        facts.extend([
            ("Rounds", rounds),
            ("Processor time", self.accounting.clone()),
            ("Grade of the machine", format!("{:?}", self.grade)),
        ]);
        facts.extend(self.remarks.iter().map(|remark| ("Remark", remark.clone())));
        facts.retain(|(_, value)| !value.is_empty());
        facts
    }

    /// Sentences with their titles, the most important last: there a terminal ends.
    fn lists(&self) -> Vec<(&'static str, Vec<String>)> {
        let reversals = self
            .reversals
            .iter()
            .map(|of| format!("{}, tau {:.2}: {}", of.dialect.name(), of.tau, of.sentence));
        let rankings = self
            .rankings
            .iter()
            .map(|of| format!("{} ({}): {}", of.workload.title(), of.dialect.name(), of.sentence));
        let mut lists = vec![
            ("Where the ranking reverses", reversals.collect::<Vec<_>>()),
            ("Which architecture for which work", rankings.collect()),
            ("What this run says", self.summary()),
        ];
        lists.retain(|(_, sentences)| !sentences.is_empty());
        lists
    }

    pub(super) fn sections(&self) -> Vec<Section> {
        let mut sections = vec![self.control_section()];
        sections.extend(Dialect::ALL.map(|dialect| self.places(dialect)));
        sections.extend(self.tables.iter().map(|table| self.measures(table)));
        sections.retain(|section| !section.rows.is_empty());
        sections
    }

    pub(super) fn control_section(&self) -> Section {
        let ordered = self.ordered(Dialect::Plain);
        let rows = ordered.iter().filter_map(|one| {
            let row = self.control.iter().find(|row| row.contestant == one.name)?;
            let floor = one.floor.as_deref().unwrap_or_default();
            let of_floor = self.control.iter().find(|row| row.contestant == floor);
            let target = row.meets()[0].filter(|_| one.origin == Origin::Palco);
            Some(control_cells(row, of_floor, floor, target))
        });
        section("Process control: what a connection costs", &CONTROL, rows)
    }

    /// The place of each server under each workload.
    pub(super) fn places(&self, dialect: Dialect) -> Section {
        let rankings: Vec<&Ranking> =
            self.rankings.iter().filter(|of| of.dialect == dialect).collect();
        let works = rankings.iter().map(|of| of.workload.name());
        let head: Vec<&str> = std::iter::once("").chain(works).chain(["design"]).collect();
        let ordered = self.ordered(dialect);
        let rows = ordered.iter().map(|one| {
            let places = rankings.iter().map(|of| self.place(of, &one.name));
            let name = std::iter::once(one.name.clone());
            name.chain(places).chain([one.classic.clone()]).collect::<Vec<_>>()
        });
        let rows: Vec<_> = if rankings.is_empty() { Vec::new() } else { rows.collect() };
        section(&format!("Places by work ({})", dialect.name()), &head, rows.into_iter())
    }

    /// `1`, `fails`, or nothing.
    fn place(&self, ranking: &Ranking, name: &str) -> String {
        if let Some(place) = ranking.place(name) {
            return place.to_string();
        }
        let has_failed = ranking.failed.iter().any(|(failed, _)| failed == name);
        if has_failed { "fails" } else { NOTHING }.to_owned()
    }

    /// Every measure of a table, in the order of the families.
    pub(super) fn measures(&self, table: &ServersTable) -> Section {
        let measured =
            |measure: &Measure| table.rows.iter().any(|row| row.measured.contains_key(measure));
        let measures: Vec<Measure> = Measure::ALL.into_iter().filter(measured).collect();
        let titles = measures.iter().map(|measure| measure.title());
        let head: Vec<&str> = std::iter::once("").chain(titles).chain(["remark"]).collect();
        let ordered = self.ordered(table.dialect);
        let known = ordered.iter().filter_map(|one| table.row(&one.name));
        let unknown =
            table.rows.iter().filter(|row| !ordered.iter().any(|one| one.name == row.contestant));
        let rows = known.chain(unknown).map(|row| measure_cells(row, &measures));
        section(&title_of(table), &head, rows)
    }

    /// Response times of all rounds together.
    pub(super) fn percentiles(&self, table: &ServersTable) -> Section {
        const SHOWN: [(f64, &str); 6] = [
            (0.5, "p50"),
            (0.9, "p90"),
            (0.99, "p99"),
            (0.999, "p99.9"),
            (0.9999, "p99.99"),
            (1.0, "max"),
        ];
        let ordered = self.ordered(table.dialect);
        let rows = ordered.iter().filter_map(|one| {
            let row = table.row(&one.name).filter(|row| !row.response_us.is_empty())?;
            let at = |q: f64| row.response_us.iter().find(|(quantile, _)| *quantile >= q);
            let times = SHOWN.map(|(q, _)| {
                at(q).map_or(NOTHING.to_owned(), |(_, micros)| short(Measure::P50, *micros))
            });
            Some(std::iter::once(one.name.clone()).chain(times).collect::<Vec<_>>())
        });
        let names = SHOWN.map(|(_, name)| name);
        let head: Vec<&str> = std::iter::once("").chain(names).collect();
        section(&title_of(table), &head, rows)
    }
}

/// Work, dialect, and the rate that was due.
pub(super) fn title_of(table: &ServersTable) -> String {
    let rate = table.rate_per_s.map(|rate| format!(", {} requests/s due", number(rate)));
    format!("{} ({}{})", table.workload.title(), table.dialect.name(), rate.unwrap_or_default())
}

fn section(title: &str, head: &[&str], rows: impl Iterator<Item = Vec<String>>) -> Section {
    let head = head.iter().map(|name| (*name).to_owned()).collect();
    Section { title: title.to_owned(), head, rows: rows.collect() }
}

fn control_cells(
    row: &ControlRow,
    of_floor: Option<&ControlRow>,
    floor: &str,
    target: Option<bool>,
) -> Vec<String> {
    let control = |row: &ControlRow| row.control_us.map(|control| number(control.median));
    vec![
        row.contestant.clone(),
        ranged(Some(row.cpu_us)),
        ranged(row.control_us),
        of_floor.and_then(control).unwrap_or_else(|| NOTHING.to_owned()),
        ranged(row.by_floor),
        target.map_or(NOTHING, verdict).to_owned(),
        ranged(row.trip_by_floor),
        if floor.is_empty() { NOTHING.to_owned() } else { floor.to_owned() },
    ]
}

/// As tables show whether the target is met.
pub(super) const fn verdict(is_met: bool) -> &'static str {
    if is_met { "met" } else { "NOT MET" }
}

fn measure_cells(row: &ServersRow, measures: &[Measure]) -> Vec<String> {
    let figures = measures.iter().map(|measure| {
        let is_share = matches!(measure, Measure::Answered | Measure::Lost);
        let show = if is_share { percent } else { number };
        ranged_as(row.spread(*measure), show)
    });
    let why = row.refused.iter().map(|why| format!("not measured: {why}"));
    let remarks: Vec<String> = why.chain(row.remarks.iter().cloned()).collect();
    let name = std::iter::once(row.contestant.clone());
    name.chain(figures).chain([remarks.join("; ")]).collect()
}

/// Median and range; a dash of nothing.
fn ranged(spread: Option<Spread>) -> String {
    ranged_as(spread, number)
}

fn ranged_as(spread: Option<Spread>, show: fn(f64) -> String) -> String {
    let Some(Spread { median, min, max }) = spread else { return NOTHING.to_owned() };
    let [median, min, max] = [median, min, max].map(show);
    if min == max { median } else { format!("{median} ({min}–{max})") }
}

/// As JSON names it.
fn code(value: &impl serde::Serialize) -> String {
    let value = serde_json::to_value(value).unwrap_or_default();
    value.as_str().unwrap_or_default().to_owned()
}

fn quoted(cell: &str) -> String {
    if cell.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_owned()
    }
}

/// As the page and its pictures call who made a server.
pub(super) const fn class(origin: Origin) -> &'static str {
    match origin {
        Origin::Palco => "palco",
        Origin::C => "floor",
        Origin::Peer => "peer",
    }
}
