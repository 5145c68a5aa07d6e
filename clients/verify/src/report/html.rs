//! A report as a page that stands by itself.

use palco_sim::draw::{Real, Row, Usage, usage_page};

use super::{Report, Stretch};
use crate::Fault;
use crate::figures::Figures;

/// Columns of the table of faults.
const COLUMNS: [&str; 7] =
    ["fault", "times", "longest gap", "longest gap with a quorum", "p50", "p99", "p99.9"];

/// Gaps that are drawn: the longest.
const GAPS_MAX: usize = 400;

impl Report {
    /// As a page: nothing in it is loaded from elsewhere, nothing in it runs.
    #[must_use]
    pub fn to_html(&self) -> String {
        let facts: Vec<_> =
            self.facts().into_iter().map(|(name, figure)| (name.to_owned(), figure)).collect();
        let rows: Vec<_> = self.rows().into_iter().map(Vec::from).collect();
        usage_page(&Real {
            title: "palco verify",
            verdict: self.verdict.sentence(),
            objections: &self.objections,
            remarks: &self.remarks,
            command: &self.command,
            facts: &facts,
            usage: &self.usage,
            table: (&COLUMNS, &rows),
        })
    }
}

/// What the picture shows.
pub(super) fn usage(figures: &Figures, stretches: &[Stretch]) -> Usage {
    let row = |fault: Fault| {
        let of_kind = stretches.iter().filter(|of| of.fault == fault);
        let stretches: Vec<_> =
            of_kind.map(|of| (of.from, of.until, format!("{fault}: {}", of.what))).collect();
        (!stretches.is_empty()).then(|| Row { name: fault.name().to_owned(), stretches })
    };
    let gaps = figures.longest_gaps(GAPS_MAX).into_iter().map(|gap| (gap.from, gap.until));
    Usage {
        lasted: figures.lasted(),
        dots: figures.columns.iter().flat_map(|column| column.dots.iter().copied()).collect(),
        spread: figures.spread(),
        rows: Fault::ALL.into_iter().filter_map(row).collect(),
        gaps: gaps.collect(),
    }
}
