//! Load on the servers of the stage.

use serde_json::{Value, json};

use crate::stage::{Stage, TOKEN, until};

fn start(stage: &Stage, wanted: Value) -> Value {
    stage.post("/api/load").json(&wanted).answer().good()
}

#[track_caller]
fn refused(stage: &Stage, wanted: Value, status: u16) -> String {
    stage.post("/api/load").json(&wanted).answer().refused(status)
}

fn loads(stage: &Stage) -> Vec<Value> {
    stage.get("/api/load")["loads"].as_array().unwrap().clone()
}

#[test]
fn a_load_asks_the_server_and_is_stopped() {
    let stage = Stage::start();
    let wanted = json!({ "server": "kv", "connections": 2, "rate_per_s": 0, "seconds": 3600 });
    let view = start(&stage, wanted.clone());
    assert_eq!((&view["server"], &view["running"]), (&json!("kv"), &json!(true)));
    assert_eq!(view["request"], "INCR load");
    until("answers", || loads(&stage)[0]["answered"].as_u64().unwrap() > 10);
    let server = stage.server("kv");
    assert!(server["scores"]["requests"].as_u64().unwrap() > 10, "{server}");
    until("a latency", || stage.server("kv")["latency"]["p99_us"].as_f64().is_some());
    let again = refused(&stage, wanted.clone(), 409);
    assert!(again.contains("runs already"), "{again}");
    let ended = stage.ask("DELETE", "/api/load/kv").token(TOKEN).answer().good();
    assert_eq!((&ended["running"], &ended["failed"]), (&json!(false), &json!(0)));
    assert!(ended["histogram"]["buckets"].as_array().unwrap().len() > 1, "{ended}");
    assert_eq!(loads(&stage), [json!(null); 0]);
    assert_eq!(stage.server("kv").get("latency"), None);
    start(&stage, wanted);
}

#[test]
fn every_server_can_have_one_and_it_may_say_what_it_asks() {
    let stage = Stage::start();
    for (server, request) in [("echo", "ping"), ("kv", "GET x"), ("work", "cpu 1")] {
        let wanted = json!({ "server": server, "seconds": 3600, "request": request });
        assert_eq!(start(&stage, wanted)["request"], request);
    }
    until("all are answered", || {
        loads(&stage).iter().all(|load| load["answered"].as_u64().unwrap() > 0)
    });
    assert!(loads(&stage).iter().all(|load| load["failed"] == 0), "{:?}", loads(&stage));
}

#[test]
fn values_out_of_bounds_are_refused_with_their_bounds() {
    let stage = Stage::start();
    for (wanted, part) in [
        (json!({ "server": "kv", "connections": 0 }), "connections"),
        (json!({ "server": "kv", "connections": 257 }), "connections"),
        (json!({ "server": "kv", "rate_per_s": 100_001 }), "rate_per_s"),
        (json!({ "server": "kv", "seconds": 0 }), "seconds"),
        (json!({ "server": "kv", "seconds": 3601 }), "seconds"),
        (json!({ "server": "kv", "request": "a\r\nb" }), "request"),
        (json!({ "server": "kv", "request": " " }), "request"),
        (json!({ "server": "kv", "rate": 1 }), "rate"),
        (json!({ "connections": 1 }), "server"),
        (json!({ "server": "kv", "connections": -1 }), "-1"),
    ] {
        let error = refused(&stage, wanted, 400);
        assert!(error.contains(part), "{error}");
    }
    assert!(loads(&stage).is_empty());
}
