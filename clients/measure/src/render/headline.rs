//! The answer before the method: what this run has found, in sentences that its data prove. Where they do not, the
//! sentence is missing.

mod growth;

use super::units::{Measure, percent, plain, rounded, size, times};
use super::words::{clean, place, sentence};
use crate::report::{Comparison, Estimate, Grade, Report, Row, Verdict};
use crate::{Cores, Section, Unit};

/// Mechanisms that judge the harness, not the machine.
const YARDSTICKS: [&str; 2] = ["bare", "broken"];

/// All that can be said, the most important first.
pub(crate) fn sentences(report: &Report) -> Vec<String> {
    // Without a mechanism that must be refused, and is, no figure may be believed.
    if report.trust.broken_refused.is_none() {
        return Vec::new();
    }
    let rest = [
        across(report),
        growth::working_set(report),
        growth::ring(report),
        making(report),
        keeping(report),
        throughput(report),
    ];
    switch(report).into_iter().chain(rest.into_iter().flatten()).collect()
}

/// What a reader must know before any figure.
pub(crate) fn warnings(report: &Report) -> Vec<String> {
    let mut warnings = Vec::new();
    if report.trust.broken_refused.is_none() && !report.rows.is_empty() {
        warnings.push(
            "Nothing here may be believed: the mechanism that is broken on purpose was not refused, so the checks have \
             not shown that they can object."
                .to_owned(),
        );
    }
    if report.grade == Grade::C {
        warnings
            .push("The machine was busy (grade C): medians may stand, tails do not.".to_owned());
    }
    warnings
}

/// Rows of a section with an estimate above nothing, yardsticks left out.
pub(crate) fn counting(
    report: &Report,
    section: Section,
) -> impl Iterator<Item = (&Row, Estimate)> {
    let shown = |row: &&Row| !YARDSTICKS.contains(&row.key.mechanism.as_str());
    report.section(section).filter(shown).filter_map(|row| {
        let estimate = super::tables::proven(row)?;
        (estimate.value > 0.0).then_some((row, estimate))
    })
}

/// The cheapest of some rows.
pub(crate) fn cheapest<'a>(
    rows: impl Iterator<Item = (&'a Row, Estimate)>,
) -> Option<(&'a Row, Estimate)> {
    rows.min_by(|(_, a), (_, b)| a.value.total_cmp(&b.value))
}

/// The switch by which others are judged: what thread and process were compared with, else the cheapest that blocks.
pub(crate) fn thread_switch(report: &Report) -> Option<(&Row, Estimate)> {
    let plain = |row: &Row| row.key.unit == Unit::Thread && row.key.cores == Cores::Same;
    let rows = || counting(report, Section::Switch).filter(|(row, _)| plain(row));
    thread_against_process(report)
        .and_then(|comparison| rows().find(|(row, _)| row.id == comparison.baseline))
        .or_else(|| rows().find(|(row, _)| row.key.mechanism.starts_with("futex")))
        .or_else(|| cheapest(rows().filter(|(row, _)| row.key.mechanism != "yield")))
}

/// The comparison that the benchmark is named for.
fn thread_against_process(report: &Report) -> Option<&Comparison> {
    let is = |id: &str, unit: Unit| {
        report.row(id).is_some_and(|row| {
            row.key.section == Section::Switch
                && row.key.unit == unit
                && row.key.cores == Cores::Same
                && row.key.mechanism != "yield"
        })
    };
    report
        .comparisons
        .iter()
        .find(|one| is(&one.subject, Unit::Process) && is(&one.baseline, Unit::Thread))
}

fn switch(report: &Report) -> Vec<String> {
    let Some((row, thread)) = thread_switch(report) else { return Vec::new() };
    let time = |estimate: &Estimate| Measure::Time.show(estimate.value);
    let mut first = format!(
        "On this machine a thread switch on one core takes {} ({})",
        time(&thread),
        clean(&row.key.mechanism)
    );
    if let Some(process) = thread_against_process(report).and_then(process_switch) {
        first.push_str(&process);
    }
    let user_level = [Unit::Fiber, Unit::Task].map(|unit| {
        let of_unit = |row: &&(&Row, Estimate)| row.0.key.unit == unit;
        let rows: Vec<_> = counting(report, Section::Switch).collect();
        let (row, cost) = cheapest(rows.iter().filter(of_unit).copied())?;
        (cost.high < thread.low && (thread.value / cost.value).is_finite()).then(|| {
            format!(
                "a {} switch {} ({}), {} of it",
                unit.name(),
                time(&cost),
                clean(&row.key.mechanism),
                share(&cost, &thread)
            )
        })
    });
    let user_level: Vec<String> = user_level.into_iter().flatten().collect();
    let mut sentences = vec![format!("{first}.")];
    if !user_level.is_empty() {
        sentences.push(format!("{}.", sentence(&user_level.join("; "))));
    }
    sentences
}

/// `; a process switch 180 ns more (15 %)`.
fn process_switch(comparison: &Comparison) -> Option<String> {
    let difference = comparison.difference.filter(|difference| difference.value.is_finite())?;
    let ratio = comparison.ratio.filter(|ratio| ratio.value.is_finite())?;
    let size = Measure::Time.show(difference.value.abs());
    let share = percent((ratio.value - 1.0).abs());
    match comparison.verdict {
        Verdict::Slower => Some(format!("; a process switch {size} more ({share})")),
        Verdict::Faster => Some(format!("; a process switch {size} less ({share})")),
        Verdict::Alike => Some("; a process switch cannot be told from it".to_owned()),
        Verdict::Unknown => None,
    }
}

/// `1/115` of something larger.
fn share(part: &Estimate, whole: &Estimate) -> String {
    let ratio = whole.value / part.value;
    if ratio >= 1.5 { format!("1/{}", rounded(ratio)) } else { percent(part.value / whole.value) }
}

/// What it costs to wake somebody on another core, and what it costs if that one need not be woken.
fn across(report: &Report) -> Option<String> {
    let (here, thread) = thread_switch(report)?;
    let other = || {
        counting(report, Section::Switch)
            .filter(|(row, _)| row.key.cores == Cores::Other && row.key.unit == Unit::Thread)
    };
    let (_, blocking) = other().find(|(row, _)| row.key.mechanism == here.key.mechanism)?;
    if blocking.low <= thread.high {
        return None;
    }
    let factor = times(blocking.value / thread.value);
    let mut text = format!(
        "Between two cores the same hop takes {} ({factor})",
        Measure::Time.show(blocking.value)
    );
    let spinning = cheapest(other().filter(|(row, _)| row.key.mechanism.starts_with("spin")));
    if let Some((row, spinning)) = spinning.filter(|(_, spinning)| spinning.high < blocking.low) {
        let cost = Measure::Time.show(spinning.value);
        text.push_str(&format!("; {cost} where both may spin ({})", clean(&row.key.mechanism)));
    }
    Some(format!("{text}."))
}

/// The cheapest way to make each unit.
fn making(report: &Report) -> Option<String> {
    let made: Vec<String> = [Unit::Fiber, Unit::Task, Unit::Thread, Unit::Process]
        .into_iter()
        .filter_map(|unit| {
            let rows = counting(report, Section::Create)
                .filter(|(row, _)| row.key.unit == unit && row.key.heap == 0);
            let (row, cost) = cheapest(rows)?;
            let (name, how) = (unit.name(), clean(&row.key.mechanism));
            Some(format!("a {name} in {} ({how})", Measure::Time.show(cost.value)))
        })
        .collect();
    (made.len() > 1).then(|| format!("Made and gone again: {}.", made.join(", ")))
}

/// The smallest idle unit of each kind.
fn keeping(report: &Report) -> Option<String> {
    let kept: Vec<String> = [Unit::Fiber, Unit::Task, Unit::Thread, Unit::Process]
        .into_iter()
        .filter_map(|unit| {
            let rows = counting(report, Section::Memory).filter(|(row, _)| row.key.unit == unit);
            let (row, bytes) = cheapest(rows)?;
            let (name, how) = (unit.name(), clean(&row.key.mechanism));
            Some(format!("a {name} {} ({how})", Measure::Bytes.show(bytes.value)))
        })
        .collect();
    (kept.len() > 1).then(|| format!("Kept while idle: {}.", kept.join(", ")))
}

/// Who moves the most small messages, and how seldom it switches for that.
fn throughput(report: &Report) -> Option<String> {
    let rows: Vec<_> = counting(report, Section::IpcThroughput).collect();
    let smallest = rows.iter().map(|(row, _)| row.key.message).min()?;
    let cores = rows.iter().map(|(row, _)| row.key.cores).min()?;
    let mut alike: Vec<_> = rows
        .into_iter()
        .filter(|(row, _)| row.key.message == smallest && row.key.cores == cores)
        .collect();
    alike.sort_by(|(_, a), (_, b)| b.value.total_cmp(&a.value));
    let [(first, most), .., (last, least)] = alike.as_slice() else { return None };
    if most.low <= least.high {
        return None;
    }
    let told = |row: &Row, rate: &Estimate, beside: &str| {
        let rate = Measure::Rate.show(rate.value);
        let rate = rate.trim_end_matches("/s").trim_end();
        let switches = row.switches.filter(|switches| switches.is_finite());
        let switches = switches
            .map_or(String::new(), |switches| format!(" with {} switches each", plain(switches)));
        format!("{}{beside} {rate} a second{switches}", clean(&row.key.mechanism))
    };
    Some(format!(
        "Of {} messages one way on {}, {}, {}.",
        size(smallest),
        place(cores),
        told(first, most, " passes"),
        told(last, least, "")
    ))
}
