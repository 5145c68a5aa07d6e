//! The requests that are being served, as the dashboard shows them and acts on them.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;

use palco_models::{Urgent, UrgentSettings};
use serde_json::{Value, json};

use crate::stage::{Stage, TOKEN, until};

const ACT: &str = "/api/requests/act";

/// A client of the work server that has asked for something.
fn client(stage: &Stage, ask: &str) -> BufReader<TcpStream> {
    let address = stage.server("work")["address"].as_str().unwrap().to_owned();
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(ask.as_bytes()).unwrap();
    BufReader::new(stream)
}

fn line(client: &mut BufReader<TcpStream>) -> String {
    let mut line = String::new();
    client.read_line(&mut line).unwrap();
    line
}

fn requests(stage: &Stage) -> Vec<Value> {
    stage.get("/api/requests")["requests"].as_array().unwrap().clone()
}

/// The requests, once there are so many.
fn running(stage: &Stage, count: usize) -> Vec<Value> {
    until("requests are being served", || requests(stage).len() == count);
    requests(stage)
}

#[track_caller]
fn act(stage: &Stage, request: &Value, verb: &Value) -> Value {
    let done = stage.post(ACT).json(&json!({ "request": request, "verb": verb })).answer().good();
    assert_eq!((&done["request"], &done["verb"]), (request, verb));
    done["answer"].clone()
}

fn actions(stage: &Stage) -> Vec<Value> {
    let log = stage.get("/api/snapshot")["observed"]["log"].take();
    let log = log.as_array().unwrap().iter();
    log.filter(|entry| entry["kind"] == "action").cloned().collect()
}

#[test]
fn a_request_is_held_resumed_and_cancelled_and_its_client_hears_of_it() {
    let stage = Stage::start();
    let nobody = stage.get("/api/requests");
    assert_eq!((&nobody["requests"], &nobody["more"]), (&json!([]), &json!(0)));
    let mut client = client(&stage, "sleep 60000\n");
    let one = running(&stage, 1).remove(0);
    let id = &one["request"];
    assert!(id.as_str().unwrap().starts_with("work/"), "{one}");
    assert_eq!((&one["state"], &one["place"]), (&json!("running"), &json!("thread")));
    assert_eq!(one["peer"], client.get_ref().local_addr().unwrap().to_string());
    assert!(one["age_ms"].is_u64() && one["nice"].is_null(), "{one}");
    let counts = stage.get("/api/requests")["servers"].take();
    let count = |name: &str, requests: usize| json!({ "name": name, "requests": requests });
    assert_eq!(counts, json!([count("echo", 0), count("kv", 0), count("work", 1)]));

    let held = json!({ "state": "held", "remark": "none" });
    assert_eq!(act(&stage, id, &json!("hold")), held);
    assert_eq!(requests(&stage)[0]["state"], "held");
    assert_eq!(act(&stage, id, &json!("status"))["state"], "held");
    assert_eq!(act(&stage, id, &json!("resume"))["state"], "running");
    assert_eq!(requests(&stage)[0]["state"], "running");
    assert_eq!(act(&stage, id, &json!("cancel"))["state"], "finished");
    assert_eq!(line(&mut client), "error: the call was interrupted\n");
    until("it is gone", || requests(&stage).is_empty());
    assert_eq!(act(&stage, id, &json!("hold")), json!({ "state": "finished", "remark": "none" }));
}

#[test]
fn who_serves_is_an_actor_whose_page_names_the_request() {
    let stage = Stage::start();
    let _client = client(&stage, "sleep 60000\n");
    let one = running(&stage, 1).remove(0);
    let actors = stage.get("/api/actors?name=work")["actors"].take();
    let found = actors.as_array().unwrap().iter().find(|actor| actor["path"] == one["actor"]);
    let page = stage.get(&format!("/api/actors/{}?within_ms=1", found.unwrap()["id"]));
    assert_eq!(page["request"], one["request"]);
    let other = stage.get(&format!("/api/actors/{}", stage.server("kv")["supervisor"]));
    assert!(other["request"].is_null(), "{other}");
}

#[test]
fn the_longest_request_comes_first() {
    let stage = Stage::start();
    let _first = client(&stage, "sleep 60000\n");
    until("it has an age", || running(&stage, 1)[0]["age_ms"].as_u64() > Some(20));
    let second = client(&stage, "sleep 60000\n");
    let shown = running(&stage, 2);
    assert_eq!(shown[1]["peer"], second.get_ref().local_addr().unwrap().to_string());
}

#[test]
fn a_priority_is_shown_with_the_request_it_was_given_to() {
    let stage = Stage::start();
    let _client = client(&stage, "sleep 60000\n");
    let id = running(&stage, 1)[0]["request"].clone();
    let answer = act(&stage, &id, &json!({ "priority": 5 }));
    assert!(answer["remark"]["note"].as_str().unwrap().starts_with("nice 5"), "{answer}");
    assert_eq!(requests(&stage)[0]["nice"], 5);
}

#[test]
fn what_reaches_no_checkpoint_is_pending_and_the_log_does_not_say_done() {
    let stage = Stage::start();
    let mut client = client(&stage, "hog 3000000\n");
    let id = running(&stage, 1)[0]["request"].clone();
    let mut pending = Value::Null;
    // It has a checkpoint before it computes.
    until("it is past its only checkpoint", || {
        let answer = act(&stage, &id, &json!("hold"));
        if answer["state"] == "held" {
            act(&stage, &id, &json!("resume"));
        }
        pending = answer["remark"]["pending"].clone();
        pending.is_string()
    });
    assert!(pending.as_str().unwrap().contains("no checkpoint"), "{pending}");
    let last = actions(&stage).pop().unwrap();
    let text = last["text"].as_str().unwrap();
    let expected = format!("hold of {}: pending", id.as_str().unwrap());
    assert!(text.starts_with(&expected), "{text}");
    act(&stage, &id, &json!("resume"));
    assert!(line(&mut client).starts_with("ok hog "));
}

#[test]
fn what_was_done_is_in_the_log_with_who_did_it() {
    let stage = Stage::start();
    let _client = client(&stage, "sleep 60000\n");
    let id = running(&stage, 1)[0]["request"].clone();
    act(&stage, &id, &json!("hold"));
    act(&stage, &id, &json!("cancel"));
    let id = id.as_str().unwrap();
    let seen = actions(&stage);
    let texts: Vec<_> = seen.iter().map(|entry| entry["text"].as_str().unwrap()).collect();
    assert_eq!(texts, [format!("hold of {id}: done"), format!("cancel of {id}: ended")]);
    for entry in &seen {
        assert_eq!(entry["path"], "work");
        assert!(entry["who"].as_str().unwrap().starts_with("token@127.0.0.1:"), "{entry}");
    }
}

#[test]
fn without_the_token_requests_are_seen_and_left_alone() {
    let stage = Stage::start();
    let _client = client(&stage, "sleep 60000\n");
    let one = running(&stage, 1).remove(0);
    let cancel = json!({ "request": one["request"], "verb": "cancel" });
    stage.ask("POST", ACT).json(&cancel).answer().refused(401);
    let wrong = "fedcba9876543210fedcba9876543210";
    stage.ask("POST", ACT).token(wrong).json(&cancel).answer().refused(401);
    assert_eq!(requests(&stage)[0]["state"], "running");
    assert_eq!(actions(&stage), Vec::<Value>::new());
    stage.ask("POST", ACT).token(TOKEN).json(&cancel).answer().good();
}

#[test]
fn what_cannot_be_meant_is_refused_with_what_and_why() {
    let stage = Stage::start();
    let refused = |body: Value, status: u16, word: &str| {
        let refused = stage.post(ACT).json(&body).answer().refused(status);
        assert!(refused.contains(word), "{body}: {refused}");
    };
    refused(json!({ "request": "work", "verb": "hold" }), 400, "server/connection.number");
    refused(json!({ "request": "work/1.0x", "verb": "hold" }), 400, "work/1.0x");
    refused(json!({ "request": "work/1.1", "verb": "stop" }), 400, "stop");
    refused(json!({ "request": "work/1.1", "verb": { "priority": 20 } }), 400, "priority is 20");
    refused(json!({ "request": "work/1.1" }), 400, "verb");
    refused(json!({ "verb": "hold" }), 400, "request");
    refused(json!({ "request": "work/1.1", "verb": "hold", "force": 1 }), 400, "force");
    refused(json!({ "request": "none/1.1", "verb": "hold" }), 404, "none");
    stage.post(ACT).answer().refused(400);
    let hint = stage.post(ACT).json(&json!({ "request": "none/1.1", "verb": "hold" })).answer();
    assert!(hint.json()["hint"].as_str().unwrap().contains("echo, kv, work"));

    let never = act(&stage, &json!("work/999.1"), &json!("hold"));
    assert_eq!(never, json!({ "state": "not-found", "remark": "none" }));
    assert_eq!(actions(&stage), Vec::<Value>::new());
}

#[test]
fn nothing_is_done_while_the_stage_ends() {
    let stage = Stage::start();
    let _client = client(&stage, "sleep 60000\n");
    let one = running(&stage, 1).remove(0);
    stage.dashboard().refuse_actions();
    let hold = json!({ "request": one["request"], "verb": "hold" });
    stage.post(ACT).json(&hold).answer().refused(503);
    assert_eq!(requests(&stage)[0]["state"], "running");
}

#[test]
fn the_urgent_port_is_shown_if_there_is_one() {
    let without = Stage::start();
    assert!(without.get("/api/requests")["urgent"].is_null());
    let urgent = Urgent::open(UrgentSettings::default()).unwrap();
    let stage = Stage::with_urgent(urgent.clone());
    let shown = stage.get("/api/requests")["urgent"].take();
    assert_eq!(shown["address"], urgent.address().to_string());
    assert_eq!(shown["obtained"], urgent.status().obtained);
    assert!(shown["counts"].is_object(), "{shown}");
}
