//! `palco verify`: a real cluster, broken while clients use it, and judged.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result};
use palco_dashboard::Token;
use palco_verify::{Progress, Verdict};

use super::bench::{BROKEN, clear, show};
use super::measure::{check_page, seed_of_the_moment};
use crate::args::Verify;
use crate::output;
use crate::stage::{EndSignals, watch};

/// It could not be run, or not to its end.
const NOT_RUN: u8 = 2;

/// Exit code 0 if all that was judged holds, 3 if it does not, 2 if nobody knows.
pub(crate) fn verify(wanted: &Verify, json: bool) -> Result<ExitCode> {
    match run(wanted, json) {
        Err(error) if !output::is_broken_pipe(&error) => {
            clear();
            output::talk(format!("{error:#}"));
            Ok(ExitCode::from(NOT_RUN))
        }
        done => done,
    }
}

fn run(wanted: &Verify, json: bool) -> Result<ExitCode> {
    check_page(wanted.html.as_deref())?;
    let password = wanted.password_file.as_deref().map(Token::from_file).transpose()?;
    let password = password.map(|password| password.reveal().to_owned());
    // This very program, even if another file is at its path by now.
    let program = PathBuf::from(format!("/proc/{}/exe", std::process::id()));
    let stop = Arc::new(AtomicBool::new(false));
    end_at_a_signal(Arc::clone(&stop))?;
    let settings = wanted.settings(program, seed_of_the_moment(), password, stop);
    let report = palco_verify::run(&settings, &mut |progress| tell(&progress))?;
    clear();
    if let Some(file) = &wanted.html {
        let written = fs::write(file, report.to_html());
        written.with_context(|| format!("cannot write {}", file.display()))?;
    }
    if json {
        output::json(&report)?;
    } else {
        output::line(report.to_text().trim_end())?;
    }
    Ok(match report.verdict {
        Verdict::Holds => ExitCode::SUCCESS,
        Verdict::Violated => ExitCode::from(BROKEN),
        Verdict::Undecided | Verdict::Interrupted | Verdict::Nothing => ExitCode::from(NOT_RUN),
    })
}

/// Ctrl-C and SIGTERM end the run early, and not the program: what was made for it is taken away again.
pub(super) fn end_at_a_signal(stop: Arc<AtomicBool>) -> Result<()> {
    let signals = EndSignals::block()?;
    watch("palco-run-end", move || {
        if signals.wait().is_ok() {
            stop.store(true, Ordering::Relaxed);
        }
    })
}

fn tell(progress: &Progress) {
    let Progress { what, elapsed, counts, judged } = progress;
    show(format_args!(
        "{:.0} s: {} answered, {} unknown, {judged} judged{}{what}",
        elapsed.as_secs_f64(),
        counts.done,
        counts.unknown,
        if what.is_empty() { "" } else { "; " }
    ));
}
