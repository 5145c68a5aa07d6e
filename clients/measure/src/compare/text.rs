//! A comparison as people read it.

use std::fmt::Write;

use super::{Compared, ComparedRow};
use crate::report::{Estimate, Verdict};

const HEAD: [&str; 5] = ["row", "before", "after", "after / before", "verdict"];

impl Compared {
    /// For a terminal: a line a row, in columns.
    #[must_use]
    pub fn to_text(&self) -> String {
        let rows = self.cells();
        let widths: Vec<usize> = (0..HEAD.len())
            .map(|column| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0))
            .collect();
        let mut text = String::new();
        for line in self.lines() {
            let _ = writeln!(text, "{line}");
        }
        for row in &rows {
            let padded: Vec<String> =
                row.iter().zip(&widths).map(|(cell, &width)| format!("{cell:width$}")).collect();
            let _ = writeln!(text, "{}", padded.join("  ").trim_end());
        }
        text + &self.alone()
    }

    /// For a page or a pull request.
    #[must_use]
    pub fn to_markdown(&self) -> String {
        let mut text = String::new();
        for line in self.lines() {
            let _ = writeln!(text, "{}\n", escaped(&line));
        }
        for (index, row) in self.cells().iter().enumerate() {
            let cells: Vec<String> = row.iter().map(|cell| escaped(cell)).collect();
            let _ = writeln!(text, "| {} |", cells.join(" | "));
            if index == 0 {
                text.push_str("|---|---:|---:|---:|---|\n");
            }
        }
        let alone = self.alone();
        if !alone.is_empty() {
            let _ = write!(text, "\n{}", escaped(&alone));
        }
        text
    }

    /// What is compared, and over what it was forced.
    fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!("before: {}", self.before), format!("after: {}", self.after)];
        let forced = self.differences.iter().map(|difference| {
            let super::Difference { name, before, after } = difference;
            format!("NOT COMPARABLE, and forced: {name}: {before} before, {after} after")
        });
        lines.extend(forced);
        lines
    }

    fn cells(&self) -> Vec<[String; 5]> {
        let head = HEAD.map(str::to_owned);
        std::iter::once(head).chain(self.rows.iter().map(ComparedRow::cells)).collect()
    }

    fn alone(&self) -> String {
        let mut text = String::new();
        for (ids, when) in [(&self.only_before, "before"), (&self.only_after, "after")] {
            if !ids.is_empty() {
                let _ = writeln!(text, "only {when}: {}", ids.join(", "));
            }
        }
        text
    }
}

impl ComparedRow {
    fn cells(&self) -> [String; 5] {
        let figure = |estimate: Option<Estimate>| {
            estimate.map_or("-".to_owned(), |estimate| {
                format!("{} {}", short(estimate.value), self.measure)
            })
        };
        let ratio = self.ratio.map_or("-".to_owned(), |ratio| {
            format!("{:.3} [{:.3}, {:.3}]", ratio.value, ratio.low, ratio.high)
        });
        let verdict = match self.verdict {
            Verdict::Slower => "slower",
            Verdict::Faster => "faster",
            Verdict::Alike => "alike",
            Verdict::Unknown => "unknown",
        };
        let verdict = match &self.remark {
            Some(remark) => format!("{verdict}: {remark}"),
            None => verdict.to_owned(),
        };
        [self.id.clone(), figure(self.before), figure(self.after), ratio, verdict]
    }
}

/// About three digits that matter.
fn short(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// So that nothing in a report becomes a column, a tag or a second line.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('|', "\\|").replace('<', "&lt;").replace('\n', " ")
}
