//! The servers of others, and how they are started so that no limit of their own acts and nothing is logged.

use std::env;
use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::str::FromStr;

use nix::unistd::{User, geteuid};
use palco_processes::Launch;

use super::contestant::{Dialect, LOOPS, WORKERS};
use super::standing::BACKLOG;
use crate::actors::Refusal;
use crate::daemon;
use crate::server::program;

/// Where Debian keeps Apache's modules.
const APACHE_MODULES: &str = "/usr/lib/apache2/modules";
/// Who serves where Apache is started by root, which it refuses to be.
const NOBODY: &str = "nobody";
/// Starts in a minute, where there must be a number.
const RATE: &str = "1000000";
/// The variable that names a directory with unpacked daemons.
const DAEMONS: &str = "PALCO_DAEMONS";

/// Somebody else's server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Incumbent {
    /// nginx, two workers.
    Nginx,
    /// Apache with the MPM prefork.
    ApachePrefork,
    /// Apache with the MPM worker.
    ApacheWorker,
    /// Apache with the MPM event.
    ApacheEvent,
    /// redis-server, without a file.
    Redis,
    /// openbsd-inetd, which starts `cat`.
    OpenbsdInetd,
}

impl Incumbent {
    /// All, in the order of the report.
    pub const ALL: [Self; 6] = [
        Self::Nginx,
        Self::ApachePrefork,
        Self::ApacheWorker,
        Self::ApacheEvent,
        Self::Redis,
        Self::OpenbsdInetd,
    ];

    /// As the command line names it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::ApachePrefork => "apache-prefork",
            Self::ApacheWorker => "apache-worker",
            Self::ApacheEvent => "apache-event",
            Self::Redis => "redis-server",
            Self::OpenbsdInetd => "openbsd-inetd",
        }
    }

    pub(super) const fn classic(self) -> &'static str {
        match self {
            Self::Nginx => "event loops in processes",
            Self::ApachePrefork => "preforked",
            Self::ApacheWorker => "threads in processes",
            Self::ApacheEvent => "threads in processes, idle connections apart",
            Self::Redis => "event loop",
            Self::OpenbsdInetd => "superserver",
        }
    }

    pub(super) const fn dialect(self) -> Dialect {
        match self {
            Self::Nginx | Self::ApachePrefork | Self::ApacheWorker | Self::ApacheEvent => {
                Dialect::Http
            }
            Self::Redis => Dialect::Resp,
            Self::OpenbsdInetd => Dialect::Plain,
        }
    }
}

impl FromStr for Incumbent {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|one| one.name() == name).ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            format!("there is no peer `{name}`; there are: {names}")
        })
    }
}

/// Its program and what to tell it.
pub(super) fn launch(
    peer: Incumbent,
    root: &Path,
    address: SocketAddr,
    directory: &Path,
) -> Result<Launch, Refusal> {
    let names = ["PATH", "LD_LIBRARY_PATH"].into_iter();
    let variables = names.filter_map(|name| Some((name, env::var_os(name)?)));
    let launch = Launch::new(found(peer)?);
    let launch = variables.fold(launch, |launch, (name, value)| launch.env(name, value));
    let config = directory.join("config");
    let write = |text: String| fs::write(&config, text).map_err(Refusal::failed);
    match peer {
        Incumbent::Nginx => {
            write(nginx(directory, root, address))?;
            Ok(launch.arg("-p").arg(directory).arg("-c").arg(config).args(["-e", "stderr"]))
        }
        Incumbent::ApachePrefork | Incumbent::ApacheWorker | Incumbent::ApacheEvent => {
            // Who is not root must reach them.
            for open in [directory, root] {
                let all = fs::Permissions::from_mode(0o755);
                fs::set_permissions(open, all).map_err(Refusal::failed)?;
            }
            write(apache(peer, directory, root, address))?;
            Ok(launch.arg("-DFOREGROUND").arg("-f").arg(config))
        }
        Incumbent::Redis => {
            let launch =
                launch.args(["--port", &address.port().to_string(), "--bind", "127.0.0.1"]);
            let launch = launch.args(["--save", "", "--appendonly", "no", "--daemonize", "no"]);
            let launch = launch.args(["--tcp-backlog", BACKLOG, "--maxclients", "4096"]);
            Ok(launch.arg("--dir").arg(directory))
        }
        Incumbent::OpenbsdInetd => {
            daemon::check_inetd_pid_file()?;
            let file = inetd_file(directory, address)?;
            Ok(launch.args(["-i", "-R", RATE, "-q", BACKLOG]).arg(file))
        }
    }
}

/// A file with one service: a program for each connection.
fn inetd_file(directory: &Path, address: SocketAddr) -> Result<PathBuf, Refusal> {
    let user = User::from_uid(geteuid()).map_err(Refusal::failed)?;
    let user = user.ok_or_else(|| Refusal::failed("this user has no name"))?.name;
    let line = format!("{address} stream tcp4 nowait {user} /bin/cat cat\n");
    let file = directory.join("inetd.conf");
    fs::write(&file, line).map_err(Refusal::failed)?;
    Ok(file)
}

fn found(peer: Incumbent) -> Result<PathBuf, Refusal> {
    match peer {
        Incumbent::Nginx => program("nginx", "nginx-light"),
        Incumbent::ApachePrefork | Incumbent::ApacheWorker | Incumbent::ApacheEvent => {
            program("apache2", "apache2-bin")
        }
        Incumbent::Redis => program("redis-server", "redis-server"),
        Incumbent::OpenbsdInetd => {
            // Unpacked by hand, or by the script of the tests: installed, Debian would start it.
            let root = PathBuf::from(env::var_os(DAEMONS).unwrap_or_default());
            let unpacked = ["root/usr/sbin/inetd", "usr/sbin/inetd"].map(|path| root.join(path));
            let mut unpacked = unpacked.into_iter();
            let unpacked = unpacked.find(|path| path.is_absolute() && path.is_file());
            unpacked.map_or_else(|| program("inetd", "openbsd-inetd"), Ok)
        }
    }
}

/// How it is set, and which version it is if it is there.
pub(super) fn setting(peer: Incumbent) -> String {
    let (argument, set) = match peer {
        Incumbent::Nginx => ("-v", "two workers, no log, connections without end"),
        Incumbent::ApachePrefork => (
            "-v",
            "no log, up to 1200 processes; who says nothing waits in the kernel (AcceptFilter)",
        ),
        Incumbent::ApacheWorker | Incumbent::ApacheEvent => (
            "-v",
            "no log, processes of 25 threads, up to 1200; who says nothing waits in the kernel (AcceptFilter)",
        ),
        Incumbent::Redis => ("--version", "no file"),
        Incumbent::OpenbsdInetd => ("", "-i -R 1000000 -q 4096, starts /bin/cat"),
    };
    let version = found(peer).ok().filter(|_| !argument.is_empty()).and_then(|program| {
        let output = Command::new(program).arg(argument).output().ok()?;
        let said = [output.stdout, output.stderr].concat();
        String::from_utf8_lossy(&said).lines().next().map(|line| line.trim().to_owned())
    });
    version.map_or_else(|| set.to_owned(), |version| format!("{version}; {set}"))
}

fn nginx(directory: &Path, root: &Path, address: SocketAddr) -> String {
    let (directory, root) = (directory.display(), root.display());
    let user = if geteuid().is_root() { "user root;\n" } else { "" };
    format!(
        "{user}worker_processes {LOOPS};\ndaemon off;\npid {directory}/nginx.pid;\nerror_log stderr;\n\
         events {{ worker_connections 4096; }}\n\
         http {{\n  access_log off;\n  sendfile on;\n  tcp_nopush off;\n  keepalive_requests 1000000000;\n  \
         client_body_temp_path {directory}/body;\n  proxy_temp_path {directory}/proxy;\n  \
         fastcgi_temp_path {directory}/fastcgi;\n  uwsgi_temp_path {directory}/uwsgi;\n  \
         scgi_temp_path {directory}/scgi;\n  \
         server {{ listen {address} backlog={BACKLOG}; root {root}; }}\n}}\n"
    )
}

fn apache(peer: Incumbent, directory: &Path, root: &Path, address: SocketAddr) -> String {
    let (directory, root) = (directory.display(), root.display());
    let user =
        if geteuid().is_root() { format!("User {NOBODY}\nGroup nogroup\n") } else { String::new() };
    let (mpm, limits) = match peer {
        Incumbent::ApachePrefork => (
            "prefork",
            format!("StartServers {WORKERS}\nServerLimit 1200\nMaxRequestWorkers 1200\n"),
        ),
        Incumbent::ApacheWorker => ("worker", threads()),
        _ => ("event", threads()),
    };
    format!(
        "ServerRoot {directory}\nServerName 127.0.0.1\nListen {address}\nListenBacklog {BACKLOG}\n\
         PidFile {directory}/pid\nDefaultRuntimeDir {directory}\nErrorLog /dev/null\n\
         LoadModule mpm_{mpm}_module {APACHE_MODULES}/mod_mpm_{mpm}.so\n\
         LoadModule authz_core_module {APACHE_MODULES}/mod_authz_core.so\n{user}{limits}\
         MaxKeepAliveRequests 0\nDocumentRoot {root}\n"
    )
}

fn threads() -> String {
    "StartServers 2\nThreadsPerChild 25\nServerLimit 48\nMaxRequestWorkers 1200\n".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_absent_says_how_to_get_it() {
        for peer in Incumbent::ALL {
            if let Err(refusal) = found(peer) {
                assert!(refusal.to_string().contains("apt-get install"), "{refusal}");
            }
        }
    }

    #[test]
    fn every_apache_has_its_own_module() {
        let address = ([127, 0, 0, 1], 8080).into();
        let of = |peer| apache(peer, Path::new("/run/x"), Path::new("/srv/y"), address);
        for (peer, module) in [
            (Incumbent::ApachePrefork, "mpm_prefork_module"),
            (Incumbent::ApacheWorker, "mpm_worker_module"),
            (Incumbent::ApacheEvent, "mpm_event_module"),
        ] {
            let text = of(peer);
            assert_eq!(text.matches("_module ").count(), 2);
            assert!(text.contains(module) && text.contains("Listen 127.0.0.1:8080\n"), "{text}");
        }
    }
}
