//! A section as a table of text: the same cells in a terminal, in Markdown and on the page.

use super::units::{Measure, NONE, bandwidth, plain, ratio_estimate};
use super::words::{clean, details, grouped, operation, place, whole};
use crate::report::{Comparison, Estimate, Report, Row};
use crate::{Section, Unit};

/// A section's rows, ready to be written down.
#[derive(Debug)]
pub(crate) struct Table {
    /// Columns beside unit, mechanism and place.
    pub(crate) head: Vec<String>,
    /// Whether the last column says how many rounds count.
    pub(crate) counts_rounds: bool,
    /// What counts.
    pub(crate) lines: Vec<Line>,
    /// What does not, and why.
    pub(crate) refused: Vec<Refused>,
    /// What ratios refer to, and by which letter.
    pub(crate) footnotes: Vec<String>,
}

/// One row with an estimate.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) unit: Unit,
    pub(crate) mechanism: String,
    /// Size, pattern, ring, message: whatever the row has.
    pub(crate) details: String,
    pub(crate) place: &'static str,
    /// See [`grouped`].
    pub(crate) group: String,
    pub(crate) label: String,
    /// One for each of [`Table::head`].
    pub(crate) cells: Vec<String>,
}

/// One row without.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) what: String,
    pub(crate) why: String,
}

/// Heading of the column that says how many rounds count.
const ROUNDS: &str = "rounds";

/// A column: its heading, and what it says of a row.
type Column<'a> = (String, Box<dyn Fn(&Row) -> String + 'a>);

impl Table {
    /// Of a section that has rows.
    pub(crate) fn of(report: &Report, section: Section) -> Option<Self> {
        let (counting, refused): (Vec<&Row>, Vec<&Row>) =
            report.section(section).partition(|row| proven(row).is_some());
        if counting.is_empty() && refused.is_empty() {
            return None;
        }
        let baselines = baselines(report, section);
        let columns = columns(report, section, &baselines);
        let cells = |row: &Row| columns.iter().map(|(_, cell)| cell(row)).collect::<Vec<_>>();
        let mut lines: Vec<Line> = counting
            .into_iter()
            .map(|row| {
                let (group, label) = grouped(&row.key);
                Line {
                    unit: row.key.unit,
                    mechanism: clean(&row.key.mechanism),
                    details: details(&row.key).join(", "),
                    place: place(row.key.cores),
                    group,
                    label,
                    cells: cells(row),
                }
            })
            .collect();
        let mut head: Vec<String> = columns.iter().map(|(name, _)| name.clone()).collect();
        leave_out_empty(&mut head, &mut lines);
        Some(Self {
            counts_rounds: head.last().is_some_and(|name| name == ROUNDS),
            head,
            lines,
            refused: refused.into_iter().map(reason).collect(),
            footnotes: footnotes(report, &baselines),
        })
    }
}

/// The estimate of a row, if it is a number.
pub(crate) fn proven(row: &Row) -> Option<Estimate> {
    row.estimate.filter(|estimate| estimate.value.is_finite())
}

/// The value below which this share of the samples lies: as recorded, or between its neighbours.
pub(crate) fn quantile(row: &Row, share: f64) -> Option<f64> {
    let finite =
        |&(at, value): &(f64, f64)| (at.is_finite() && value.is_finite()).then_some((at, value));
    let known = || row.quantiles.iter().filter_map(finite);
    let (below, low) = known().rfind(|&(at, _)| at <= share + 1e-9)?;
    if (share - below).abs() < 1e-9 {
        return Some(low);
    }
    let (above, high) = known().find(|&(at, _)| at > share)?;
    Some(low + (high - low) * (share - below) / (above - below))
}

/// `38/40`: rounds that count, of all.
pub(crate) fn rounds(row: &Row) -> String {
    let valid = row.rounds.iter().filter(|round| round.invalid.is_none()).count();
    if row.rounds.is_empty() { String::new() } else { format!("{valid}/{}", row.rounds.len()) }
}

/// A comparison of this row with a baseline, if there is one.
fn compared<'a>(report: &'a Report, row: &Row) -> Option<&'a Comparison> {
    report.comparisons.iter().find(|comparison| comparison.subject == row.id)
}

/// What rows of a section are compared with, in the order in which they come.
fn baselines(report: &Report, section: Section) -> Vec<&str> {
    let mut found: Vec<&str> = Vec::new();
    for comparison in report.section(section).filter_map(|row| compared(report, row)) {
        if !found.contains(&comparison.baseline.as_str()) {
            found.push(&comparison.baseline);
        }
    }
    found
}

/// The letter of a baseline; nothing where there is only one, or no letter left.
fn letter(baselines: &[&str], baseline: &str) -> Option<char> {
    let at = baselines.iter().position(|&known| known == baseline)?;
    let letter = (b'a'..=b'z').nth(at)?;
    (baselines.len() > 1).then_some(char::from(letter))
}

fn footnotes(report: &Report, baselines: &[&str]) -> Vec<String> {
    let told = |&baseline: &&str| {
        let name = report.row(baseline).map_or_else(|| clean(baseline), |row| whole(&row.key));
        match letter(baselines, baseline) {
            Some(letter) => format!("{letter}: ratio to {name}"),
            None => format!("Ratio to {name}"),
        }
    };
    baselines.iter().map(told).collect()
}

fn ratio_cell(report: &Report, row: &Row, baselines: &[&str]) -> String {
    let Some(comparison) = compared(report, row) else {
        let own = baselines.contains(&row.id.as_str());
        let letter = letter(baselines, &row.id);
        return match (own, letter) {
            (false, _) => String::new(),
            (true, Some(letter)) => format!("1 = {letter}"),
            (true, None) => "1".to_owned(),
        };
    };
    let ratio = comparison.ratio.as_ref().map_or_else(|| NONE.to_owned(), ratio_estimate);
    match letter(baselines, &comparison.baseline) {
        Some(letter) => format!("{ratio} {letter}"),
        None => ratio,
    }
}

fn columns<'a>(report: &'a Report, section: Section, baselines: &'a [&str]) -> Vec<Column<'a>> {
    let measure = Measure::of(section);
    let op = operation(section);
    let estimate = move |name: &str| -> Column<'a> {
        (
            format!("{name} (95 % CI)"),
            Box::new(move |row| {
                proven(row).map_or(String::new(), |figure| measure.estimate(&figure))
            }),
        )
    };
    let tail = |name: &str, share: f64| -> Column<'a> {
        (
            name.to_owned(),
            Box::new(move |row| optional(quantile(row, share), |value| Measure::Time.show(value))),
        )
    };
    let part = |name: &str, of: fn(&Row) -> Option<Estimate>| -> Column<'a> {
        (
            name.to_owned(),
            Box::new(move |row| optional(of(row), |part| Measure::Time.estimate(&part))),
        )
    };
    let mut columns = match section {
        Section::Memory => vec![estimate("each")],
        Section::IpcThroughput => vec![
            estimate("messages"),
            ("bytes".to_owned(), Box::new(|row| optional(row.bytes_per_second, bandwidth))),
        ],
        Section::WorkingSet => vec![
            estimate("hop, gross"),
            part("touch", |row| row.touch.map(pointed)),
            part("refill (95 % CI)", |row| row.refill),
            tail("p99", 0.99),
            tail("p99.9", 0.999),
        ],
        Section::Switch
        | Section::Ring
        | Section::Create
        | Section::IpcLatency
        | Section::Floor => vec![
            estimate("p50"),
            tail("p99", 0.99),
            tail("p99.9", 0.999),
            (
                "ops/s".to_owned(),
                Box::new(|row| optional(proven(row), |figure| per_second(figure.value))),
            ),
        ],
    };
    columns.push((format!("sw/{op}"), Box::new(|row| optional(row.switches, plain))));
    columns.push((
        format!("CPU/{op}"),
        Box::new(|row| optional(row.cpu, |nanos| Measure::Time.show(nanos))),
    ));
    columns.push((
        "ratio (95 % CI)".to_owned(),
        Box::new(move |row| ratio_cell(report, row, baselines)),
    ));
    columns.push((ROUNDS.to_owned(), Box::new(rounds)));
    columns
}

/// The middle alone: an interval without ends is not written.
fn pointed(estimate: Estimate) -> Estimate {
    Estimate { low: f64::NAN, high: f64::NAN, ..estimate }
}

/// Operations a second of something that takes this long: `840 k`.
fn per_second(nanos: f64) -> String {
    if nanos <= 0.0 {
        return NONE.to_owned();
    }
    Measure::Rate.show(1e9 / nanos).trim_end_matches("/s").trim_end().to_owned()
}

fn optional<T>(value: Option<T>, show: impl FnOnce(T) -> String) -> String {
    value.map_or(String::new(), show)
}

fn reason(row: &Row) -> Refused {
    let why = row.refused.as_deref().unwrap_or("no estimate, and no reason was recorded");
    Refused { what: whole(&row.key), why: clean(why) }
}

/// A column that says nothing of any row is not shown.
fn leave_out_empty(head: &mut Vec<String>, lines: &mut [Line]) {
    for column in (0..head.len()).rev() {
        if lines.iter().all(|line| line.cells[column].is_empty()) {
            head.remove(column);
            for line in lines.iter_mut() {
                line.cells.remove(column);
            }
        }
    }
}
