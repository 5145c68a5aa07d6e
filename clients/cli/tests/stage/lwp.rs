//! `palco lwp demo`: what each policy does about a blocking call, from what it tells; and what it says to nonsense.

use std::collections::HashMap;
use std::process::Output;

use serde_json::Value;

use crate::support::palco;

const POLICIES: [&str; 4] = ["ult", "offload", "go", "solaris"];

/// Few short calls: what must be so does not depend on how many.
fn demo(arguments: &[&str]) -> Output {
    let mut command = palco();
    command.args(["lwp", "demo", "--block", "2ms", "--blocks", "10"]).args(arguments);
    command.output().unwrap()
}

fn succeeded(output: Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Turns that the ticker had during each call, from the call's two events.
fn turns_while_blocked(run: &Value) -> Vec<u64> {
    let mut begun = HashMap::new();
    let mut turns = Vec::new();
    for event in run["events"].as_array().unwrap() {
        let lane = event["lane"].as_str().unwrap();
        let so_far = || event["ticker_turns"].as_u64().unwrap();
        match event["what"].as_str().unwrap() {
            "blocked" => assert_eq!(begun.insert(lane, so_far()), None, "one call at a time"),
            "unblocked" => turns.push(so_far() - begun.remove(lane).unwrap()),
            _ => {}
        }
    }
    assert!(begun.is_empty(), "every call comes back");
    turns
}

#[test]
fn the_ticker_stands_still_without_help_and_goes_on_under_every_other_policy() {
    let text = succeeded(demo(&["--all", "--json"]));
    let report: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(report["schema"], 1);
    let runs = report["runs"].as_array().unwrap();
    let names: Vec<_> = runs.iter().map(|run| run["policy"].as_str().unwrap()).collect();
    assert_eq!(names, POLICIES);
    for run in runs {
        let turns = turns_while_blocked(run);
        assert_eq!(
            (turns.len(), &run["calls"], &run["events_dropped"]),
            (10, &10.into(), &0.into())
        );
        assert_eq!(run["ticker_turns_while_blocked"], turns.iter().sum::<u64>());
        if run["policy"] == "ult" {
            assert_eq!(turns, [0; 10]);
            assert_eq!(run["calls_without_a_turn"], 10);
        } else {
            assert!(turns.iter().any(|turns| *turns > 0), "{}: {turns:?}", run["policy"]);
        }
    }
}

#[test]
fn each_policy_blocks_where_it_says() {
    let text = succeeded(demo(&["--all", "--json"]));
    let report: Value = serde_json::from_str(&text).unwrap();
    for run in report["runs"].as_array().unwrap() {
        let events = run["events"].as_array().unwrap();
        let blocked = events.iter().filter(|event| event["what"] == "blocked");
        let lanes: Vec<_> = blocked.map(|event| event["lane"].as_str().unwrap()).collect();
        let seen = |what| events.iter().any(|event| event["what"] == what);
        match run["policy"].as_str().unwrap() {
            "ult" => assert!(lanes.iter().all(|lane| *lane == "LWP 0")),
            "offload" => {
                assert!(lanes.iter().all(|lane| *lane == "helper 0") && seen("shipped"));
                assert_eq!((&run["helpers"], &run["migrations"]), (&1.into(), &0.into()));
            }
            "go" => assert!(seen("handed_off") && run["migrations"].as_u64() > Some(0)),
            "solaris" => assert_eq!((&run["added"], &run["lwps_most"]), (&1.into(), &2.into())),
            other => panic!("{other} is a policy"),
        }
    }
}

#[test]
fn people_are_shown_a_timeline_a_table_and_a_sentence_for_each_policy() {
    let text = succeeded(demo(&["--all"]));
    assert!(text.contains("TICKER'S TURNS") && text.contains("█ blocked in the kernel"), "{text}");
    assert!(!text.contains('\x1b'), "a pipe sees no colours");
    for policy in POLICIES {
        assert_eq!(
            text.matches(&format!("\n{policy}: ")).count() + usize::from(policy == "ult"),
            2
        );
    }
    assert!(
        text.contains("Nobody helped: the ticker had no turn in any of the 10 calls"),
        "{text}"
    );
    let one = succeeded(demo(&[]));
    assert!(one.starts_with("ult: nobody helps") && one.contains("palco lwp demo --all"), "{one}");
}

#[test]
fn the_page_is_one_file_and_the_trace_is_one_too() {
    let directory = tempfile::tempdir().unwrap();
    let [html, trace] = ["lwp.html", "lwp.json"].map(|name| directory.path().join(name));
    let [html_name, trace_name] = [&html, &trace].map(|path| path.to_str().unwrap());
    succeeded(demo(&["--all", "--html", html_name, "--trace", trace_name]));
    let page = std::fs::read_to_string(html).unwrap();
    assert!(page.starts_with("<!doctype html>") && page.ends_with("</html>\n"));
    for outside in ["http:", "https:", "<script", "src=", "href=", "@import", "url("] {
        assert!(!page.contains(outside), "{outside}");
    }
    assert_eq!(page.matches("<svg").count(), 4);
    assert!(page.contains("<title>sleeper 0 blocked for "));
    assert!(page.len() < 2_000_000, "{}", page.len());
    let trace: Value = serde_json::from_slice(&std::fs::read(trace).unwrap()).unwrap();
    let events = trace["traceEvents"].as_array().unwrap();
    let calls = events.iter().filter(|event| event["name"] == "sleeper 0 blocked");
    assert_eq!(calls.count(), 4 * 10);
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 2);
}

#[test]
fn with_several_lwps_only_the_blocked_ones_fibers_stand_still() {
    let text = succeeded(demo(&["--lwps", "2", "--cores", "all", "--json"]));
    let report: Value = serde_json::from_str(&text).unwrap();
    let run = &report["runs"][0];
    assert_eq!(
        (&run["lwps"], &run["tickers"], &run["one_core"]),
        (&2.into(), &2.into(), &false.into())
    );
    for event in run["events"].as_array().unwrap() {
        if event["what"] == "blocked" {
            assert_eq!(event["lane"], "LWP 0", "the sleeper stays where it was dealt out");
        }
    }
    assert!(turns_while_blocked(run).iter().any(|turns| *turns > 0));
}

#[test]
fn nonsense_is_refused_with_what_would_make_sense() {
    for (arguments, said) in [
        (&["--policy", "m:n"][..], "possible values: ult, offload, go, solaris"),
        (&["--lwps", "0"], "0 is not in 1..=16"),
        (&["--sleepers", "17"], "17 is not in 1..=16"),
        (&["--block", "0"], "a call of no time blocks nobody; try 5ms"),
        (&["--block", "soon"], "try 5ms, 200us or 1s"),
        (&["--blocks", "0"], "0 is not in 1..=10000"),
        (&["--block", "1min"], "10 calls one after the other take 600 s, more than 180 s"),
        (&["--cores", "two"], "possible values: one, all"),
        (&["--policy", "go", "--all"], "cannot be used with '--all'"),
    ] {
        let mut command = palco();
        command.args(["lwp", "demo"]);
        if !arguments.contains(&"--blocks") {
            command.args(["--blocks", "10"]);
        }
        let output = command.args(arguments).output().unwrap();
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), output.stdout.is_empty()), (Some(2), true), "{errors}");
        assert!(errors.contains(said), "{arguments:?}: {errors}");
    }
    let output = demo(&["--html", "/nosuch/lwp.html"]);
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), output.stdout.is_empty()), (Some(1), true));
    assert!(errors.contains("cannot write /nosuch/lwp.html"), "{errors}");
}

#[test]
fn the_help_explains_the_four_policies() {
    let output = palco().args(["lwp", "demo", "--help"]).output().unwrap();
    let help = succeeded(output);
    for line in POLICIES.map(|policy| format!("\n  {policy} ")) {
        assert!(help.contains(&line), "{help}");
    }
}
