//! `palco inetd`: a superserver; and what is asked of one.

mod check;
mod status;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};
use palco_load::spawn::Ballast;
use palco_superserver::config::SAMPLE;

use crate::args::{Inetd, InetdCommand};
use crate::control::{Reply, Request, ask};
use crate::inetd::{Log, Running, Source, run};
use crate::output;

pub(crate) fn inetd(inetd: Inetd, control: Option<PathBuf>, json: bool) -> Result<ExitCode> {
    match inetd.command {
        Some(InetdCommand::Check { file, dialect }) => {
            let mut reading = inetd.reading;
            reading.config = file;
            reading.dialect = dialect;
            check::check(reading, json)
        }
        Some(InetdCommand::Status) => status::status(control, json),
        Some(InetdCommand::Reload) => reload(control, json),
        Some(InetdCommand::Sample) => {
            output::bytes(SAMPLE.as_bytes())?;
            Ok(ExitCode::SUCCESS)
        }
        None if inetd.dry_run => check::check(inetd.reading, json),
        None => {
            let _ballast = Ballast::touch(inetd.touch_mib);
            let running = Running {
                source: Source::Files(inetd.reading),
                control,
                take_over: inetd.take_over,
                log: Log::open(inetd.log.as_deref())?,
                dashboard: Some(inetd.dashboard),
                leave_programs: true,
            };
            run(running, json)
        }
    }
}

fn reload(control: Option<PathBuf>, json: bool) -> Result<ExitCode> {
    let Reply::Reloaded(changes) = ask(control, &Request::Reload)? else {
        bail!("the stage answered something else")
    };
    if json {
        output::json(&changes)?;
    } else {
        output::line(changes.to_string())?;
    }
    Ok(ExitCode::SUCCESS)
}
