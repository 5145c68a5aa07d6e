//! `palco ps`: servers and actors of a running stage.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};
use palco_actors::{ActorSnapshot, PlaceKind, ProcessSnapshot, Status};
use palco_models::TimeLimit;

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
            server.backlog.map_or_else(String::new, |backlog| backlog.to_string()),
            scores.active.to_string(),
            scores.accepted.to_string(),
            scores.requests.to_string(),
            limits(scores),
            bad_ends(scores).to_string(),
        ]
    });
    let heading = [
        "SERVER",
        "SERVICE",
        "MODEL × PLACE",
        "ADDRESS",
        "BACKLOG",
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

/// The processes of actors that have one of their own or stand for one, if there are any.
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
                confinement(actor, process),
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

/// How the process is confined. One of another program is what its actor says of it, or nothing.
pub(crate) fn confinement(actor: &ActorSnapshot, process: &ProcessSnapshot) -> String {
    let unknown = match actor.place {
        PlaceKind::Task | PlaceKind::Thread | PlaceKind::Fiber | PlaceKind::Remote => "-",
        PlaceKind::Process => "not yet",
    };
    process.confinement.clone().unwrap_or_else(|| unknown.to_owned())
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
        .chain(time_limits(scores))
        .collect();
    if acted.is_empty() { "-".to_owned() } else { acted.join(", ") }
}

/// Place, and the kernel's number for it: of the thread or the process.
pub(crate) fn place(actor: &ActorSnapshot) -> String {
    let number = match actor.place {
        // A process that the actor stands for is not where it lives.
        PlaceKind::Task | PlaceKind::Thread | PlaceKind::Fiber | PlaceKind::Remote => actor.thread,
        PlaceKind::Process => actor.process.as_ref().and_then(|process| process.pid),
    };
    match number {
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

fn time_limits(scores: &palco_models::Scores) -> impl Iterator<Item = String> {
    let acted = [
        (scores.header_timeouts, TimeLimit::Header.name()),
        (scores.body_timeouts, TimeLimit::Body.name()),
        (scores.idle_timeouts, TimeLimit::Idle.name()),
        (scores.handler_timeouts, TimeLimit::Handler.name()),
        (scores.send_timeouts, TimeLimit::Send.name()),
        (scores.worker_timeouts, TimeLimit::Worker.name()),
        (scores.shed, "shed-above"),
    ];
    let acted = acted.into_iter().filter(|(count, _)| *count > 0);
    acted.map(|(count, limit)| format!("{limit}: {count}"))
}

/// Who is only idle for too long has come to no bad end.
fn bad_ends(scores: &palco_models::Scores) -> u64 {
    let timed_out = scores.timed_out.saturating_sub(scores.idle_timeouts);
    scores.malformed + scores.panicked + scores.broken + scores.abandoned + timed_out
}

#[cfg(test)]
mod tests {
    use palco_actors::{Actor, Context, Failure, SpawnOptions, System};

    use super::*;

    /// Stands for a process that it says nothing of.
    struct Keeper;

    impl Actor for Keeper {
        async fn started(&mut self, cx: &mut Context<Self>) -> Result<(), Failure> {
            cx.stands_for(i32::try_from(std::process::id())?, None);
            Ok(())
        }
    }

    #[test]
    fn an_actor_that_stands_for_a_process_lives_where_it_lives() {
        let system = System::new().expect("a system");
        let keeper = system.spawn(SpawnOptions::new(), || Keeper).expect("an actor");
        let standing = || Some(keeper.any().snapshot()).filter(|actor| actor.process.is_some());
        let actor = std::iter::repeat_with(standing).flatten().next().expect("it has started");
        assert_eq!(place(&actor), "task");
        let process = actor.process.as_ref().expect("it stands for one");
        assert_eq!(confinement(&actor, process), "-");
        assert!(process.rss_bytes.is_some_and(|bytes| bytes > 0));
    }
}
