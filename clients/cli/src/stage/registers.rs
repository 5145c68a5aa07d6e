//! Registers on a stage: nodes side by side, each with a gateway that speaks the Redis protocol.

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use palco_actors::{PlaceKind, System};
use palco_dashboard::Token;
use palco_models::{ModelKind, Server, ServerSettings};
use palco_replica::resp::{Gateway, RespCodec, Settings};
use palco_replica::{Domain, Ensemble, EnsembleOptions, http};
use serde::Deserialize;

use super::{Port, ServerEntry, ServiceKind, Stage, StageFile, node};

/// The most nodes on one stage.
const NODES_MAX: u16 = 9;

/// Nodes, and what serves at their gateways.
pub(crate) struct Started {
    ensemble: Arc<Ensemble>,
    servers: Vec<(ServerEntry, Server)>,
    http: Vec<http::Running>,
}

/// The section `[registers]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(crate) struct RegistersEntry {
    /// How many nodes keep the registers from the beginning.
    nodes: u16,
    /// How many participants each node has, for its share of the keys each.
    shards: u16,
    /// Where replicas live.
    place: PlaceKind,
    /// Where the first node's gateway listens; the others' on the ports after it.
    listen: SocketAddr,
    /// Where the first node answers HTTP, or `off`; the others on the ports after it.
    http: Port,
    /// Where nodes keep what they promise, each in a directory of its own; in memory if not given.
    directory: Option<PathBuf>,
    /// Who accepts and who serves at the gateways.
    model: ModelKind,
}

impl Default for RegistersEntry {
    fn default() -> Self {
        Self {
            nodes: 3,
            shards: 1,
            place: PlaceKind::Process,
            listen: SocketAddr::from(([127, 0, 0, 1], 6380)),
            http: Port::Off,
            directory: None,
            model: ModelKind::PerConnection,
        }
    }
}

impl RegistersEntry {
    pub(crate) fn check(&self) -> Result<()> {
        let Self { nodes, shards, .. } = self;
        ensure!((1..=NODES_MAX).contains(nodes), "nodes = {nodes}: 1 to {NODES_MAX} can be");
        ensure!((1..=64).contains(shards), "shards = {shards}: 1 to 64 can be");
        ensure!(
            self.listen.ip().is_loopback(),
            "listen = \"{}\": other machines reach it, and whoever connects could write: use 127.0.0.1, or nodes with passwords (palco node)",
            self.listen
        );
        for first in [Some(self.listen), self.http.address()].into_iter().flatten() {
            let last = first.port().checked_add(nodes - 1);
            ensure!(
                last.is_some() || first.port() == 0,
                "{first}: no room for the gateways of {nodes} nodes above it"
            );
        }
        Ok(())
    }

    /// Where the gateways of all nodes listen.
    pub(crate) fn gateways(&self) -> impl Iterator<Item = SocketAddr> + '_ {
        let firsts = [Some(self.listen), self.http.address()].into_iter().flatten();
        firsts.flat_map(|first| (0..self.nodes).map(move |node| nth(first, node)))
    }

    /// Starts all nodes, and a server for each.
    pub(crate) fn start(
        &self,
        system: &System,
        settings: impl Fn(&ServerEntry) -> ServerSettings,
        token: &Token,
    ) -> Result<Started> {
        let options = EnsembleOptions {
            nodes: self.nodes,
            shards: self.shards,
            place: self.place,
            directory: self.directory.clone(),
            ..EnsembleOptions::default()
        };
        let ensemble = Arc::new(Ensemble::start(system, options).context("[registers]")?);
        let (mut servers, mut answering) = (Vec::new(), Vec::new());
        for (number, node) in (0..).zip(ensemble.nodes()) {
            let entry = ServerEntry {
                name: Some(format!("registers-{}", number + 1)),
                ..ServerEntry::new(
                    ServiceKind::Registers,
                    self.model,
                    PlaceKind::Task,
                    nth(self.listen, number),
                )
            };
            let gateway = Gateway::new(Arc::new(node.domain.clone()), Settings::default());
            let server =
                Server::start(system, settings(&entry), Arc::new(gateway), RespCodec::default())
                    .with_context(|| format!("server `{}`", entry.name()))?;
            // Opened here, once.
            let _ = node.gateway.set(server.address());
            servers.push((entry, server));
            if let Some(first) = self.http.address() {
                let running = answer_http(bind(nth(first, number))?, &node.domain, token)?;
                let _ = node.http.set(running.address());
                answering.push(running);
            }
        }
        Ok(Started { ensemble, servers, http: answering })
    }
}

/// Where the gateway of this node listens, from 0.
fn nth(first: SocketAddr, node: u16) -> SocketAddr {
    let mut listen = first;
    if listen.port() != 0 {
        listen.set_port(listen.port() + node);
    }
    listen
}

/// A socket for clients over HTTP.
pub(super) fn bind(address: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(address).with_context(|| {
        format!("cannot listen on {address} for HTTP: choose another address, or `off`")
    })
}

/// Registers over HTTP; whoever shows the token may reconfigure. From other machines all that is asked needs it.
pub(super) fn answer_http(
    socket: TcpListener,
    domain: &Domain,
    token: &Token,
) -> Result<http::Running> {
    let token = Some(token.clone());
    let is_private = !socket.local_addr()?.ip().is_loopback();
    let domain_of_all = Some(domain.clone());
    let settings =
        http::Settings { token, is_private, domain: domain_of_all, ..Default::default() };
    let registers = Arc::new(domain.clone());
    http::serve(socket, registers, settings).context("cannot answer HTTP")
}

impl Stage {
    /// Starts what keeps registers, and its gateways.
    pub(super) fn keep_registers(&mut self, file: &StageFile, token: &Token) -> Result<()> {
        if let Some(registers) = &file.registers {
            let urgent = &self.urgent;
            let settings =
                |entry: &ServerEntry| ServerSettings { urgent: urgent.clone(), ..entry.settings() };
            let Started { ensemble, servers, http } =
                registers.start(&self.system, settings, token)?;
            *self.http.get_mut() = http;
            let servers = servers.into_iter().map(|(entry, server)| (entry, Arc::new(server)));
            self.servers.extend(servers);
            self.registers = Some(Arc::new(ensemble));
        }
        if let Some(node) = &file.node {
            let node::Started { member, said, gateway: (entry, server), http } =
                node.start(&self.system, token)?;
            self.http.get_mut().extend(http);
            self.servers.push((entry, Arc::new(server)));
            self.registers = Some(Arc::new(member));
            self.node = Some(said);
        }
        Ok(())
    }
}
