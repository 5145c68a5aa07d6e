//! `palco simulate`: runs of a simulated world, what they came to, and pictures of one.

mod pictures;
mod progress;
mod runs;
mod scale;
mod story;
mod table;
mod view;

use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use palco_rambo::Flaws;
use palco_sim::{ModeKind, QuorumKind, Scenario};

use crate::args::{Plan, Simulate};
use crate::output;
use progress::Progress;
use runs::{Outcome, Runs, Verdict};

/// Usage.
const MISUSED: u8 = 2;

/// All runs of one mode.
struct Mode {
    scenario: Scenario,
    outcome: Outcome,
    /// Real time.
    took: Duration,
}

pub(crate) fn simulate(wanted: &Simulate, json: bool) -> Result<ExitCode> {
    let plan = match wanted.plan() {
        Ok(plan) => plan,
        Err(error) => {
            output::talk(error);
            return Ok(ExitCode::from(MISUSED));
        }
    };
    // Before it takes its time: whether there is room for what comes of it.
    for file in wanted.html.iter().chain(&wanted.svg) {
        check(file)?;
    }
    if wanted.scale {
        return scale::scale(wanted, json);
    }
    if let Some(story) = wanted.story {
        return story::tell(wanted, story, json);
    }
    let mut progress = Progress::new(plan.seeds.count() * plan.scenarios.len() as u64);
    let modes: Vec<Mode> =
        plan.scenarios.iter().map(|scenario| run(scenario, &plan, &mut progress)).collect();
    progress.clear();
    if json {
        output::json(&view::document(&plan, &modes))?;
    } else {
        table::show(&plan, &modes)?;
    }
    pictures::write_all(wanted, &plan, &modes)?;
    Ok(Verdict::worst(modes.iter().map(|mode| mode.outcome.verdict())).exit_code())
}

fn run(scenario: &Scenario, plan: &Plan, progress: &mut Progress) -> Mode {
    let begun = Instant::now();
    let outcome =
        Runs { scenario, seeds: plan.seeds, jobs: plan.jobs }.all(|done| progress.tell(done));
    Mode { scenario: scenario.clone(), outcome, took: begun.elapsed() }
}

/// Whether a file can be written; what is in it stays until there is something else.
fn check(file: &Path) -> Result<()> {
    let opened = fs::OpenOptions::new().create(true).append(true).open(file);
    opened.map(drop).with_context(|| format!("cannot write {}", file.display()))
}

fn write(file: &Path, text: &str) -> Result<()> {
    fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))
}

/// Whether a check has to object.
fn is_flawed(scenario: &Scenario) -> bool {
    scenario.flaws != Flaws::NONE || scenario.quorums == QuorumKind::Broken
}

fn name_of<T: PartialEq>(all: &[(T, &'static str)], one: &T) -> &'static str {
    let found = all.iter().find(|(other, _)| other == one);
    found.map(|(_, name)| *name).expect("all have a name")
}

fn mode_of(scenario: &Scenario) -> &'static str {
    name_of(&ModeKind::ALL, &scenario.mode)
}
