//! Reconfigurations through the gateway.

use serde_json::{Value, json};

use crate::client::Ask;
use crate::gateway::{Gateway, TOKEN, over_three};

fn ask(gateway: &Gateway, wanted: &Value) -> Ask {
    let authorization = format!("Bearer {TOKEN}");
    gateway.ask("POST", "/v1/reconfigure").with("Authorization", &authorization).json(wanted)
}

fn members(nodes: &[u64]) -> Value {
    nodes.iter().map(|node| json!({ "node": node })).collect()
}

#[test]
fn only_who_shows_the_token_may() {
    let gateway = Gateway::start();
    let wanted = json!({ "expected": 0, "members": members(&[1]) });
    let post = || gateway.ask("POST", "/v1/reconfigure").json(&wanted);
    let missing = post().answer();
    missing.refused(401, "no-token");
    assert_eq!(missing.header("www-authenticate"), Some("Bearer"));
    for shown in ["Bearer wrong", "Basic 0123456789abcdef", "0123456789abcdef", "Bearer", "Bearer "]
    {
        post().with("Authorization", shown).answer().refused(401, "no-token");
    }
    let closed = Gateway::with(|settings| settings.token = None);
    ask(&closed, &wanted).answer().refused(403, "not-offered");
    assert_eq!(gateway.ask("GET", "/v1/status").answer().json()["shards"][0]["map"][0]["index"], 0);
}

#[test]
fn every_shard_gets_the_configuration_and_the_registers_stay() {
    over_three(
        2,
        |_| {},
        |gateway, _| {
            gateway.put("x", "1").answer().is(204);
            gateway.put("y", "2").answer().is(204);
            let wanted = json!({
                "expected": [0, 0],
                "members": [{ "node": 1, "weight": 2 }, { "node": 2 }],
                "quorums": { "Weighted": { "read": 2, "write": 2 } },
            });
            let done = ask(gateway, &wanted).answer().is(200).json();
            for shard in 0..2 {
                let installed = &done["shards"][shard];
                assert_eq!(installed["shard"], shard);
                assert_eq!(installed["configuration"]["index"], 1);
                assert_eq!(
                    installed["configuration"]["members"][0],
                    json!({ "node": 1, "weight": 2 })
                );
                assert_eq!(installed["configuration"]["quorums"], wanted["quorums"]);
            }
            assert_eq!(gateway.get("x").answer().is(200).body, b"1");
            assert_eq!(gateway.get("y").answer().is(200).body, b"2");
            // Asked for again, it is a change of what is no longer the newest.
            let problem = ask(gateway, &wanted).answer().refused(409, "superseded");
            assert_eq!((&problem["shard"], &problem["newest"]["index"]), (&json!(0), &json!(1)));
            assert_eq!(problem["installed"], json!([]));
        },
    );
}

#[test]
fn what_was_installed_before_a_shard_refused_is_said() {
    over_three(
        2,
        |_| {},
        |gateway, _| {
            let wanted = json!({ "expected": [0, 7], "members": members(&[1, 2]) });
            let problem = ask(gateway, &wanted).answer().refused(409, "superseded");
            assert_eq!(problem["shard"], 1);
            assert_eq!(problem["installed"][0]["configuration"]["index"], 1);
        },
    );
}

#[test]
fn a_configuration_that_cannot_be_is_refused_with_the_reasons() {
    let gateway = Gateway::start();
    let quorums = json!({ "Thresholds": { "read": 1, "write": 1 } });
    for (members, quorums) in [
        (members(&[]), json!("Majority")),
        (members(&[1, 1]), json!("Majority")),
        (members(&[1, 2]), quorums),
    ] {
        let wanted = json!({ "expected": 0, "members": members, "quorums": quorums });
        let problem = ask(&gateway, &wanted).answer().refused(422, "impossible");
        let reasons = problem["reasons"].as_array().unwrap();
        assert!(reasons.iter().all(|reason| !reason.as_str().unwrap().is_empty()), "{problem}");
    }
    assert_eq!(gateway.ask("GET", "/v1/status").answer().json()["shards"][0]["map"][0]["index"], 0);
}

#[test]
fn a_body_that_is_not_understood_is_refused_and_says_where() {
    let gateway = Gateway::start();
    for wanted in [
        json!({ "members": [] }),
        json!({ "expected": 0 }),
        json!({ "expected": "0", "members": [] }),
        json!({ "expected": 0, "members": [], "qorums": "Majority" }),
        json!({ "expected": 0, "members": [{ "node": 1, "wieght": 1 }] }),
        json!({ "expected": 0, "members": [{ "node": -1 }] }),
        json!({ "expected": [0, 0], "members": members(&[1]) }),
        json!({ "expected": [], "members": members(&[1]) }),
        json!([0, [], "Majority"]),
    ] {
        ask(&gateway, &wanted).answer().refused(400, "bad-body");
    }
    let wanted = json!({ "expected": 0, "members": members(&[1]) });
    ask(&gateway, &wanted).with("Content-Type", "text/plain").answer().refused(415, "not-json");
    ask(&gateway, &wanted).body("{").answer().refused(400, "bad-body");
    ask(&gateway, &wanted).body(vec![b' '; 70_000]).answer().refused(413, "too-large");
}
