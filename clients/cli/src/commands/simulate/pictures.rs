//! Pictures of one run: the first that went wrong, else the first.

use anyhow::Result;
use palco_measure::COMMIT;
use palco_sim::draw::{self, Subject, Window};
use palco_sim::{Report, Scenario, Trace, TraceWish};

use super::table::figures_of;
use super::{Mode, mode_of, runs, write};
use crate::args::{Plan, Simulate};
use crate::output;

/// What is recorded of a run, at most; tens of megabytes.
const EVENTS_MAX: usize = 300_000;

/// Writes what is asked for.
pub(super) fn write_all(wanted: &Simulate, plan: &Plan, modes: &[Mode]) -> Result<()> {
    if wanted.html.is_none() && wanted.svg.is_none() {
        return Ok(());
    }
    let violated =
        modes.iter().find_map(|mode| Some((&mode.scenario, mode.outcome.first_violated()?)));
    let (scenario, seed) = violated.unwrap_or((&plan.scenarios[0], plan.seeds.from));
    let many = plan.seeds.count() * modes.len() as u64 > 1;
    let which = match (many, violated) {
        (false, _) => String::new(),
        (true, Some(_)) => {
            format!(" of {}, seed {seed}, the first that went wrong", mode_of(scenario))
        }
        (true, None) => format!(" of {}, seed {seed}; none went wrong", mode_of(scenario)),
    };
    // The same run again, and this time it is recorded.
    let recorded = Scenario { trace: TraceWish::Last(EVENTS_MAX), ..scenario.clone() };
    let report = runs::one(&recorded, seed);
    let trace = report.trace.clone().unwrap_or_default();
    if let Some(file) = &wanted.html {
        write(file, &page(scenario, &report, &trace))?;
        output::talk(format!("{}: a page for any browser{which}", file.display()));
    }
    if let Some(file) = &wanted.svg {
        write(file, &draw::svg(&trace, &Window::interesting(&trace)))?;
        output::talk(format!("{}: a picture{which}", file.display()));
    }
    Ok(())
}

fn page(scenario: &Scenario, report: &Report, trace: &Trace) -> String {
    let mut facts: Vec<(String, String)> = figures_of(&report.figures)
        .into_iter()
        .filter(|(name, figure)| *name != "runs" && figure != "–")
        .map(|(name, figure)| (name.to_owned(), figure))
        .collect();
    facts.push(("digest".to_owned(), format!("{:016x}", report.digest)));
    if !COMMIT.is_empty() {
        facts.push(("commit".to_owned(), COMMIT.to_owned()));
    }
    let mode = match mode_of(scenario) {
        "rambo1" => "RAMBO I",
        "rambo2" => "RAMBO II",
        _ => "RAMBO III",
    };
    draw::page(&Subject {
        title: &format!("A run of {mode}, seed {}", report.seed),
        command: &scenario.command(report.seed),
        facts: &facts,
        violations: &report.violations,
        trace,
    })
}
