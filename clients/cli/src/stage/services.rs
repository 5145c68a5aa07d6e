//! From a service's name to a running server: the only place that knows all services and all models.

use std::fmt;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;

use anyhow::{Context, Result};
use palco_actors::System;
use palco_models::{Server, ServerSettings};
use palco_service::services::echo::{EchoCodec, EchoService};
use palco_service::services::http::{HttpCodec, HttpService};
use palco_service::services::kv::{self, KvService, RespCodec};
use palco_service::services::time::{TimeCodec, TimeFormat, TimeService};
use palco_service::services::work::{WorkCodec, WorkService};
use serde::{Deserialize, Serialize};

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
    /// Files over HTTP/1.1.
    Http,
}

impl ServiceKind {
    /// All services.
    pub(crate) const ALL: [Self; 6] =
        [Self::Echo, Self::Time, Self::Daytime, Self::Kv, Self::Work, Self::Http];

    /// The name used on the command line and in files.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Echo => "echo",
            Self::Time => "time",
            Self::Daytime => "daytime",
            Self::Kv => "kv",
            Self::Work => "work",
            Self::Http => "http",
        }
    }

    /// Starts a server for this service. `root` is what `http` shows.
    pub(crate) fn start(
        self,
        system: &System,
        settings: ServerSettings,
        root: &Path,
    ) -> Result<Server> {
        let name = settings.name.clone();
        let started = match self {
            Self::Echo => Server::start(system, settings, Arc::new(EchoService), EchoCodec),
            Self::Time => {
                let codec = TimeCodec::new(TimeFormat::Binary);
                Server::start(system, settings, Arc::new(TimeService), codec)
            }
            Self::Daytime => {
                let codec = TimeCodec::new(TimeFormat::Line);
                Server::start(system, settings, Arc::new(TimeService), codec)
            }
            Self::Kv => {
                let limits = kv::Limits::default();
                let codec = RespCodec::new(limits.clone());
                Server::start(system, settings, Arc::new(KvService::new(limits)), codec)
            }
            Self::Work => Server::start(
                system,
                settings,
                Arc::new(WorkService::default()),
                WorkCodec::default(),
            ),
            Self::Http => {
                let service = HttpService::new(root).context("service http")?;
                Server::start(system, settings, Arc::new(service), HttpCodec::default())
            }
        };
        started.with_context(|| format!("server `{name}`"))
    }

    /// A command that shows the service at `address` to be alive.
    pub(crate) fn try_command(self, address: std::net::SocketAddr) -> String {
        let (ip, port) = (address.ip(), address.port());
        match self {
            Self::Echo => format!("echo hello | nc -N {ip} {port}"),
            Self::Time => format!("nc -d {ip} {port} | od -An -tu4 --endian=big"),
            Self::Daytime => format!("nc -d {ip} {port}"),
            Self::Kv => format!("redis-cli -h {ip} -p {port} INCR visits"),
            Self::Work => format!("echo cpu 20000 | nc -N {ip} {port}"),
            Self::Http => format!("curl http://{address}/"),
        }
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
