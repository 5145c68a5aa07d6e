//! `palco up`, `palco check`, `palco serve`: a stage from a file, from the binary itself, or of one server.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Result, ensure};
use palco_actors::Supervision;
use palco_models::{AcceptBy, Limits, Listen, ProcessSettings, profile};

use crate::activation;
use crate::args::{Serve, Up};
use crate::control::ControlSocket;
use crate::output;
use crate::stage::{self, Attending, DEFAULT_STAGE, Running, ServerEntry, StageFile, UrgentEntry};

pub(crate) fn up(up: Up, control: Option<PathBuf>, json: bool) -> Result<ExitCode> {
    if up.print {
        output::bytes(DEFAULT_STAGE.as_bytes())?;
        return Ok(ExitCode::SUCCESS);
    }
    let file = match up.file {
        Some(path) => StageFile::read(&path)?,
        None => StageFile::embedded()?,
    };
    let Up { dashboard, urgent, demo, take_over, .. } = up;
    let idle_exit = None;
    let running = Running { file: &file, control, dashboard, urgent, demo, idle_exit, take_over };
    run(running, json)
}

pub(crate) fn serve(serve: Serve, control: Option<PathBuf>, json: bool) -> Result<ExitCode> {
    if serve.inetd {
        let (files, basket) = (serve.files.entry(), serve.basket.entry());
        let Serve { service, root, drain_within, .. } = serve;
        return stage::attend(&Attending { service, root, files, basket, drain_within });
    }
    ensure!(
        serve.idle_exit.is_none_or(|idle| !idle.is_zero()),
        "--idle-exit 0s would leave nobody the time to come"
    );
    let socket = activation::listening()?.map(Arc::new);
    ensure!(
        socket.is_none() || serve.listen.is_none(),
        "an activator has given the socket to listen on: leave out --listen"
    );
    let listen = match &socket {
        Some(socket) => socket.local_addr()?,
        None => serve.listen.unwrap_or(SocketAddr::from(([127, 0, 0, 1], 0))),
    };
    let entry = ServerEntry {
        workers: serve.workers,
        socket: socket.map(Listen::On),
        root: serve.root,
        files: serve.files.entry(),
        basket: serve.basket.entry(),
        limits: Limits {
            connections_max: serve.connections_max,
            action: serve.when_full.0,
            backlog: serve.crew.backlog.unwrap_or(Limits::default().backlog),
            ..Limits::default()
        },
        deadlines: serve.deadlines,
        drain_within: serve.drain_within,
        state: serve.state,
        process: process_settings(serve.memory_max, serve.accept_by.filter(of_processes)),
        crew: serve.crew.crew(serve.accept_by.filter(|who| !of_processes(who))),
        ..ServerEntry::new(serve.service, serve.model, serve.place, listen)
    };
    entry.check()?;
    let (supervision, urgent) = (Supervision::default(), UrgentEntry::default());
    let servers = vec![entry];
    let file =
        StageFile { event_loops: None, supervision, urgent, registers: None, node: None, servers };
    let Serve { dashboard, urgent, idle_exit, take_over, .. } = serve;
    let control = if take_over { control } else { control.or_else(ControlSocket::spare) };
    let demo = None;
    run(Running { file: &file, control, dashboard, urgent, demo, idle_exit, take_over }, json)
}

/// Whether only a team of processes comes by its connections like this.
fn of_processes(accept_by: &AcceptBy) -> bool {
    match accept_by {
        AcceptBy::Workers | AcceptBy::Dispatcher => true,
        AcceptBy::OwnSockets => false,
    }
}

/// None if nothing is said about processes.
fn process_settings(
    memory_max_mib: Option<u64>,
    accept_by: Option<AcceptBy>,
) -> Option<ProcessSettings> {
    (memory_max_mib.is_some() || accept_by.is_some()).then(|| ProcessSettings {
        memory_max_bytes: memory_max_mib.map(|mib| mib.saturating_mul(1 << 20)),
        accept_by: accept_by.unwrap_or_default(),
        ..ProcessSettings::default()
    })
}

fn run(running: Running<'_>, json: bool) -> Result<ExitCode> {
    stage::run(running, |announcement| {
        if json { output::json(announcement) } else { stage::announce(announcement) }
    })
}

pub(crate) fn check(path: &Path, json: bool) -> Result<ExitCode> {
    let file = StageFile::read(path)?;
    let of = |server: &ServerEntry| {
        let name = server.name().to_owned();
        server.settings().advice().into_iter().map(move |text| format!("server `{name}`: {text}"))
    };
    let advice: Vec<String> = file.servers.iter().flat_map(of).collect();
    if json {
        let names: Vec<_> = file.servers.iter().map(ServerEntry::name).collect();
        output::json(&serde_json::json!({ "ok": true, "servers": names, "advice": advice }))?;
        return Ok(ExitCode::SUCCESS);
    }
    let rows = file.servers.iter().map(|server| {
        [
            server.name().to_owned(),
            server.service.to_string(),
            format!("{} × {}", server.model, server.place),
            profile(server.model, server.place).classic_name.to_owned(),
            server.listen.to_string(),
            server.limits.connections_max.to_string(),
        ]
    });
    let heading = ["SERVER", "SERVICE", "MODEL × PLACE", "CLASSIC NAME", "ADDRESS", "CONNECTIONS"];
    output::table(heading, rows)?;
    for text in advice {
        output::line(format!("\nwarning: {text}"))?;
    }
    output::line(format!("\n{} is a good stage file", path.display()))?;
    Ok(ExitCode::SUCCESS)
}
