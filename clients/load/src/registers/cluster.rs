//! Servers of one store that stand, and fall when they are dropped.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::store::{Peer, Store};
use super::{etcd, palco, redis};
use crate::actors::Refusal;
use crate::server::{self, Server};

/// All servers of one store.
#[derive(Debug)]
pub(super) struct Cluster {
    pub(super) store: Store,
    pub(super) servers: Vec<Server>,
}

impl Cluster {
    /// Starts all servers, with their files below `directory`; returns when they serve.
    pub(super) fn start(
        store: Store,
        palco: Option<&Path>,
        directory: &Path,
    ) -> Result<Self, Refusal> {
        let directory = directory.join(store.folder());
        std::fs::create_dir_all(&directory).map_err(Refusal::failed)?;
        let servers = match store {
            Store::Palco => palco::start(palco, &directory, true)?,
            Store::PalcoMemory => palco::start(palco, &directory, false)?,
            Store::Etcd => etcd::start(&directory)?,
            Store::RedisAlways => redis::start(&directory, true)?,
            Store::RedisMemory => redis::start(&directory, false)?,
        };
        Ok(Self { store, servers })
    }

    /// Where clients reach the servers.
    pub(super) fn addresses(&self) -> Vec<SocketAddr> {
        self.servers.iter().map(|server| server.clients).collect()
    }

    /// The ports at which servers reach each other.
    pub(super) fn ports(&self) -> Vec<u16> {
        self.servers.iter().filter_map(|server| server.others).collect()
    }

    /// Processor time of all server processes so far, in nanoseconds.
    pub(super) fn cpu_nanos(&self) -> u64 {
        self.servers.iter().map(|server| server.process.cpu_nanos()).sum()
    }
}

/// The program of a peer.
pub(super) fn program(peer: Peer) -> Result<PathBuf, Refusal> {
    let (name, package) = peer.program();
    server::program(name, package)
}

/// What the peers that are there say which version they are.
pub(super) fn versions(peers: &[Peer]) -> Vec<String> {
    let version = |peer: &Peer| {
        let output = Command::new(program(*peer).ok()?).arg("--version").output().ok()?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        said.lines().next().map(|line| line.trim().to_owned())
    };
    peers.iter().filter_map(version).collect()
}
