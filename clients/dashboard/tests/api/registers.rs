//! The nodes of a stage that keep registers: what is shown of them, and what is done to them.

use std::collections::BTreeSet;
use std::sync::Arc;

use palco_actors::{PlaceKind, System};
use palco_replica::{Beginning, Ensemble, EnsembleOptions, Keeping, MemberOptions, RunningMember};
use serde_json::{Value, json};

use crate::stage::{Stage, until};

const ALL: &str = "/api/registers";

/// Three nodes on threads, called n1, n2 and n3.
fn stage() -> Stage {
    Stage::with_registers(|system: &System| {
        let place = PlaceKind::Thread;
        let options = EnsembleOptions { place, ..EnsembleOptions::default() };
        Arc::new(Arc::new(Ensemble::start(system, options).unwrap()))
    })
}

fn run(stage: &Stage, body: Value) -> Value {
    stage.post("/api/registers/run").json(&body).answer().good()
}

fn state(stage: &Stage, node: usize) -> Value {
    stage.get(ALL)["nodes"][node]["state"].clone()
}

#[test]
fn nodes_stand_with_their_lives_and_configurations() {
    let stage = stage();
    assert_eq!(stage.get("/api/snapshot")["stage"]["registers"], true);
    let seen = stage.get(ALL);
    assert_eq!((&seen["hosts"], &seen["cuts"]), (&json!(true), &json!([])));
    let nodes = seen["nodes"].as_array().unwrap();
    assert_eq!(nodes.len(), 3);
    for node in nodes {
        assert_eq!(node["state"], "running");
        let shard = &node["shards"][0];
        assert_eq!((&shard["boot"], &shard["newest"]), (&json!(1), &json!(0)));
        assert_eq!(shard["lags"], false);
        assert!(node["replicas"][0]["path"].as_str().unwrap().starts_with("registers/replica-n"));
    }
    let first = &seen["timeline"][0];
    assert_eq!(first["configuration"]["members"].as_array().unwrap().len(), 3);
    assert!(first["installed_ms"].is_number() && first["removed_ms"].is_null(), "{first}");
}

#[test]
fn each_round_names_a_quorum_that_answered() {
    let stage = stage();
    let written = run(&stage, json!({ "key": "x", "act": { "set": "1" }, "through": "n2" }));
    assert_eq!((&written["through"], &written["outcome"]["text"]), (&json!(2), &json!("written")));
    let rounds = written["rounds"].as_array().unwrap();
    let steps: Vec<_> = rounds.iter().map(|round| &round["step"]).collect();
    assert_eq!(steps, ["query", "propagate"]);
    for round in rounds {
        assert!(round["answered"].as_array().unwrap().len() >= 2, "{round}");
        assert_eq!(round["configurations"][0]["has_quorum"], true);
        assert_eq!(round["configurations"][0]["configuration"]["index"], 0);
    }
    let read = run(&stage, json!({ "key": "x", "act": "get" }));
    assert_eq!(read["outcome"]["value"], "1");
    assert_eq!(read["outcome"]["tag"], written["outcome"]["tag"]);

    // Keys of class cas are agreed on.
    for version in 1..=2 {
        let changed = run(&stage, json!({ "key": "cas:lock", "act": { "set": "me" } }));
        assert_eq!(changed["outcome"]["version"], version, "{changed}");
        assert_eq!(changed["rounds"][0]["step"], "prepare");
    }
    run(&stage, json!({ "key": "x", "act": "delete" }));
    let read = run(&stage, json!({ "key": "x", "act": "get" }));
    assert_eq!(
        (&read["outcome"]["value"], &read["outcome"]["is_done"]),
        (&json!(null), &json!(true))
    );
    let log = stage.get("/api/snapshot")["observed"]["log"].take();
    assert!(log.to_string().contains("set of key x"), "{log}");
}

#[test]
fn every_node_says_which_tag_it_holds() {
    let stage = stage();
    let written = run(&stage, json!({ "key": "x", "act": { "set": "four" } }));
    let held = stage.get("/api/registers/keys?key=x");
    let row = &held["keys"][0];
    assert_eq!(
        (&row["key"], &row["class"], &held["next"]),
        (&json!("x"), &json!("Register"), &json!(null))
    );
    let newest = row["holdings"].as_array().unwrap().iter().filter(|of| of["newest"] == true);
    let newest: Vec<_> = newest.collect();
    assert!(newest.len() >= 2, "{row}");
    assert!(
        newest.iter().all(|of| of["tag"] == written["outcome"]["tag"] && of["value_bytes"] == 4)
    );

    for key in ["a", "b", "c"] {
        run(&stage, json!({ "key": key, "act": { "set": key } }));
    }
    let page = stage.get("/api/registers/keys?count=3");
    assert_eq!(page["keys"].as_array().unwrap().len(), 3);
    let rest = stage.get(&format!("/api/registers/keys?count=3&from={}", page["next"]));
    assert_eq!(rest["keys"].as_array().unwrap().len(), 1);
}

#[test]
fn a_node_that_has_ended_is_shown_so_and_nothing_is_lost() {
    let stage = stage();
    run(&stage, json!({ "key": "x", "act": { "set": "1" } }));
    let killed = stage.post("/api/registers/nodes/n1/kill").answer().good();
    assert_eq!((&killed["node"], &killed["action"]), (&json!(1), &json!("kill")));
    until("n1 has ended", || state(&stage, 0) == "ended");
    let read = run(&stage, json!({ "key": "x", "act": "get" }));
    assert_eq!((&read["outcome"]["value"], &read["through"]), (&json!("1"), &json!(2)));
    for through in ["n1", "n9"] {
        let body = json!({ "key": "x", "act": "get", "through": through });
        let status = if through == "n1" { 409 } else { 404 };
        stage.post("/api/registers/run").json(&body).answer().refused(status);
    }
    let log = stage.get("/api/snapshot")["observed"]["log"].take();
    assert!(log.to_string().contains("registers/replica-n1-0"), "{log}");
}

#[test]
fn a_suspended_node_answers_nothing_until_it_is_resumed() {
    let stage = stage();
    stage.post("/api/registers/nodes/n3/suspend").answer().good();
    until("n3 rests", || state(&stage, 2) == "suspended");
    let done = run(&stage, json!({ "key": "x", "act": { "set": "1" } }));
    for round in done["rounds"].as_array().unwrap() {
        assert!(!round["answered"].as_array().unwrap().contains(&json!(3)), "{round}");
    }
    assert!(stage.get(ALL)["nodes"][2]["told_ms"].is_number(), "what it told before is kept");
    stage.post("/api/registers/nodes/n3/resume").answer().good();
    until("n3 runs", || state(&stage, 2) == "running");
}

#[test]
fn without_a_quorum_nothing_is_done_and_the_round_says_who_answered() {
    let stage = stage();
    for (one, other) in [("n1", "n2"), ("n3", "n1")] {
        let body = json!({ "one": one, "other": other, "cut": true });
        stage.post("/api/registers/cuts").json(&body).answer().good();
    }
    assert_eq!(stage.get(ALL)["cuts"], json!([[1, 2], [1, 3]]));
    let body = json!({ "key": "x", "act": { "set": "1" }, "through": "n1" });
    let done = run(&stage, body.clone());
    assert_eq!(done["outcome"]["is_done"], false);
    assert_eq!(done["rounds"][0]["answered"], json!([1]));
    assert_eq!(done["rounds"][0]["configurations"][0]["has_quorum"], false);
    let heal = json!({ "one": "n2", "other": "n1", "cut": false });
    let left = stage.post("/api/registers/cuts").json(&heal).answer().good();
    assert_eq!(left["cuts"], json!([[1, 3]]));
    assert_eq!(run(&stage, body)["outcome"]["is_done"], true);
}

#[test]
fn a_node_is_added_and_takes_the_place_of_another() {
    let stage = stage();
    run(&stage, json!({ "key": "x", "act": { "set": "1" } }));
    let added = stage.post("/api/registers/nodes").answer().good();
    assert_eq!(added, json!({ "node": 4, "name": "n4" }));
    until("n4 has joined", || stage.get(ALL)["nodes"][3]["shards"][0]["newest"] == 0);
    let body = json!({ "replace": [{ "old": "n1", "new": "n4" }] });
    let changes = stage.post("/api/registers/reconfigure").json(&body).answer().good();
    assert_eq!(changes["changes"][0]["done"]["configuration"]["index"], 1, "{changes}");
    let seen = stage.get(ALL);
    let [first, second] = &seen["timeline"].as_array().unwrap()[..] else { panic!("{seen}") };
    assert!(first["removed_ms"].is_number() && second["took"]["decided_us"].is_number(), "{seen}");
    let members = second["configuration"]["members"].as_array().unwrap();
    let members: Vec<_> = members.iter().map(|member| member["node"].as_u64().unwrap()).collect();
    assert_eq!(members, [2, 3, 4]);

    let body = json!({ "members": ["n2", "n3"], "quorum": "thresholds:1,2" });
    stage.post("/api/registers/reconfigure").json(&body).answer().good();
    assert_eq!(run(&stage, json!({ "key": "x", "act": "get" }))["outcome"]["value"], "1");
}

#[test]
fn a_target_without_a_quorum_is_refused_in_words() {
    let stage = stage();
    for node in ["n1", "n2"] {
        stage.post(&format!("/api/registers/nodes/{node}/kill")).answer().good();
    }
    until("both have ended", || state(&stage, 0) == "ended" && state(&stage, 1) == "ended");
    let reconfigure = |body: &Value| stage.post("/api/registers/reconfigure").json(body).answer();
    // n1 cannot be asked, so nobody that could answer is called so.
    let why = reconfigure(&json!({ "members": ["n3", "n1"] })).refused(409);
    assert!(why.contains("not installed") || why.contains("nobody knows"), "{why}");
    for (body, words) in [
        (json!({ "members": ["n1", "n9"] }), "there is no node `n9`; nodes are: n1, n2, n3"),
        (json!({ "members": ["n3:0"] }), "has no weight"),
        (json!({ "quorum": "half" }), "no kind of quorums"),
        (json!({ "quorum": "grid:2x3" }), "a grid of 2x3 is for 6 nodes"),
        (json!({ "replace": [{ "old": "n9", "new": "n3" }] }), "there is no node `n9`"),
        (json!({}), "nothing is wanted"),
    ] {
        let why = reconfigure(&body).refused(400);
        assert!(why.contains(words), "{body}: {why}");
    }
    let why = reconfigure(&json!({ "quorum": "thresholds:1,2" })).refused(409);
    assert!(why.contains("can miss each other"), "{why}");
}

#[test]
fn bad_input_is_refused_with_what_would_do() {
    let stage = stage();
    let refused = |path: &str, body: Value, status: u16| {
        stage.post(path).json(&body).answer().refused(status)
    };
    let why = refused("/api/registers/nodes/n9/kill", json!({}), 404);
    assert_eq!(why, "there is no node `n9`; nodes are: n1, n2, n3");
    refused("/api/registers/nodes/n1/stop", json!({}), 400);
    let why =
        refused("/api/registers/cuts", json!({ "one": "n1", "other": "n1", "cut": true }), 400);
    assert_eq!(why, "`n1` cannot be cut off from itself");
    refused("/api/registers/cuts", json!({ "one": "n1", "other": "n9", "cut": true }), 404);
    refused("/api/registers/cuts", json!({ "one": "n1" }), 400);
    let long = "x".repeat(1025);
    let why = refused("/api/registers/run", json!({ "key": long, "act": "get" }), 400);
    assert_eq!(why, "a key of 1025 bytes");
    refused("/api/registers/run", json!({ "key": "", "act": "get" }), 400);
    refused("/api/registers/run", json!({ "key": "x", "act": "rename" }), 400);
    let large = "x".repeat(17 << 10);
    refused("/api/registers/run", json!({ "key": "x", "act": { "set": large } }), 413);
    stage.post("/api/registers/run").answer().refused(400);
    for query in [&format!("key={long}"), "key=", "count=0", "count=101", "from=-1", "colour=red"] {
        stage.ask("GET", &format!("/api/registers/keys?{query}")).answer().refused(400);
    }
}

#[test]
fn whoever_acts_needs_the_token() {
    let stage = stage();
    for path in ["run", "nodes", "nodes/n1/kill", "cuts", "reconfigure"] {
        let path = format!("/api/registers/{path}");
        stage.ask("POST", &path).json(&json!({})).answer().refused(401);
    }
    assert_eq!(state(&stage, 0), "running");
}

#[test]
fn a_stage_without_registers_says_so() {
    let stage = Stage::start();
    assert_eq!(stage.get("/api/snapshot")["stage"]["registers"], false);
    for path in [ALL, "/api/registers/keys"] {
        stage.ask("GET", path).answer().refused(404);
    }
    for (path, body) in [
        ("run", json!({ "key": "x", "act": "get" })),
        ("nodes", json!({})),
        ("nodes/n1/kill", json!({})),
        ("cuts", json!({ "one": "n1", "other": "n2", "cut": true })),
        ("reconfigure", json!({ "members": ["n1"] })),
    ] {
        let path = format!("/api/registers/{path}");
        stage.post(&path).json(&body).answer().refused(404);
    }
}

#[test]
fn the_nodes_of_one_stage_are_bounded() {
    let stage = stage();
    for _ in 3..16 {
        stage.post("/api/registers/nodes").answer().good();
    }
    let why = stage.post("/api/registers/nodes").answer().refused(409);
    assert!(why.starts_with("this stage has 16 nodes"), "{why}");
}

/// A node of a cluster, which is alone in it.
fn member(system: &System) -> RunningMember {
    let options = MemberOptions {
        name: "alone".into(),
        cluster: "test".into(),
        shards: 1,
        keeping: Keeping::Memory,
        listen: vec!["/ip4/127.0.0.1/tcp/0".into()],
        advertise: Vec::new(),
        begin: Beginning::Found,
        allowed: BTreeSet::new(),
        discover: false,
        place: PlaceKind::Thread,
        resp: None,
        http: None,
    };
    RunningMember::start(system, options).unwrap()
}

#[test]
fn a_node_of_a_cluster_shows_what_it_knows_and_does_nothing_to_others() {
    let stage = Stage::with_registers(|system: &System| Arc::new(member(system)));
    until("it stands", || stage.get(ALL)["nodes"][0]["shards"][0]["newest"] == 0);
    let seen = stage.get(ALL);
    let node = &seen["nodes"][0];
    assert_eq!((&seen["hosts"], &node["name"]), (&json!(false), &json!("alone")));
    assert_eq!((&node["state"], &node["is_here"]), (&json!("running"), &json!(true)));
    assert_eq!(seen["timeline"][0]["configuration"]["members"].as_array().unwrap().len(), 1);

    let done = run(&stage, json!({ "key": "x", "act": { "set": "1" }, "through": "alone" }));
    assert_eq!(done["rounds"][1]["answered"], json!([node["node"]]));
    assert_eq!(stage.get("/api/registers/keys")["keys"][0]["holdings"][0]["newest"], true);
    for (path, body) in [
        ("nodes", json!({})),
        ("nodes/alone/kill", json!({})),
        ("cuts", json!({ "one": "alone", "other": "alone", "cut": true })),
    ] {
        let path = format!("/api/registers/{path}");
        let why = stage.post(&path).json(&body).answer().refused(409);
        assert!(why.contains("one node of a cluster"), "{why}");
    }
    let body = json!({ "quorum": "thresholds:1,1" });
    let changes = stage.post("/api/registers/reconfigure").json(&body).answer().good();
    assert_eq!(changes["changes"][0]["done"]["configuration"]["index"], 1, "{changes}");
}
