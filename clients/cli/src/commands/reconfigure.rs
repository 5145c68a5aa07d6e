//! `palco reconfigure`: other members, without a pause.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};
use palco_replica::{Change, Wish};

use crate::args::ReconfigureArgs;
use crate::control::{Reply, Request, ask};
use crate::output;

/// Exit code 1 when it was not installed, or nobody knows.
pub(crate) fn reconfigure(
    control: Option<PathBuf>,
    args: ReconfigureArgs,
    json: bool,
) -> Result<ExitCode> {
    let ReconfigureArgs { members, replace, quorum, within } = args;
    let within_ms = u64::try_from(within.as_millis()).unwrap_or(u64::MAX);
    let wish = Wish { members, replace, quorum };
    let Reply::Reconfigured(changes) = ask(control, &Request::Reconfigure { wish, within_ms })?
    else {
        bail!("the stage answered something else")
    };
    if json {
        output::json(&changes)?;
    } else {
        for (shard, change) in changes.iter().enumerate() {
            output::line(format!("shard {shard}: {change}"))?;
        }
    }
    let is_installed = changes.iter().all(Change::is_installed);
    Ok(if is_installed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
