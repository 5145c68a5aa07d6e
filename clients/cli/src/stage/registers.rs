//! Registers on a stage: nodes side by side, each with a gateway that speaks the Redis protocol.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use palco_actors::{PlaceKind, System};
use palco_models::{ModelKind, Server, ServerSettings};
use palco_replica::resp::{Gateway, RespCodec, Settings};
use palco_replica::{Ensemble, EnsembleOptions};
use serde::Deserialize;

use super::{ServerEntry, ServiceKind, Stage, StageFile, node};

/// The most nodes on one stage.
const NODES_MAX: u16 = 9;

/// Nodes, and what serves at their gateways.
pub(crate) type Started = (Arc<Ensemble>, Vec<(ServerEntry, Server)>);

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
        let last = self.listen.port().checked_add(nodes - 1);
        ensure!(
            last.is_some() || self.listen.port() == 0,
            "{}: no room for the gateways of {nodes} nodes above it",
            self.listen
        );
        Ok(())
    }

    /// Where the gateway of this node listens, from 0.
    pub(crate) fn gateway(&self, node: u16) -> SocketAddr {
        let mut listen = self.listen;
        if listen.port() != 0 {
            listen.set_port(listen.port() + node);
        }
        listen
    }

    pub(crate) fn gateways(&self) -> impl Iterator<Item = SocketAddr> + '_ {
        (0..self.nodes).map(|node| self.gateway(node))
    }

    /// Starts all nodes, and a server for each.
    pub(crate) fn start(
        &self,
        system: &System,
        settings: impl Fn(&ServerEntry) -> ServerSettings,
    ) -> Result<Started> {
        let options = EnsembleOptions {
            nodes: self.nodes,
            shards: self.shards,
            place: self.place,
            directory: self.directory.clone(),
            ..EnsembleOptions::default()
        };
        let ensemble = Arc::new(Ensemble::start(system, options).context("[registers]")?);
        let mut servers = Vec::new();
        for (number, node) in (0..).zip(ensemble.nodes()) {
            let entry = ServerEntry {
                name: Some(format!("registers-{}", number + 1)),
                ..ServerEntry::new(
                    ServiceKind::Registers,
                    self.model,
                    PlaceKind::Task,
                    self.gateway(number),
                )
            };
            let gateway = Gateway::new(Arc::new(node.domain.clone()), Settings::default());
            let server =
                Server::start(system, settings(&entry), Arc::new(gateway), RespCodec::default())
                    .with_context(|| format!("server `{}`", entry.name()))?;
            // Opened here, once.
            let _ = node.gateway.set(server.address());
            servers.push((entry, server));
        }
        Ok((ensemble, servers))
    }
}

impl Stage {
    /// Starts what keeps registers, and its gateways.
    pub(super) fn keep_registers(&mut self, file: &StageFile) -> Result<()> {
        if let Some(registers) = &file.registers {
            let urgent = &self.urgent;
            let settings =
                |entry: &ServerEntry| ServerSettings { urgent: urgent.clone(), ..entry.settings() };
            let (ensemble, servers) = registers.start(&self.system, settings)?;
            let servers = servers.into_iter().map(|(entry, server)| (entry, Arc::new(server)));
            self.servers.extend(servers);
            self.registers = Some(Box::new(ensemble));
        }
        if let Some(node) = &file.node {
            let node::Started { member, said, gateway: (entry, server) } =
                node.start(&self.system)?;
            self.servers.push((entry, Arc::new(server)));
            self.registers = Some(Box::new(member));
            self.node = Some(said);
        }
        Ok(())
    }
}
