//! `palco bench switch|ring|create|memory|ipc`: figures with their proof, and `palco bench compare`.

use std::env;
use std::fs;
use std::io::{IsTerminal, stderr};
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use palco_measure::matrix::{Filter, Topic};
use palco_measure::{Report, Run, kept};

use super::bench::{BROKEN, clear, show};
use crate::args::How;
use crate::output;

/// How often somebody who does not see a terminal is told.
const TELL_EVERY: Duration = Duration::from_secs(5);

/// Measures, shows and keeps a report.
pub(crate) fn measure(
    topic: Topic,
    filter: Filter,
    peers: bool,
    how: &How,
    json: bool,
) -> Result<ExitCode> {
    check_page(how.html.as_deref())?;
    let run = Run {
        topic,
        extent: how.extent(),
        filter,
        rounds: how.rounds,
        seed: how.seed.unwrap_or_else(seed_of_the_moment),
        keep_noisy: how.keep_noisy,
        peers,
        command: env::args().skip(1).fold("palco".to_owned(), |line, word| line + " " + &word),
    };
    let is_seen = stderr().is_terminal();
    let mut told = SystemTime::now();
    let report = run.measure(&mut |progress| {
        let share = 100 * progress.done / progress.total.max(1);
        let eta = progress.eta.as_secs();
        if is_seen {
            let bar: String =
                (0..20).map(|part| if part * 5 < share { '█' } else { '░' }).collect();
            show(format_args!("{bar} {share:>3} %  {eta:>3} s left  {}", progress.row));
        } else if told.elapsed().is_ok_and(|past| past >= TELL_EVERY) {
            told = SystemTime::now();
            eprintln!("{share} %, {eta} s left");
        }
    })?;
    clear();
    let html = report.to_html();
    if let Some(file) = &how.html {
        fs::write(file, &html).with_context(|| format!("cannot write {}", file.display()))?;
    }
    let is_kept = (!how.no_keep)
        .then(|| kept::keep(&kept::directory(), topic.name(), &report.to_json(), &html));
    output::line(shown(&report, how, json).trim_end())?;
    match is_kept {
        Some(Ok(page)) => eprintln!("the page of this report: {}", page.display()),
        Some(Err(error)) => eprintln!("palco: the report is not kept: {error}"),
        None => {}
    }
    // Without a broken mechanism that was refused nothing may be believed.
    let is_proven = report.trust.broken_refused.is_some();
    Ok(if is_proven { ExitCode::SUCCESS } else { ExitCode::from(BROKEN) })
}

fn shown(report: &Report, how: &How, json: bool) -> String {
    match (json, how.csv, how.markdown) {
        (true, ..) => report.to_json(),
        (_, true, _) => report.to_csv(),
        (_, _, true) => report.to_markdown(),
        _ => report.to_text(None),
    }
}

/// Before anything is measured: a minute later it would be a pity. A page that is there stays until there is another.
pub(super) fn check_page(file: Option<&Path>) -> Result<()> {
    let Some(file) = file else { return Ok(()) };
    let opened = fs::OpenOptions::new().create(true).append(true).open(file);
    opened.map(drop).with_context(|| format!("cannot write {}", file.display()))
}

/// Of nobody's choice.
pub(super) fn seed_of_the_moment() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// Compares two kept reports.
pub(crate) fn compare(
    before: &Path,
    after: &Path,
    force: bool,
    markdown: bool,
    json: bool,
) -> Result<ExitCode> {
    let (before, after) = (palco_measure::read(before)?, palco_measure::read(after)?);
    match palco_measure::compare(&before, &after, force) {
        Ok(compared) => {
            let text = match (json, markdown) {
                (true, _) => serde_json::to_string_pretty(&compared)?,
                (_, true) => compared.to_markdown(),
                _ => compared.to_text(),
            };
            output::line(text.trim_end())?;
            Ok(ExitCode::SUCCESS)
        }
        Err(refusal) => {
            eprintln!("palco: {refusal}");
            Ok(ExitCode::from(BROKEN))
        }
    }
}
