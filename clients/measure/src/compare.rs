//! Two reports beside each other: refused where the machines differ in what decides the figures.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use crate::report::{Environment, Estimate, Report, Row, Verdict};
use crate::statistics::{Bootstrap, verdict};

mod read;
mod text;

pub use read::{ReadError, read};

/// Rounds of a row without which it is not compared.
const ROUNDS_MIN: usize = 3;

/// What two reports differ in so that their figures say nothing about each other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// What.
    pub name: String,
    /// In the first report.
    pub before: String,
    /// In the second.
    pub after: String,
}

/// Why two reports are not compared.
#[derive(thiserror::Error, Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The meaning of the fields is not the same; nothing can force that.
    #[error("the reports are of schemas {before} and {after}: measure again with the same palco")]
    Schema {
        /// Of the first report.
        before: u32,
        /// Of the second.
        after: u32,
    },
    /// The machines differ.
    #[error("the reports are not of the same conditions: {}; --force compares nevertheless", Listed(.0))]
    Conditions(Vec<Difference>),
}

/// One row of both reports.
#[derive(Clone, Debug, Serialize)]
pub struct ComparedRow {
    /// [`Row::id`].
    pub id: String,
    /// What its figures count.
    pub measure: String,
    /// In the first report, if it has one.
    pub before: Option<Estimate>,
    /// In the second.
    pub after: Option<Estimate>,
    /// The second by the first. Not paired: the two were not measured in turns, and the interval shows it.
    pub ratio: Option<Estimate>,
    /// What became of it, by the same rule as inside a report.
    pub verdict: Verdict,
    /// Why there is nothing to say, if there is nothing.
    pub remark: Option<String>,
}

/// What lies between two reports.
#[derive(Clone, Debug, Serialize)]
pub struct Compared {
    /// Date and command of the first report.
    pub before: String,
    /// Date and command of the second.
    pub after: String,
    /// What the comparison was forced over.
    pub differences: Vec<Difference>,
    /// Rows of both, in the order of the second.
    pub rows: Vec<ComparedRow>,
    /// Ids of rows that only the first has.
    pub only_before: Vec<String>,
    /// Ids of rows that only the second has.
    pub only_after: Vec<String>,
}

/// Compares the rows of `b`, the later one, with those of `a` by their ids.
///
/// # Errors
/// [`Refusal`] where the schemas differ, or a fact that decides; the latter not if `force` is given: it is said then.
pub fn compare(a: &Report, b: &Report, force: bool) -> Result<Compared, Refusal> {
    if a.schema != b.schema {
        return Err(Refusal::Schema { before: a.schema, after: b.schema });
    }
    let differences = differences(&a.environment, &b.environment);
    if !differences.is_empty() && !force {
        return Err(Refusal::Conditions(differences));
    }
    let both = b.rows.iter().filter_map(|after| Some((a.row(&after.id)?, after)));
    let only = |of: &Report, not: &Report| {
        let rows = of.rows.iter().filter(|row| not.row(&row.id).is_none());
        rows.map(|row| row.id.clone()).collect()
    };
    let name = |report: &Report| format!("{} {}", report.environment.date, report.command);
    Ok(Compared {
        before: name(a),
        after: name(b),
        differences,
        rows: both.map(|(before, after)| compared(before, after)).collect(),
        only_before: only(a, b),
        only_after: only(b, a),
    })
}

/// Facts that decide for one of the two at least, and are not the same.
fn differences(a: &Environment, b: &Environment) -> Vec<Difference> {
    let mut names: BTreeMap<String, bool> = BTreeMap::new();
    for fact in a.facts.iter().chain(&b.facts) {
        *names.entry(format!("{} {}", fact.group, fact.name)).or_default() |= fact.decides;
    }
    let value = |of: &Environment, name: &str| {
        let found = of.facts.iter().find(|fact| format!("{} {}", fact.group, fact.name) == name);
        found.map_or("not said".to_owned(), |fact| fact.value.clone())
    };
    let deciding = names.into_iter().filter(|(_, decides)| *decides);
    let differences = deciding.filter_map(|(name, _)| {
        let (before, after) = (value(a, &name), value(b, &name));
        (before != after).then_some(Difference { name, before, after })
    });
    differences.collect()
}

fn compared(before: &Row, after: &Row) -> ComparedRow {
    let mut row = ComparedRow {
        id: after.id.clone(),
        measure: after.key.section.measure().to_owned(),
        before: before.estimate,
        after: after.estimate,
        ratio: None,
        verdict: Verdict::Unknown,
        remark: None,
    };
    row.remark = match (&before.estimate, &after.estimate) {
        (Some(_), Some(_)) => None,
        (None, _) => Some(format!("before: {}", refusal(before))),
        (Some(_), None) => Some(format!("after: {}", refusal(after))),
    };
    let (old, new) = (medians(before), medians(after));
    if row.remark.is_none() && old.len().min(new.len()) < ROUNDS_MIN {
        row.remark = Some(format!("fewer than {ROUNDS_MIN} rounds count in one of them"));
    }
    if row.remark.is_some() {
        return row;
    }
    let bootstrap = Bootstrap { resamples: 5_000, seed: 1 };
    row.ratio = bootstrap.ratio_unpaired(&row.id, &new, &old);
    let difference = bootstrap.difference_unpaired(&row.id, &new, &old);
    if let Some((difference, ratio)) = difference.zip(row.ratio) {
        row.verdict = verdict(after.key.section, difference, ratio);
    }
    row
}

fn refusal(row: &Row) -> &str {
    row.refused.as_deref().unwrap_or("it has no estimate")
}

/// Of the rounds that count.
fn medians(row: &Row) -> Vec<f64> {
    let valid = row.rounds.iter().filter(|round| round.invalid.is_none());
    valid.map(|round| round.median).filter(|median| median.is_finite()).collect()
}

struct Listed<'a>(&'a [Difference]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, difference) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { "; " };
            let Difference { name, before, after } = difference;
            write!(f, "{comma}{name}: `{before}` and `{after}`")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
