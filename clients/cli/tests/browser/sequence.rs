//! One request as a sequence diagram: who told whom what.

use serde_json::{Value, json};

use super::browser::Browser;
use super::stage::{SERVERS, Stage};

/// Captures while requests come in, so that at least one falls into the window.
fn capture(browser: &Browser, stage: &Stage, server: &str, request: &str) {
    browser.press("nav-sequence");
    browser.press("capture");
    browser.until("$('capture').disabled");
    while browser.run("return $('capture').disabled") == true {
        stage.ask(server, request);
    }
    browser.until("$('sequence-svg')");
}

/// Picks the traces one after the other until one has a lifeline like each of these.
fn pick_trace_with(browser: &Browser, lifelines: &[&str]) {
    let count = browser.run("return document.querySelectorAll('[data-testid=trace]').length");
    for index in 1..count.as_u64().unwrap() {
        let css = format!("[data-testid=trace]:nth-child({})", index + 1);
        browser.click(&css);
        let seen = browser.run(
            "return [...document.querySelectorAll('.lifeline-head title')].map((e) => e.textContent)",
        );
        let seen = seen.as_array().unwrap();
        let has = |part: &&str| seen.iter().any(|name| name.as_str().unwrap().starts_with(part));
        if lifelines.iter().all(has) {
            let chosen = browser.run("return document.querySelectorAll('[data-testid=trace][aria-selected=true]').length");
            assert_eq!(chosen, 1);
            return;
        }
    }
    browser.screenshot("failed-sequence");
    panic!("no trace has all of {lifelines:?}");
}

fn fetch(browser: &Browser, format: &str) -> Value {
    let link = format!("[data-format={format}]");
    browser.until(&format!("document.querySelector('{link}').href"));
    browser.run(&format!("window.fetched = null; fetch(document.querySelector('{link}').href).then((a) => a.text()).then((t) => {{ window.fetched = t; }})"));
    browser.until("window.fetched")
}

#[test]
fn a_connection_of_its_own_is_seen_beside_its_dispatcher() {
    let stage = Stage::up(SERVERS, &[]);
    let browser = Browser::at(stage.dashboard());
    capture(&browser, &stage, "kv", "PING\r\n");
    pick_trace_with(&browser, &["kv/dispatcher ", "kv/dispatcher/"]);
    browser.until("document.querySelectorAll('[data-testid=sequence-message]').length > 0");
    browser.screenshot("sequence-per-connection");
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn a_worker_process_is_seen_to_ask_for_the_shared_state() {
    let stage = Stage::up(SERVERS, &[]);
    let browser = Browser::at(stage.dashboard());
    capture(&browser, &stage, "kv-prefork", "INCR x\r\n");
    pick_trace_with(&browser, &["kv-prefork/worker-", "kv-prefork/state "]);
    browser.until("document.querySelectorAll('[data-testid=sequence-message]').length > 0");
    browser.screenshot("sequence-shared-state");
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn what_was_captured_can_be_taken_away() {
    let stage = Stage::stuck(SERVERS);
    let browser = Browser::at(stage.dashboard());
    capture(&browser, &stage, "kv-prefork", "INCR x\r\n");
    let is_json = |text: &Value, key: &str| {
        let parsed: Value = serde_json::from_str(text.as_str().unwrap()).unwrap();
        assert!(parsed[key].is_array(), "{parsed}");
    };
    is_json(&fetch(&browser, "json"), "messages");
    is_json(&fetch(&browser, "chrome"), "traceEvents");
    let mermaid = fetch(&browser, "mermaid");
    assert!(mermaid.as_str().unwrap().starts_with("sequenceDiagram"), "{mermaid}");

    // What the buttons would save is read instead of saved.
    browser.run("window.saved = []; URL.createObjectURL = (blob) => { blob.text().then((t) => window.saved.push(t)); return '#'; }");
    browser.press("export-mermaid");
    browser.until("window.saved.length === 1");
    browser.press("export-chrome");
    let saved = browser.until("window.saved.length === 2 && window.saved");
    assert!(saved[0].as_str().unwrap().starts_with("sequenceDiagram"), "{saved}");
    is_json(&json!(saved[1]), "traceEvents");
}
