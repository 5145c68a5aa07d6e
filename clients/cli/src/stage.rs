//! What to run: a stage file, parsed and checked in one go.

mod announcement;
mod attend;
mod basket;
mod dashboard;
mod demo;
mod files;
mod idle;
mod live;
mod node;
mod page;
mod port;
mod registers;
mod run;
mod services;
mod signals;
mod succession;
mod urgent;

use std::collections::HashSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use palco_actors::{PlaceKind, Supervision};
use palco_models::{Crew, Limits, Listen, ModelKind, ProcessSettings, ServerSettings};
use serde::{Deserialize, Deserializer};

use crate::args::DeadlineArgs;

pub(crate) use announcement::{Announcement, announce};
pub(crate) use attend::{Attending, attend};
pub(crate) use basket::{BasketArgs, BasketEntry};
pub(crate) use dashboard::DashboardArgs;
pub(crate) use demo::Demo;
pub(crate) use files::{Cell, FileProtocol, FilesArgs, FilesEntry};
pub(crate) use live::{ServerView, Stage, StageView};
pub(crate) use node::{NodeEntry, NodeSaid};
pub(crate) use port::Port;
use registers::RegistersEntry;
pub(crate) use run::{Running, run, watch};
pub(crate) use services::{ServiceKind, Shown, State, players};
pub(crate) use signals::EndSignals;
pub(crate) use succession::hand_over;
pub(crate) use urgent::{UrgentArgs, UrgentEntry};

/// The stage that `palco up` runs without a file.
pub(crate) const DEFAULT_STAGE: &str = include_str!("stage/default.toml");

/// A whole stage. Unknown keys are refused; every error names its line.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct StageFile {
    /// Threads that run event loops; one per core if not given.
    pub(crate) event_loops: Option<usize>,
    /// What happens when a server's own supervisor gives up.
    #[serde(default)]
    pub(crate) supervision: Supervision,
    /// Where requests that are being served can be interrupted.
    #[serde(default)]
    pub(crate) urgent: UrgentEntry,
    /// Nodes that keep registers, and their gateways.
    pub(crate) registers: Option<RegistersEntry>,
    /// A node of a cluster, from the command line.
    #[serde(skip)]
    pub(crate) node: Option<NodeEntry>,
    /// The servers, started in this order and stopped in the reverse one.
    #[serde(rename = "server")]
    pub(crate) servers: Vec<ServerEntry>,
}

/// One server of a stage.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct ServerEntry {
    /// Its name, unique on the stage; the service's name if not given.
    pub(crate) name: Option<String>,
    /// What is served.
    pub(crate) service: ServiceKind,
    /// Who accepts and who serves.
    pub(crate) model: ModelKind,
    /// Where.
    pub(crate) place: PlaceKind,
    /// How many workers, for model `team`.
    pub(crate) workers: Option<usize>,
    /// Address and port.
    pub(crate) listen: SocketAddr,
    /// What listens there already, if somebody else has bound it.
    #[serde(skip)]
    pub(crate) socket: Option<Listen>,
    /// The directory of services `http` and `files`; a page that explains the stage if `http` is not given one.
    pub(crate) root: Option<PathBuf>,
    /// How `files` serves it.
    pub(crate) files: Option<FilesEntry>,
    /// Who keeps the baskets of service `basket`.
    pub(crate) basket: Option<BasketEntry>,
    /// How many connections.
    #[serde(default)]
    pub(crate) limits: Limits,
    /// How long clients and handlers may take.
    #[serde(default)]
    pub(crate) deadlines: DeadlineArgs,
    /// How long connections may take to end when the server stops.
    #[serde(default = "drain_within", deserialize_with = "duration")]
    pub(crate) drain_within: Duration,
    /// What happens when an acceptor fails.
    #[serde(default)]
    pub(crate) supervision: Supervision,
    /// Whose the service's state is, in place `process`; each process's own if not given.
    pub(crate) state: Option<State>,
    /// How processes are started, in place `process`.
    pub(crate) process: Option<ProcessSettings>,
    /// Who the workers are.
    #[serde(default)]
    pub(crate) crew: Crew,
}

fn drain_within() -> Duration {
    Duration::from_secs(5)
}

fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    humantime::parse_duration(&text).map_err(|error| {
        serde::de::Error::custom(format!("`{text}` is no duration like `5s` or `300ms`: {error}"))
    })
}

pub(crate) fn some_duration<'de, D: Deserializer<'de>>(
    from: D,
) -> Result<Option<Duration>, D::Error> {
    duration(from).map(Some)
}

impl StageFile {
    /// The embedded stage.
    pub(crate) fn embedded() -> Result<Self> {
        Self::parse(DEFAULT_STAGE, "the embedded stage")
    }

    /// Reads a file.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read {}", path.display()))?;
        Self::parse(&text, &path.display().to_string())
    }

    /// Parses and checks. `source` is named in errors.
    pub(crate) fn parse(text: &str, source: &str) -> Result<Self> {
        let file: Self = toml::from_str(text)
            .map_err(|error| anyhow::anyhow!("{source}: {}", error.to_string().trim_end()))?;
        file.check().with_context(|| source.to_owned())?;
        Ok(file)
    }

    fn check(&self) -> Result<()> {
        ensure!(!self.servers.is_empty(), "a stage needs at least one [[server]]");
        ensure!(self.event_loops != Some(0), "event-loops must be at least 1");
        let (mut names, mut ports) = (HashSet::new(), HashSet::new());
        for server in &self.servers {
            let name = server.name();
            ensure!(names.insert(name), "two servers are named `{name}`; give one a `name`");
            let fresh = server.listen.port() == 0 || ports.insert(server.listen);
            ensure!(fresh, "server `{name}`: {} is taken by a server above", server.listen);
            server.check().with_context(|| format!("server `{name}`"))?;
        }
        if let Some(registers) = &self.registers {
            registers.check().context("[registers]")?;
            for gateway in registers.gateways() {
                let fresh = gateway.port() == 0 || ports.insert(gateway);
                ensure!(fresh, "[registers]: {gateway} is taken by a server");
            }
        }
        Ok(())
    }
}

impl ServerEntry {
    /// With everything else as in a file that says no more.
    pub(crate) fn new(
        service: ServiceKind,
        model: ModelKind,
        place: PlaceKind,
        listen: SocketAddr,
    ) -> Self {
        Self {
            name: None,
            service,
            model,
            place,
            workers: None,
            listen,
            socket: None,
            root: None,
            files: None,
            basket: None,
            limits: Limits::default(),
            deadlines: DeadlineArgs::default(),
            drain_within: drain_within(),
            supervision: Supervision::default(),
            state: None,
            process: None,
            crew: Crew::default(),
        }
    }

    /// The server's name.
    pub(crate) fn name(&self) -> &str {
        self.name.as_deref().unwrap_or(self.service.name())
    }

    /// A command that shows the server at `address` to be alive.
    pub(crate) fn try_command(&self, address: SocketAddr) -> String {
        match self.files.as_ref().map(|files| files.protocol) {
            Some(FileProtocol::Sftp) => {
                format!("sftp -D \"nc {} {}\"", address.ip(), address.port())
            }
            Some(FileProtocol::Http) | None => self.service.try_command(address),
        }
    }

    /// Under which model and where.
    pub(crate) fn cell(&self) -> Cell {
        Cell { model: self.model, place: self.place }
    }

    /// Checks what the types cannot.
    pub(crate) fn check(&self) -> Result<()> {
        let (root, files) = (self.root.as_deref(), self.files.as_ref());
        check_root(self.service, root, files, Some(self.listen), self.cell())?;
        basket::check(self.service, self.basket.as_ref(), basket::Connections::Many)?;
        if self.limits.connections_max == 0 {
            bail!("connections-max must be at least 1");
        }
        if self.limits.backlog < 1 {
            bail!("backlog must be at least 1");
        }
        if let Some(state) = self.state {
            ensure!(
                self.place == PlaceKind::Process,
                "`state` belongs to place `process`; in place `{}` all connections share the state",
                self.place
            );
            ensure!(
                state == State::Local || self.has_state(),
                "service `{}` has no state to share",
                self.service
            );
        }
        self.settings().check()?;
        Ok(())
    }

    /// Whether the service remembers anything from one connection to the next.
    fn has_state(&self) -> bool {
        match self.service {
            ServiceKind::Kv => true,
            ServiceKind::Basket => self.basket.as_ref().is_some_and(BasketEntry::has_state),
            ServiceKind::Echo
            | ServiceKind::Time
            | ServiceKind::Daytime
            | ServiceKind::Work
            | ServiceKind::Http
            | ServiceKind::Files
            | ServiceKind::Telnet
            | ServiceKind::Ftp
            | ServiceKind::Registers => false,
        }
    }

    /// The settings of its server.
    pub(crate) fn settings(&self) -> ServerSettings {
        ServerSettings {
            name: self.name().to_owned(),
            model: self.model,
            place: self.place,
            workers: self.workers,
            listen: match &self.socket {
                Some(listen) => listen.clone(),
                None => Listen::At(self.listen),
            },
            limits: Limits { shedding: self.deadlines.shedding(), ..self.limits },
            deadlines: self.deadlines.deadlines(),
            drain_within: self.drain_within,
            supervision: self.supervision,
            process: self.process.clone(),
            crew: self.crew.clone(),
            urgent: None,
        }
    }
}

/// Whether this service can show this directory, to who connects to `listen`.
fn check_root(
    service: ServiceKind,
    root: Option<&Path>,
    files: Option<&FilesEntry>,
    listen: Option<SocketAddr>,
    cell: Cell,
) -> Result<()> {
    if service == ServiceKind::Files {
        ensure!(
            root.is_some(),
            "service `files` needs a directory: --root DIR, or `root` in a file"
        );
        files.cloned().unwrap_or_default().check(listen, cell)?;
    } else {
        ensure!(
            files.is_none(),
            "--protocol and what --help shows with it (`files` in a file) belong to service `files`, not to `{service}`"
        );
    }
    if let Some(root) = root {
        ensure!(
            matches!(service, ServiceKind::Http | ServiceKind::Files),
            "`root` belongs to service `http` or `files`, not to `{service}`"
        );
        ensure!(root.is_dir(), "root {} is no directory", root.display());
    }
    Ok(())
}

#[cfg(test)]
mod tests;
