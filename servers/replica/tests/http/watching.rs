//! Who watches a key.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use palco_rambo::{Failure, NodeId, Outcome, Tag, Tagged};
use serde_json::json;

use crate::gateway::Gateway;

#[test]
fn who_knows_less_is_answered_at_once() {
    let gateway = Gateway::start();
    let etag = gateway.put("x", "1").answer().etag();
    let answer = gateway.get("x?watch=0").answer().is(200);
    assert_eq!((answer.body.as_slice(), answer.etag()), (&b"1"[..], etag));
    gateway.put("cas:x", "1").answer().is(201);
    gateway.get("cas:x?watch=%220%22&timeout=1m").answer().is(200);
}

#[test]
fn who_knows_all_is_answered_when_something_happens() {
    let gateway = Gateway::start();
    let etag = gateway.put("x", "1").answer().etag();
    let path = format!("x?watch={}&timeout=60s", etag.trim_matches('"'));
    let (watch, delete) = (gateway.get(&path), gateway.delete("x"));
    let watching = thread::spawn(move || watch.answer());
    let deleted = delete.answer().is(204);
    let answer = watching.join().unwrap();
    answer.refused(404, "absent");
    assert_eq!(answer.etag(), deleted.etag());
}

#[test]
fn nothing_new_within_the_time_is_no_change() {
    let gateway = Gateway::start();
    let answer = gateway.get("x?watch=0&timeout=30ms").answer().is(304);
    assert_eq!(answer.etag(), "\"0\"");
    let etag = gateway.put("x", "1").answer().etag();
    let path = format!("x?watch={}&timeout=30ms", etag.trim_matches('"'));
    assert_eq!(gateway.get(&path).answer().is(304).etag(), etag);
}

#[test]
fn a_time_that_is_none_is_refused() {
    let gateway = Gateway::start();
    for query in ["watch=0&timeout=61s", "watch=0&timeout=5", "watch=0&timeout=", "timeout=5s"] {
        gateway.get(&format!("x?{query}")).answer().refused(400, "bad-query");
    }
    let stream = gateway.get("x?timeout=5s").with("Accept", "text/event-stream");
    stream.answer().refused(400, "bad-query");
}

#[test]
fn a_stream_says_each_value_once_and_ends_with_the_last() {
    let gateway = Gateway::start();
    let mut events = gateway.get("x").with("Accept", "text/html, text/event-stream;q=0.9").events();
    let first = events.next().unwrap();
    assert_eq!((first.name.as_str(), first.id.as_deref()), ("value", Some("0")));
    assert_eq!(first.data, json!({ "etag": "\"0\"", "value": null }));
    for value in ["1", "2", "3"] {
        let etag = gateway.put("x", value).answer().etag();
        let event = events.find(|event| event.data["value"] == value);
        assert_eq!(event.data["etag"], etag);
    }
    gateway.ask("PUT", "/v1/registers/x").body([0xff, 0x00]).answer().is(204);
    events.find(|event| event.data["value"] == json!({ "hex": "ff00" }));
    gateway.put("x", "line\nbreaks\r\n\n").answer().is(204);
    events.find(|event| event.data["value"] == "line\nbreaks\r\n\n");
}

#[test]
fn a_stream_goes_on_where_its_client_was() {
    let gateway = Gateway::start();
    let known = gateway.put("x", "1").answer().etag();
    let known = known.trim_matches('"');
    let stream = || gateway.get("x").with("Accept", "text/event-stream");
    let mut resumed = stream().with("Last-Event-ID", known).events();
    let mut told =
        gateway.get(&format!("x?watch={known}")).with("Accept", "text/event-stream").events();
    // Both are told of what they do not have, and of nothing else.
    gateway.put("x", "2").answer().is(204);
    for events in [&mut resumed, &mut told] {
        assert_eq!(events.next().unwrap().data["value"], "2");
    }
    let mut fresh = stream().events();
    assert_eq!(fresh.next().unwrap().data["value"], "2");
}

#[test]
fn watchers_of_one_key_share_its_reads() {
    let reads = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&reads);
    // The first read never ends, so there is one, however many wait for it.
    let gateway = Gateway::scripted(move |_| {
        counted.fetch_add(1, Ordering::SeqCst);
        None
    });
    let watch = || gateway.get("x?watch=0&timeout=200ms").send();
    let watching: Vec<_> = (0..20).map(|_| watch()).collect();
    for watcher in watching {
        // Nobody has read, so nobody can say that nothing has changed.
        crate::client::read(watcher).refused(503, "unavailable");
    }
    assert_eq!(reads.load(Ordering::SeqCst), 1);
}

#[test]
fn reads_that_fail_are_said_once_and_followed_by_what_is_read_again() {
    let reads = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&reads);
    let gateway = Gateway::scripted(move |_| {
        let read = counted.fetch_add(1, Ordering::SeqCst);
        Some(if (2..5).contains(&read) {
            Outcome::Failed(Failure::Timeout)
        } else {
            let tag = Tag { sequence: 1 + u64::from(read >= 5), node: NodeId(1), boot: 1, n: 0 };
            Outcome::Read(Tagged { tag, value: Some("x".into()) })
        })
    });
    let mut events = gateway.get("x").with("Accept", "text/event-stream").events();
    let said: Vec<_> = (0..3).map(|_| events.next().unwrap()).collect();
    let names: Vec<_> = said.iter().map(|event| event.name.as_str()).collect();
    assert_eq!(names, ["value", "unavailable", "value"]);
    assert_eq!(said[2].id.as_deref(), Some("2.n1.1.0"));
}

#[test]
fn a_key_that_nobody_watches_any_more_is_forgotten() {
    let gateway = Gateway::with(|settings| settings.watched_keys_max = 1);
    gateway.get("x?watch=0&timeout=10ms").answer().is(304);
    // One key at a time: another can be watched once the loop that reads the first has ended.
    while gateway.get("y?watch=0&timeout=10ms").answer().status == 429 {}
    gateway.get("y?watch=0&timeout=10ms").answer().is(304);
}
