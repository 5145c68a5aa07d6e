//! Server processes that stand until they are dropped, and the programs that they are.

use std::env;
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use palco_processes::Launch;
use serde_json::Value;

use crate::actors::Refusal;
use crate::daemon::{LOOK_EVERY, Process, last_line};

/// Who does not serve by then does not serve at all.
const SERVE_WITHIN: Duration = Duration::from_secs(30);

/// Where programs are that people do not start themselves.
const SYSTEM: [&str; 2] = ["/usr/sbin", "/usr/lib/openssh"];

/// One server process.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) name: String,
    pub(crate) process: Process,
    /// Where clients reach it.
    pub(crate) clients: SocketAddr,
    /// Where other servers reach it.
    pub(crate) others: Option<u16>,
    /// Where its files are.
    pub(crate) directory: PathBuf,
    /// What it has said of itself, if it says anything.
    pub(crate) said: Value,
}

impl Server {
    /// Starts a program; its words go to a file of this name below `directory`.
    pub(crate) fn launch(
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
    pub(crate) fn until(
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
    pub(crate) fn until_it_listens(&mut self) -> Result<(), Refusal> {
        self.until("it listens", |server| TcpStream::connect(server.clients).is_ok())
    }
}

/// The file with what a server said.
pub(crate) fn said_by(name: &str, directory: &Path) -> PathBuf {
    directory.join(name).with_extension("said")
}

/// A program that is looked for in `PATH` and where the system keeps its own; `package` of Debian has it.
pub(crate) fn program(program: &str, package: &str) -> Result<PathBuf, Refusal> {
    let path = env::var_os("PATH").unwrap_or_default();
    let mut directories = env::split_paths(&path).chain(SYSTEM.map(PathBuf::from));
    let found = directories.find_map(|directory| {
        Some(directory.join(program)).filter(|path| path.is_absolute() && path.is_file())
    });
    found.ok_or_else(|| Refusal::Absent(format!("not installed: apt-get install {package}")))
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
