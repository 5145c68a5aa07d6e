//! The superserver of a stage, as the dashboard shows it.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use palco_actors::System;
use palco_dashboard::Services;
use palco_superserver::{
    Address, Endpoint, Heritage, Listening, Origin, Plan, Program, Run, ServiceSpec, Style,
    Superserver,
};
use serde_json::{Value, json};

use crate::stage::{Stage, TOKEN, until};

const RELOAD: &str = "/api/services/reload";

fn cat(id: &str) -> ServiceSpec {
    let origin = Origin { file: "test".into(), line: 1 };
    let run = Run::Program(Box::new(Program::new("/bin/cat", "cat")));
    let mut spec = ServiceSpec::new(id, origin, Style::PerConnection, run);
    let address = Address::tcp(([127, 0, 0, 1], 0).into());
    spec.endpoints.push(Endpoint { address, listening: Listening::default() });
    spec
}

fn plan(ids: &[&str]) -> Plan {
    Plan { services: ids.iter().map(|id| cat(id)).collect(), ..Plan::default() }
}

/// With a service `copy`; a reload finds these in its files.
fn stage(next: Result<Plan, String>) -> (Stage, Arc<Superserver>) {
    let mut kept = None;
    let stage = Stage::with_services(|system: &System| {
        let begun = Superserver::prepare(
            system,
            "inetd",
            plan(&["copy"]),
            Heritage::default(),
            Arc::new(|_| {}),
        );
        let superserver = Arc::new(begun.unwrap());
        superserver.open().unwrap();
        kept = Some(Arc::clone(&superserver));
        let same = Arc::clone(&superserver);
        let reload = move || Ok(same.reload(next.clone()?).unwrap());
        Services { superserver, reload: Arc::new(reload) }
    });
    (stage, kept.unwrap())
}

/// A client that has been answered.
fn client(superserver: &Superserver) -> TcpStream {
    let (_, addresses) = &superserver.listening()[0];
    let mut client = TcpStream::connect(addresses[0].split(' ').nth(1).unwrap()).unwrap();
    client.write_all(b"here").unwrap();
    client.read_exact(&mut [0; 4]).unwrap();
    client
}

fn service(stage: &Stage) -> Value {
    stage.get("/api/services")["services"][0].clone()
}

#[test]
fn a_client_is_shown_with_its_process_and_its_end() {
    let (stage, superserver) = stage(Ok(plan(&["copy"])));
    assert_eq!(stage.get("/api/snapshot")["stage"]["superserver"], true);
    let quiet = service(&stage);
    assert_eq!(
        (&quiet["id"], &quiet["state"], &quiet["style"], &quiet["runs"]),
        (&json!("copy"), &json!("listening"), &json!("nowait"), &json!("/bin/cat"))
    );
    assert_eq!((&quiet["running"], &quiet["instances"]), (&json!(0), &json!([])));

    let client = client(&superserver);
    until("its process", || service(&stage)["instances"][0]["pid"].is_number());
    let busy = service(&stage);
    assert_eq!((&busy["running"], &busy["started"]), (&json!(1), &json!(1)));
    let actor = busy["instances"][0]["actor"].as_str().unwrap();
    assert!(actor.starts_with("inetd/copy/"), "{actor}");
    let actors = stage.get("/api/actors?name=inetd/copy/")["actors"].take();
    assert!(actors.as_array().unwrap().iter().any(|known| known["path"] == actor), "{actors}");

    drop(client);
    until("its end", || service(&stage)["ends"][0]["how"] == "status=0");
    let log = stage.get("/api/services")["log"].take();
    let events: Vec<_> = log.as_array().unwrap().iter().map(|it| &it["event"]["event"]).collect();
    assert!(events.contains(&&json!("start")) && events.contains(&&json!("exit")), "{log}");
}

#[test]
fn without_a_superserver_there_are_no_services() {
    let stage = Stage::start();
    assert_eq!(stage.get("/api/snapshot")["stage"]["superserver"], false);
    for refused in [
        stage.ask("GET", "/api/services").answer().refused(404),
        stage.post(RELOAD).answer().refused(404),
    ] {
        assert!(refused.contains("no superserver"), "{refused}");
    }
}

#[test]
fn a_reload_needs_the_token() {
    let (stage, _superserver) = stage(Ok(plan(&["copy", "more"])));
    stage.ask("POST", RELOAD).body("").answer().refused(401);
    stage.ask("POST", RELOAD).token("fedcba9876543210fedcba9876543210").answer().refused(401);
    assert_eq!(stage.get("/api/services")["reloads"], 0);
    // As `curl -X POST` sends it.
    stage.ask("POST", RELOAD).token(TOKEN).answer().good();
    assert_eq!(stage.get("/api/services")["reloads"], 1);
}

#[test]
fn a_reload_says_what_has_changed_and_is_in_the_log_with_who_did_it() {
    let (stage, superserver) = stage(Ok(plan(&["copy", "more"])));
    let mut client = client(&superserver);
    let changes = stage.post(RELOAD).json(&json!({})).answer().good();
    assert_eq!(changes, json!({ "added": ["more"], "changed": [], "removed": [] }));
    let status = stage.get("/api/services");
    assert_eq!(status["services"].as_array().unwrap().len(), 2, "{status}");
    let log = stage.get("/api/snapshot")["observed"]["log"].take();
    let action = log.as_array().unwrap().iter().find(|entry| entry["kind"] == "action").unwrap();
    assert_eq!((&action["path"], &action["text"]), (&json!("inetd"), &json!("reload: done")));
    assert!(action["who"].as_str().unwrap().starts_with("token@127.0.0.1:"), "{action}");
    client.write_all(b"still").unwrap();
    client.read_exact(&mut [0; 5]).unwrap();
}

#[test]
fn a_reload_that_is_refused_says_why_and_is_not_in_the_log() {
    let (stage, _superserver) = stage(Err("nothing was changed:\nline 3 is short".into()));
    let refused = stage.post(RELOAD).answer().refused(409);
    assert!(refused.contains("line 3 is short"), "{refused}");
    let unknown = stage.post(RELOAD).json(&json!({ "force": true })).answer().refused(400);
    assert!(unknown.contains("force"), "{unknown}");
    assert_eq!(stage.get("/api/services")["reloads"], 0);
    let log = stage.get("/api/snapshot")["observed"]["log"].take();
    assert!(log.as_array().unwrap().iter().all(|entry| entry["kind"] != "action"), "{log}");
}

#[test]
fn nothing_is_reloaded_while_the_stage_ends() {
    let (stage, _superserver) = stage(Ok(plan(&["copy", "more"])));
    stage.dashboard().refuse_actions();
    stage.post(RELOAD).answer().refused(503);
    assert_eq!(stage.get("/api/services")["reloads"], 0);
}
