//! Ctrl-C drains, a second one stops at once, SIGTERM is a Ctrl-C.

use std::io::{BufRead, BufReader, Write};

use crate::support::{Stage, until};

const WORK: &str = r#"
[[server]]
service = "work"
model = "per-connection"
place = "thread"
drain-within = "20s"
"#;

fn busy(stage: &Stage, request: &str) -> BufReader<std::net::TcpStream> {
    let mut stream = stage.connect("work");
    writeln!(stream, "{request}").unwrap();
    until("the request is being served", || {
        stage.json(&["ps"])["actors"]
            .as_array()
            .unwrap()
            .iter()
            .any(|actor| actor["actor_type"] == "ConnectionActor" && actor["note"] == "serving")
    });
    BufReader::new(stream)
}

#[test]
fn ctrl_c_lets_running_requests_finish() {
    for signal in ["-INT", "-TERM"] {
        let mut stage = Stage::up(WORK);
        let mut client = busy(&stage, "sleep 500");
        stage.kill(signal);
        let mut line = String::new();
        client.read_line(&mut line).unwrap();
        assert!(line.starts_with("ok sleep 500"), "{line}");
        assert_eq!(stage.child.wait().unwrap().code(), Some(0));
        assert!(!stage.control().exists());
    }
}

#[test]
fn a_second_ctrl_c_stops_at_once() {
    let mut stage = Stage::up(WORK);
    let mut client = busy(&stage, "sleep 60000");
    stage.interrupt();
    until("it drains", || std::net::TcpStream::connect(stage.address("work")).is_err());
    stage.interrupt();
    assert_eq!(stage.child.wait().unwrap().code(), Some(130));
    let mut line = String::new();
    assert!(matches!(client.read_line(&mut line), Ok(0) | Err(_)), "{line}");
}

#[test]
fn who_does_not_finish_in_time_is_abandoned() {
    let mut stage = Stage::up(&WORK.replace("20s", "100ms"));
    let _client = busy(&stage, "sleep 60000");
    stage.interrupt();
    assert_eq!(stage.child.wait().unwrap().code(), Some(1));
}
