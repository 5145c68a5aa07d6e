//! `palco status`: what every place of every server is doing, as letters.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use palco_models::{Slot, auto_text};

use crate::args::StatusArgs;
use crate::control::{Reply, Request, ask};
use crate::output;

/// Letters in a line.
const LETTERS: usize = 64;

pub(crate) fn status(
    control: Option<PathBuf>,
    wanted: &StatusArgs,
    json: bool,
) -> Result<ExitCode> {
    let Reply::Status { uptime_s, mut servers } = ask(control, &Request::Status)? else {
        bail!("the stage answered something else")
    };
    if let Some(name) = &wanted.server {
        let names: Vec<_> = servers.iter().map(|server| server.name.clone()).collect();
        servers.retain(|server| server.name == *name);
        let names = names.join(", ");
        ensure!(!servers.is_empty(), "there is no server `{name}`; servers are: {names}");
    }
    if wanted.auto {
        output::bytes(auto_text(&servers, Duration::from_secs(uptime_s)).as_bytes())?;
        return Ok(ExitCode::SUCCESS);
    }
    if json {
        output::json(&serde_json::json!({ "uptime_s": uptime_s, "servers": servers }))?;
        return Ok(ExitCode::SUCCESS);
    }
    for server in &servers {
        let busy = server.slots.busy();
        output::line(format!(
            "{}, {} × {}: {busy} busy, {} idle, {} requests",
            server.name,
            server.model,
            server.place,
            server.slots.count(Slot::Waiting),
            server.requests,
        ))?;
        // A row of open places says no more than one line of them.
        let letters = server.slots.to_string();
        let shown = letters.trim_end_matches(Slot::Open.letter()).len() + LETTERS;
        let letters: Vec<char> = letters.chars().take(shown).collect();
        for line in letters.chunks(LETTERS) {
            output::line(format!("  {}", line.iter().collect::<String>()))?;
        }
        if server.waiting > 0 {
            let why = server.why.as_ref().map_or_else(String::new, |why| format!(": {why}"));
            output::line(format!("  {} wait to be accepted{why}", server.waiting))?;
        }
    }
    let legend = Slot::ALL.map(|slot| format!("{} {}", slot.letter(), slot.meaning()));
    output::line(format!("\n{}", legend.join("; ")))?;
    Ok(ExitCode::SUCCESS)
}
