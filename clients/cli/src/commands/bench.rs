//! `palco bench`: measurements on this machine.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use anyhow::Result;
use palco_load::actors::{self, Progress, Settings};

use crate::args::Bench;
use crate::output;

pub(crate) fn bench(bench: Bench, json: bool) -> Result<ExitCode> {
    match bench {
        Bench::Actors { quick, markdown, only } => {
            let report = actors::run(&Settings { quick, only, ..Settings::default() }, show);
            clear();
            if json {
                output::line(report.to_json())?;
            } else if markdown {
                output::line(report.to_markdown())?;
            } else {
                output::line(report.to_table())?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// One line that is written over, if somebody is there to read it.
fn show(progress: Progress<'_>) {
    if std::io::stderr().is_terminal() {
        let Progress { row, round, done, total, .. } = progress;
        eprint!("\r\x1b[K{done}/{total} round {round}: {row}");
        let _ = std::io::stderr().flush();
    }
}

fn clear() {
    if std::io::stderr().is_terminal() {
        eprint!("\r\x1b[K");
    }
}
