//! Comparisons in words.

use super::units::{Measure, times};
use super::words::{clean, sentence, stopped, whole};
use crate::Section;
use crate::report::{Comparison, Estimate, Report, Verdict};

/// What words a difference is told with.
struct Words {
    verb: &'static str,
    more: &'static str,
    less: &'static str,
}

impl Words {
    const fn of(section: Section) -> Self {
        match section {
            Section::Switch
            | Section::WorkingSet
            | Section::Ring
            | Section::Create
            | Section::IpcLatency
            | Section::Floor => Self { verb: "costs", more: "more", less: "less" },
            Section::Memory => Self { verb: "takes", more: "more", less: "less" },
            Section::IpcThroughput => Self { verb: "passes", more: "more", less: "fewer" },
        }
    }
}

/// `A process switch costs 180 ns (170–211) more than a thread switch: slower, 1.14×.`
pub(crate) fn comparison(report: &Report, comparison: &Comparison) -> String {
    let question = clean(&comparison.question);
    let (subject, baseline) = question.split_once(" against ").unwrap_or((&question, ""));
    let subject = sentence(subject);
    let rows = (report.row(&comparison.subject), report.row(&comparison.baseline));
    let section = rows.0.or(rows.1).map_or(Section::Switch, |row| row.key.section);
    let measure = Measure::of(section);
    let Words { verb, more, less } = Words::of(section);
    let difference = comparison.difference.filter(|difference| difference.value.is_finite());
    let (Some(difference), false) = (difference, comparison.verdict == Verdict::Unknown) else {
        return stopped(&format!(
            "{}: not known, {}",
            sentence(&question),
            unknown(report, comparison)
        ));
    };
    let other = if baseline.is_empty() { String::new() } else { format!(" {baseline}") };
    let ratio = comparison.ratio.filter(|ratio| ratio.value.is_finite());
    let factor = ratio.map_or(String::new(), |ratio| format!(", {}", times(ratio.value)));
    let Some(word) = word(comparison.verdict, section, difference.value) else {
        let shown = measure.estimate(&difference);
        return if baseline.is_empty() {
            format!("{subject}: no difference that counts, {shown}{factor}.")
        } else {
            format!("{subject} {verb} as much as{other}: alike, difference {shown}{factor}.")
        };
    };
    let (direction, size) =
        if difference.value < 0.0 { (less, mirrored(difference)) } else { (more, difference) };
    let shown = measure.estimate(&size);
    if baseline.is_empty() {
        format!("{subject}: {shown} {direction}: {word}{factor}.")
    } else {
        format!("{subject} {verb} {shown} {direction} than{other}: {word}{factor}.")
    }
}

/// The verdict in a word that fits what is measured; nothing if the two are alike.
fn word(verdict: Verdict, section: Section, difference: f64) -> Option<&'static str> {
    let costs_more = match (verdict, section) {
        (Verdict::Alike | Verdict::Unknown, _) => return None,
        // A rate is no cost: more of it is better.
        (_, Section::IpcThroughput) => difference < 0.0,
        (verdict, _) => verdict == Verdict::Slower,
    };
    Some(match (section == Section::Memory, costs_more) {
        (true, true) => "larger",
        (true, false) => "smaller",
        (false, true) => "slower",
        (false, false) => "faster",
    })
}

/// Which of the two has no figure.
fn unknown(report: &Report, comparison: &Comparison) -> String {
    let missing = |id: &str| match report.row(id) {
        None => Some(format!("{} was not measured", clean(id))),
        Some(row) if row.estimate.is_none() => Some(format!(
            "{} was refused ({})",
            whole(&row.key),
            clean(row.refused.as_deref().unwrap_or("no reason was recorded"))
        )),
        Some(_) => None,
    };
    missing(&comparison.subject)
        .or_else(|| missing(&comparison.baseline))
        .unwrap_or_else(|| "too few rounds of both count".to_owned())
}

/// As a positive amount.
pub(crate) fn mirrored(Estimate { value, low, high }: Estimate) -> Estimate {
    Estimate { value: -value, low: -high, high: -low }
}
