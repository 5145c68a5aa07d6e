//! Conditions on keys of class cas.

use crate::gateway::Gateway;

#[test]
fn a_change_is_made_if_the_version_is_still_the_one_that_was_seen() {
    let gateway = Gateway::start();
    let first = gateway.put("cas:x", "1").answer().is(201);
    assert_eq!(first.etag(), "\"1\"");
    let second = gateway.put("cas:x", "2").with("If-Match", "\"1\"").answer().is(204);
    assert_eq!(second.etag(), "\"2\"");
    let stale = gateway.put("cas:x", "3").with("If-Match", "\"1\"").answer();
    stale.refused(412, "precondition-failed");
    assert_eq!(stale.etag(), "\"2\"");
    assert_eq!(gateway.get("cas:x").answer().is(200).body, b"2");
    // Version 0 is that of a key that was never changed.
    gateway.put("cas:y", "1").with("If-Match", "\"0\"").answer().is(201);
    gateway.delete("cas:x").with("If-Match", "\"1\"").answer().refused(412, "precondition-failed");
    let deleted = gateway.delete("cas:x").with("If-Match", "\"2\"").answer().is(204);
    assert_eq!(deleted.etag(), "\"3\"");
    assert_eq!(gateway.get("cas:x").answer().is(404).etag(), "\"3\"");
}

#[test]
fn any_of_several_tags_will_do_and_a_weak_one_will_not() {
    let gateway = Gateway::start();
    gateway.put("cas:x", "1").answer().is(201);
    gateway.put("cas:x", "2").with("If-Match", "\"7\", \"1\"").answer().is(204);
    for tags in ["W/\"2\"", "\"02\"", "\"+2\"", "\"x\"", "\"7\", \"8\"", "\"18446744073709551615\""]
    {
        let answer = gateway.put("cas:x", "3").with("If-Match", tags).answer();
        answer.refused(412, "precondition-failed");
        assert_eq!(answer.etag(), "\"2\"", "{tags}");
    }
}

#[test]
fn any_value_means_one_that_is_there_and_none_means_one_that_is_not() {
    let gateway = Gateway::start();
    let any = |value: &str| gateway.put("counter:x", value).with("If-Match", "*").answer();
    let none = |value: &str| gateway.put("counter:x", value).with("If-None-Match", "*").answer();
    any("1").refused(412, "precondition-failed");
    none("1").is(201);
    assert_eq!(none("2").is(412).etag(), "\"1\"");
    any("2").is(204);
    gateway.delete("counter:x").answer().is(204);
    any("3").refused(412, "precondition-failed");
    // What was deleted is not there.
    assert_eq!(none("3").is(201).etag(), "\"4\"");
}

#[test]
fn of_many_who_want_to_be_first_one_is() {
    let gateway = Gateway::start();
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let ask = |n: usize| gateway.put("cas:x", &n.to_string()).with("If-None-Match", "*");
        let asked: Vec<_> = (0..16).map(|n| scope.spawn(move || ask(n).answer().status)).collect();
        asked.into_iter().map(|asked| asked.join().unwrap()).collect()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 412).count(), 15, "{statuses:?}");
}

#[test]
fn a_plain_register_knows_no_conditions_and_says_why() {
    let gateway = Gateway::start();
    for (name, value) in [("If-Match", "\"0\""), ("If-None-Match", "*"), ("Idempotency-Key", "1")] {
        let problem = gateway.put("x", "1").with(name, value).answer().refused(409, "not-cas");
        assert!(problem["advice"].as_str().unwrap().contains("cas:"), "{problem}");
        gateway.delete("x").with(name, value).answer().refused(409, "not-cas");
    }
    gateway.get("x").answer().refused(404, "absent");
}

#[test]
fn a_condition_that_means_nothing_is_refused() {
    let gateway = Gateway::start();
    for (name, value) in [
        ("If-Match", "1"),
        ("If-Match", ""),
        ("If-Match", "*, \"1\""),
        ("If-None-Match", "\"1\""),
        ("If-None-Match", "**"),
    ] {
        gateway.put("cas:x", "1").with(name, value).answer().refused(400, "bad-header");
    }
    let both = gateway.put("cas:x", "1").with("If-Match", "\"0\"").with("If-None-Match", "*");
    both.answer().refused(400, "bad-header");
    gateway.get("cas:x").answer().refused(404, "absent");
}
