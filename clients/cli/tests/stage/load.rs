//! `palco load`, as a user runs it.

use std::net::TcpListener;

use crate::support::{Stage, palco};

const ECHO: &str = "[[server]]\nname = \"echo\"\nservice = \"echo\"\nmodel = \"per-connection\"\nplace = \"task\"\n";

#[test]
fn a_server_of_the_stage_is_asked_at_its_rate_and_every_request_is_accounted_for() {
    let stage = Stage::up(ECHO);
    let quick = ["--rate", "200", "--for", "500ms", "--warm-up", "0s"];
    let seen = stage.json(&[&["load", "echo"], &quick[..]].concat());
    assert_eq!((&seen["intended"], &seen["answered"]), (&100.into(), &100.into()), "{seen}");
    assert_eq!(seen["response"]["count"], 100, "{seen}");
    let text = stage.text(&[&["load", "echo", "--per-request"], &quick[..]].concat());
    assert!(text.contains("100 of 100 requests answered"), "{text}");
    assert!(text.contains("response") && text.contains("service"), "{text}");
}

#[test]
fn a_closed_loop_carries_its_warning() {
    let stage = Stage::up(ECHO);
    let output = stage.command(&["load", "echo", "--closed", "--for", "100ms", "--warm-up", "0s"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && said.contains("hides stalls"), "{said}");
}

#[test]
fn a_server_that_is_not_there_and_values_out_of_bounds_are_told() {
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let load = ["load", &gone, "--protocol", "echo", "--for", "100ms", "--warm-up", "0s"];
    for (more, why) in [
        (&["--rate", "100"][..], "nothing was answered by"),
        (&["--rate", "0"], "rate: above 0"),
        (&["--connections", "0"], "connections: 1 to"),
        (&["--crowd", "idle:0"], "crowd: 1 to"),
        (&["--trace", "/nonexistent/trace"], "cannot read /nonexistent/trace"),
    ] {
        let output = palco().args(load).args(more).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{more:?}: {said}");
        assert!(said.contains(why), "{more:?}: {said}");
    }
}
