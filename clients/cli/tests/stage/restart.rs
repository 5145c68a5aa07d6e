//! A stage is succeeded by another, which listens on its sockets: nobody is refused, and nobody's connection is lost.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{PATIENCE, Stage, palco, until};

/// A stage and its successors, each a process that the one before it has started.
struct Generations {
    first: Child,
    directory: TempDir,
}

impl Generations {
    /// Servers of these models in these places, `echo`, and one that works; each at an address that stays.
    fn begin(cells: &[(&str, &str)]) -> (Self, Vec<SocketAddr>) {
        let directory = tempfile::tempdir().unwrap();
        let free: Vec<_> =
            (0..=cells.len()).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
        let addresses: Vec<_> = free.iter().map(|it| it.local_addr().unwrap()).collect();
        drop(free);
        let mut file = String::new();
        for (number, ((model, place), address)) in cells.iter().zip(&addresses).enumerate() {
            file += &format!(
                "[[server]]\nname = \"echo-{number}\"\nservice = \"echo\"\nmodel = \"{model}\"\nplace = \"{place}\"\n\
                 listen = \"{address}\"\n"
            );
        }
        file += &format!(
            "[[server]]\nservice = \"work\"\nmodel = \"per-connection\"\nplace = \"thread\"\nlisten = \"{}\"\n\
             drain-within = \"20s\"\n",
            addresses[cells.len()]
        );
        fs::write(directory.path().join("stage.toml"), file).unwrap();
        let said = File::create(directory.path().join("said")).unwrap();
        let first = palco()
            .arg("--control")
            .arg(directory.path().join("control.sock"))
            .arg("up")
            .arg(directory.path().join("stage.toml"))
            .args(["--dashboard", "127.0.0.1:0"])
            .stdout(Stdio::null())
            .stderr(said)
            .spawn()
            .unwrap();
        let begun = Self { first, directory };
        until("it is asked", || begun.pid().is_some());
        (begun, addresses)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn said(&self) -> String {
        fs::read_to_string(self.path("said")).unwrap()
    }

    /// Who answers on the control socket now.
    fn pid(&self) -> Option<u64> {
        let mut ps = palco();
        let ps = ps.arg("--control").arg(self.path("control.sock")).args(["--json", "ps"]);
        let output = ps.output().unwrap();
        let view: Value = serde_json::from_slice(&output.stdout).ok()?;
        view["stage"]["pid"].as_u64()
    }

    /// Has the one that is asked start a successor, and waits until that is asked.
    fn hang_up(&self) {
        let before = self.pid().unwrap();
        signal(before, "-HUP");
        until("there is a successor", || self.pid().is_some_and(|pid| pid != before));
    }
}

impl Drop for Generations {
    fn drop(&mut self) {
        if let Some(pid) = self.pid() {
            signal(pid, "-KILL");
        }
        let _ = self.first.kill();
        let _ = self.first.wait();
        if thread::panicking() {
            eprintln!("{}", self.said());
        }
    }
}

fn signal(pid: u64, signal: &str) {
    assert!(Command::new("kill").args([signal, &pid.to_string()]).status().unwrap().success());
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// One connection, one request, one answer.
fn converse(address: SocketAddr) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(b"hello")?;
    stream.shutdown(Shutdown::Write)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    if answer == b"hello" { Ok(()) } else { Err(std::io::Error::other(format!("{answer:?}"))) }
}

#[test]
fn ten_restarts_refuse_and_lose_nobody() {
    let cells = [("per-connection", "task"), ("team", "thread"), ("team", "process")];
    let (stage, addresses) = Generations::begin(&cells);
    let (done, served) = (AtomicBool::new(false), AtomicU64::new(0));
    let be_a_client = |address: SocketAddr| {
        let mut failures = Vec::new();
        while !done.load(Ordering::Acquire) {
            match converse(address) {
                Ok(()) => drop(served.fetch_add(1, Ordering::Relaxed)),
                Err(error) => failures.push(error.to_string()),
            }
        }
        failures
    };
    let failures: Vec<String> = thread::scope(|scope| {
        let be_a_client = &be_a_client;
        let clients: Vec<_> = addresses[..cells.len()]
            .iter()
            .map(|&address| scope.spawn(move || be_a_client(address)))
            .collect();
        for _ in 0..10 {
            stage.hang_up();
        }
        done.store(true, Ordering::Release);
        clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
    });
    assert!(failures.is_empty(), "{}: {:?}", failures.len(), &failures[..failures.len().min(5)]);
    assert!(served.into_inner() > 1000, "there was something to lose");
}

/// Asks on one connection as long as that lasts, then on the next; returns how often, and what went wrong. A request that
/// finds a used connection closed goes to the next, as RFC 9112 §9.3.1 has it.
fn keep_asking(address: SocketAddr, done: &AtomicBool) -> (u64, Vec<String>) {
    let (mut answered, mut failures) = (0, Vec::new());
    while !done.load(Ordering::Acquire) {
        let mut stream = BufReader::new(connect(address));
        let mut is_used = false;
        while !done.load(Ordering::Acquire) {
            let written = stream.get_mut().write_all(b"GET / HTTP/1.1\r\nHost: palco\r\n\r\n");
            let mut head = String::new();
            let heard = written.and_then(|()| {
                while stream.read_line(&mut head)? > 2 {}
                Ok(())
            });
            let length = head.split("Content-Length: ").nth(1).and_then(|it| it.lines().next());
            match length.filter(|_| head.ends_with("\r\n\r\n")) {
                Some(length) => {
                    let mut body = vec![0; length.parse().unwrap()];
                    match stream.read_exact(&mut body) {
                        Ok(()) => answered += 1,
                        Err(error) => failures.push(format!("half a body: {error}")),
                    }
                    is_used = true;
                }
                None if is_used && head.is_empty() => break,
                None => {
                    failures.push(format!("{heard:?} {head:?}"));
                    break;
                }
            }
        }
    }
    (answered, failures)
}

#[test]
fn connections_that_are_kept_end_between_two_answers() {
    let directory = tempfile::tempdir().unwrap();
    let control = directory.path().join("control.sock");
    for (model, place) in [("per-connection", "task"), ("team", "thread"), ("team", "process")] {
        let own = ["serve", "http", "--model", model, "--place", place, "--urgent", "off"];
        let own = [&own[..], &["--listen", "127.0.0.1:0", "--dashboard", "off"]].concat();
        let mut stage = Stage::at(&control, &own);
        let (address, done) = (stage.address("http"), AtomicBool::new(false));
        let (answered, failures) = thread::scope(|scope| {
            let client = scope.spawn(|| keep_asking(address, &done));
            for _ in 0..3 {
                let mut next = Stage::at(&control, &[&own[..], &["--take-over"]].concat());
                std::mem::swap(&mut stage, &mut next);
                assert_eq!(next.child.wait().unwrap().code(), Some(0), "it has finished");
            }
            done.store(true, Ordering::Release);
            client.join().unwrap()
        });
        assert!(
            failures.is_empty(),
            "{model} × {place}: {} of {answered}, {failures:?}",
            failures.len()
        );
        assert!(answered > 100, "{model} × {place}: there was something to lose, not {answered}");
    }
}

#[test]
fn a_request_is_answered_by_who_has_begun_it() {
    let (stage, addresses) = Generations::begin(&[]);
    let before = stage.pid().unwrap();
    let mut client = connect(addresses[0]);
    client.write_all(b"sleep 3000\n").unwrap();
    until("it is being served", || {
        let mut list = palco();
        let list = list.arg("--control").arg(stage.path("control.sock")).arg("urgent");
        String::from_utf8_lossy(&list.output().unwrap().stdout).contains("work/")
    });
    stage.hang_up();
    let mut other = connect(addresses[0]);
    other.write_all(b"sleep 0\n").unwrap();
    let mut line = String::new();
    BufReader::new(other).read_line(&mut line).unwrap();
    assert!(line.starts_with("ok sleep 0"), "the successor serves meanwhile: {line}");
    line.clear();
    BufReader::new(client).read_line(&mut line).unwrap();
    assert!(line.starts_with("ok sleep 3000"), "{line}");
    until("the first one ends", || !PathBuf::from(format!("/proc/{before}/fd/0")).exists());
}

#[test]
fn a_successor_that_cannot_start_changes_nothing() {
    let (stage, addresses) = Generations::begin(&[("team", "thread")]);
    let before = stage.pid();
    let file = stage.path("stage.toml");
    let good = fs::read_to_string(&file).unwrap();
    fs::write(&file, "[[server]]\nservice = \"nonsense\"\n").unwrap();
    signal(before.unwrap(), "-HUP");
    until("it says so", || stage.said().contains("this stage goes on"));
    assert!(stage.said().contains("nonsense"), "{}", stage.said());
    // Nor one that gets half of what it wants.
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let one_more = format!(
        "[[server]]\nname = \"more\"\nservice = \"echo\"\nmodel = \"team\"\nplace = \"thread\"\nlisten = \"{}\"\n",
        taken.local_addr().unwrap()
    );
    fs::write(&file, good.clone() + &one_more).unwrap();
    signal(before.unwrap(), "-HUP");
    until("it says so again", || stage.said().matches("this stage goes on").count() == 2);
    assert!(stage.said().contains("in use"), "{}", stage.said());
    converse(addresses[0]).unwrap();
    assert_eq!(stage.pid(), before);
    // One without a server: its address is given up, the other goes on.
    let (first, rest) = good.split_at(good.rfind("[[server]]").unwrap());
    assert!(rest.contains("work"));
    fs::write(&file, first).unwrap();
    stage.hang_up();
    converse(addresses[0]).unwrap();
    until("nobody listens there any more", || TcpStream::connect(addresses[1]).is_err());
}

#[test]
fn the_end_of_its_terminal_is_its_end_and_no_hang_up_for_a_successor() {
    let directory = tempfile::tempdir().unwrap();
    let control = directory.path().join("control.sock");
    let program = env!("CARGO_BIN_EXE_palco");
    let command = format!("{program} --control {} serve echo --dashboard off", control.display());
    // A terminal that is one to the program, and that ends with this process.
    let mut terminal = Command::new("script")
        .args(["--quiet", "--command", &command, "/dev/null"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    until("it is asked", || control.exists());
    terminal.kill().unwrap();
    terminal.wait().unwrap();
    until("it has drained and ended", || !control.exists());
}

#[test]
fn who_keeps_what_nobody_else_can_have_does_not_hand_over() {
    let (stage, _) = Generations::begin(&[("team", "thread")]);
    let directory = tempfile::tempdir().unwrap();
    let control = directory.path().join("other.sock");
    let mut own = palco();
    let own = own.args(["serve", "echo", "--model", "team", "--place", "thread", "--workers", "2"]);
    let own = own.args(["--accept-by", "own-sockets", "--dashboard", "off", "--control"]);
    let mut own = own.arg(&control).stdout(Stdio::null()).spawn().unwrap();
    until("it is asked", || control.exists());
    let mut next = palco();
    let next = next.args(["serve", "echo", "--take-over", "--dashboard", "off", "--control"]);
    let output = next.arg(&control).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("has a socket of its own") && said.contains("accept-by"), "{said}");
    own.kill().unwrap();
    own.wait().unwrap();
    // Nor does one take over from nobody.
    let mut next = palco();
    let next = next.arg("--control").arg(stage.path("nobody.sock")).args(["up", "--take-over"]);
    let output = next.output().unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).contains("no stage answers on"));
}
