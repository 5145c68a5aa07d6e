//! Changes that are sent more than once.

use crate::gateway::Gateway;

#[test]
fn a_change_that_is_sent_again_is_made_once_and_has_the_same_answer() {
    let gateway = Gateway::start();
    let put = || gateway.put("cas:x", "1").with("Idempotency-Key", "a").answer();
    assert_eq!(put().is(201).etag(), "\"1\"");
    assert_eq!(put().is(201).etag(), "\"1\"");
    gateway.put("cas:x", "2").answer().is(204);
    // Others came after it: it is not made anew.
    assert_eq!(put().is(201).etag(), "\"1\"");
    assert_eq!(gateway.get("cas:x").answer().is(200).body, b"2");
}

#[test]
fn its_condition_does_not_fail_because_of_itself() {
    let gateway = Gateway::start();
    let first = || {
        let ask = gateway.put("cas:x", "1").with("Idempotency-Key", "a");
        ask.with("If-None-Match", "*").answer()
    };
    let second = || {
        let ask = gateway.put("cas:x", "2").with("Idempotency-Key", "b");
        ask.with("If-Match", "\"1\"").answer()
    };
    let third =
        || gateway.delete("cas:x").with("Idempotency-Key", "c").with("If-Match", "*").answer();
    for _ in 0..2 {
        assert_eq!(first().is(201).etag(), "\"1\"");
    }
    for _ in 0..2 {
        assert_eq!(second().is(204).etag(), "\"2\"");
        assert_eq!(first().is(201).etag(), "\"1\"");
    }
    for _ in 0..2 {
        assert_eq!(third().is(204).etag(), "\"3\"");
        assert_eq!(second().is(204).etag(), "\"2\"");
    }
    assert_eq!(gateway.get("cas:x").answer().is(404).etag(), "\"3\"");
}

#[test]
fn a_condition_that_failed_fails_again_and_takes_up_no_name() {
    let gateway = Gateway::start();
    gateway.put("cas:x", "1").answer().is(201);
    for tags in ["\"7\"", "\"7\", \"8\""] {
        let put = || {
            let ask = gateway.put("cas:x", "2").with("Idempotency-Key", "a");
            ask.with("If-Match", tags).answer()
        };
        put().refused(412, "precondition-failed");
        put().refused(412, "precondition-failed");
    }
    gateway.put("cas:x", "2").with("Idempotency-Key", "a").answer().is(204);
}

#[test]
fn a_key_that_names_another_change_is_refused() {
    let gateway = Gateway::start();
    gateway.put("cas:x", "1").with("Idempotency-Key", "a").answer().is(201);
    let reused = gateway.put("cas:x", "2").with("Idempotency-Key", "a").answer();
    reused.refused(422, "idempotency-key-reused");
    gateway
        .delete("cas:x")
        .with("Idempotency-Key", "a")
        .answer()
        .refused(422, "idempotency-key-reused");
    // Of another register it is another name.
    gateway.put("cas:y", "2").with("Idempotency-Key", "a").answer().is(201);
    assert_eq!(gateway.get("cas:x").answer().is(200).body, b"1");
}

#[test]
fn what_the_register_has_forgotten_is_unknown_to_who_says_since_when() {
    let gateway = Gateway::start();
    gateway.put("cas:x", "0").answer().is(201);
    let since = |name: &str, value: &str| {
        let ask = gateway.put("cas:x", "1").with("Idempotency-Key", "a");
        ask.with(name, value).answer()
    };
    assert_eq!(since("If-Match", "\"1\"").is(204).etag(), "\"2\"");
    for n in 0..40 {
        let other = gateway
            .put("cas:x", "2")
            .with("Idempotency-Key", &format!("other {n}").replace(' ', "-"));
        other.answer().is(204);
    }
    since("If-Match", "\"1\"").refused(504, "outcome-unknown");
    since("Idempotency-Since", "\"1\"").refused(504, "outcome-unknown");
    assert_eq!(gateway.get("cas:x").answer().is(200).etag(), "\"42\"");
    // A change that is new since then is made.
    since("Idempotency-Since", "\"42\"").is(204);
}

#[test]
fn a_name_that_is_none_is_refused() {
    let gateway = Gateway::start();
    for key in ["", "two words", "é", &"x".repeat(256)] {
        let ask = gateway.put("cas:x", "1").with("Idempotency-Key", key);
        ask.answer().refused(400, "bad-header");
    }
    let alone = gateway.put("cas:x", "1").with("Idempotency-Since", "\"1\"");
    alone.answer().refused(400, "bad-header");
    for since in ["1", "\"x\"", "W/\"1\"", "*", "\"1\", \"2\""] {
        let ask = gateway.put("cas:x", "1").with("Idempotency-Key", "a");
        ask.with("Idempotency-Since", since).answer().refused(400, "bad-header");
    }
    gateway.get("cas:x").answer().refused(404, "absent");
}
