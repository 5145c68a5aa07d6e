//! A report as people read it: table, Markdown, CSV, and one HTML page with pictures.
//!
//! | file | what |
//! |---|---|
//! | `units.rs`, `words.rs` | numbers and keys for people; which characters of foreign text are shown |
//! | `tables.rs`, `sentences.rs`, `headline.rs`, `trust.rs`, `peers.rs` | the content, the same in every form |
//! | `text.rs`, `markdown.rs`, `csv.rs` | the forms without pictures |
//! | `html.rs`, `pictures.rs` | the page, and what its pictures show |
//! | `chart.rs`, `markup.rs` | what pictures are drawn with; elements that always end, text that never leaves its place |
//!
//! A report may have been read from a file, so every string in it is foreign and every number may be none.

mod chart;
mod csv;
mod headline;
mod html;
mod markdown;
mod markup;
mod peers;
mod pictures;
mod sentences;
mod tables;
#[cfg(test)]
mod tests;
mod text;
mod trust;
mod units;
mod words;

use crate::Section;
use crate::report::{Comparison, Report};

/// What every form is headed with.
const TITLE: &str = "What switching, creating and talking cost";

impl Report {
    /// For a terminal of so many columns (default 100; below 40 as if 40): headline, tables, refused rows with their
    /// reasons, comparisons in sentences, and why they may be believed. Intervals are those of 95 %.
    #[must_use]
    pub fn to_text(&self, width: Option<usize>) -> String {
        text::write(self, width)
    }

    /// The same content as tables of Markdown, and everything that is known about the machine.
    #[must_use]
    pub fn to_markdown(&self) -> String {
        markdown::write(self)
    }

    /// One page that is complete in itself: pictures and style inside, no script, nothing loaded. Made for screens from 390
    /// pixels, for the dark, and for paper.
    #[must_use]
    pub fn to_html(&self) -> String {
        html::write(self)
    }

    /// One line a row and round as RFC 4180 has it, the first line naming the columns:
    ///
    /// * `id` to `heap`: the key; sizes in bytes.
    /// * `measure`: unit of `estimate`, its 95 % interval `low` to `high`, the quantiles of all samples `p50`, `p99_all`,
    ///   `p999_all`, of `touch` and `refill`, and of `median` and `p99` of the round.
    /// * `switches`, `cpu_nanos`: per operation. `bytes_per_second`. `refused`: why there is no estimate.
    /// * `round` to `invalid`: what that round found, counted from 1; `round_switches` has one figure a side, with `;`
    ///   between; `invalid` says why the round does not count.
    ///
    /// A number that is missing is an empty field; a row without rounds has one line.
    #[must_use]
    pub fn to_csv(&self) -> String {
        csv::write(self)
    }

    /// Indented JSON, fields in the order of the types, rows in the order of the report. What is no number is `null`.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("every field has a form in JSON")
    }
}

/// Command, date, machine and length of a run in one line.
fn summary(report: &Report) -> String {
    let fact = |name: &str| {
        let fact = report.environment.facts.iter().find(|fact| fact.name == name);
        fact.map_or(String::new(), |fact| words::clean(&fact.value))
    };
    let mut parts = vec![
        words::clean(&report.command),
        words::clean(&report.environment.date),
        fact("processor"),
        format!("kernel {}", fact("release")),
    ];
    parts.retain(|part| part != "kernel ");
    parts.retain(|part| !part.is_empty());
    let seconds = units::Measure::Time.show(report.seconds * 1e9);
    parts.push(format!("{} rounds in {seconds}", report.rounds));
    parts.join("; ")
}

/// Comparisons that belong to a section: by what is compared, or by what it is compared with.
fn comparisons(report: &Report, section: Section) -> impl Iterator<Item = &Comparison> {
    report.comparisons.iter().filter(move |comparison| {
        let row = report.row(&comparison.subject).or_else(|| report.row(&comparison.baseline));
        // What belongs to no row would else be told nowhere.
        row.map_or(section == Section::Switch, |row| row.key.section == section)
    })
}
