//! Which registers there are, and how the node stands.

use std::collections::BTreeSet;

use crate::gateway::Gateway;

#[test]
fn a_scan_finds_every_key_page_by_page_with_the_path_to_it() {
    let gateway = Gateway::start();
    let keys = ["a", "b%2Fc", "%00%FF", "cas:x", "counter:y", "d", "%E2%82%AC"];
    for key in keys {
        gateway.put(key, key).answer();
    }
    gateway.put("gone", "1").answer().is(204);
    gateway.delete("gone").answer().is(204);
    let (mut paths, mut from) = (BTreeSet::new(), "0".to_owned());
    loop {
        let path = format!("/v1/registers?from={from}&count=2");
        let page = gateway.ask("GET", &path).answer().is(200).json();
        let found = page["keys"].as_array().unwrap();
        assert!(found.len() <= 2);
        for key in found {
            let path = key["path"].as_str().unwrap().to_owned();
            let is_cas = path.contains("cas:") || path.contains("counter:");
            assert_eq!(key["class"], if is_cas { "cas" } else { "register" });
            gateway.ask("GET", &path).answer().is(200);
            assert!(paths.insert(path), "twice");
        }
        match page["next"].as_str() {
            Some(next) => from = next.to_owned(),
            None => break,
        }
    }
    let meant = keys.map(|key| format!("/v1/registers/{key}"));
    assert_eq!(paths, meant.into_iter().collect());
}

#[test]
fn names_are_text_or_hex_digits() {
    let gateway = Gateway::start();
    gateway.put("%E2%82%AC", "1").answer().is(204);
    let page = gateway.ask("GET", "/v1/registers").answer().is(200).json();
    assert_eq!(page["keys"][0]["name"], "€");
    gateway.delete("%E2%82%AC").answer().is(204);
    gateway.put("%ff", "1").answer().is(204);
    let page = gateway.ask("GET", "/v1/registers").answer().is(200).json();
    assert_eq!(page["keys"][0]["name"]["hex"], "ff");
    assert!(page["next"].is_null());
}

#[test]
fn a_page_has_its_bounds() {
    let gateway = Gateway::start();
    for query in ["count=0", "count=1001", "count=x", "from=-1", "form=1", "from=1&from=2"] {
        let path = format!("/v1/registers?{query}");
        gateway.ask("GET", &path).answer().refused(400, "bad-query");
    }
    gateway.ask("GET", "/v1/registers?count=1000&from=18446744073709551615").answer().is(200);
}

#[test]
fn the_status_is_that_of_every_shard() {
    let gateway = Gateway::start();
    gateway.put("x", "1").answer().is(204);
    let status = gateway.ask("GET", "/v1/status").answer().is(200).json();
    let shard = &status["shards"][0];
    assert_eq!(
        (&shard["shard"], &shard["node"], &shard["registers"]),
        (&0.into(), &1.into(), &1.into())
    );
    let configuration = &shard["map"][0];
    assert_eq!(configuration["index"], 0);
    assert_eq!(configuration["members"][0]["node"], 1);
    assert_eq!(configuration["quorums"], "Majority");
}
