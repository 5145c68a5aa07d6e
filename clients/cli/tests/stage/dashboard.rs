//! Where the dashboard listens and who may act, as said on the command line. And the restart that people ask for.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use crate::support::{Stage, palco, until};

const TOKEN: &str = "a-token-of-my-own-choice";
const SERVE: [&str; 4] = ["serve", "work", "--model", "iterative"];

#[test]
fn the_token_comes_from_a_file_that_only_its_owner_reads() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("token");
    fs::write(&file, format!("{TOKEN}\n")).unwrap();
    let path = file.to_str().unwrap();
    fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
    let stage =
        Stage::run(&[&SERVE[..], &["--dashboard", "127.0.0.1:0", "--token-file", path]].concat());
    assert!(stage.dashboard().unwrap().ends_with(&format!("/?token={TOKEN}")));
    fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
    let refused = palco().args(SERVE).args(["--token-file", path]).output().unwrap();
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(!refused.status.success() && said.contains("chmod 600"), "{said}");
}

#[test]
fn the_token_comes_from_the_environment_and_must_be_long_enough() {
    let mut command = palco();
    let stage = Stage::of(command.env("PALCO_TOKEN", TOKEN), &SERVE);
    assert!(stage.dashboard().unwrap().ends_with(&format!("/?token={TOKEN}")));
    let refused = palco().args(SERVE).env("PALCO_TOKEN", "short").output().unwrap();
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(!refused.status.success() && said.contains("PALCO_TOKEN"), "{said}");
}

#[test]
fn a_dashboard_that_is_off_is_not_there_and_an_address_that_is_taken_is_refused() {
    let stage = Stage::run(&[&SERVE[..], &["--dashboard", "off"]].concat());
    assert_eq!(stage.dashboard(), None);
    let taken = stage.address("work").to_string();
    let refused = palco().args(SERVE).args(["--dashboard", &taken]).output().unwrap();
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(!refused.status.success() && said.contains("--dashboard ADDRESS"), "{said}");
}

#[test]
fn an_actor_is_started_again_on_request() {
    let stage = Stage::run(&SERVE);
    assert!(stage.text(&["restart", "work/acceptor"]).contains("started again"));
    until("it is counted", || stage.actor("work/acceptor")["restarts"] == 1);
    stage.text(&["suspend", "work/acceptor"]);
    stage.command(&["step", "work/acceptor"]);
    stage.text(&["resume", "work/acceptor"]);
    assert_eq!(stage.actor("work/acceptor")["restarts"], 1);
}
