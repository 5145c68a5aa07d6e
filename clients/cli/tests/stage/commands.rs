//! The commands that look: ps, tree, inspect, models, call, check; as text and as JSON.

use crate::support::{Stage, palco, talk, until};

const ALL: &str = r#"
[[server]]
name = "echo"
service = "echo"
model = "team"
place = "thread"
workers = 2

[[server]]
name = "kv"
service = "kv"
model = "per-connection"
place = "task"

[[server]]
name = "work"
service = "work"
model = "iterative"
place = "thread"

[[server]]
name = "time"
service = "time"
model = "iterative"
place = "task"

[[server]]
name = "daytime"
service = "daytime"
model = "per-connection"
place = "thread"

[[server]]
name = "http"
service = "http"
model = "team"
place = "task"
"#;

#[test]
fn every_service_answers_palco_call() {
    let stage = Stage::up(ALL);
    assert_eq!(stage.text(&["call", "echo", "hello", "stage"]), "hello stage\n");
    assert_eq!(stage.text(&["call", "kv", "SET", "x", "1"]), "OK\n");
    assert_eq!(stage.text(&["call", "kv", "INCR", "x"]), "(integer) 2\n");
    assert!(stage.text(&["call", "work", "cpu", "10"]).starts_with("ok cpu 10 us"));
    assert!(stage.text(&["call", "time"]).starts_with("20"));
    assert!(stage.text(&["call", "daytime"]).contains("20"));
    assert!(stage.text(&["call", "http", "/"]).contains("The stage is running"));
    let address = stage.address("kv").to_string();
    let get = ["call", "--service", "kv", "--address", &address, "GET", "x"];
    assert_eq!(stage.json(&get), "2");
}

#[test]
fn an_error_of_the_service_is_exit_code_1() {
    let stage = Stage::up(ALL);
    assert_eq!(stage.command(&["call", "kv", "NOSUCH"]).status.code(), Some(1));
    assert_eq!(stage.command(&["call", "http", "/nosuch"]).status.code(), Some(1));
    assert_eq!(stage.command(&["call", "work", "nosuch"]).status.code(), Some(1));
}

#[test]
fn ps_shows_servers_actors_and_a_balanced_ledger() {
    let stage = Stage::up(ALL);
    talk(stage.connect("echo"), "once");
    let ps = stage.json(&["ps"]);
    let echo = &ps["stage"]["servers"][0];
    assert_eq!((&echo["name"], &echo["scores"]["accepted"]), (&"echo".into(), &1.into()));
    let paths: Vec<_> =
        ps["actors"].as_array().unwrap().iter().map(|actor| actor["path"].as_str()).collect();
    for path in ["echo", "echo/worker-0", "echo/worker-1", "kv/dispatcher", "work/acceptor"] {
        assert!(paths.contains(&Some(path)), "{path} is not among {paths:?}");
    }
    let text = stage.text(&["ps"]);
    assert!(text.contains("SERVER") && text.contains("accepting for"), "{text}");
}

#[test]
fn tree_draws_supervisors_above_their_children() {
    let stage = Stage::up(ALL);
    let text = stage.text(&["tree"]);
    assert!(text.contains("├── echo  [task] Supervisor"), "{text}");
    assert!(text.contains("│   └── worker-1  [thread"), "{text}");
    let tree = stage.json(&["tree"]);
    assert_eq!(tree[0]["children"][1]["actor"]["path"], "echo/worker-1");
}

#[test]
fn inspect_finds_by_path_and_by_id() {
    let stage = Stage::up(ALL);
    let by_path = stage.json(&["inspect", "kv"]);
    assert_eq!(by_path["freshness"]["mark"], "live");
    assert_eq!(by_path["server"]["service"], "kv");
    let id = format!("#{}", by_path["id"]);
    assert_eq!(stage.json(&["inspect", &id])["path"], "kv");
    // As soon as it accepts: the handler of an acceptor never ends.
    until("an acceptor is asked while it accepts", || {
        let busy = stage.json(&["inspect", "kv/dispatcher", "--within", "10ms"]);
        busy["freshness"]["mark"] == "unknown"
    });
}

#[test]
fn serve_is_a_stage_of_one_server() {
    let stage =
        Stage::run(&["serve", "kv", "--model", "team", "--place", "thread", "--workers", "3"]);
    assert_eq!(stage.text(&["call", "kv", "PING"]), "PONG\n");
    assert!(!stage.actor("kv/worker-2").is_null() && stage.actor("kv/worker-3").is_null());
}

#[test]
fn one_connection_more_than_the_limit_is_told_so() {
    let limits = ["--connections-max", "1", "--when-full", "fail"];
    let stage = Stage::run(&[&["serve", "kv", "--place", "thread"][..], &limits].concat());
    let first = stage.connect("kv");
    until("the first is served", || {
        stage.json(&["ps"])["stage"]["servers"][0]["scores"]["active"] == 1
    });
    assert_eq!(talk(stage.connect("kv"), ""), "-ERR max number of clients reached\r\n");
    let ps = stage.text(&["ps"]);
    assert!(ps.contains("connections-max: 1 failed"), "{ps}");
    drop(first);
}

#[test]
fn models_is_made_from_every_profile() {
    let output = palco().args(["--json", "models"]).output().unwrap();
    let models: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(models.as_array().unwrap().len(), 12);
    let text = String::from_utf8(palco().arg("models").output().unwrap().stdout).unwrap();
    for model in models.as_array().unwrap() {
        assert!(text.contains(model["classic_name"].as_str().unwrap()));
    }
}

#[test]
fn the_printed_stage_is_a_good_stage_file() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("stage.toml");
    let printed = palco().args(["up", "--print"]).output().unwrap().stdout;
    std::fs::write(&file, printed).unwrap();
    let checked = palco().arg("check").arg(&file).output().unwrap();
    assert!(checked.status.success());
    assert!(String::from_utf8(checked.stdout).unwrap().contains("is a good stage file"));
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let stage = Stage::up(ALL);
    let mut child = palco()
        .arg("--control")
        .arg(stage.control())
        .arg("ps")
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}
