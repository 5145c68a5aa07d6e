//! What can be read, by anybody on this machine.

use palco_actors::Status;
use serde_json::{Value, json};

use crate::stage::{Hold, Stage, TOKEN, until};

#[test]
fn the_snapshot_holds_the_stage_its_actors_and_its_servers() {
    let stage = Stage::start();
    let view = stage.get("/api/snapshot");
    assert_eq!(view["stage"]["version"], "0.0.1");
    assert_eq!(view["stage"]["pid"], std::process::id());
    assert_eq!(view["stage"]["event_loops"], 2);
    assert_eq!(view["stage"]["can_act"], false);
    assert_eq!(view["stage"].get("demo"), None);
    let started = view["stage"]["started_at"].as_str().unwrap();
    assert!(humantime(started), "{started}");
    let paths: Vec<_> = view["observed"]["actors"].as_array().unwrap().iter().collect();
    assert!(paths.iter().any(|actor| actor["path"] == "echo/worker-0"));
    let names = view["servers"].as_array().unwrap().iter().map(|server| &server["name"]);
    assert_eq!(names.collect::<Vec<_>>(), ["echo", "kv", "work"]);
    let may = stage.ask("GET", "/api/snapshot").token(TOKEN).answer().good();
    assert_eq!(may["stage"]["can_act"], true);
}

/// As `2018-02-14T00:28:07Z`.
fn humantime(text: &str) -> bool {
    let shape: String = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    shape == "0000-00-00T00:00:00Z"
}

#[test]
fn a_server_says_what_it_is_and_what_it_has_done() {
    let stage = Stage::start();
    let echo = stage.server("echo");
    assert_eq!(
        [&echo["service"], &echo["model"], &echo["place"], &echo["command"]],
        ["echo", "team", "thread", "palco call echo"]
    );
    assert_eq!((&echo["workers"], &echo["scores"]["accepted"]), (&json!(2), &json!(0)));
    assert_eq!(echo["limits"], json!({ "connections_max": 1024, "action": "defer" }));
    let supervisor = stage.get(&format!("/api/actors/{}", echo["supervisor"]));
    assert_eq!(
        (&supervisor["path"], &supervisor["server"]["name"]),
        (&json!("echo"), &json!("echo"))
    );
}

#[test]
fn actors_are_listed_by_name_status_place_and_number() {
    let stage = Stage::start();
    let probe = stage.probe("probe");
    probe.try_tell(Hold).unwrap();
    until("the probe is busy", || probe.any().snapshot().status == Status::Busy);
    let paths = |query: &str| -> Vec<String> {
        let listed = stage.get(&format!("/api/actors{query}"));
        let path = |actor: &Value| actor["path"].as_str().unwrap().to_owned();
        listed["actors"].as_array().unwrap().iter().map(path).collect()
    };
    assert_eq!(paths("?name=pro"), ["probe"]);
    assert_eq!(paths("?name=probe&status=busy&place=thread"), ["probe"]);
    assert_eq!(paths("?name=probe&status=idle"), [""; 0]);
    assert_eq!(paths("?name=probe&place=task"), [""; 0]);
    assert_eq!(paths("?name=echo/worker").len(), 2);
    assert_eq!(paths("?name=echo/worker&limit=1").len(), 1);
    probe.any().signal(palco_actors::Signal::Kill);
}

#[test]
fn the_page_of_an_actor_has_its_state_and_its_server() {
    let stage = Stage::start();
    let probe = stage.probe("probe");
    let page = stage.get(&format!("/api/actors/{}?within_ms=30000", probe.any().id().number()));
    assert_eq!((&page["path"], &page["state"]["kind"]), (&json!("probe"), &json!("probe")));
    assert_eq!(page["freshness"], json!({ "mark": "live" }));
    assert_eq!(page.get("server"), None);
    let worker = stage.system.find("echo/worker-1").unwrap();
    let page = stage.get(&format!("/api/actors/{}", worker.id().number()));
    assert_eq!(page["server"]["name"], "echo");
}

#[test]
fn waits_flow_and_models_are_shown() {
    let stage = Stage::start();
    assert!(stage.get("/api/waits")["edges"].is_array());
    assert!(stage.get("/api/flow")["edges"].is_array());
    let models = stage.get("/api/models");
    assert_eq!(models.as_array().unwrap().len(), palco_models::profiles().len());
    assert_eq!(stage.get("/api/load"), json!({ "loads": [] }));
}

#[test]
fn a_capture_has_three_forms() {
    let stage = Stage::start();
    let plain = stage.get("/api/capture?window_ms=1");
    assert!(plain["messages"].is_array(), "{plain}");
    let chrome = stage.get("/api/capture?window_ms=1&format=chrome&trace=3&actor=1");
    assert!(chrome["traceEvents"].is_array(), "{chrome}");
    let mermaid = stage.ask("GET", "/api/capture?window_ms=1&format=mermaid").answer();
    assert_eq!(mermaid.header("content-type"), Some("text/plain; charset=utf-8"));
    assert!(mermaid.text().starts_with("sequenceDiagram\n"));
}

#[test]
fn the_page_is_asked_for_again_only_when_it_has_changed() {
    let stage = Stage::start();
    for path in ["/", "/assets/index.html"] {
        let page = stage.ask("GET", path).answer();
        assert_eq!((page.status, page.header("cache-control")), (200, Some("no-cache")));
        assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
        assert!(page.text().contains("palco"));
        let etag = page.header("etag").unwrap();
        let again = stage.ask("GET", path).with("If-None-Match", etag).answer();
        assert_eq!((again.status, again.body.len(), again.header("etag")), (304, 0, Some(etag)));
        let other = stage.ask("GET", path).with("If-None-Match", "\"other\"").answer();
        assert_eq!(other.status, 200);
    }
}

#[test]
fn the_dashboard_describes_itself() {
    let stage = Stage::start();
    let described = stage.get("/api/openapi.json");
    assert_eq!(described["openapi"], "3.1.0");
    assert_eq!(stage.ask("GET", "/healthz").answer().text(), "ok\n");
    let head = stage.ask("HEAD", "/api/snapshot").answer();
    assert_eq!((head.status, head.header("content-type")), (200, Some("application/json")));
}
