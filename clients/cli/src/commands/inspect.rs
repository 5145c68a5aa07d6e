//! `palco inspect NAME`: everything that is known of one actor.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};
use palco_actors::{PlaceKind, StateMark};

use super::ps::{confinement, doing, place};
use crate::args::Target;
use crate::control::{Reply, Request, ask};
use crate::output;

pub(crate) fn inspect(control: Option<PathBuf>, target: Target, json: bool) -> Result<ExitCode> {
    let within_ms = u64::try_from(target.within.as_millis()).unwrap_or(u64::MAX);
    let request = Request::Inspect { name: target.name, within_ms };
    let Reply::Inspection(view) = ask(control, &request)? else {
        bail!("the stage answered something else")
    };
    if json {
        output::json(&view)?;
        return Ok(ExitCode::SUCCESS);
    }
    let actor = &view.inspection.actor;
    let freshness = match view.inspection.freshness {
        StateMark::Live => "live".to_owned(),
        StateMark::Stale { age_ms } => format!("stale, {age_ms} ms old"),
        StateMark::PostMortem => "post mortem".to_owned(),
        StateMark::Unknown => "not known: its handler has not come to an end".to_owned(),
    };
    let mut rows = vec![
        ["actor".to_owned(), format!("{} {}", actor.path, actor.id)],
        ["type".to_owned(), actor.actor_type.clone()],
        ["place".to_owned(), place(actor)],
        ["doing".to_owned(), doing(actor)],
        [
            "queue".to_owned(),
            format!("{} of {}, {} urgent", actor.queued, actor.capacity, actor.urgent),
        ],
        ["messages".to_owned(), format!("{} sent, {} handled", actor.sent, actor.handled)],
    ];
    for (reason, count) in &actor.dropped {
        rows.push(["dropped".to_owned(), format!("{count}: {reason}")]);
    }
    rows.push(["restarts".to_owned(), actor.restarts.to_string()]);
    if let Some(node) = &actor.node {
        let connected = if node.is_connected { "connected" } else { "not connected" };
        rows.push(["node".to_owned(), format!("{} ({connected})", node.peer)]);
    }
    if let Some(process) = &actor.process {
        if let Some(pid) = process.pid.filter(|_| actor.place != PlaceKind::Process) {
            rows.push(["stands for".to_owned(), format!("process {pid}")]);
        }
        rows.push(["confinement".to_owned(), confinement(actor, process)]);
        rows.push(["recycled".to_owned(), process.recycled.to_string()]);
    }
    if let Some(reason) = &actor.last_exit {
        rows.push(["last exit".to_owned(), reason.to_string()]);
    }
    rows.push(["state".to_owned(), format!("{} ({freshness})", view.inspection.state)]);
    output::table(["", ""], rows)?;
    if let Some(server) = &view.server {
        output::line(format!(
            "\n{} on {}: {}",
            server.classic_name,
            server.address,
            serde_json::to_string_pretty(&server.scores)?
        ))?;
    }
    Ok(ExitCode::SUCCESS)
}
