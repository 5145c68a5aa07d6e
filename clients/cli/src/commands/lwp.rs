//! `palco lwp demo`: what each policy does about a blocking call.

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};
use palco_measure::timeline::{self, Colours, Live, Run, RunView, count, time};
use serde::Serialize;

use crate::args::{Lwp, LwpDemo};
use crate::output;

/// Usage.
const MISUSED: u8 = 2;

/// Grows when a field changes its meaning or goes.
const SCHEMA: u32 = 1;

#[derive(Serialize)]
struct Report {
    schema: u32,
    runs: Vec<RunView>,
}

pub(crate) fn lwp(lwp: Lwp, json: bool) -> Result<ExitCode> {
    match lwp {
        Lwp::Demo(demo) => run(&demo, json),
    }
}

fn run(demo: &LwpDemo, json: bool) -> Result<ExitCode> {
    let wanted = demo.runs();
    for settings in &wanted {
        if let Err(error) = settings.check() {
            output::talk(error.to_string());
            return Ok(ExitCode::from(MISUSED));
        }
    }
    // Before it takes its time: whether there is room for what comes of it.
    let html = demo.html.as_deref().map(create).transpose()?;
    let trace = demo.trace.as_deref().map(create).transpose()?;
    let mut runs = Vec::new();
    for settings in &wanted {
        let mut live = Live::new(io::stderr(), colours(&io::stderr()), *settings);
        let run = timeline::measure(settings, &mut live);
        live.clear();
        let run = run.context("the demo did not come to its end")?;
        if !json {
            show(&run)?;
        }
        runs.push(run);
    }
    if json {
        let runs = runs.iter().map(RunView::from).collect();
        output::json(&Report { schema: SCHEMA, runs })?;
    } else {
        compare(&runs)?;
    }
    if let Some((mut file, path)) = html {
        let page = timeline::page(&runs);
        let written = file.write_all(page.as_bytes()).and_then(|()| file.flush());
        written.with_context(|| format!("cannot write {}", path.display()))?;
        output::talk(format!("{}: a page for any browser", path.display()));
    }
    if let Some((file, path)) = trace {
        let written = timeline::trace(&runs, file);
        written.with_context(|| format!("cannot write {}", path.display()))?;
        output::talk(format!("{}: open it at https://ui.perfetto.dev", path.display()));
    }
    Ok(ExitCode::SUCCESS)
}

fn create(path: &Path) -> Result<(BufWriter<File>, &Path)> {
    let file = File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
    Ok((BufWriter::new(file), path))
}

/// The picture of a run.
fn show(run: &Run) -> Result<()> {
    let policy = run.settings.policy;
    output::line(format!("{policy}: {}", policy.sentence()))?;
    output::line(timeline::first_calls(run, colours(&io::stdout())))?;
    output::line("")
}

fn colours(stream: &impl IsTerminal) -> Colours {
    if stream.is_terminal() { Colours::Ansi } else { Colours::Plain }
}

/// The figures of all runs, and what each policy did.
fn compare(runs: &[Run]) -> Result<()> {
    let rows = runs.iter().map(|Run { settings, outcome, extra_per_call, .. }| {
        [
            settings.policy.to_string(),
            count(outcome.ticker_turns),
            time(outcome.gap_median),
            time(outcome.gap_longest),
            time(outcome.call_median),
            time(outcome.total),
            time(outcome.ideal),
            time(*extra_per_call),
            format!("{} of {}", outcome.calls_without_a_turn, outcome.calls),
        ]
    });
    let heading = [
        "POLICY",
        "TICKER'S TURNS",
        "GAP P50",
        "GAP MAX",
        "CALL P50",
        "TOTAL",
        "IDEAL",
        "SHORT CALL +",
        "CALLS WITHOUT A TURN",
    ];
    output::table(heading, rows)?;
    for run in runs {
        output::line(format!("\n{}: {}", run.settings.policy, run.sentence()))?;
        if run.dropped > 0 {
            output::line(format!("({} events were not kept.)", count(run.dropped)))?;
        }
    }
    if let [_] = runs {
        output::line("\nThe other policies beside it: palco lwp demo --all")?;
    }
    Ok(())
}
