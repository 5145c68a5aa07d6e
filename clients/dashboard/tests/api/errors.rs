//! Every error is JSON with what is wrong and what to do.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::stage::{Stage, TOKEN};

const METHODS: [&str; 5] = ["GET", "POST", "PUT", "DELETE", "PATCH"];

/// All paths of the description with something in their braces, and their methods.
pub(crate) fn routes(stage: &Stage) -> Vec<(String, BTreeSet<String>)> {
    let described = stage.get("/api/openapi.json");
    let paths = described["paths"].as_object().unwrap().iter();
    let filled = |path: &str| {
        let path = path.replace("{id}", "0").replace("{action}", "inspect");
        let path = path.replace("{file}", "index.html").replace("{server}", "kv");
        path.replace("{topic}", "switch")
    };
    let methods = |item: &Value| {
        let keys = item.as_object().unwrap().keys().filter(|key| *key != "parameters");
        keys.map(|key| key.to_uppercase()).collect()
    };
    paths.map(|(path, item)| (filled(path), methods(item))).collect()
}

#[test]
fn methods_that_are_not_described_are_refused_and_all_others_are_not() {
    let stage = Stage::start();
    for (path, methods) in routes(&stage) {
        for method in METHODS {
            let ask = || stage.ask(method, &path).token(TOKEN);
            if methods.contains(method) {
                assert!(!matches!(ask().status(), 405 | 501), "{method} {path}");
            } else {
                let answer = ask().answer();
                answer.refused(405);
                let allow: BTreeSet<_> =
                    answer.header("allow").unwrap().split(", ").map(str::to_owned).collect();
                assert_eq!(allow, methods, "{method} {path}");
            }
        }
    }
}

#[test]
fn unknown_paths_and_things_are_404() {
    let stage = Stage::start();
    for path in
        ["/nothing", "/api", "/api/", "/api/nothing", "/assets/nothing.js", "/assets/", "/%2e%2e/"]
    {
        stage.ask("GET", path).answer().refused(404);
    }
    stage.ask("GET", "/assets/../Cargo.toml").answer().refused(404);
    let unknown = stage.ask("GET", "/api/actors/999999").answer().refused(404);
    assert!(unknown.contains("#999999"), "{unknown}");
    stage.post("/api/actors/999999/kill").answer().refused(404);
    let unknown = stage.post("/api/load").json(&json!({ "server": "none" })).answer();
    assert!(unknown.refused(404).contains("none"));
    assert!(unknown.json()["hint"].as_str().unwrap().contains("echo, kv, work"));
    stage.ask("DELETE", "/api/load/none").token(TOKEN).answer().refused(404);
    stage.ask("DELETE", "/api/load/kv").token(TOKEN).answer().refused(404);
}

#[test]
fn bad_values_are_400_and_say_which() {
    let stage = Stage::start();
    for path in [
        "/api/actors?status=tired",
        "/api/actors?place=here",
        "/api/actors?limit=-1",
        "/api/actors?nmae=x",
        "/api/actors/x",
        "/api/actors/-1",
        "/api/actors/0?within_ms=0",
        "/api/actors/0?within_ms=60001",
        "/api/capture?window_ms=0",
        "/api/capture?window_ms=10001",
        "/api/capture?format=pdf",
        "/api/capture?trace=x",
    ] {
        stage.ask("GET", path).answer().refused(400);
    }
    let action = stage.post("/api/actors/0/dance").answer().refused(400);
    assert!(action.contains("dance"), "{action}");
    stage.post("/api/actors/x/kill").answer().refused(400);
    let probe = stage.probe("probe");
    let path = format!("/api/actors/{}/suspend", probe.any().id().number());
    for body in [json!({ "within_ms": 0 }), json!({ "within": 1 }), json!([]), json!("x")] {
        stage.post(&path).json(&body).answer().refused(400);
    }
    stage.post(&path).with("Content-Type", "application/json").body("{").answer().refused(400);
    stage.post("/api/load").answer().refused(400);
}

#[test]
fn what_cannot_be_done_to_this_actor_is_409() {
    let stage = Stage::start();
    let probe = stage.probe("probe");
    // Nobody would start it again.
    let path = format!("/api/actors/{}/restart", probe.any().id().number());
    stage.post(&path).answer().refused(409);
}

#[test]
fn bodies_are_short_and_json() {
    let stage = Stage::start();
    let path = "/api/actors/999999/inspect";
    let large = " ".repeat(16 * 1024 + 1);
    stage.post(path).body(large.clone()).answer().refused(413);
    // Also when it does not say so before.
    let chunked = format!("{:x}\r\n{large}\r\n0\r\n\r\n", large.len());
    let ask = stage.post(path).body(chunked).without("Content-Length");
    ask.with("Transfer-Encoding", "chunked").answer().refused(413);
    stage.post(path).body("{}").answer().refused(415);
    stage.post(path).body("a=b").with("Content-Type", "text/plain").answer().refused(415);
    let form = "application/x-www-form-urlencoded";
    stage.post(path).body("a=b").with("Content-Type", form).answer().refused(415);
    let json = "Application/JSON; charset=utf-8";
    stage.post(path).body("{}").with("Content-Type", json).answer().refused(404);
}
