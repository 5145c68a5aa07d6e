//! From a service's name to a running server: the only place that knows all services and all models.

use std::fmt;
use std::io;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context, Result};
use palco_actors::{Repertoire, System};
use palco_files::http::{Config, HttpService};
use palco_files::sftp::SftpService;
use palco_models::{
    Server, ServerSettings, Single, StartError, players as of, players_that_share as of_shared,
};
use palco_service::services::basket::{BasketService, Sessions, Signed};
use palco_service::services::echo::EchoService;
use palco_service::services::ftp::FtpService;
use palco_service::services::kv::{self, KvService};
use palco_service::services::telnet::TelnetService;
use palco_service::services::time::{TimeFormat, TimeService};
use palco_service::services::work::WorkService;
use palco_service::{CannotRelaunch, Relaunch};
use serde::{Deserialize, Serialize};

use super::basket::{BasketEntry, Side};
use super::files::{Cell, FileProtocol, FilesEntry};
use crate::activation::Connection;

/// What can be served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ServiceKind {
    /// Bytes back as they came.
    Echo,
    /// RFC 868: seconds since 1900 in 4 bytes.
    Time,
    /// RFC 867: the time as a line.
    Daytime,
    /// Key and value over RESP2, the Redis protocol.
    Kv,
    /// Work on request: the handler that makes architectures differ.
    Work,
    /// Files over HTTP/1.1, to read.
    Http,
    /// Files to read and write.
    Files,
    /// A line service over Telnet (RFC 854), which knows Synch.
    Telnet,
    /// The control connection of FTP (RFC 959), which knows ABOR; without transfers.
    Ftp,
    /// A shopping basket, kept by the client or by the server.
    Basket,
    /// Registers over the Redis protocol, through a node of the section `[registers]`.
    Registers,
}

/// What the services that serve files need.
pub(crate) struct Shown<'a> {
    /// The directory.
    pub(crate) root: &'a Path,
    /// How `files` serves it.
    pub(crate) files: FilesEntry,
    /// Who keeps the baskets of `basket`.
    pub(crate) basket: BasketEntry,
    /// Where it is served.
    pub(crate) cell: Cell,
}

impl<'a> Shown<'a> {
    /// What is said, and the defaults of what is not.
    pub(crate) fn of(
        root: &'a Path,
        cell: Cell,
        files: Option<&FilesEntry>,
        basket: Option<&BasketEntry>,
    ) -> Self {
        let (files, basket) =
            (files.cloned().unwrap_or_default(), basket.cloned().unwrap_or_default());
        Self { root, files, basket, cell }
    }
}

impl ServiceKind {
    /// All services that a server can be started for by name.
    pub(crate) const ALL: [Self; 10] = [
        Self::Echo,
        Self::Time,
        Self::Daytime,
        Self::Kv,
        Self::Work,
        Self::Http,
        Self::Files,
        Self::Telnet,
        Self::Ftp,
        Self::Basket,
    ];

    /// The name used on the command line and in files.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Echo => "echo",
            Self::Time => "time",
            Self::Daytime => "daytime",
            Self::Kv => "kv",
            Self::Work => "work",
            Self::Http => "http",
            Self::Files => "files",
            Self::Telnet => "telnet",
            Self::Ftp => "ftp",
            Self::Basket => "basket",
            Self::Registers => "registers",
        }
    }

    /// Starts a server for this service.
    pub(crate) fn start(
        self,
        system: &System,
        settings: ServerSettings,
        state: State,
        shown: &Shown<'_>,
    ) -> Result<Server> {
        let name = settings.name.clone();
        let started = match (self, state) {
            (Self::Kv, State::Shared) => {
                Server::launch_shared::<KvService>(system, settings, kv::Limits::default())
            }
            (Self::Basket, State::Shared) => {
                let config = shown.basket.server();
                Server::launch_shared::<BasketService<Sessions>>(system, settings, config)
            }
            (service, State::Local | State::Shared) => {
                service.introduce(shown, Launching { system, settings })
            }
        };
        started.with_context(|| format!("server `{name}`"))
    }

    /// Serves this service to one connection.
    pub(crate) fn attend(
        self,
        system: &System,
        connection: Connection,
        drain_within: Duration,
        shown: &Shown<'_>,
    ) -> Result<Single> {
        let name = self.name();
        let started = self.introduce(shown, Attending { system, name, connection, drain_within });
        started.with_context(|| format!("service `{name}`"))
    }

    /// Says to `host` what type the service is of, and what it is made from.
    fn introduce<H: Host>(self, shown: &Shown<'_>, host: H) -> Result<H::Started, StartError> {
        match self {
            Self::Echo => host.start::<EchoService>(()),
            Self::Time => host.start::<TimeService>(TimeFormat::Binary),
            Self::Daytime => host.start::<TimeService>(TimeFormat::Line),
            Self::Kv => host.start::<KvService>(kv::Limits::default()),
            Self::Work => host.start::<WorkService>(()),
            Self::Http => host.start::<HttpService>(Config::read_only(shown.root)),
            Self::Files => match shown.files.protocol {
                FileProtocol::Http => {
                    host.start::<HttpService>(shown.files.http(shown.root.into()))
                }
                FileProtocol::Sftp => {
                    host.start::<SftpService>(shown.files.sftp(shown.root.into(), shown.cell))
                }
            },
            Self::Telnet => host.start::<TelnetService>(()),
            Self::Ftp => host.start::<FtpService>(()),
            Self::Basket => match shown.basket.sessions {
                Side::Client => {
                    let config = shown.basket.client().map_err(CannotRelaunch::because)?;
                    host.start::<BasketService<Signed>>(config)
                }
                Side::Server => host.start::<BasketService<Sessions>>(shown.basket.server()),
            },
            Self::Registers => Err(CannotRelaunch::because(io::Error::other(
                "gateways of registers belong to their nodes: write a section [registers]",
            ))
            .into()),
        }
    }

    /// A command that shows the service at `address` to be alive.
    pub(crate) fn try_command(self, address: std::net::SocketAddr) -> String {
        let (ip, port) = (address.ip(), address.port());
        match self {
            Self::Echo => format!("echo hello | nc -N {ip} {port}"),
            Self::Time => format!("nc -d {ip} {port} | od -An -tu4 --endian=big"),
            Self::Daytime => format!("nc -d {ip} {port}"),
            Self::Kv => format!("redis-cli -h {ip} -p {port} INCR visits"),
            Self::Registers => format!("redis-cli -h {ip} -p {port} SET x 1"),
            Self::Work => format!("echo cpu 20000 | nc -N {ip} {port}"),
            Self::Http | Self::Files => format!("curl http://{address}/"),
            Self::Telnet => format!("telnet {ip} {port}"),
            Self::Ftp => format!("(echo SYST; echo QUIT) | nc -N {ip} {port}"),
            Self::Basket => {
                format!("curl -c jar -b jar -X PUT 'http://{address}/basket/tea?count=2'")
            }
        }
    }

    /// What a load sends if nothing else is said.
    pub(crate) const fn example_request(self) -> &'static str {
        match self {
            Self::Echo => "hello",
            Self::Time | Self::Daytime | Self::Telnet | Self::Ftp => "",
            Self::Kv => "INCR load",
            Self::Registers => "GET load",
            Self::Work => "sleep 1",
            Self::Http | Self::Files => "GET /",
            Self::Basket => "GET /basket",
        }
    }
}

/// Who starts something for a service of any type.
trait Host {
    /// What is running then.
    type Started;

    fn start<S: Relaunch>(self, config: S::Config) -> Result<Self::Started, StartError>;
}

/// Starts a server.
struct Launching<'a> {
    system: &'a System,
    settings: ServerSettings,
}

impl Host for Launching<'_> {
    type Started = Server;

    fn start<S: Relaunch>(self, config: S::Config) -> Result<Server, StartError> {
        Server::launch::<S>(self.system, self.settings, config)
    }
}

/// Serves a connection.
struct Attending<'a> {
    system: &'a System,
    name: &'static str,
    connection: Connection,
    drain_within: Duration,
}

impl Host for Attending<'_> {
    type Started = Single;

    fn start<S: Relaunch>(self, config: S::Config) -> Result<Single, StartError> {
        let Self { system, name, connection, drain_within } = self;
        let Connection { socket, peer } = connection;
        Single::serve::<S>(system, name, socket, peer, drain_within, &config)
    }
}

/// What the processes of all services must know.
pub(crate) fn players(repertoire: Repertoire) -> Repertoire {
    let repertoire = of::<WorkService>(of::<TimeService>(of::<EchoService>(repertoire)));
    let repertoire = of::<FtpService>(of::<TelnetService>(repertoire));
    let repertoire = of_shared::<KvService>(of::<HttpService>(of::<SftpService>(repertoire)));
    of_shared::<BasketService<Sessions>>(of::<BasketService<Signed>>(repertoire))
}

/// Whose the state of a service is, if processes serve it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum State {
    /// Each process has its own.
    #[default]
    Local,
    /// They share one, which an actor of the stage keeps.
    Shared,
}

impl State {
    pub(crate) const ALL: [Self; 2] = [Self::Local, Self::Shared];

    /// The name used on the command line and in files.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Shared => "shared",
        }
    }
}

impl FromStr for State {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|state| state.name() == name);
        found.ok_or_else(|| format!("there is no state `{name}`; states are: local, shared"))
    }
}

impl fmt::Display for ServiceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for ServiceKind {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|kind| kind.name() == name).ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            format!("there is no service `{name}`; services are: {names}")
        })
    }
}
