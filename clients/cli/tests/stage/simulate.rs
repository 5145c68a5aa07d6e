//! `palco simulate`: what it prints, draws and refuses, and that the same seed is the same run.

use std::path::Path;
use std::process::Output;

use serde_json::{Map, Value};

use crate::support::palco;

/// Few operations: what must be so does not depend on how many.
fn simulate(arguments: &[&str]) -> Output {
    let mut command = palco();
    command.arg("simulate");
    if !arguments.contains(&"--scale") && !arguments.contains(&"--ops") {
        command.args(["--ops", "300"]);
    }
    command.args(arguments).output().unwrap()
}

fn succeeded(output: Output) -> String {
    assert!(output.status.success(), "{}", said(&output));
    String::from_utf8(output.stdout).unwrap()
}

fn said(output: &Output) -> String {
    let [told, errors] = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
    format!("{told}{errors}")
}

/// Without what depends on the machine.
fn document(arguments: &[&str]) -> Map<String, Value> {
    let text = succeeded(simulate(&[arguments, &["--json"]].concat()));
    let mut document: Map<String, Value> = serde_json::from_str(&text).unwrap();
    assert!(document.remove("machine").is_some_and(|machine| machine["seconds"].is_f64()));
    document
}

fn names(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn the_document_has_its_fields_and_no_others() {
    let document = document(&["--mode", "all", "--seeds", "3..5", "--faults", "loss,crash"]);
    let mut fields: Vec<&str> = document.keys().map(String::as_str).collect();
    fields.sort_unstable();
    assert_eq!(fields, ["modes", "scenario", "schema", "seeds", "verdict"]);
    assert_eq!((&document["schema"], &document["verdict"]), (&1.into(), &"sound".into()));
    assert_eq!(document["seeds"], serde_json::json!({ "from": 3, "to": 5 }));
    let scenario = &document["scenario"];
    assert_eq!(scenario["faults"], serde_json::json!(["loss", "crash"]));
    assert_eq!(
        (&scenario["keys"], &scenario["cas_percent"]),
        (&1.into(), &0.into()),
        "as rambo3 has it"
    );
    let modes = document["modes"].as_array().unwrap();
    let called: Vec<_> = modes.iter().map(|mode| mode["mode"].as_str().unwrap()).collect();
    assert_eq!(called, ["rambo1", "rambo2", "rambo3"]);
    for mode in modes {
        assert_eq!(mode["digest"].as_str().map(str::len), Some(16));
        let figures = names(&mode["figures"]);
        for name in [
            "runs",
            "done",
            "messages",
            "read_rounds",
            "gap_max_ns",
            "latency_p50_ns",
            "latency_p99_ns",
        ] {
            assert!(figures.contains(&name), "{name} of {figures:?}");
        }
        assert_eq!(mode["violations"], serde_json::json!([]));
    }
}

#[test]
fn the_same_seed_is_the_same_run_however_many_run_at_once() {
    let arguments = ["--seeds", "1..6", "--faults", "all", "--reconfigure-every", "20ms"];
    let one = document(&[&arguments[..], &["--jobs", "1"]].concat());
    assert_eq!(one, document(&[&arguments[..], &["--jobs", "4"]].concat()));
    let directory = tempfile::tempdir().unwrap();
    let drawn = |name: &str| {
        let [html, svg] =
            ["html", "svg"].map(|ending| directory.path().join(name).with_extension(ending));
        succeeded(simulate(&[
            "--seed",
            "7",
            "--html",
            html.to_str().unwrap(),
            "--svg",
            svg.to_str().unwrap(),
        ]));
        [html, svg].map(|file| std::fs::read_to_string(file).unwrap())
    };
    assert_eq!(drawn("once"), drawn("again"));
}

#[test]
fn people_are_shown_one_column_for_each_mode() {
    let text = succeeded(simulate(&["--mode", "all"]));
    let heading = text.lines().next().unwrap();
    let columns: Vec<&str> = heading.split_whitespace().collect();
    assert_eq!(columns, ["rambo1", "rambo2", "rambo3"]);
    for row in [
        "operations done",
        "rounds per read",
        "reads in one round",
        "until installed",
        "longest gap",
        "faults inflicted",
    ] {
        assert!(text.contains(&format!("\n {row}")), "{row}: {text}");
    }
    let verdict = text.lines().find(|line| line.starts_with(" verdict")).unwrap();
    assert_eq!(verdict.matches("no check objected").count(), 3, "{text}");
    assert!(!text.contains('\x1b'), "a pipe sees no colours");
    let output = simulate(&[]);
    assert!(output.stderr.is_empty(), "progress is for terminals: {}", said(&output));
}

#[test]
fn a_page_and_a_picture_stand_by_themselves() {
    let directory = tempfile::tempdir().unwrap();
    let [html, svg] = ["run.html", "run.svg"].map(|name| directory.path().join(name));
    let files = ["--html", html.to_str().unwrap(), "--svg", svg.to_str().unwrap()];
    let output = simulate(&[&["--seeds", "5..6"], &files[..]].concat());
    assert!(said(&output).contains("seed 5; none went wrong"), "{}", said(&output));
    succeeded(output);
    let page = read(&html);
    assert!(page.starts_with("<!doctype html>") && page.contains("A run of RAMBO II, seed 5"));
    assert!(page.contains("palco simulate --seed 5 --ops 300"));
    let picture = read(&svg);
    assert!(picture.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\""));
    for text in [page, picture.replace("http://www.w3.org/2000/svg", "")] {
        for outside in ["http:", "https:", "<script", "src=", "href=", "@import", "url("] {
            assert!(!text.contains(outside), "{outside}");
        }
        assert!(text.len() < 1_000_000, "{}", text.len());
    }
}

fn read(file: &Path) -> String {
    std::fs::read_to_string(file).unwrap()
}

#[test]
fn a_rule_left_out_is_objected_to_and_the_command_shows_it_again() {
    let directory = tempfile::tempdir().unwrap();
    let html = directory.path().join("run.html");
    let flawed = ["--seeds", "1..5", "--reconfigure-every", "20ms", "--flaws", "drop-at-decision"];
    let output = simulate(&[&flawed[..], &["--json", "--html", html.to_str().unwrap()]].concat());
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let mode = &report["modes"][0];
    assert_eq!((&report["verdict"], &mode["verdict"]), (&"violated".into(), &"violated".into()));
    let first = &mode["violations"][0];
    let command = first["command"].as_str().unwrap();
    let arguments: Vec<&str> = command.split(' ').skip(2).collect();
    let again = simulate(&arguments);
    assert_eq!(again.status.code(), Some(3), "{command}");
    assert!(said(&again).contains(first["what"].as_str().unwrap()), "{}", said(&again));
    assert!(
        said(&again).contains(&format!("see it: {command} --html run.html")),
        "{}",
        said(&again)
    );
    let page = read(&html);
    assert!(page.contains("class=\"verdict bad\"") && page.contains("class=\"bad-box\""));
    assert!(page.contains(&format!("seed {}", first["seed"])));
}

#[test]
fn quorums_that_miss_each_other_are_objected_to() {
    let output =
        simulate(&["--seeds", "1..5", "--quorums", "broken", "--members", "5", "--ops", "500"]);
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    assert!(said(&output).contains("VIOLATION"), "{}", said(&output));
}

#[test]
fn growth_is_measured_with_majorities_and_in_grids() {
    let directory = tempfile::tempdir().unwrap();
    let html = directory.path().join("growth.html");
    let arguments = ["--scale", "--sizes", "9,4", "--html", html.to_str().unwrap(), "--json"];
    let report: Value = serde_json::from_str(&succeeded(simulate(&arguments))).unwrap();
    let sizes = report["sizes"].as_array().unwrap();
    let seen: Vec<_> =
        sizes.iter().map(|size| (size["nodes"].as_u64(), size["quorums"].as_str())).collect();
    let (majority, grid) = (Some("majority"), Some("grid"));
    assert_eq!(seen, [(Some(4), majority), (Some(9), majority), (Some(4), grid), (Some(9), grid)]);
    assert!(read(&html).contains("Messages per operation"));
    let text = succeeded(simulate(&["--scale", "--sizes", "4"]));
    assert!(text.contains("MESSAGES PER OP") && text.contains("grid"), "{text}");
}

#[test]
fn nonsense_is_refused_with_what_would_make_sense() {
    for (arguments, needed) in [
        (&["--nodes", "3", "--members", "5"][..], "--members 5 is more than --nodes 3"),
        (&["--nodes", "0"], "0 is not in 1..=1000"),
        (
            &["--mode", "rambo3", "--cas-percent", "10"],
            "--cas-percent 10 goes with --mode rambo1 or rambo2",
        ),
        (&["--mode", "all", "--keys", "4"], "rambo3 is safe for a single register only"),
        (&["--mode", "rambo4"], "possible values: rambo1, rambo2, rambo3, all"),
        (&["--quorums", "half"], "possible values: majority, read-one"),
        (&["--quorums", "broken", "--members", "2"], "--quorums broken needs --members 3"),
        (&["--faults", "loss,fire"], "there is no fault `fire`; there are: none, all, loss"),
        (&["--flaws", "no-brakes"], "there are: write-skips-query"),
        (&["--ops", "1.5e3"], "try 10000 or 1e6"),
        (&["--seeds", "9..3"], "the smaller one first, as 1..1000"),
        (&["--seeds", "0..99999999"], "more than 1000000 runs"),
        (&["--seed", "1", "--seeds", "1..2"], "cannot be used with"),
        (&["--active-max", "9"], "9 is not in 2..=8"),
        (&["--read-percent", "101"], "101 is not in 0..=100"),
        (&["--reconfigure-every", "0s"], "without a pause nothing else would happen"),
        (&["--scale", "--sizes", "2"], "no number of nodes from 3 to 1000"),
        (&["--scale", "--nodes", "9"], "cannot be used with"),
        (&["--sizes", "9"], "--scale"),
    ] {
        let output = simulate(arguments);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(
            (output.status.code(), output.stdout.is_empty()),
            (Some(2), true),
            "{arguments:?}: {errors}"
        );
        assert!(errors.contains(needed), "{arguments:?}: {errors}");
    }
    let output = simulate(&["--html", "/nosuch/run.html"]);
    assert_eq!((output.status.code(), output.stdout.is_empty()), (Some(1), true));
    assert!(said(&output).contains("cannot write /nosuch/run.html"), "{}", said(&output));
}

#[test]
fn the_help_teaches() {
    let help =
        String::from_utf8(palco().args(["simulate", "--help"]).output().unwrap().stdout).unwrap();
    for taught in [
        "a check must object",
        "--seeds 1..1000 --faults all",
        "exit code is 3",
        "disk-loss",
        "--scale --html",
    ] {
        assert!(help.contains(taught), "{taught}: {help}");
    }
}
