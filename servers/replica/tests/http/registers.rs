//! Reading, writing and deleting plain registers.

use crate::gateway::Gateway;

#[test]
fn what_was_put_is_got_with_the_tag_it_was_put_under() {
    let gateway = Gateway::start();
    let absent = gateway.get("x").answer();
    absent.refused(404, "absent");
    assert_eq!(absent.etag(), "\"0\"");
    let put = gateway.put("x", "1").answer().is(204);
    let got = gateway.get("x").answer().is(200);
    assert_eq!((got.body.as_slice(), got.etag()), (&b"1"[..], put.etag()));
    assert_eq!(got.header("content-type"), Some("application/octet-stream"));
    assert_eq!(got.header("cache-control"), Some("no-cache"));
    let again = gateway.put("x", "1").answer().is(204);
    assert_ne!(again.etag(), put.etag());
}

#[test]
fn a_deleted_register_has_the_tag_of_its_end() {
    let gateway = Gateway::start();
    let put = gateway.put("x", "1").answer().is(204).etag();
    let deleted = gateway.delete("x").answer().is(204).etag();
    assert_ne!(put, deleted);
    let absent = gateway.get("x").answer();
    let problem = absent.refused(404, "absent");
    assert_eq!(absent.etag(), deleted);
    assert_eq!(problem["detail"], "the register was deleted");
    gateway.delete("never").answer().is(204);
}

#[test]
fn a_key_and_a_value_are_any_bytes() {
    let gateway = Gateway::start();
    let every: Vec<u8> = (0..=255).collect();
    let key: String = every.iter().map(|byte| format!("%{byte:02x}")).collect();
    let path = format!("/v1/registers/{key}");
    gateway.ask("PUT", &path).body(every.clone()).answer().is(204);
    assert_eq!(gateway.ask("GET", &path).answer().is(200).body, every);
    gateway.put("a/b//c", "slashes").answer().is(204);
    assert_eq!(gateway.get("a%2Fb%2f/c").answer().is(200).body, b"slashes");
    gateway.put("plus+and%20space", "1").answer().is(204);
    gateway.get("plus%2Band%20space").answer().is(200);
    gateway.get("plus%20and%20space").answer().refused(404, "absent");
    gateway.put("empty", "").answer().is(204);
    assert_eq!(gateway.get("empty").answer().is(200).body, b"");
}

#[test]
fn a_key_that_cannot_be_read_is_refused() {
    let gateway = Gateway::start();
    for key in ["", "%", "%4", "%zz", "ab%g0"] {
        gateway.get(key).answer().refused(400, "bad-key");
        gateway.put(key, "1").answer().refused(400, "bad-key");
        gateway.delete(key).answer().refused(400, "bad-key");
    }
    gateway.put(&"k".repeat(1024), "1").answer().is(204);
    for ask in [gateway.get(&"k".repeat(1025)), gateway.put(&"%00".repeat(1025), "1")] {
        assert_eq!(ask.answer().refused(414, "key-too-long")["limit"], 1024);
    }
}

#[test]
fn who_has_the_value_is_not_sent_it_again() {
    let gateway = Gateway::start();
    let etag = gateway.put("x", "1").answer().etag();
    for known in [etag.clone(), format!("\"other\", W/{etag}"), "*".to_owned()] {
        let answer = gateway.get("x").with("If-None-Match", &known).answer().is(304);
        assert_eq!((answer.etag(), answer.body.len()), (etag.clone(), 0));
    }
    gateway.get("x").with("If-None-Match", "\"other\"").answer().is(200);
    gateway.get("x").with("If-None-Match", "other").answer().refused(400, "bad-header");
    // Nothing is nothing, whatever the client has.
    gateway.get("y").with("If-None-Match", "\"0\"").answer().refused(404, "absent");
}

#[test]
fn head_tells_all_but_the_value() {
    let gateway = Gateway::start();
    gateway.put("x", "12345").answer().is(204);
    let got = gateway.get("x").answer().is(200);
    let head = gateway.ask("HEAD", "/v1/registers/x").answer().is(200);
    assert_eq!(head.etag(), got.etag());
    assert_eq!(head.header("content-length"), Some("5"));
    gateway.ask("HEAD", "/v1/registers/y").answer().is(404);
    gateway.ask("HEAD", "/v1/status").answer().is(200);
}

#[test]
fn what_is_not_there_is_said() {
    let gateway = Gateway::start();
    gateway.ask("GET", "/").answer().refused(404, "no-route");
    gateway.ask("GET", "/v2/registers/x").answer().refused(404, "no-route");
    let answer = gateway.ask("POST", "/v1/registers/x").body("1").answer();
    answer.refused(405, "method-not-allowed");
    assert_eq!(answer.header("allow"), Some("GET, PUT, DELETE"));
    gateway.ask("DELETE", "/v1/status").answer().refused(405, "method-not-allowed");
    gateway.get("x?wtach=1").answer().refused(400, "bad-query");
    gateway.put("x?if=1", "1").answer().refused(400, "bad-query");
    gateway.delete("x?if=1").answer().refused(400, "bad-query");
}
