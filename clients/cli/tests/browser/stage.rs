//! A stage with a dashboard, in a process of its own.

use std::io::{BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

/// The same service under two architectures, and what is special about each.
pub(crate) const SERVERS: &str = r#"
[[server]]
name = "kv"
service = "kv"
model = "per-connection"
place = "task"

[[server]]
name = "kv-prefork"
service = "kv"
model = "team"
place = "process"
workers = 2
state = "shared"
"#;

/// Killed when dropped.
pub(crate) struct Stage {
    child: Child,
    announced: Value,
    directory: TempDir,
}

impl Stage {
    /// `palco up` on these `[[server]]` tables, each on a free port, with the demo.
    pub(crate) fn stuck(servers: &str) -> Self {
        Self::up(servers, &["--demo", "stuck"])
    }

    pub(crate) fn up(servers: &str, arguments: &[&str]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("stage.toml");
        let listen = "[[server]]\nlisten = \"127.0.0.1:0\"";
        std::fs::write(&file, servers.replace("[[server]]", listen)).unwrap();
        Self::run(directory, &[&["up", file.to_str().unwrap()], arguments].concat())
    }

    /// `palco inetd` on these `[[service]]` tables; `DIRECTORY` is one of its own.
    pub(crate) fn inetd(services: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let file = write_services(&directory, services);
        Self::run(directory, &["inetd", "--config", file.to_str().unwrap()])
    }

    fn run(directory: TempDir, arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_palco"))
            .args(["--json", "--control"])
            .arg(directory.path().join("control.sock"))
            .args(arguments)
            .args(["--dashboard", "127.0.0.1:0"])
            .env("XDG_STATE_HOME", directory.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let first = serde_json::Deserializer::from_reader(stdout).into_iter::<Value>().next();
        let announced = first.expect("the stage did not start").unwrap();
        Self { child, announced, directory }
    }

    /// From now on the file of `palco inetd` says this.
    pub(crate) fn write_services(&self, services: &str) {
        write_services(&self.directory, services);
    }

    /// Keeps a report of a benchmark for it, as `palco bench` does.
    pub(crate) fn keep_report(&self, topic: &str, json: &str, html: &str) {
        let reports = self.directory.path().join("palco/reports");
        palco_measure::kept::keep(&reports, topic, json, html).unwrap();
    }

    /// A client of the service that listens at this path of its directory.
    pub(crate) fn connect(&self, path: &str) -> UnixStream {
        UnixStream::connect(self.directory.path().join(path)).unwrap()
    }

    /// Where the dashboard is for those who may act.
    pub(crate) fn dashboard(&self) -> &str {
        self.announced["dashboard"].as_str().unwrap()
    }

    /// The same without the token.
    pub(crate) fn dashboard_to_look_at(&self) -> &str {
        self.dashboard().split('?').next().unwrap()
    }

    /// A client of a server that has asked for something, and hears for a minute at most.
    pub(crate) fn client(&self, server: &str, request: &str) -> TcpStream {
        let servers = self.announced["servers"].as_array().unwrap();
        let found = servers.iter().find(|found| found["name"] == server).unwrap();
        let mut stream = TcpStream::connect(found["address"].as_str().unwrap()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        stream
    }

    /// Asks a server something on a connection of its own, and returns its first answer.
    pub(crate) fn ask(&self, server: &str, request: &str) -> String {
        let mut stream = self.client(server, request);
        let mut answer = [0; 256];
        let length = stream.read(&mut answer).unwrap();
        String::from_utf8_lossy(&answer[..length]).into_owned()
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What `palco inetd` reads.
fn write_services(directory: &TempDir, services: &str) -> PathBuf {
    let file = directory.path().join("inetd.toml");
    let path = directory.path().to_str().unwrap();
    std::fs::write(&file, services.replace("DIRECTORY", path)).unwrap();
    file
}
