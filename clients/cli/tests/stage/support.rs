//! A stage in a process of its own.

use std::io::{BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// Against hanging; nothing should come near it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) fn palco() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_palco"));
    command.stdin(Stdio::null());
    command
}

/// A running stage; killed when dropped.
pub(crate) struct Stage {
    pub(crate) child: Child,
    control: PathBuf,
    _directory: TempDir,
    pub(crate) view: Value,
}

impl Stage {
    /// `palco up` on these `[[server]]` tables, each on a free port.
    pub(crate) fn up(servers: &str) -> Self {
        Self::up_with(servers, &[])
    }

    /// The same with more arguments.
    pub(crate) fn up_with(servers: &str, arguments: &[&str]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("stage.toml");
        std::fs::write(
            &file,
            servers.replace("[[server]]", "[[server]]\nlisten = \"127.0.0.1:0\""),
        )
        .unwrap();
        Self::start(directory, &[&["up", file.to_str().unwrap()], arguments].concat())
    }

    /// `palco` with these arguments.
    pub(crate) fn run(arguments: &[&str]) -> Self {
        Self::start(tempfile::tempdir().unwrap(), arguments)
    }

    /// The same, started by `command`, which passes its arguments on.
    pub(crate) fn of(command: &mut Command, arguments: &[&str]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let control = directory.path().join("control.sock");
        Self::begin_with(command.stdin(Stdio::null()), directory, control, arguments)
    }

    /// `palco` with these arguments and this control socket.
    pub(crate) fn at(control: &Path, arguments: &[&str]) -> Self {
        Self::begin(tempfile::tempdir().unwrap(), control.to_owned(), arguments)
    }

    fn start(directory: TempDir, arguments: &[&str]) -> Self {
        let control = directory.path().join("control.sock");
        Self::begin(directory, control, arguments)
    }

    fn begin(directory: TempDir, control: PathBuf, arguments: &[&str]) -> Self {
        Self::begin_with(&mut palco(), directory, control, arguments)
    }

    fn begin_with(
        command: &mut Command,
        directory: TempDir,
        control: PathBuf,
        arguments: &[&str],
    ) -> Self {
        let mut child = command
            .arg("--json")
            .arg("--control")
            .arg(&control)
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let first = serde_json::Deserializer::from_reader(stdout).into_iter::<Value>().next();
        let Some(Ok(view)) = first else {
            let mut said = String::new();
            child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
            panic!("the stage did not start: {said}");
        };
        let mut stage = Self { child, control, _directory: directory, view };
        until("every server has actors, or it has ended", || stage.is_complete());
        stage
    }

    /// A supervisor starts its actors after its server has been announced.
    fn is_complete(&mut self) -> bool {
        if self.child.try_wait().unwrap().is_some() {
            return true;
        }
        let names = self.view["servers"].as_array().into_iter().flatten();
        let names: Vec<String> =
            names.map(|server| format!("{}/", server["name"].as_str().unwrap())).collect();
        let ps = self.command(&["--json", "ps"]);
        let Ok(ps) = serde_json::from_slice::<Value>(&ps.stdout) else { return names.is_empty() };
        let actors = ps["actors"].as_array().into_iter().flatten();
        let paths: Vec<&str> = actors.filter_map(|actor| actor["path"].as_str()).collect();
        names.iter().all(|name| paths.iter().any(|path| path.starts_with(name)))
    }

    pub(crate) fn control(&self) -> PathBuf {
        self.control.clone()
    }

    /// Where the dashboard is, with its token, as the stage has said.
    pub(crate) fn dashboard(&self) -> Option<&str> {
        self.view["dashboard"].as_str()
    }

    pub(crate) fn address(&self, server: &str) -> SocketAddr {
        let servers = self.view["servers"].as_array().unwrap();
        let found = servers.iter().find(|found| found["name"] == server).unwrap();
        found["address"].as_str().unwrap().parse().unwrap()
    }

    pub(crate) fn connect(&self, server: &str) -> TcpStream {
        let stream = TcpStream::connect(self.address(server)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    /// A command against this stage.
    pub(crate) fn command(&self, arguments: &[&str]) -> Output {
        palco().arg("--control").arg(self.control()).args(arguments).output().unwrap()
    }

    /// Its standard output; the command must succeed.
    pub(crate) fn text(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{arguments:?}: {said}");
        String::from_utf8(output.stdout).unwrap()
    }

    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let text = self.text(&[&["--json"], arguments].concat());
        serde_json::from_str(&text).unwrap()
    }

    /// One actor as `palco ps` sees it.
    pub(crate) fn actor(&self, path: &str) -> Value {
        let ps = self.json(&["ps"]);
        let actors = ps["actors"].as_array().unwrap();
        actors.iter().find(|actor| actor["path"] == path).cloned().unwrap_or(Value::Null)
    }

    pub(crate) fn interrupt(&self) {
        self.kill("-INT");
    }

    pub(crate) fn kill(&self, signal: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks and returns what came until the server closed its side.
pub(crate) fn talk(mut stream: TcpStream, request: &str) -> String {
    stream.write_all(request.as_bytes()).unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// Sends an HTTP request, up to its first header, and reads the answer to its end.
pub(crate) fn http(address: &str, request: &str, headers_and_body: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    let head = format!("{request} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n");
    stream.write_all(format!("{head}{headers_and_body}\r\n").as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// Waits for a condition that another process brings about.
pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < PATIENCE, "never came true: {what}");
        std::thread::yield_now();
    }
}
