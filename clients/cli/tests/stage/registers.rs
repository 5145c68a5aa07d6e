//! Registers on a stage: `palco register`, `palco reconfigure`, and any client of Redis.

use std::io::BufRead;

use serde_json::Value;

use crate::support::{Stage, http, palco, talk, until};

/// Gateways at free ports.
fn stage(more: &str) -> Stage {
    let registers = format!("[registers]\nlisten = \"127.0.0.1:0\"\n{more}\n");
    Stage::up(&format!(
        "{registers}[[server]]\nservice = \"echo\"\nmodel = \"iterative\"\nplace = \"thread\"\n"
    ))
}

fn at(stage: &Stage, node: u32) -> String {
    stage.address(&format!("registers-{node}")).to_string()
}

#[test]
fn what_is_set_at_one_gateway_is_got_at_every_other() {
    let stage = stage("");
    let tag = stage.text(&["register", "set", "x", "1", "--at", &at(&stage, 1)]);
    assert!(tag.contains('.'), "{tag}");
    for node in 1..=3 {
        assert_eq!(stage.text(&["register", "get", "x", "--at", &at(&stage, node)]).trim(), "1");
    }
    let said = talk(stage.connect("registers-2"), "GET x\r\n");
    assert!(said.contains("$1\r\n1\r\n"), "{said}");
    stage.text(&["register", "del", "x", "--at", &at(&stage, 2)]);
    let gone = stage.command(&["register", "get", "x", "--at", &at(&stage, 3)]);
    assert_eq!(gone.status.code(), Some(1), "nothing is there");
}

#[test]
fn every_node_answers_http_where_status_says() {
    let stage = stage("http = \"127.0.0.1:0\"\nplace = \"thread\"");
    stage.text(&["register", "set", "x", "1", "--at", &at(&stage, 1)]);
    let view = stage.json(&["register", "status"]);
    for node in view["nodes"].as_array().unwrap() {
        let said = http(node["http"].as_str().unwrap(), "GET /v1/registers/x", "");
        assert!(said.ends_with("\r\n\r\n1"), "{said}");
    }
}

#[test]
fn a_watcher_sees_every_value_that_stays() {
    let stage = stage("place = \"task\"");
    stage.text(&["register", "set", "x", "1", "--at", &at(&stage, 1)]);
    let mut watcher = palco()
        .args(["register", "watch", "x", "--at", &at(&stage, 2)])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = std::io::BufReader::new(watcher.stdout.take().unwrap()).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "1");
    // Nobody listens at the first: the second is asked.
    let either = format!("127.0.0.1:1,{}", at(&stage, 1));
    stage.text(&["register", "set", "x", "2", "--at", &either]);
    assert_eq!(lines.next().unwrap().unwrap(), "2");
    stage.text(&["register", "del", "x", "--at", &either]);
    assert_eq!(lines.next().unwrap().unwrap(), "(nothing)");
    watcher.kill().unwrap();
    watcher.wait().unwrap();
}

#[test]
fn keys_of_class_cas_are_compared_and_swapped() {
    let stage = stage("place = \"thread\"");
    let cas = |version: &str, value: &str| {
        stage.command(&["register", "cas", "cas:leader", version, value, "--at", &at(&stage, 1)])
    };
    assert!(cas("0", "me").status.success());
    let second = cas("0", "you");
    assert!(!second.status.success());
    assert!(
        String::from_utf8_lossy(&second.stderr).contains("not at version 0 any more"),
        "{second:?}"
    );
    assert!(cas("1", "you").status.success());
}

#[test]
fn members_are_replaced_without_a_pause_and_status_tells() {
    let stage = stage("nodes = 4");
    stage.text(&["register", "set", "x", "1", "--at", &at(&stage, 1)]);
    let said = stage.text(&["reconfigure", "--members", "n2,n3,n4"]);
    assert!(said.contains("configuration 1 is installed"), "{said}");
    let view = stage.json(&["register", "status"]);
    let nodes = view["nodes"].as_array().unwrap();
    assert_eq!(nodes.len(), 4);
    let known = |node: &Value| node["standings"][0]["map"].as_array().map(Vec::len);
    until("n4 knows one configuration", || {
        let view = stage.json(&["register", "status"]);
        known(&view["nodes"][3]) == Some(1)
    });
    assert_eq!(stage.text(&["register", "get", "x", "--at", &at(&stage, 4)]).trim(), "1");
    let said = stage.text(&["register", "status"]);
    assert!(said.contains("configuration 1: n2, n3, n4"), "{said}");
}

#[test]
fn wishes_that_cannot_be_are_refused_in_words() {
    let stage = stage("place = \"task\"");
    for (wish, words) in [
        (["--members", "n1,n9"], "there is no node `n9`; nodes are: n1, n2, n3"),
        (["--members", "n1,n1"], "names n1 twice"),
        (["--quorum", "grid:2x3"], "a grid of 2x3 is for 6 nodes, and 3 are wanted"),
        (["--quorum", "thresholds:1,2"], "can miss each other"),
        (["--quorum", "half"], "no kind of quorums"),
    ] {
        let refused = stage.command(&["reconfigure", wish[0], wish[1]]);
        assert!(!refused.status.success());
        let said = [&refused.stdout[..], &refused.stderr[..]].concat();
        let said = String::from_utf8_lossy(&said).into_owned();
        assert!(said.contains(words), "{wish:?}: {said}");
    }
}

#[test]
fn who_asks_where_nothing_keeps_registers_is_told() {
    let stage =
        Stage::up("[[server]]\nservice = \"echo\"\nmodel = \"iterative\"\nplace = \"thread\"\n");
    let refused = stage.command(&["register", "status"]);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("nothing here keeps registers"));
    let nobody = palco()
        .args(["register", "get", "x", "--at", "127.0.0.1:1", "--within", "50ms"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&nobody.stderr);
    assert!(said.contains("asked at 127.0.0.1:1; `palco up` opens gateways"), "{said}");
}

#[test]
fn tags_are_told_by_every_node_with_the_newest_marked() {
    let stage = stage("place = \"thread\"");
    stage.text(&["register", "set", "x", "four", "--at", &at(&stage, 1)]);
    until("all hold it", || {
        let held = stage.json(&["register", "tags", "x", "nothing"]);
        let nodes = held["nodes"].as_array().unwrap();
        nodes.len() == 3 && nodes.iter().all(|node| node["holdings"][0]["value_bytes"] == 4)
    });
    let said = stage.text(&["register", "tags", "x", "nothing"]);
    let rows: Vec<Vec<&str>> =
        said.lines().skip(1).map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows.len(), 6, "{said}");
    for row in &rows[..3] {
        assert!(row[0] == "x" && row[2].starts_with("1.n1.") && row.ends_with(&["4", "newest"]));
    }
    assert!(said.lines().last().unwrap().ends_with("never heard of it"), "{said}");
    let refused = stage.command(&["register", "tags", &"x".repeat(1025)]);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("at most 1024 can be"));
}
