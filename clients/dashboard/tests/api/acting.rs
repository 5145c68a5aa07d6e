//! What is done to actors.

use std::io::{Read, Write};
use std::net::TcpStream;

use palco_actors::{ActorRef, Signal, Status};
use palco_threads::block_on;
use serde_json::{Value, json};

use crate::stage::{Hold, Probe, Stage, TOKEN, until};

fn act(stage: &Stage, probe: &ActorRef<Probe>, action: &str) -> Value {
    let path = format!("/api/actors/{}/{action}", probe.any().id().number());
    stage.post(&path).json(&json!({ "within_ms": 30_000 })).answer().good()
}

#[test]
fn signals_take_hold_of_a_running_handler() {
    let stage = Stage::start();
    let probe = stage.probe("probe");
    let status = || probe.any().snapshot().status;
    probe.try_tell(Hold).unwrap();
    until("busy", || status() == Status::Busy);
    let done = act(&stage, &probe, "suspend");
    let id = probe.any().id().number();
    let expected = json!({
        "actor": id, "path": "probe", "action": "suspend", "effect": { "effect": "done" },
    });
    assert_eq!((done, status()), (expected, Status::Suspended));
    assert_eq!(act(&stage, &probe, "resume")["effect"]["effect"], "done");
    assert_eq!(status(), Status::Busy);
    assert_eq!(act(&stage, &probe, "interrupt")["effect"]["effect"], "done");
    until("idle", || status() == Status::Idle);
    assert_eq!(act(&stage, &probe, "inspect")["effect"]["effect"], "done");
    assert_eq!(act(&stage, &probe, "stop")["effect"]["effect"], "ended");
    assert_eq!(status(), Status::Ended);
}

#[test]
fn a_kill_ends_an_actor_that_is_not_restarted() {
    let stage = Stage::start();
    let probe = stage.probe("probe");
    probe.try_tell(Hold).unwrap();
    until("busy", || probe.any().snapshot().status == Status::Busy);
    let path = format!("/api/actors/{}/kill", probe.any().id().number());
    // Without a body, as `curl -X POST` sends it.
    let done = stage.ask("POST", &path).token(TOKEN).answer().good();
    assert_eq!(done["action"], "kill");
    block_on(probe.any().exited());
    stage.post(&path).answer().refused(404);
}

#[test]
fn a_handler_that_cannot_be_reached_is_said_to_be_pending() {
    let stage = Stage::start();
    let probe = stage.probe("probe");
    probe.try_tell(Hold).unwrap();
    until("busy", || probe.any().snapshot().status == Status::Busy);
    let path = format!("/api/actors/{}/inspect", probe.any().id().number());
    let done = stage.post(&path).json(&json!({ "within_ms": 1 })).answer().good();
    assert_eq!(done["effect"]["effect"], "pending", "{done}");
    assert!(done["effect"]["message"].as_str().unwrap().contains("Hold"), "{done}");
    probe.any().signal(Signal::Kill);
}

#[test]
fn the_root_of_the_tree_is_left_to_whoever_has_started_the_stage() {
    let stage = Stage::start();
    for action in ["kill", "stop", "suspend", "interrupt"] {
        let refused = stage.post(&format!("/api/actors/0/{action}")).answer().refused(409);
        assert!(refused.contains("whole stage"), "{refused}");
    }
    stage.post("/api/actors/0/inspect").answer().good();
}

#[test]
fn stopping_a_server_drains_it() {
    let stage = Stage::start();
    let echo = stage.server("echo");
    let mut client = TcpStream::connect(echo["address"].as_str().unwrap()).unwrap();
    client.write_all(b"hello").unwrap();
    client.read_exact(&mut [0; 5]).unwrap();
    let done = stage.post(&format!("/api/actors/{}/stop", echo["supervisor"])).answer().good();
    assert_eq!(done["effect"]["effect"], "ended");
    assert_eq!(done["drained"], json!({ "finished": 1, "abandoned": 0 }));
    assert_eq!(client.read(&mut [0]).unwrap(), 0);
    let wanted = json!({ "server": "echo" });
    let refused = stage.post("/api/load").json(&wanted).answer().refused(409);
    assert!(refused.contains("has ended"), "{refused}");
}

#[test]
fn what_was_done_is_in_the_log_with_who_did_it() {
    let stage = Stage::start();
    let probe = stage.probe("probe");
    act(&stage, &probe, "suspend");
    act(&stage, &probe, "resume");
    let view = stage.get("/api/snapshot");
    let log = view["observed"]["log"].as_array().unwrap();
    let actions: Vec<_> = log.iter().filter(|entry| entry["kind"] == "action").collect();
    assert_eq!(actions.len(), 2, "{log:?}");
    for action in actions {
        let who = action["who"].as_str().unwrap();
        assert!(who.starts_with("token@127.0.0.1:"), "{who}");
        assert_eq!(action["path"], "probe");
    }
}

#[test]
fn nothing_new_is_begun_while_the_stage_ends() {
    let stage = Stage::start();
    let probe = stage.probe("probe");
    let path = format!("/api/actors/{}/suspend", probe.any().id().number());
    stage.dashboard().refuse_actions();
    stage.post(&path).answer().refused(503);
    stage.post("/api/load").json(&json!({ "server": "kv" })).answer().refused(503);
    assert_eq!(probe.any().snapshot().status, Status::Idle);
    stage.get("/api/snapshot");
}

#[test]
fn a_stage_that_has_ended_is_still_shown() {
    let stage = Stage::start();
    let probe = stage.probe("probe");
    let path = format!("/api/actors/{}/suspend", probe.any().id().number());
    block_on(stage.system.shutdown());
    stage.get("/api/snapshot");
    stage.post(&path).answer().refused(503);
}
