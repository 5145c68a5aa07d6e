//! `palco bench`: measurements on this machine.

mod appends;
mod kept;
mod registers;
mod servers;
mod state;

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use palco_load::actors::{self, Progress, Settings};
use palco_load::{observe, spawn, urgent};

use palco_measure::matrix::{Filter, Topic};

pub(super) use kept::command;

use super::measure::{compare, measure};
use crate::args::{Bench, How};
use crate::output;

/// A property does not hold.
pub(super) const BROKEN: u8 = 3;

pub(crate) fn bench(bench: Bench, json: bool) -> Result<ExitCode> {
    let mut code = ExitCode::SUCCESS;
    let report = match bench {
        Bench::Switch { which, how, peers } => {
            return measure(Topic::Switch, which.into_filter(), peers, &how, json);
        }
        Bench::Ring { n, how } => {
            let filter = Filter { ring: n, ..Filter::default() };
            return measure(Topic::Ring, filter, false, &how, json);
        }
        Bench::Create { how } => return plain(Topic::Create, &how, json),
        Bench::Memory { how } => return plain(Topic::Memory, &how, json),
        Bench::Ipc { how } => return plain(Topic::Ipc, &how, json),
        Bench::Compare { before, after, force, markdown } => {
            return compare(&before, &after, force, markdown, json);
        }
        Bench::Appends { kills } => return appends::bench(kills, json),
        Bench::Registers(args) => {
            registers::bench(&args, json)?;
            return Ok(code);
        }
        Bench::State(args) => {
            state::bench(&args, json)?;
            return Ok(code);
        }
        Bench::Servers(args) => {
            servers::bench(&args, json)?;
            return Ok(code);
        }
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

fn plain(topic: Topic, how: &How, json: bool) -> Result<ExitCode> {
    measure(topic, Filter::default(), false, how, json)
}

/// One line that is written over, if somebody is there to read it.
pub(super) fn show(progress: std::fmt::Arguments<'_>) {
    if std::io::stderr().is_terminal() {
        eprint!("\r\x1b[K{progress}");
        let _ = std::io::stderr().flush();
    }
}

pub(super) fn clear() {
    if std::io::stderr().is_terminal() {
        eprint!("\r\x1b[K");
    }
}
