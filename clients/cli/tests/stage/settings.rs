//! Settings of a stage file and of commands have the effect that they promise.

use crate::support::{Stage, palco, until};

const WORK: &str = r#"
[[server]]
service = "work"
model = "iterative"
place = "thread"
"#;

/// Threads of the stage that run event loops.
fn loops(stage: &Stage) -> usize {
    let threads = std::fs::read_dir(format!("/proc/{}/task", stage.child.id())).unwrap();
    let names =
        threads.flatten().filter_map(|t| std::fs::read_to_string(t.path().join("comm")).ok());
    names.filter(|name| name.starts_with("actix-rt")).count()
}

/// It has loops of its own.
const NO_DASHBOARD: &[&str] = &["--dashboard", "off"];

#[test]
fn event_loops_sets_how_many_there_are_beside_the_supervisors_own() {
    for count in [1, 3] {
        let stage = Stage::up_with(&format!("event-loops = {count}\n{WORK}"), NO_DASHBOARD);
        // A thread bears the name of the one that started it until it has its own.
        until("there are that many", || loops(&stage) == count + 1);
    }
}

#[test]
fn a_stage_that_may_not_restart_anything_fails_with_its_first_failure() {
    let strict = "intensity = { restarts-max = 0 }";
    let mut stage =
        Stage::up(&format!("supervision = {{ {strict} }}\n{WORK}supervision = {{ {strict} }}\n"));
    stage.command(&["kill", "work/acceptor"]);
    assert_eq!(stage.child.wait().unwrap().code(), Some(1));
}

#[test]
fn a_server_that_may_restart_outlives_the_same_failure() {
    let stage = Stage::up(WORK);
    stage.text(&["kill", "work/acceptor"]);
    until("it is restarted", || stage.actor("work/acceptor")["restarts"] == 1);
}

#[test]
fn a_call_gives_up_when_its_time_is_over() {
    let stage = Stage::up(WORK);
    let address = stage.address("work").to_string();
    let call = ["call", "--within", "100ms", "--service", "work", "--address", &address];
    let output = palco().args(call).args(["sleep", "60000"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("100ms") && said.contains(&address), "{said}");
}
