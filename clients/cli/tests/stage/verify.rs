//! `palco verify`: real nodes are killed and paused while clients use them, and all that they were told is judged.

use serde_json::Value;

use crate::nodes::Node;
use crate::support::palco;

/// What a run says, and its exit code.
fn verify(arguments: &[&str]) -> (Value, Option<i32>) {
    let output = palco().args(["verify", "--json"]).args(arguments).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let report = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{said}"));
    (report, output.status.code())
}

#[test]
fn killed_and_paused_nodes_lose_nothing_and_every_operation_is_judged() {
    let directory = tempfile::tempdir().unwrap();
    let page = directory.path().join("verify.html");
    let (report, code) = verify(&[
        "--faults",
        "kill,pause",
        "--time",
        "5s",
        "--period",
        "1s",
        "--seed",
        "1",
        "--html",
        page.to_str().unwrap(),
    ]);
    assert_eq!(report["verdict"], "holds", "{report:#}");
    assert_eq!(code, Some(0));
    let count = |name: &str| report["counts"][name].as_u64().unwrap();
    let all = count("done") + count("failed") + count("unknown");
    assert!(count("done") > 0);
    assert_eq!(report["judged"].as_u64(), Some(all), "every operation is judged");
    assert!(report["last_reads"].as_u64() > Some(0));
    let faults = report["faults"].as_array().unwrap();
    assert!(faults.iter().any(|fault| fault["fault"] == "kill"), "{faults:?}");
    assert!(faults.iter().any(|fault| fault["fault"] == "pause"), "{faults:?}");
    let page = std::fs::read_to_string(page).unwrap();
    assert!(page.contains("nothing that was acknowledged is lost") && page.contains("<circle"));
    assert!(!page.contains("http://") && !page.contains("https://"), "nothing is loaded");
}

#[test]
fn gateways_that_run_already_are_asked_and_left_alone() {
    let root = tempfile::tempdir().unwrap();
    let node = Node::start(root.path(), "n1", &["--found"]);
    let gateway = node.said["resp"].as_str().unwrap();
    let (report, code) = verify(&["--cluster", gateway, "--time", "1s"]);
    assert_eq!((&report["verdict"], code), (&Value::from("holds"), Some(0)), "{report:#}");
    assert_eq!(report["faults"], Value::Array(Vec::new()));
    assert!(report["judged"].as_u64() > Some(0));
}

#[test]
fn who_was_never_answered_has_verified_nothing() {
    let (report, code) = verify(&["--cluster", "127.0.0.1:1", "--time", "100ms", "--clients", "1"]);
    assert_ne!(report["verdict"], "holds", "{report:#}");
    assert_ne!(code, Some(0));
}

#[test]
fn a_fault_that_cannot_be_made_is_refused_and_nothing_is_run() {
    let output = palco()
        .args(["verify", "--faults", "replace", "--spares", "0", "--time", "1s"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        said.contains("fault `replace` cannot be made here") && said.contains("--spares"),
        "{said}"
    );
    assert_eq!(output.status.code(), Some(2));
}
