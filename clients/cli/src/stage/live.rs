//! A stage that runs: what it has, how it is seen from outside, and its end.

use std::fs;
use std::net::SocketAddr;
use std::process;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use palco_actors::{DeadLetter, Ledger, PlaceKind, System};
use palco_core::{Answer, RequestId, Verb};
use palco_dashboard::{Dashboard, Token};
use palco_models::{
    DrainReport, ModelKind, RequestView, Scores, Server, ServerSettings, ServerStatus, Urgent,
    UrgentStatus, profile,
};
use palco_replica::{Cluster, http};
use palco_threads::block_on;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

use super::node::NodeSaid;
use super::succession::{Heir, Succession};
use super::{ServerEntry, ServiceKind, Shown, StageFile, UrgentArgs, page};
use crate::control::ControlSocket;
use crate::inetd::Installed;

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
    pub(super) dashboard: Mutex<Option<Dashboard>>,
    /// Where another stage, before this one or after it, listens on the same socket.
    pub(super) shared: Mutex<Vec<SocketAddr>>,
    pub(super) heir: Mutex<Heir>,
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
            dashboard: Mutex::new(None),
            shared: Mutex::default(),
            heir: Mutex::default(),
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

    /// Lets go of all that a successor wants to have: the control socket, the dashboard, the urgent port.
    pub(super) fn release(&self) {
        self.release_control();
        drop(self.dashboard.lock().take());
        if let Some(urgent) = &self.urgent {
            urgent.close();
        }
    }

    /// Starts all servers of `file`, on the sockets of the one that it succeeds, if it does; if one cannot be started,
    /// those before it are stopped again.
    pub(super) fn start(
        file: &StageFile,
        urgent: &UrgentArgs,
        token: &Token,
        succession: Option<&Succession>,
    ) -> Result<Self> {
        let mut builder = System::builder().supervision(file.supervision);
        if let Some(event_loops) = file.event_loops {
            builder = builder.event_loops(event_loops);
        }
        let system = builder.build().context("cannot start the actor system")?;
        let mut stage = Self::of(system);
        match stage.fill(file, urgent, token, succession) {
            Ok(()) => Ok(stage),
            Err(error) => {
                stage.drain();
                Err(error)
            }
        }
    }

    fn fill(
        &mut self,
        file: &StageFile,
        urgent: &UrgentArgs,
        token: &Token,
        succession: Option<&Succession>,
    ) -> Result<()> {
        self.urgent = urgent.open(file.urgent, succession.and_then(Succession::urgent))?;
        // Until this one is asked: what fails now must not end the listening of the one that goes on.
        *self.shared.lock() = succession.map(Succession::addresses).unwrap_or_default();
        let page = page::directory()?;
        for entry in &file.servers {
            let entry = &succession.map_or_else(|| entry.clone(), |it| it.assigned(entry));
            let root = entry.root.as_deref().unwrap_or(page.path());
            let state = entry.state.unwrap_or_default();
            let settings = ServerSettings { urgent: self.urgent.clone(), ..entry.settings() };
            let (files, basket) = (entry.files.as_ref(), entry.basket.as_ref());
            let shown = Shown::of(root, entry.cell(), files, basket);
            let server = entry.service.start(&self.system, settings, state, &shown)?;
            self.servers.push((entry.clone(), Arc::new(server)));
        }
        self.keep_registers(file, token)?;
        page::write(&page, &self.view().servers)?;
        self.page = Some(page);
        Ok(())
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
            uptime_s: self.uptime().as_secs(),
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

    pub(crate) fn uptime(&self) -> Duration {
        self.started.elapsed()
    }

    /// How each server is doing.
    pub(crate) fn statuses(&self) -> Vec<ServerStatus> {
        self.servers.iter().map(|(_, server)| server.status()).collect()
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
    pub(super) fn remove_page(&self) {
        if let Some(page) = &self.page {
            let _ = fs::remove_dir_all(page.path());
        }
    }

    /// Drains all servers side by side, then stops the system. Sockets that another stage has go on listening.
    pub(crate) fn drain(&self) -> Vec<(String, DrainReport)> {
        let shared = self.shared.lock().clone();
        let drain = |server: &Server| match shared.contains(&server.address()) {
            true => block_on(server.leave()),
            false => block_on(server.drain()),
        };
        std::thread::scope(|scope| {
            let drains: Vec<_> = self
                .servers
                .iter()
                .map(|(entry, server)| (entry, scope.spawn(|| drain(server))))
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
