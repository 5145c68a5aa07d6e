//! `palco bench`: measurements on this machine.

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use palco_load::actors::{self, Progress, Settings};
use palco_load::{echo, observe, spawn, urgent};

use crate::args::Bench;
use crate::output;

/// A property does not hold.
const BROKEN: u8 = 3;

pub(crate) fn bench(bench: Bench, json: bool) -> Result<ExitCode> {
    let mut code = ExitCode::SUCCESS;
    let report = match bench {
        Bench::Actors { quick, markdown, only } => {
            let report =
                actors::run(&Settings { quick, only, ..Settings::default() }, |progress| {
                    let Progress { row, round, done, total, .. } = progress;
                    show(format_args!("{done}/{total} round {round}: {row}"));
                });
            match (json, markdown) {
                (true, _) => report.to_json(),
                (_, true) => report.to_markdown(),
                _ => report.to_table(),
            }
        }
        Bench::Spawn { quick, markdown, only } => {
            let settings =
                if quick { spawn::Settings::quick() } else { spawn::Settings::default() };
            // This very program, even if another file is at its path by now.
            let palco = Some(PathBuf::from("/proc/self/exe"));
            let settings = spawn::Settings { palco, only, ..settings };
            let report = spawn::run(&settings, |progress| show(format_args!("{progress}")));
            match (json, markdown) {
                (true, _) => report.to_json(),
                (_, true) => report.to_markdown(),
                _ => report.to_table(),
            }
        }
        Bench::Observe { quick, markdown } => {
            let settings =
                if quick { observe::Settings::quick() } else { observe::Settings::default() };
            let report = observe::run(&settings, |progress| show(format_args!("{progress}")));
            match (json, markdown) {
                (true, _) => report.to_json(),
                (_, true) => report.to_markdown(),
                _ => report.to_table(),
            }
        }
        Bench::Echo { quick, markdown } => {
            let settings = if quick { echo::Settings::quick() } else { echo::Settings::default() };
            let report = echo::run(&settings, |progress| show(format_args!("{progress}")))?;
            match (json, markdown) {
                (true, _) => report.to_json(),
                (_, true) => report.to_markdown(),
                _ => report.to_table(),
            }
        }
        Bench::Urgent { quick, markdown } => {
            let settings =
                if quick { urgent::Settings::quick() } else { urgent::Settings::default() };
            let report = urgent::run(&settings, |progress| show(format_args!("{progress}")))?;
            if !report.holds() {
                code = ExitCode::from(BROKEN);
            }
            match (json, markdown) {
                (true, _) => report.to_json(),
                (_, true) => report.to_markdown(),
                _ => report.to_table(),
            }
        }
    };
    clear();
    output::line(report.trim_end())?;
    Ok(code)
}

/// One line that is written over, if somebody is there to read it.
fn show(progress: std::fmt::Arguments<'_>) {
    if std::io::stderr().is_terminal() {
        eprint!("\r\x1b[K{progress}");
        let _ = std::io::stderr().flush();
    }
}

fn clear() {
    if std::io::stderr().is_terminal() {
        eprint!("\r\x1b[K");
    }
}
