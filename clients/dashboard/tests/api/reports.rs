//! The last reports of benchmarks: listed, shown, and kept from doing anything.

use std::fs;

use palco_measure::kept::keep;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::stage::{Stage, TOKEN};

const DATA: &str =
    r#"{"command":"palco bench switch","environment":{"date":"2026-03-01 12:00"},"grade":"A"}"#;
const PAGE: &str = "<!doctype html><title>switch</title><style>p { color: green }</style><p>12 ns";

/// A stage with a report of `switch`.
fn stage() -> (Stage, TempDir) {
    let directory = tempfile::tempdir().unwrap();
    keep(directory.path(), "switch", DATA, PAGE).unwrap();
    (Stage::with_reports(directory.path()), directory)
}

fn switch() -> Value {
    json!({
        "topic": "switch",
        "date": "2026-03-01 12:00",
        "grade": "A",
        "command": "palco bench switch",
        "address": "/reports/switch",
    })
}

#[test]
fn without_reports_the_list_is_empty_and_a_page_says_how_to_make_one() {
    let directory = tempfile::tempdir().unwrap();
    let missing = directory.path().join("missing");
    for stage in
        [Stage::start(), Stage::with_reports(directory.path()), Stage::with_reports(&missing)]
    {
        assert_eq!(stage.get("/api/reports"), json!({ "reports": [] }));
        let answer = stage.ask("GET", "/reports/switch").answer();
        assert_eq!(answer.refused(404), "there is no report `switch`");
        assert!(answer.json()["hint"].as_str().unwrap().contains("`palco bench switch`"));
    }
    assert!(!missing.exists(), "who only looks makes nothing");
}

#[test]
fn what_is_kept_while_the_stage_runs_is_listed_and_shown() {
    let (stage, directory) = stage();
    assert_eq!(stage.get("/api/reports"), json!({ "reports": [switch()] }));
    keep(directory.path(), "ring", DATA, "<p>ring").unwrap();
    let listed = stage.get("/api/reports");
    assert_eq!(
        (&listed["reports"][0]["topic"], &listed["reports"][1]),
        (&json!("ring"), &switch())
    );
    for (topic, page) in [("switch", PAGE), ("ring", "<p>ring")] {
        let answer = stage.ask("GET", &format!("/reports/{topic}")).answer();
        assert_eq!((answer.status, answer.text().as_str()), (200, page));
        assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"));
    }
}

#[test]
fn a_page_from_disk_is_in_a_sandbox_and_sets_no_cookie() {
    let (stage, _directory) = stage();
    let answer = stage.ask("GET", "/reports/switch").token(TOKEN).answer();
    let policy = answer.header("Content-Security-Policy").unwrap();
    let mut parts: Vec<_> = policy.split("; ").collect();
    parts.sort_unstable();
    // No `allow-…` after `sandbox`: no scripts, no forms, an origin of its own.
    let expected = [
        "base-uri 'none'",
        "default-src 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "img-src data:",
        "sandbox",
        "style-src 'unsafe-inline'",
    ];
    assert_eq!(parts, expected);
    for (name, value) in [
        ("Cross-Origin-Opener-Policy", Some("unsafe-none")),
        ("X-Frame-Options", Some("DENY")),
        ("X-Content-Type-Options", Some("nosniff")),
        ("Referrer-Policy", Some("no-referrer")),
        ("Cross-Origin-Resource-Policy", Some("same-origin")),
        ("Cache-Control", Some("no-store")),
        ("Set-Cookie", None),
    ] {
        assert_eq!(answer.header(name), value, "{name}");
    }
}

#[test]
fn head_tells_what_get_would() {
    let (stage, _directory) = stage();
    for path in ["/reports/switch", "/api/reports", "/reports/none"] {
        let [head, get] = ["HEAD", "GET"].map(|method| stage.ask(method, path).answer());
        assert_eq!((head.status, head.body.len()), (get.status, 0), "{path}");
        for name in ["Content-Type", "Content-Length", "Content-Security-Policy"] {
            assert_eq!(head.header(name), get.header(name), "{name} of {path}");
        }
    }
}

#[test]
fn a_broken_report_is_left_out_and_the_others_are_not() {
    let (stage, directory) = stage();
    keep(directory.path(), "memory", "{\"grade\":", "<p>memory").unwrap();
    keep(directory.path(), "create", "{\"grade\": 7}", "<p>create").unwrap();
    assert_eq!(stage.get("/api/reports"), json!({ "reports": [switch()] }));
}

#[test]
fn no_topic_leads_out_of_the_directory() {
    let (stage, directory) = stage();
    let kept = directory.path().join("kept");
    keep(&kept, "inner", DATA, PAGE).unwrap();
    fs::write(directory.path().join("outer.html"), "<p>out of reach").unwrap();
    let stages = [stage, Stage::with_reports(&kept)];
    for topic in [
        "",
        "..",
        "%2e%2e",
        "../outer",
        "..%2fouter",
        "..%2Fouter",
        "..%5couter",
        "%2e%2e%2fouter",
        "..%252fouter",
        "kept/inner",
        "kept%2finner",
        "outer.html",
        "outer%00",
        "%2fetc%2fpasswd",
        "SWITCH",
        "%ff",
    ] {
        for stage in &stages {
            let answer = stage.ask("GET", &format!("/reports/{topic}")).answer();
            answer.refused(404);
        }
    }
}

#[test]
fn other_machines_need_the_token_to_read_reports() {
    let stage = Stage::with(|settings| settings.listen.set_ip([0, 0, 0, 0].into()));
    for path in ["/api/reports", "/reports/switch"] {
        stage.ask("GET", path).answer().refused(401);
    }
}
