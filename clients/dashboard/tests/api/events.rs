//! What changes, as it changes; and clients that do not listen.

use std::net::TcpStream;
use std::time::Duration;

use palco_actors::SpawnOptions;
use palco_load::live::Protocol;
use serde_json::json;
use socket2::{Domain, Socket, Type};

use crate::client::Ask;
use crate::stage::{Probe, Stage, TOKEN, until};

#[test]
fn a_snapshot_comes_first_and_then_what_changes() {
    let stage = Stage::start();
    let mut events = stage.ask("GET", "/api/events").token(TOKEN).events();
    let first = events.next().unwrap();
    assert_eq!((&*first.name, &first.data["stage"]["can_act"]), ("snapshot", &json!(true)));
    let seq = first.data["observed"]["seq"].as_u64().unwrap();
    assert!(first.id.unwrap().starts_with(&format!("{seq}-")));
    assert_eq!(first.data["servers"][0]["name"], "echo");
    let probe = stage.probe("probe");
    let of_probe = |actor: &serde_json::Value| actor["path"] == "probe";
    let delta =
        events.find("delta", |delta| delta["changed"].as_array().unwrap().iter().any(of_probe));
    assert!(delta.data["seq"].as_u64().unwrap() > seq);
    assert_eq!(delta.data["servers"][2]["name"], "work");
    stage.post(&format!("/api/actors/{}/suspend", probe.any().id().number())).answer().good();
    let entry = events.find("log", |entry| entry["kind"] == "action");
    assert_eq!(entry.data["path"], "probe");
    assert!(entry.id.unwrap().starts_with(&format!("{}-", entry.data["seq"])));
}

#[test]
fn who_comes_back_goes_on_where_it_was() {
    let stage = Stage::start();
    let probe = stage.probe("probe");
    let mut events = stage.ask("GET", "/api/events").events();
    assert_eq!(events.next().unwrap().name, "snapshot");
    let act = |action: &str| {
        let path = format!("/api/actors/{}/{action}", probe.any().id().number());
        stage.post(&path).answer().good();
    };
    act("suspend");
    let known = events.find("log", |entry| entry["kind"] == "action").id.unwrap();
    drop(events);
    act("resume");
    let again = |id: &str| stage.ask("GET", "/api/events").with("Last-Event-ID", id).events();
    let mut followed = again(&known);
    assert_ne!(followed.next().unwrap().name, "snapshot");
    let mut followed = again(&known);
    followed.find("log", |entry| entry["text"].as_str().unwrap().contains("resume"));
    // Of another stage, of none, or long gone.
    for id in [known.split('-').next().unwrap(), "7-0", "x", "999999-", &format!("9{known}")] {
        assert_eq!(again(id).next().unwrap().name, "snapshot", "{id}");
    }
}

#[test]
fn a_load_is_shown_while_it_runs_and_once_when_it_has_ended() {
    let stage = Stage::start();
    let mut events = stage.ask("GET", "/api/events").events();
    let wanted = json!({ "server": "kv", "seconds": 1, "request": Protocol::Kv.example() });
    stage.post("/api/load").json(&wanted).answer().good();
    let running = events.find("load", |load| load["answered"].as_u64().unwrap() > 0);
    assert_eq!((running.id, &running.data["server"]), (None, &json!("kv")));
    events.find("load", |load| load["running"] == false);
}

#[test]
fn a_load_that_somebody_stops_is_shown_once_more_too() {
    let stage = Stage::start();
    let mut events = stage.ask("GET", "/api/events").events();
    let wanted = json!({ "server": "kv", "rate_per_s": 100, "seconds": 3600 });
    stage.post("/api/load").json(&wanted).answer().good();
    events.find("load", |load| load["running"] == true);
    stage.ask("DELETE", "/api/load/kv").token(TOKEN).answer().good();
    events.find("load", |load| load["running"] == false);
}

/// A connection that keeps little for its reader.
fn narrow(stage: &Stage) -> TcpStream {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    socket.connect(&stage.address().into()).unwrap();
    socket.into()
}

#[test]
fn there_are_so_many_seats_and_no_more() {
    let stage = Stage::start();
    let ask = || stage.ask("GET", "/api/events");
    let mut seated: Vec<_> = (0..32).map(|_| ask().events()).collect();
    let refused = ask().answer();
    assert!(refused.refused(429).contains("32"));
    assert_eq!(refused.header("Retry-After"), Some("5"));
    assert_eq!(stage.ask("GET", "/healthz").answer().status, 200);
    seated.pop();
    until("there is room again", || ask().status() == 200);
}

#[test]
fn clients_that_never_read_are_dropped_and_make_room() {
    let stage = Stage::with(|settings| settings.stalled_after = Duration::from_secs(1));
    // A snapshot that no socket holds.
    for number in 0..1000 {
        let name = format!("{}-{number}", "long".repeat(10));
        stage.system.spawn(SpawnOptions::new().name(name.as_str()), || Probe).unwrap();
    }
    let ask = || stage.ask("GET", "/api/events");
    // They take all seats, and never go by themselves.
    let silent: Vec<_> = (0..32).map(|_| ask().send_on(narrow(&stage))).collect();
    for stream in &silent {
        let mut begin = [0; 12];
        until("it is seated", || stream.peek(&mut begin).unwrap() == begin.len());
        assert_eq!(&begin, b"HTTP/1.1 200");
    }
    until("there is room for one more", || ask().status() == 200);
    drop(silent);
}

#[test]
fn requests_in_a_row_whose_answers_nobody_reads_end_too() {
    let stage = Stage::with(|settings| settings.stalled_after = Duration::from_secs(1));
    let stream = narrow(&stage);
    let one = format!("GET /api/openapi.json HTTP/1.1\r\nHost: {}\r\n\r\n", stage.address());
    stream.set_nonblocking(true).unwrap();
    // Answered until the way back is full; then nothing is taken any more, and at last the connection is cut.
    until("the connection is cut", || match std::io::Write::write(&mut &stream, one.as_bytes()) {
        Ok(_) => false,
        Err(error) => error.kind() != std::io::ErrorKind::WouldBlock,
    });
    assert_eq!(stage.ask("GET", "/healthz").answer().status, 200);
}

#[test]
fn the_end_of_the_dashboard_ends_the_events() {
    let mut stage = Stage::start();
    let mut events = Ask::new(stage.address(), "GET", "/api/events").events();
    assert_eq!(events.next().unwrap().name, "snapshot");
    stage.end_dashboard();
    while events.next().is_some() {}
    assert!(TcpStream::connect(stage.address()).is_err());
}
