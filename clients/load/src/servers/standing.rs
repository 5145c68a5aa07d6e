//! One server as a process of its own with all its descendants, started for one turn.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use palco_actors::PlaceKind;
use palco_models::ModelKind;
use palco_processes::Launch;

use super::contestant::{Contestant, Dialect, LOOPS, Make, WORKERS};
use super::incumbent;
use super::workload::Workload;
use crate::account::Account;
use crate::actors::Refusal;
use crate::compiled::Compiled;
use crate::daemon::{free_addresses, remove_inetd_pid_file};
use crate::family;
use crate::server::Server;

/// Connections that may wait, of every server that can be told.
pub(super) const BACKLOG: &str = "4096";
/// Connections that palco holds at once: more than any workload has.
const CONNECTIONS_MAX: &str = "4096";

/// What servers are made from.
#[derive(Debug)]
pub(super) struct Workshop<'a> {
    /// The program `palco`.
    pub(super) palco: Option<PathBuf>,
    /// All C designs; or why there are none.
    pub(super) floor: Result<Compiled, String>,
    /// What is served over HTTP.
    pub(super) root: PathBuf,
    /// Where servers have their files; each turn a folder of its own.
    pub(super) directory: &'a Path,
}

/// A server that stands until it is dropped.
#[derive(Debug)]
pub(super) struct Standing {
    pub(super) address: SocketAddr,
    // Falls in this order: who is in a control group goes before the group does.
    server: Server,
    pub(super) account: Account,
}

impl Workshop<'_> {
    /// Starts a server; returns when it takes connections.
    pub(super) fn start(
        &self,
        contestant: &Contestant,
        workload: Workload,
        turn: usize,
    ) -> Result<Standing, Refusal> {
        let directory = self.directory.join(format!("turn-{turn}"));
        fs::create_dir_all(&directory).map_err(Refusal::failed)?;
        let address = free_addresses(1).map_err(Refusal::failed)?[0];
        let launch = self.launch(contestant, workload, address, &directory)?;
        let mut server = Server::launch("server", launch, &directory, address, None)?;
        server.until_it_listens()?;
        // Workers that are still being started must be in the account as well.
        family::settle();
        let pids = family_of(server.process.pid());
        let account = Account::of(&pids);
        Ok(Standing { address, server, account })
    }

    fn launch(
        &self,
        contestant: &Contestant,
        workload: Workload,
        address: SocketAddr,
        directory: &Path,
    ) -> Result<Launch, Refusal> {
        match &contestant.make {
            Make::Palco { model, place, more } => {
                let mut launch = self.palco()?.args(["serve", service(contestant, workload)]);
                if contestant.dialect == Dialect::Http {
                    launch = launch.arg("--root").arg(&self.root);
                }
                launch = launch.args(["--model", model.name(), "--place", place.name()]);
                launch = launch.args(["--listen", &address.to_string(), "--backlog", BACKLOG]);
                launch = launch.args(["--connections-max", CONNECTIONS_MAX]);
                if *model == ModelKind::Team {
                    let workers = if *place == PlaceKind::Task { LOOPS } else { WORKERS };
                    launch = launch.args(["--workers", &workers.to_string()]);
                }
                Ok(alone(launch, directory).args(["--urgent", "off"]).args(more.iter().copied()))
            }
            Make::PalcoInetd { is_builtin } => {
                let file = superserver_file(directory, address, *is_builtin)?;
                let launch = self.palco()?.arg("inetd").arg("--config").arg(file);
                let launch = launch.args(["--log", "/dev/null"]);
                Ok(alone(launch, directory))
            }
            Make::C(design) => {
                let floor = self.floor.as_ref().map_err(|why| Refusal::Absent(why.clone()))?;
                let service = service(contestant, workload);
                let launch = Launch::new(floor.path()).args([design.word(), service]);
                Ok(launch.args([&address.port().to_string(), &contestant.workers.to_string()]))
            }
            Make::Peer(peer) => incumbent::launch(*peer, &self.root, address, directory),
        }
    }

    fn palco(&self) -> Result<Launch, Refusal> {
        let unknown = "only the program `palco` can start it: palco bench servers";
        let palco = self.palco.as_ref();
        palco.map(Launch::new).ok_or_else(|| Refusal::Absent(unknown.to_owned()))
    }
}

/// A file with one service: the superserver's own echo, or a program for each connection.
fn superserver_file(
    directory: &Path,
    address: SocketAddr,
    is_builtin: bool,
) -> Result<PathBuf, Refusal> {
    let file = directory.join("inetd.toml");
    let what = if is_builtin { "builtin = \"echo\"" } else { "program = [\"/bin/cat\"]" };
    let text = format!(
        "[[service]]\nname = \"echo\"\nlisten = \"{address}\"\n{what}\n\
         limits = {{ instances = {CONNECTIONS_MAX} }}\n"
    );
    fs::write(&file, text).map_err(Refusal::failed)?;
    Ok(file)
}

/// Without a dashboard, and with a control socket of its own.
fn alone(launch: Launch, directory: &Path) -> Launch {
    launch.args(["--dashboard", "off", "--control"]).arg(directory.join("control.sock"))
}

/// The service that does this work.
fn service(contestant: &Contestant, workload: Workload) -> &'static str {
    match (contestant.dialect, workload) {
        (Dialect::Http, _) => "http",
        (Dialect::Resp, _) => "kv",
        (
            Dialect::Plain,
            Workload::Short | Workload::PingPong | Workload::Idle | Workload::Crash,
        ) => "echo",
        (Dialect::Plain, _) => "work",
    }
}

/// A process and all that descend from it.
fn family_of(root: i32) -> Vec<i32> {
    let mut all = vec![root];
    all.extend(family::descendants_of_process(root));
    all
}

impl Standing {
    /// Its processes, the first first.
    pub(super) fn pids(&self) -> Vec<i32> {
        family_of(self.server.process.pid())
    }

    /// Processor time of all that it ever was, in nanoseconds.
    pub(super) fn cpu_nanos(&self) -> Result<u64, Refusal> {
        self.account.nanos().map_err(Refusal::failed)
    }
}

impl Drop for Standing {
    fn drop(&mut self) {
        // Workers too: some would stay where only the first is asked to end.
        let pid = self.server.process.pid();
        let others = self.pids().split_off(1);
        // Refused only when it has ended already.
        let _ = self.server.process.kill();
        for pid in others {
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
        }
        remove_inetd_pid_file(pid);
    }
}
