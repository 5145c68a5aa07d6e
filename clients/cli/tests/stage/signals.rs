//! The commands that act: suspend, resume, interrupt, kill, stop.

use std::io::{BufRead, BufReader, Write};

use crate::support::{Stage, talk, until};

const WORK: &str = r#"
[[server]]
name = "work"
service = "work"
model = "iterative"
place = "thread"

[[server]]
name = "loop"
service = "work"
model = "per-connection"
place = "task"
"#;

/// A connection whose request is being served.
fn busy(stage: &Stage, server: &str, actor: &str, request: &str) -> BufReader<std::net::TcpStream> {
    let mut stream = stage.connect(server);
    writeln!(stream, "{request}").unwrap();
    until("the request is being served", || stage.actor(actor)["note"] == "serving");
    BufReader::new(stream)
}

fn line(stream: &mut BufReader<std::net::TcpStream>) -> String {
    let mut line = String::new();
    stream.read_line(&mut line).unwrap();
    line
}

#[test]
fn a_suspended_request_makes_no_progress_and_completes_when_resumed() {
    let stage = Stage::up(WORK);
    let mut client = busy(&stage, "work", "work/acceptor", "cpu 300000");
    stage.text(&["suspend", "work/acceptor"]);
    let held = stage.actor("work/acceptor");
    assert_eq!(held["status"], "suspended");
    stage.text(&["resume", "work/acceptor"]);
    assert!(line(&mut client).starts_with("ok cpu 300000"));
}

#[test]
fn an_interrupted_request_is_told_so_and_the_server_lives_on() {
    let stage = Stage::up(WORK);
    let mut client = busy(&stage, "work", "work/acceptor", "sleep 60000");
    stage.text(&["interrupt", "work/acceptor"]);
    assert!(line(&mut client).contains("interrupted"));
    assert!(talk(stage.connect("work"), "cpu 1\n").starts_with("ok"));
    assert_eq!(stage.actor("work/acceptor")["restarts"], 0);
}

#[test]
fn a_killed_acceptor_comes_back_and_serves() {
    let stage = Stage::up(WORK);
    for actor in ["work/acceptor", "loop/dispatcher"] {
        stage.text(&["kill", actor]);
        until("it is restarted", || stage.actor(actor)["restarts"] == 1);
        assert_eq!(stage.actor(actor)["last_exit"]["kind"], "killed");
    }
    assert!(talk(stage.connect("work"), "cpu 1\n").starts_with("ok"));
    assert!(talk(stage.connect("loop"), "cpu 1\n").starts_with("ok"));
}

#[test]
fn a_handler_without_checkpoints_is_reported_and_never_claimed_to_be_stopped() {
    let stage = Stage::up(WORK);
    let mut client = busy(&stage, "work", "work/acceptor", "hog 2000000");
    let output = stage.command(&["suspend", "work/acceptor", "--within", "50ms"]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("no await point or checkpoint") && said.contains("serving"), "{said}");
    stage.text(&["resume", "work/acceptor"]);
    assert!(line(&mut client).starts_with("ok hog"));
}

#[test]
fn stop_drains_a_server() {
    let stage = Stage::up(WORK);
    let mut client = busy(&stage, "work", "work/acceptor", "sleep 300");
    let drained = stage.json(&["stop", "work"]);
    assert_eq!(drained["value"]["report"]["finished"], 1);
    assert_eq!(drained["value"]["report"]["abandoned"], 0);
    assert!(line(&mut client).starts_with("ok sleep 300"));
    assert!(std::net::TcpStream::connect(stage.address("work")).is_err());
    assert!(talk(stage.connect("loop"), "cpu 1\n").starts_with("ok"));
}
