//! Out of band: what is being served is interrupted, held and resumed from elsewhere, and from its own connection.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::support::{Stage, palco, until};

const WORK: &str = r#"
[[server]]
name = "work"
service = "work"
model = "iterative"
place = "thread"

[[server]]
name = "pool"
service = "work"
model = "team"
place = "process"
workers = 2
"#;

/// Each stage has its own port.
const PORT: [&str; 2] = ["--urgent", "127.0.0.1:0"];

/// `palco call` while its answer is awaited.
struct Calling {
    child: Child,
    stderr: BufReader<std::process::ChildStderr>,
    ticket: String,
}

impl Calling {
    fn begin(stage: &Stage, arguments: &[&str]) -> Self {
        let mut child = palco()
            .arg("--control")
            .arg(stage.control())
            .arg("call")
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut ticket = String::new();
        while !ticket.contains('@') {
            ticket.clear();
            assert_ne!(
                stderr.read_line(&mut ticket).unwrap(),
                0,
                "it says where it can be interrupted"
            );
        }
        let ticket = ticket.split_whitespace().last().unwrap().to_owned();
        Self { child, stderr, ticket }
    }

    fn request(&self) -> &str {
        self.ticket.split_once(':').unwrap().0
    }

    fn press_ctrl_backslash(&self) {
        kill(Pid::from_raw(self.child.id().try_into().unwrap()), Signal::SIGQUIT).unwrap();
    }

    /// Until it says this.
    fn hears(&mut self, words: &str) {
        let mut line = String::new();
        while !line.contains(words) {
            line.clear();
            assert_ne!(self.stderr.read_line(&mut line).unwrap(), 0, "never: {words}");
        }
    }

    /// What it was answered in the end.
    fn answer(mut self) -> String {
        let mut answer = String::new();
        self.child.stdout.take().unwrap().read_to_string(&mut answer).unwrap();
        self.child.wait().unwrap();
        answer
    }
}

impl Drop for Calling {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_call_says_how_it_is_interrupted_and_its_ticket_works_from_anywhere() {
    let stage = Stage::up_with(WORK, &PORT);
    for server in ["work", "pool"] {
        let calling = Calling::begin(&stage, &[server, "--cpu", "60s"]);
        // No stage is asked: the ticket says where.
        let urgent = |verb: &[&str], code: i32| {
            let output = palco().arg("urgent").args(verb).arg(&calling.ticket).output().unwrap();
            assert_eq!(output.status.code(), Some(code), "{verb:?}: {output:?}");
            String::from_utf8(output.stdout).unwrap()
        };
        assert!(urgent(&["status"], 0).contains(": running"));
        assert!(urgent(&["hold"], 0).ends_with(": held\n"));
        assert!(urgent(&["status"], 0).contains(": held"));
        assert!(urgent(&["resume"], 0).ends_with(": running\n"));
        assert!(urgent(&["priority", "5"], 0).contains("nice 5"));
        assert!(urgent(&["cancel"], 0).contains(": finished"));
        assert!(urgent(&["hold"], 1).contains(": finished"));
        calling.answer();
    }
}

#[test]
fn the_port_passes_on_to_a_successor() {
    let directory = tempfile::tempdir().unwrap();
    let control = directory.path().join("control.sock");
    let own = ["serve", "work", "--listen", "127.0.0.1:0", "--dashboard", "off", PORT[0], PORT[1]];
    let mut before = Stage::at(&control, &own);
    let after = Stage::at(&control, &[&own[..], &["--take-over"]].concat());
    assert_eq!(before.child.wait().unwrap().code(), Some(0));
    assert_eq!(before.address("work"), after.address("work"));
    let port = &before.view["urgent"]["address"];
    assert!(port.is_string() && *port == after.view["urgent"]["address"], "{port}");
    let calling = Calling::begin(&after, &["work", "sleep", "60000"]);
    assert!(calling.ticket.ends_with(port.as_str().unwrap()), "{}", calling.ticket);
    let output = palco().args(["urgent", "cancel", &calling.ticket]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(calling.answer(), "error: the call was interrupted\n");
}

#[test]
fn who_runs_the_stage_needs_no_key() {
    let stage = Stage::up_with(WORK, &PORT);
    let calling = Calling::begin(&stage, &["work", "sleep", "60000"]);
    assert!(stage.text(&["urgent"]).contains(calling.request()));
    assert!(stage.text(&["urgent", "hold", calling.request()]).ends_with(": held\n"));
    let listed: serde_json::Value =
        serde_json::from_str(&stage.text(&["--json", "urgent"])).unwrap();
    assert_eq!(listed["requests"][0]["state"], "held");
    assert!(listed["urgent"]["obtained"].is_string());
    assert!(stage.text(&["urgent", "cancel", calling.request()]).contains(": finished"));
    assert_eq!(calling.answer(), "error: the call was interrupted\n");
    assert!(stage.text(&["urgent"]).contains("nothing is being served"));
}

#[test]
fn ctrl_backslash_interrupts_from_the_same_connection() {
    let stage = Stage::up_with(WORK, &PORT);
    for server in ["work", "pool"] {
        let mut calling = Calling::begin(&stage, &[server, "sleep", "60000"]);
        calling.press_ctrl_backslash();
        calling.hears("sends `K`");
        assert_eq!(calling.answer(), "error: the call was interrupted\n");
        let mut calling = Calling::begin(&stage, &["--on-quit", "hold", server, "sleep", "3000"]);
        calling.press_ctrl_backslash();
        calling.hears("held");
        assert!(stage.text(&["urgent"]).contains("held"));
        calling.press_ctrl_backslash();
        calling.hears("running");
        assert!(calling.answer().starts_with("ok sleep 3000 "));
    }
}

#[test]
fn a_server_without_a_port_hands_out_no_tickets_and_is_still_obeyed_by_its_stage() {
    let stage = Stage::up_with(WORK, &["--urgent", "off"]);
    let mut client = stage.connect("work");
    client.write_all(b"ticket\nsleep 60000\n").unwrap();
    let mut client = BufReader::new(client);
    let mut line = String::new();
    client.read_line(&mut line).unwrap();
    assert_eq!(line, "error: this server has no urgent port\n");
    until("it is being served", || stage.text(&["urgent"]).contains("work/1.2"));
    assert!(stage.text(&["urgent"]).contains("no urgent port is open"));
    assert!(stage.text(&["urgent", "cancel", "work/1.2"]).contains(": finished"));
    line.clear();
    client.read_line(&mut line).unwrap();
    assert_eq!(line, "error: the call was interrupted\n");
}

#[test]
fn bad_input_is_answered_and_disturbs_nobody() {
    let stage = Stage::up_with(WORK, &PORT);
    let calling = Calling::begin(&stage, &["pool", "sleep", "60000"]);
    let address: SocketAddr = calling.ticket.split_once('@').unwrap().1.parse().unwrap();
    let mut port = TcpStream::connect(address).unwrap();
    let wrong = "0".repeat(32);
    let request = calling.request();
    let lines =
        format!("CANCEL {request}:{wrong}\nEXPLODE {request}:{wrong}\nHOLD\n\u{7f}\nHELP\n");
    port.write_all(lines.as_bytes()).unwrap();
    let answers: Vec<_> = BufReader::new(&port).lines().take(5).map(Result::unwrap).collect();
    assert!(answers[0].starts_with("error wrong-key "), "{answers:?}");
    assert!(answers[1].starts_with("error unknown-verb "), "{answers:?}");
    assert!(answers[2..4].iter().all(|answer| answer.starts_with("error ")), "{answers:?}");
    // On the command line too.
    for (request, words) in [
        ("pool", "server/connection.number"),
        ("pool/1.2:00", "key"),
        (&*format!("pool/1.2:{wrong}"), "address"),
        ("nobody/1.1", "there is no server `nobody`"),
    ] {
        let output = stage.command(&["urgent", "cancel", request]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains(words), "{request}: {said}");
    }
    let output = stage.command(&["urgent", "cancel", "pool/77.1"]);
    assert_eq!(output.status.code(), Some(1));
    let output = stage.command(&["urgent", "priority", "20", request]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stage.text(&["urgent", "status", request]).contains(": running"));
}
