//! `palco stop|kill|restart|suspend|resume|step|interrupt NAME`: send a signal, say what it brought about.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};
use palco_actors::{Effect, Signal};

use crate::args::Target;
use crate::control::{Reply, Request, ask};
use crate::output;

/// Exit code 1 when the signal has not taken hold in time.
pub(crate) fn signal(
    control: Option<PathBuf>,
    target: Target,
    signal: Signal,
    json: bool,
) -> Result<ExitCode> {
    let within_ms = u64::try_from(target.within.as_millis()).unwrap_or(u64::MAX);
    let reply = ask(control, &Request::Signal { name: target.name, signal, within_ms })?;
    if json {
        output::json(&reply)?;
    }
    let (text, code) = match &reply {
        Reply::Drained { name, report } => (
            format!(
                "{name}: drained, {} connections finished, {} abandoned",
                report.finished, report.abandoned
            ),
            ExitCode::SUCCESS,
        ),
        Reply::Effect { name, effect } => match effect {
            Effect::Done => (format!("{name}: {}", done(signal)), ExitCode::SUCCESS),
            Effect::Ended => (format!("{name}: ended"), ExitCode::SUCCESS),
            Effect::Pending { message, running_ms } => {
                let doing = match message {
                    Some(message) => format!("`{message}` has been running for {running_ms} ms"),
                    None => "it is between two messages".to_owned(),
                };
                (
                    format!(
                        "{name}: sent, without effect so far: no await point or checkpoint reached; {doing}"
                    ),
                    ExitCode::FAILURE,
                )
            }
        },
        Reply::Stage(_)
        | Reply::Actors { .. }
        | Reply::Inspection(_)
        | Reply::Status { .. }
        | Reply::Requests(_)
        | Reply::Acted { .. }
        | Reply::Superserver(_)
        | Reply::Reloaded(_)
        | Reply::Registers(_)
        | Reply::Allowed
        | Reply::Tags(_)
        | Reply::Reconfigured(_)
        | Reply::Error(_) => {
            bail!("the stage answered something else")
        }
    };
    if !json {
        output::line(text)?;
    }
    Ok(code)
}

fn done(signal: Signal) -> &'static str {
    match signal {
        Signal::Suspend => "suspended; `palco resume` lets it go on",
        Signal::Resume => "resumed",
        Signal::Step => "one message further",
        Signal::Interrupt => "interrupted",
        Signal::Stop => "stopped",
        Signal::Kill => "killed",
        Signal::Restart => "started again",
        Signal::Inspect => "inspected",
    }
}
