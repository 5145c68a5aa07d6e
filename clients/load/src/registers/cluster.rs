//! Servers of one store that stand, and fall when they are dropped.

use std::env;
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use palco_processes::Launch;
use serde_json::Value;

use super::store::{Peer, Store};
use super::{etcd, palco, redis};
use crate::actors::Refusal;
use crate::daemon::{LOOK_EVERY, Process, last_line};

/// Who does not serve by then does not serve at all.
const SERVE_WITHIN: Duration = Duration::from_secs(30);

/// One server process.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) name: String,
    pub(super) process: Process,
    /// Where clients reach it.
    pub(super) clients: SocketAddr,
    /// Where other servers reach it.
    pub(super) others: Option<u16>,
    /// Where its files are.
    pub(super) directory: PathBuf,
    /// What it has said of itself, if it says anything.
    pub(super) said: Value,
}

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

impl Server {
    /// Starts a program; its words go to a file of this name below `directory`.
    pub(super) fn launch(
        name: &str,
        launch: Launch,
        directory: &Path,
        clients: SocketAddr,
        others: Option<u16>,
    ) -> Result<Self, Refusal> {
        let process = Process::start(launch.quiet_stdin(), &said_by(name, directory))?;
        let (name, directory) = (name.to_owned(), directory.join(name));
        Ok(Self { name, process, clients, others, directory, said: Value::Null })
    }

    /// Waits until `is_ready`; who ends meanwhile is quoted.
    pub(super) fn until(
        &mut self,
        what: &str,
        mut is_ready: impl FnMut(&mut Self) -> bool,
    ) -> Result<(), Refusal> {
        let begun = Instant::now();
        while !is_ready(self) {
            let said = self.directory.with_extension("said");
            if let Some(exit) = self.process.ended()? {
                let why = last_line(&said);
                return Err(Refusal::failed(format_args!("{} has {exit}: {why}", self.name)));
            }
            if begun.elapsed() > SERVE_WITHIN {
                let (name, why) = (&self.name, last_line(&said));
                return Err(Refusal::failed(format_args!("{name}: {what}: not in time: {why}")));
            }
            thread::sleep(LOOK_EVERY);
        }
        Ok(())
    }

    /// Waits until somebody takes connections.
    pub(super) fn until_it_listens(&mut self) -> Result<(), Refusal> {
        self.until("it listens", |server| TcpStream::connect(server.clients).is_ok())
    }
}

/// The file with what a server said.
pub(super) fn said_by(name: &str, directory: &Path) -> PathBuf {
    directory.join(name).with_extension("said")
}

/// The program of a peer, in `PATH` or `/usr/sbin`.
pub(super) fn program(peer: Peer) -> Result<PathBuf, Refusal> {
    let (program, package) = peer.program();
    let path = env::var_os("PATH").unwrap_or_default();
    let mut directories = env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
    let found = directories.find_map(|directory| {
        Some(directory.join(program)).filter(|path| path.is_absolute() && path.is_file())
    });
    found.ok_or_else(|| Refusal::Absent(format!("not installed: apt-get install {package}")))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_ends_at_once_is_quoted() {
        let directory = tempfile::tempdir().unwrap();
        let launch = Launch::new("/bin/sh").args(["-c", "echo no such luck; exit 4"]);
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 1));
        let mut server = Server::launch("n1", launch, directory.path(), nowhere, None).unwrap();
        let refusal = server.until_it_listens().unwrap_err().to_string();
        assert!(refusal.contains("n1 has exited with 4: no such luck"), "{refusal}");
    }
}
