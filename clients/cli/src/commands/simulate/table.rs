//! What runs came to, as a table with a column for each mode, and what was wrong, in words.

use std::time::Duration;

use anyhow::Result;
use palco_measure::COMMIT;
use palco_measure::timeline::{count, time};
use palco_sim::Figures;

use super::runs::{Outcome, Verdict};
use super::{Mode, is_flawed, mode_of};
use crate::args::Plan;
use crate::output;

pub(super) fn show(plan: &Plan, modes: &[Mode]) -> Result<()> {
    let columns: Vec<Vec<(&'static str, String)>> = modes.iter().map(rows).collect();
    match &columns[..] {
        [only] => output::table(
            ["", mode_of(&modes[0].scenario)],
            only.iter().map(|(name, figure)| [(*name).to_owned(), figure.clone()]),
        )?,
        [one, two, three] => {
            let rows = one.iter().zip(two).zip(three);
            let [a, b, c] = [0, 1, 2].map(|mode: usize| mode_of(&modes[mode].scenario));
            output::table(
                ["", a, b, c],
                rows.map(|((one, two), three)| {
                    [one.0.to_owned(), one.1.clone(), two.1.clone(), three.1.clone()]
                }),
            )?;
        }
        _ => unreachable!("one mode or all three"),
    }
    for mode in modes {
        objections(mode)?;
    }
    if modes.iter().all(|mode| mode.outcome.violations_all == 0) && is_flawed(&modes[0].scenario) {
        output::line(format!(
            "\nNo check objected although a rule is left out: these {} prove nothing. Try more seeds, --faults all or \
             --reconfigure-every 20ms.",
            several(plan.seeds.count(), "run", "runs")
        ))?;
    }
    Ok(())
}

/// The same rows for every mode.
fn rows(mode: &Mode) -> Vec<(&'static str, String)> {
    let Mode { outcome, took, .. } = mode;
    let figures = &outcome.figures;
    let mut rows = figures_of(figures);
    let speed = figures.done as f64 / took.as_secs_f64().max(1e-9);
    rows.push(("real time", time(*took)));
    rows.push(("operations a second", count(speed as u64)));
    rows.push(("verdict", verdict(outcome)));
    rows
}

/// Names and figures that do not depend on the machine, as people read them.
pub(super) fn figures_of(figures: &Figures) -> Vec<(&'static str, String)> {
    let Figures { done, reads, writes, changes, reconfigurations, .. } = *figures;
    vec![
        ("runs", count(figures.runs)),
        ("operations done", count(done)),
        ("of unknown outcome", count(figures.unknown)),
        ("failed", count(figures.failed)),
        ("rounds per read", ratio(figures.read_rounds, reads)),
        ("reads in one round", share(figures.reads_one_round, reads)),
        ("rounds per write", ratio(figures.write_rounds, writes)),
        ("rounds per change", ratio(figures.change_rounds, changes)),
        ("messages per operation", ratio(figures.messages, done)),
        ("bytes per operation", ratio(figures.bytes, done)),
        ("messages lost", share(figures.messages_lost, figures.messages)),
        ("flushes per operation", ratio(figures.flushes, done)),
        ("latency p50", some_time(figures.latency_p50, done)),
        ("latency p99", some_time(figures.latency_p99, done)),
        ("longest gap", some_time(figures.gap_max, done)),
        ("reconfigurations installed", count(reconfigurations)),
        (
            "superseded, refused",
            format!("{}, {}", count(figures.superseded), count(figures.refused)),
        ),
        ("phases of one", ratio(figures.reconfiguration_phases, reconfigurations)),
        ("until decided", mean(figures.decided, reconfigurations)),
        ("until installed", mean(figures.installed, reconfigurations)),
        ("longest", some_time(figures.installed_max, reconfigurations)),
        ("faults inflicted", count(figures.faults)),
        ("histories searched", histories(figures)),
        ("simulated time", time(figures.virtual_time)),
    ]
}

fn verdict(outcome: &Outcome) -> String {
    let runs = several(outcome.runs_violated, "run", "runs");
    match outcome.verdict() {
        Verdict::Violated => format!("{} in {runs}", violations(outcome.violations_all)),
        other => in_words(other),
    }
}

/// A verdict without its figures.
pub(super) fn in_words(verdict: Verdict) -> String {
    match verdict {
        Verdict::Sound => "no check objected",
        Verdict::Idle => "nothing was done",
        Verdict::Violated => "VIOLATED",
    }
    .to_owned()
}

pub(super) fn violations(number: u64) -> String {
    several(number, "VIOLATION", "VIOLATIONS")
}

fn objections(mode: &Mode) -> Result<()> {
    let Mode { scenario, outcome, .. } = mode;
    let commit = if COMMIT.is_empty() { String::new() } else { format!(", commit {COMMIT}") };
    for (seed, violations) in &outcome.violations {
        output::line(format!("\n{}, seed {seed}{commit}:", mode_of(scenario)))?;
        for violation in violations {
            let at = time(Duration::from_nanos(violation.at.as_nanos()));
            output::line(format!("  {} at {at}: {}", violation.check, plain(&violation.what)))?;
        }
        output::line(format!("  see it: {} --html run.html", scenario.command(*seed)))?;
    }
    let told = outcome.violations.len() as u64;
    if outcome.runs_violated > told {
        output::line(format!(
            "\nand {} more",
            several(outcome.runs_violated - told, "run", "runs")
        ))?;
    }
    Ok(())
}

/// One line of it, without what a terminal would act upon.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

pub(super) fn several(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { many })
}

/// Of how many there were none, there is no figure.
pub(super) fn ratio(sum: u64, of: u64) -> String {
    if of == 0 { "–".to_owned() } else { format!("{:.2}", sum as f64 / of as f64) }
}

fn share(part: u64, of: u64) -> String {
    if of == 0 { "–".to_owned() } else { format!("{:.1} %", 100.0 * part as f64 / of as f64) }
}

fn mean(sum: Duration, of: u64) -> String {
    match u32::try_from(of) {
        Ok(0) => "–".to_owned(),
        Ok(of) => time(sum / of),
        Err(_) => time(Duration::from_secs_f64(sum.as_secs_f64() / of as f64)),
    }
}

pub(super) fn some_time(length: Duration, of: u64) -> String {
    if of == 0 { "–".to_owned() } else { time(length) }
}

fn histories(figures: &Figures) -> String {
    match figures.histories_undecided {
        0 => count(figures.histories),
        undecided => {
            format!("{}, {} too long to be decided", count(figures.histories), count(undecided))
        }
    }
}
