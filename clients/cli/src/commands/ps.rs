//! `palco ps`: servers and actors of a running stage.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};
use palco_actors::{ActorSnapshot, Status};

use crate::control::{Reply, Request, ask};
use crate::output;

pub(crate) fn ps(control: Option<PathBuf>, json: bool) -> Result<ExitCode> {
    let reply = ask(control, &Request::Actors)?;
    let Reply::Actors { stage, actors } = &reply else {
        bail!("the stage answered something else")
    };
    if json {
        output::json(&serde_json::json!({ "stage": stage, "actors": actors }))?;
        return Ok(ExitCode::SUCCESS);
    }
    let servers = stage.servers.iter().map(|server| {
        let scores = &server.scores;
        [
            server.name.clone(),
            server.service.to_string(),
            format!("{} × {}", server.model, server.place),
            server.address.to_string(),
            scores.active.to_string(),
            scores.accepted.to_string(),
            scores.requests.to_string(),
            limits(scores),
            (scores.malformed + scores.panicked + scores.broken + scores.abandoned).to_string(),
        ]
    });
    let heading = [
        "SERVER",
        "SERVICE",
        "MODEL × PLACE",
        "ADDRESS",
        "OPEN",
        "ACCEPTED",
        "REQUESTS",
        "LIMIT ACTED",
        "BAD ENDS",
    ];
    output::table(heading, servers)?;
    output::line("")?;
    let rows = actors.iter().map(|actor| {
        [
            actor.id.to_string(),
            actor.path.clone(),
            place(actor),
            doing(actor),
            format!("{}/{}", actor.queued, actor.capacity),
            actor.handled.to_string(),
            actor.dropped_total().to_string(),
            actor.restarts.to_string(),
            actor.last_exit.as_ref().map_or_else(String::new, ToString::to_string),
        ]
    });
    let heading =
        ["ID", "ACTOR", "PLACE", "DOING", "QUEUE", "HANDLED", "DROPPED", "RESTARTS", "LAST EXIT"];
    output::table(heading, rows)?;
    processes(actors)?;
    let ledger = stage.ledger;
    output::line(format!(
        "\nstage up {} s, pid {}; messages: {} sent = {} handled + {} queued + {} dropped + {} in flight",
        stage.uptime_s,
        stage.pid,
        ledger.sent,
        ledger.handled,
        ledger.queued,
        ledger.dropped,
        ledger.in_flight
    ))?;
    for letter in stage.dead_letters.iter().take(5) {
        output::line(format!("dead letter: {letter}"))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The processes of actors that have one of their own, if there are any.
fn processes(actors: &[ActorSnapshot]) -> Result<()> {
    let rows: Vec<_> = actors
        .iter()
        .filter_map(|actor| actor.process.as_ref().map(|process| (actor, process)))
        .map(|(actor, process)| {
            [
                process.pid.map_or_else(|| "-".to_owned(), |pid| pid.to_string()),
                actor.path.clone(),
                process.rss_bytes.map_or_else(unknown, mebibytes),
                process.cpu_ms.map_or_else(unknown, seconds),
                process.age_ms.map_or_else(unknown, seconds),
                process.confinement.clone().unwrap_or_else(|| "not yet".to_owned()),
                actor.restarts.to_string(),
                process.recycled.to_string(),
                actor.last_exit.as_ref().map_or_else(String::new, ToString::to_string),
            ]
        })
        .collect();
    if rows.is_empty() {
        return Ok(());
    }
    output::line("")?;
    let heading =
        ["PID", "ACTOR", "RSS", "CPU", "AGE", "CONFINEMENT", "RESTARTS", "RECYCLED", "LAST EXIT"];
    output::table(heading, rows)
}

/// What is not known because there is no `/proc`, or no process just now.
fn unknown() -> String {
    "?".to_owned()
}

fn mebibytes(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20))
}

fn seconds(milliseconds: u64) -> String {
    format!("{:.1} s", milliseconds as f64 / 1e3)
}

/// Which limit acted, and how often.
fn limits(scores: &palco_models::Scores) -> String {
    let acted = [
        (scores.deferred, "deferred"),
        (scores.dropped, "dropped"),
        (scores.closed, "closed"),
        (scores.failed, "failed"),
    ];
    let acted: Vec<_> = acted
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, action)| format!("connections-max: {count} {action}"))
        .collect();
    if acted.is_empty() { "-".to_owned() } else { acted.join(", ") }
}

/// Place, and the kernel's number for it: of the thread or the process.
pub(crate) fn place(actor: &ActorSnapshot) -> String {
    let process = actor.process.as_ref().and_then(|process| process.pid);
    match process.or(actor.thread) {
        Some(number) => format!("{} {number}", actor.place),
        None => actor.place.to_string(),
    }
}

/// What an actor does, in a few words.
pub(crate) fn doing(actor: &ActorSnapshot) -> String {
    let handler = || {
        let message = actor.note.as_deref().or(actor.message.as_deref()).unwrap_or_default();
        let message = message.rsplit("::").next().unwrap_or(message);
        format!("{message} for {:.1} s", actor.running_ms.unwrap_or(0) as f64 / 1e3)
    };
    match actor.status {
        Status::Starting => "starting".to_owned(),
        Status::Idle => "idle".to_owned(),
        Status::Busy => handler(),
        Status::Suspending => format!("suspending, in {}", handler()),
        Status::Suspended if actor.message.is_some() || actor.note.is_some() => {
            format!("suspended in {}", handler())
        }
        Status::Suspended => "suspended".to_owned(),
        Status::Restarting => "restarting".to_owned(),
        Status::Stopping => "stopping".to_owned(),
        Status::Ended => "ended".to_owned(),
    }
}
