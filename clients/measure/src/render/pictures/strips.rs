//! Every row, round by round.

use crate::Section;
use crate::render::chart::{Caption, strip};
use crate::render::markup::Markup;
use crate::render::tables::{proven, rounds};
use crate::render::units::Measure;
use crate::render::words::{clean, whole};
use crate::report::{Report, Row};

/// Reasons that are told in words; the others are in the marks.
const REASONS_MAX: usize = 3;

/// Name, count and picture of each row of a section that has rounds.
pub(crate) fn strips(report: &Report, section: Section) -> Vec<(String, String, Markup)> {
    let drawn = report.section(section).filter_map(|row| {
        let picture = strip(
            &Caption::new(whole(&row.key), about(row)),
            Measure::of(section),
            proven(row),
            &row.rounds,
        )?;
        Some((whole(&row.key), rounds(row), picture))
    });
    drawn.collect()
}

/// How many count, and why others do not.
fn about(row: &Row) -> String {
    let reasons = row.rounds.iter().filter_map(|round| round.invalid.as_deref());
    let reasons: Vec<String> = reasons.take(REASONS_MAX).map(clean).collect();
    let counts = format!("{} rounds count", rounds(row));
    if reasons.is_empty() { counts } else { format!("{counts}; not: {}", reasons.join("; ")) }
}
