//! Running a stage: start its servers, answer on the control socket, drain on Ctrl-C.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{self, ExitCode};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use nix::sys::signal::{SigSet, Signal};
use palco_actors::{DeadLetter, Ledger, PlaceKind, System};
use palco_core::{Answer, RequestId, Verb};
use palco_dashboard::{Dashboard, Token};
use palco_models::{
    DrainReport, ModelKind, RequestView, Scores, Server, ServerSettings, Urgent, UrgentStatus,
    profile,
};
use palco_replica::{Cluster, http};
use palco_threads::{STACK_BYTES_DEFAULT, block_on, spawn_named};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

use super::node::NodeSaid;
use super::{
    DashboardArgs, Demo, ServerEntry, ServiceKind, Shown, StageFile, UrgentArgs, idle, page,
};
use crate::control::{self, ControlSocket};
use crate::inetd::Installed;
use crate::output;

/// A running stage.
pub(crate) struct Stage {
    pub(crate) system: System,
    pub(super) servers: Vec<(ServerEntry, Arc<Server>)>,
    pub(crate) superserver: Option<Installed>,
    /// The nodes that keep registers.
    pub(crate) registers: Option<Arc<dyn Cluster>>,
    /// Their HTTP gateways.
    pub(super) http: Mutex<Vec<http::Running>>,
    /// The one that this stage is.
    pub(super) node: Option<NodeSaid>,
    /// Where requests that are being served can be interrupted.
    pub(crate) urgent: Option<Arc<Urgent>>,
    /// Held as long as this process is the one that is asked.
    control: Mutex<Option<ControlSocket>>,
    started: Instant,
    /// What service `http` shows without a directory of its own; none without servers.
    page: Option<TempDir>,
}

/// A stage as seen from outside.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct StageView {
    pub(crate) version: String,
    pub(crate) pid: u32,
    pub(crate) uptime_s: u64,
    pub(crate) servers: Vec<ServerView>,
    /// The urgent port, if one is open.
    #[serde(default)]
    pub(crate) urgent: Option<UrgentStatus>,
    /// Where nodes that keep registers answer HTTP.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) http: Vec<SocketAddr>,
    /// The node that this stage is, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) node: Option<NodeSaid>,
    pub(crate) ledger: Ledger,
    /// How many dead letters are kept, and the latest of them.
    pub(crate) dead_letters: Vec<String>,
}

/// A server as seen from outside.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ServerView {
    pub(crate) name: String,
    pub(crate) service: ServiceKind,
    pub(crate) model: ModelKind,
    pub(crate) place: PlaceKind,
    pub(crate) workers: Option<usize>,
    pub(crate) address: SocketAddr,
    /// How many connections the kernel keeps waiting, whatever was asked for.
    #[serde(default)]
    pub(crate) backlog: Option<u32>,
    pub(crate) classic_name: String,
    /// A command that shows it to be alive.
    pub(crate) command: String,
    pub(crate) scores: Scores,
}

impl Stage {
    fn of(system: System) -> Self {
        Self {
            system,
            servers: Vec::new(),
            superserver: None,
            registers: None,
            http: Mutex::default(),
            node: None,
            urgent: None,
            control: Mutex::new(None),
            started: Instant::now(),
            page: None,
        }
    }

    /// A stage without servers.
    pub(crate) fn empty() -> Result<Self> {
        // Twice as many loops as cores: one that starts a program waits until that has begun.
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let system = System::builder().event_loops(cores * 2).build();
        Ok(Self::of(system.context("cannot start the actor system")?))
    }

    /// Keeps the control socket, which is removed when it is released.
    pub(crate) fn hold(&self, socket: ControlSocket) {
        *self.control.lock() = Some(socket);
    }

    /// Lets go of the control socket: another process may take it.
    pub(crate) fn release_control(&self) {
        drop(self.control.lock().take());
    }

    /// Starts all servers of `file`; if one cannot be started, those before it are stopped again.
    pub(crate) fn start(file: &StageFile, urgent: &UrgentArgs, token: &Token) -> Result<Self> {
        let mut builder = System::builder().supervision(file.supervision);
        if let Some(event_loops) = file.event_loops {
            builder = builder.event_loops(event_loops);
        }
        let system = builder.build().context("cannot start the actor system")?;
        let mut stage = Self::of(system);
        stage.urgent = urgent.open(file.urgent)?;
        let page = page::directory()?;
        for entry in &file.servers {
            let root = entry.root.as_deref().unwrap_or(page.path());
            let state = entry.state.unwrap_or_default();
            let settings = ServerSettings { urgent: stage.urgent.clone(), ..entry.settings() };
            let (files, basket) = (entry.files.as_ref(), entry.basket.as_ref());
            let shown = Shown::of(root, entry.cell(), files, basket);
            match entry.service.start(&stage.system, settings, state, &shown) {
                Ok(server) => stage.servers.push((entry.clone(), Arc::new(server))),
                Err(error) => {
                    stage.drain();
                    return Err(error);
                }
            }
        }
        if let Err(error) = stage.keep_registers(file, token) {
            stage.drain();
            return Err(error);
        }
        page::write(&page, &stage.view().servers)?;
        stage.page = Some(page);
        Ok(stage)
    }

    pub(crate) fn server(&self, name: &str) -> Option<&Server> {
        self.servers.iter().find(|(entry, _)| entry.name() == name).map(|(_, server)| &**server)
    }

    pub(crate) fn view(&self) -> StageView {
        let letter = |letter: &DeadLetter| {
            format!("{} for {}: {}", letter.message, letter.to, letter.reason)
        };
        StageView {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: process::id(),
            uptime_s: self.started.elapsed().as_secs(),
            servers: self.servers.iter().map(|(entry, server)| view(entry, server)).collect(),
            urgent: self.urgent.as_ref().map(|urgent| urgent.status()),
            http: self.http.lock().iter().map(http::Running::address).collect(),
            node: self.node.clone(),
            ledger: self.system.ledger(),
            dead_letters: self
                .system
                .latest_dead_letters()
                .iter()
                .rev()
                .take(20)
                .map(letter)
                .collect(),
        }
    }

    /// The requests that are being served, longest first; at most `max` of each server.
    pub(crate) fn requests(&self, max: usize) -> Vec<RequestView> {
        let of = |(_, server): &(ServerEntry, Arc<Server>)| server.requests(max);
        let mut requests: Vec<_> = self.servers.iter().flat_map(of).collect();
        requests.sort_by_key(|view| std::cmp::Reverse(view.age_ms));
        requests
    }

    /// Does something about a request, without a key: who asks runs the stage.
    pub(crate) async fn act(&self, request: &RequestId, verb: Verb) -> Result<Answer, String> {
        match self.server(&request.server) {
            Some(server) => Ok(server.act(request, verb).await),
            None => {
                let names: Vec<_> = self.servers.iter().map(|(entry, _)| entry.name()).collect();
                let names = names.join(", ");
                Err(format!("there is no server `{}`; servers are: {names}", request.server))
            }
        }
    }

    /// Removes what `http` shows, which the end of a process does not.
    fn remove_page(&self) {
        if let Some(page) = &self.page {
            let _ = fs::remove_dir_all(page.path());
        }
    }

    /// Drains all servers side by side, then stops the system.
    pub(crate) fn drain(&self) -> Vec<(String, DrainReport)> {
        std::thread::scope(|scope| {
            let drains: Vec<_> = self
                .servers
                .iter()
                .map(|(entry, server)| (entry, scope.spawn(|| block_on(server.drain()))))
                .collect();
            let reports = drains.into_iter().filter_map(|(entry, drain)| {
                drain.join().ok().map(|report| (entry.name().to_owned(), report))
            });
            let reports = reports.collect();
            self.http.lock().clear();
            block_on(self.system.shutdown());
            reports
        })
    }
}

fn view(entry: &ServerEntry, server: &Server) -> ServerView {
    ServerView {
        name: entry.name().to_owned(),
        service: entry.service,
        model: entry.model,
        place: entry.place,
        workers: entry.workers.or(profile(entry.model, entry.place).workers),
        address: server.address(),
        backlog: server.backlog(),
        classic_name: profile(entry.model, entry.place).classic_name.to_owned(),
        command: entry.try_command(server.address()),
        scores: server.scores(),
    }
}

/// How to run a stage.
#[derive(Debug)]
pub(crate) struct Running<'a> {
    pub(crate) file: &'a StageFile,
    pub(crate) control: Option<PathBuf>,
    pub(crate) dashboard: DashboardArgs,
    pub(crate) urgent: UrgentArgs,
    pub(crate) demo: Option<Demo>,
    /// It ends when its server, the only one, has had no connection for so long.
    pub(crate) idle_exit: Option<Duration>,
}

/// What is said when a stage runs.
#[derive(Debug, Serialize)]
pub(crate) struct Announcement<'a> {
    #[serde(flatten)]
    pub(crate) view: &'a StageView,
    pub(crate) control: &'a Path,
    /// Where to open the dashboard; whoever has this may act. Said here and nowhere else.
    pub(crate) dashboard: Option<String>,
}

/// The signals that ask for the end: Ctrl-C and SIGTERM.
pub(crate) struct EndSignals(SigSet);

impl EndSignals {
    /// Before any other thread exists: all of them inherit the mask, and only who waits here gets the signals.
    pub(crate) fn block() -> Result<Self> {
        let mut signals = SigSet::empty();
        signals.add(Signal::SIGINT);
        signals.add(Signal::SIGTERM);
        signals.thread_block().context("cannot block signals")?;
        Ok(Self(signals))
    }

    pub(crate) fn wait(&self) -> Result<()> {
        self.0.wait().map(drop).context("cannot wait for signals")
    }
}

/// Runs a stage until Ctrl-C, SIGTERM, until it has been idle for long enough, or until its root supervisor gives up. Does
/// not return before.
pub(crate) fn run(
    running: Running<'_>,
    announce: impl Fn(&Announcement<'_>) -> Result<()>,
) -> Result<ExitCode> {
    let Running { file, control, dashboard, urgent, demo, idle_exit } = running;
    let signals = EndSignals::block()?;
    let socket = ControlSocket::claim(control)?;
    let token = dashboard.token()?;
    let stage = Arc::new(Stage::start(file, &urgent, &token)?);
    if let Some(demo) = demo {
        demo.start(&stage.system)?;
    }
    control::serve(&stage, &socket)?;
    let dashboard = dashboard.open(&stage, token, demo.map(Demo::task))?;
    announce(&Announcement {
        view: &stage.view(),
        control: socket.path(),
        dashboard: dashboard.as_ref().map(Dashboard::url_with_token),
    })?;

    let system = stage.system.clone();
    let path = socket.path().to_owned();
    watch("palco-root", move || {
        let reason = block_on(system.ended());
        if reason.is_failure() {
            output::talk(format!("the stage has failed: {reason}"));
            control::remove(&path);
            process::exit(1);
        }
    })?;
    if let (Some(idle), Some((_, server))) = (idle_exit, stage.servers.first()) {
        let (server, stage, path) =
            (Arc::clone(server), Arc::clone(&stage), socket.path().to_owned());
        watch("palco-idle", move || {
            idle::wait(&server, idle);
            tracing::info!(idle_exit = ?idle, "idle");
            end(&stage, &path);
        })?;
    }
    signals.wait()?;
    if let Some(dashboard) = &dashboard {
        dashboard.refuse_actions();
    }
    output::talk("draining; Ctrl-C again stops at once");
    let path = socket.path().to_owned();
    watch("palco-drain", move || end(&stage, &path))?;
    signals.wait()?;
    output::talk("stopped at once");
    control::remove(socket.path());
    process::exit(130);
}

/// Drains what is left, and ends the process.
fn end(stage: &Stage, control: &Path) {
    let reports = stage.drain();
    let (finished, abandoned) = reports
        .iter()
        .fold((0, 0), |sum, (_, report)| (sum.0 + report.finished, sum.1 + report.abandoned));
    output::talk(format!("stopped; {finished} connections finished, {abandoned} abandoned"));
    control::remove(control);
    stage.remove_page();
    process::exit(i32::from(abandoned > 0));
}

pub(crate) fn watch(name: &str, body: impl FnOnce() + Send + 'static) -> Result<()> {
    spawn_named(name, STACK_BYTES_DEFAULT, body).map(drop).context("cannot start a thread")
}

/// Prints where things are and what to try.
pub(crate) fn announce(announcement: &Announcement<'_>) -> Result<()> {
    let Announcement { view, control, dashboard } = announcement;
    let palco = std::env::args().next().unwrap_or_else(|| "palco".to_owned());
    output::line(format!("palco stage, pid {}, control {}\n", view.pid, control.display()))?;
    let rows = view.servers.iter().map(|server| {
        [
            server.name.clone(),
            format!("{} × {}", server.model, server.place),
            server.address.to_string(),
            server.command.clone(),
        ]
    });
    output::table(["SERVER", "MODEL × PLACE", "ADDRESS", "TRY"], rows)?;
    output::line("")?;
    if let Some(url) = dashboard {
        output::line(format!("Dashboard, to watch and to act: {url}\n"))?;
    }
    if let Some(urgent) = &view.urgent {
        let (address, obtained) = (urgent.address, &urgent.obtained);
        output::line(format!(
            "Urgent port, to interrupt what is being served: {address}, {obtained}\n"
        ))?;
    }
    if let Some(http) = view.http.first() {
        output::line(format!("Registers over HTTP: http://{http}/v1/registers\n"))?;
    }
    if let Some(http) = view.servers.iter().find(|server| server.service == ServiceKind::Http) {
        output::line(format!(
            "Open http://{}/ for a tour of one minute. In another terminal:",
            http.address
        ))?;
    }
    for (command, what) in [
        ("ps", "what runs, and what it is doing"),
        ("tree", "who supervises whom"),
        ("models", "all architectures, explained"),
        ("urgent", "which requests are being served, and how to interrupt one"),
    ] {
        output::line(format!("  {palco} {command:<10} {what}"))?;
    }
    output::line("\nCtrl-C drains; a second one stops at once.")
}
