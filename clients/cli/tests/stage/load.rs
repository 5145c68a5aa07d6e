//! `palco load`, as a user runs it.

use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Stdio;

use crate::support::{Stage, palco, until};

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
fn response_times_are_written_as_others_read_them() {
    let stage = Stage::up(ECHO);
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("echo.hgrm");
    let load =
        ["load", "echo", "--rate", "200", "--for", "500ms", "--warm-up", "0s", "--histogram"];
    stage.text(&[&load[..], &[file.to_str().unwrap()]].concat());
    let text = fs::read_to_string(file).unwrap();
    let head: Vec<&str> = text.lines().next().unwrap().split_whitespace().collect();
    assert_eq!(head, ["Value", "Percentile", "TotalCount", "1/(1-Percentile)"], "{text}");
    let counts = text.lines().filter_map(|line| line.split_whitespace().nth(2)?.parse().ok());
    assert_eq!(counts.max(), Some(100_u64), "{text}");
}

#[test]
fn a_page_shows_the_times_and_needs_nothing_else() {
    let stage = Stage::up(ECHO);
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("load.html");
    let load = ["load", "echo", "--rate", "200", "--for", "500ms", "--warm-up", "0s", "--html"];
    stage.text(&[&load[..], &[file.to_str().unwrap()]].concat());
    let page = fs::read_to_string(file).unwrap();
    assert!(page.contains("100 of 100 requests answered"), "{page}");
    assert_eq!(page.matches("<polyline").count(), 3, "response, service, lateness: {page}");
    assert!(page.contains("--rate 200") && !page.contains("<script") && !page.contains("http"));
    let nowhere = directory.path().join("no/load.html");
    let output = stage.command(&[&load[..], &[nowhere.to_str().unwrap()]].concat());
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && said.contains("cannot write"), "{said}");
}

#[test]
fn a_seed_repeats_the_moments() {
    let stage = Stage::up(ECHO);
    let load = ["load", "echo", "--rate", "2000", "--arrivals", "poisson", "--for", "200ms"];
    let intended = |seed: &str| {
        let more = ["--warm-up", "0s", "--seed", seed];
        stage.json(&[&load[..], &more].concat())["intended"].as_u64().unwrap()
    };
    let counts = ["1", "1", "2", "3", "4"].map(intended);
    assert_eq!(counts[0], counts[1]);
    assert!(counts[2..].iter().any(|count| *count != counts[0]), "{counts:?}");
}

#[test]
fn its_thread_is_confined_to_the_core_that_is_named() {
    let stage = Stage::up(ECHO);
    let load = ["load", "echo", "--for", "60s", "--core"];
    let mut generator = palco();
    let generator = generator.arg("--control").arg(stage.control()).args(load).arg("0");
    let mut generator = generator.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let may_use = |directory: PathBuf| {
        let status = fs::read_to_string(directory.join("status")).ok()?;
        let line = status.lines().find(|line| line.starts_with("Cpus_allowed_list:"))?;
        Some(line.split_whitespace().nth(1)?.to_owned())
    };
    let all = may_use("/proc/self".into()).unwrap();
    let first: String = all.chars().take_while(char::is_ascii_digit).collect();
    let threads = PathBuf::from(format!("/proc/{}/task", generator.id()));
    until("one thread is confined, or all are where there is but one core", || {
        let threads = fs::read_dir(&threads).unwrap().flatten();
        threads.filter_map(|thread| may_use(thread.path())).any(|cores| cores == first)
    });
    generator.kill().unwrap();
    generator.wait().unwrap();
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
        (&["--core", "100000"], "core: 0 to"),
        (&["--trace", "/nonexistent/trace"], "cannot read /nonexistent/trace"),
    ] {
        let output = palco().args(load).args(more).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{more:?}: {said}");
        assert!(said.contains(why), "{more:?}: {said}");
    }
}
