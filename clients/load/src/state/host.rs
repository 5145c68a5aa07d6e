//! One file server as a process, that can be killed and started again at the same address.

use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use palco_processes::Launch;

use super::side::{Peer, Side};
use crate::actors::Refusal;
use crate::daemon::{LOOK_EVERY, free_addresses};
use crate::family;
use crate::server::{Server, program};

/// Who still takes connections by then has not been killed.
const GONE_WITHIN: Duration = Duration::from_secs(3);

/// For how long leases are given where nothing else is said.
pub(super) const LEASE_TERM: Duration = Duration::from_secs(10);

/// A server of one directory.
#[derive(Debug)]
pub(super) struct Host {
    pub(super) side: Side,
    pub(super) address: SocketAddr,
    /// What is served.
    pub(super) root: PathBuf,
    site: Site,
    server: Option<Server>,
}

/// How it is started.
#[derive(Clone, Debug)]
pub(super) struct Site {
    pub(super) palco: Option<PathBuf>,
    /// What the server says and needs for itself goes below it.
    pub(super) directory: PathBuf,
    pub(super) lease_term: Duration,
}

impl Host {
    /// Starts it; returns when it serves.
    pub(super) fn start(side: Side, root: &Path, site: Site) -> Result<Self, Refusal> {
        fs::create_dir_all(&site.directory).map_err(Refusal::failed)?;
        let address = free_addresses(1).map_err(Refusal::failed)?[0];
        let root = root.to_owned();
        let mut host = Self { side, address, root, site, server: None };
        host.again()?;
        Ok(host)
    }

    /// Starts it again at the same address; returns when it takes connections.
    pub(super) fn again(&mut self) -> Result<(), Refusal> {
        let launch = self.launch()?;
        let (name, directory) = (self.side.folder(), &self.site.directory);
        let mut server = Server::launch(name, launch, directory, self.address, None)?;
        server.until_it_listens()?;
        self.server = Some(server);
        Ok(())
    }

    /// Ends it at once with all its processes, as a crash does.
    pub(super) fn kill(&mut self) -> Result<(), Refusal> {
        let Some(mut server) = self.server.take() else { return Ok(()) };
        let others = family::descendants_of_process(server.process.pid());
        server.process.kill()?;
        for pid in others {
            // Some end by themselves when the first has.
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
        }
        // Any of them may have held the socket that listens.
        let killed = Instant::now();
        while TcpStream::connect(self.address).is_ok() {
            if killed.elapsed() > GONE_WITHIN {
                let name = self.side.name();
                return Err(Refusal::failed(format_args!("{name} serves although it was killed")));
            }
            thread::sleep(LOOK_EVERY);
        }
        Ok(())
    }

    /// Processor time of all its processes so far, in nanoseconds.
    pub(super) fn cpu_nanos(&self) -> u64 {
        self.pid().map_or(0, family::nanos_with_descendants)
    }

    /// Memory of all its processes in bytes, shared pages divided by those who share them (`Pss`); nothing where the
    /// kernel does not tell.
    pub(super) fn memory_bytes(&self) -> Option<u64> {
        let root = self.pid()?;
        let own = family::proportional_kib(root)?;
        // Who has just ended has none.
        let others = family::descendants_of_process(root);
        let others = others.into_iter().filter_map(family::proportional_kib).sum::<u64>();
        Some((own + others) << 10)
    }

    fn pid(&self) -> Option<i32> {
        self.server.as_ref().map(|server| server.process.pid())
    }

    fn launch(&self) -> Result<Launch, Refusal> {
        let address = self.address.to_string();
        match self.side {
            Side::Http => self.palco("http", &[]),
            Side::Volatile => self.palco("sftp", &["--lease-term", "0s"]),
            Side::Journalled => {
                self.palco("sftp", &["--handles", "journalled", "--lease-term", "0s"])
            }
            Side::Leases => {
                let term = format!("{}ms", self.site.lease_term.as_millis());
                self.palco("sftp", &["--lease-term", &term])
            }
            Side::Nginx => {
                let file = self.site.directory.join("nginx.conf");
                let text = nginx(&self.site.directory, &self.root, &address);
                fs::write(&file, text).map_err(Refusal::failed)?;
                let launch = Launch::new(found(Peer::Nginx)?).arg("-p").arg(&self.site.directory);
                Ok(launch.arg("-c").arg(file).args(["-e", "stderr"]))
            }
            Side::SftpServer => {
                let (socat, server) = (program("socat", "socat")?, found(Peer::SftpServer)?);
                let port = self.address.port();
                let listen = format!("TCP-LISTEN:{port},bind=127.0.0.1,reuseaddr,fork,nodelay");
                let each = format!("EXEC:{},nofork", server.display());
                Ok(Launch::new(socat).arg(listen).arg(each).cwd(&self.root))
            }
        }
    }

    fn palco(&self, protocol: &str, more: &[&str]) -> Result<Launch, Refusal> {
        let unknown = "only the program `palco` can start it: palco bench state";
        let palco = self.site.palco.as_ref();
        let palco = palco.ok_or_else(|| Refusal::Absent(unknown.to_owned()))?;
        let launch = Launch::new(palco).args(["serve", "files", "--protocol", protocol]);
        let launch = launch.arg("--root").arg(&self.root);
        let launch = launch.args(["--listen", &self.address.to_string()]);
        let launch = launch.args(["--dashboard", "off", "--urgent", "off", "--control"]);
        let control = self.site.directory.join(self.side.folder()).with_extension("sock");
        Ok(launch.arg(control).args(more.iter().copied()))
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // Its workers go with it: some would stay where only the first is asked to end.
        let _ = self.kill();
    }
}

fn found(peer: Peer) -> Result<PathBuf, Refusal> {
    match peer {
        Peer::Nginx => program("nginx", "nginx-light"),
        Peer::SftpServer => program("sftp-server", "openssh-sftp-server"),
    }
}

/// What the peers that are there say which version they are.
pub(super) fn versions(peers: &[Peer]) -> Vec<String> {
    let said = |program: PathBuf, argument: &str| {
        let output = Command::new(program).arg(argument).output().ok()?;
        let said = [output.stdout, output.stderr].concat();
        String::from_utf8_lossy(&said).lines().next().map(|line| line.trim().to_owned())
    };
    let version = |peer: &Peer| match peer {
        Peer::Nginx => said(found(*peer).ok()?, "-v"),
        // It does not say; ssh is of the same source.
        Peer::SftpServer => {
            found(*peer).ok()?;
            said(program("ssh", "openssh-client").ok()?, "-V")
        }
    };
    peers.iter().filter_map(version).collect()
}

fn nginx(directory: &Path, root: &Path, address: &str) -> String {
    let (directory, root) = (directory.display(), root.display());
    let user = if nix::unistd::geteuid().is_root() { "user root;\n" } else { "" };
    format!(
        "{user}worker_processes 1;\ndaemon off;\npid {directory}/nginx.pid;\nerror_log stderr;\n\
         events {{ worker_connections 4096; }}\n\
         http {{\n  access_log off;\n  sendfile on;\n  tcp_nopush off;\n  keepalive_requests 1000000000;\n  \
         client_body_temp_path {directory}/body;\n  proxy_temp_path {directory}/proxy;\n  \
         fastcgi_temp_path {directory}/fastcgi;\n  uwsgi_temp_path {directory}/uwsgi;\n  \
         scgi_temp_path {directory}/scgi;\n  server {{ listen {address}; root {root}; }}\n}}\n"
    )
}
