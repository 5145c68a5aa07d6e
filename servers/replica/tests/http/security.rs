//! Who may ask, and what a browser is told.

use crate::gateway::{Gateway, TOKEN};

#[test]
fn a_host_that_is_not_ours_is_refused_whatever_it_resolves_to() {
    let gateway = Gateway::with(|settings| settings.also_called = vec!["store.test".into()]);
    let port = gateway.running.address().port();
    let ask = |host: &str| gateway.ask("GET", "/v1/status").with("Host", host).answer();
    for host in ["127.0.0.1", "localhost", "LocalHost:1", "[::1]:7480", "store.test", "10.1.2.3:9"]
    {
        ask(host).is(200);
    }
    for host in ["evil.test", &format!("evil.test:{port}"), "127.0.0.1.evil.test", ""] {
        ask(host).refused(421, "foreign-host");
    }
    let path = format!("http://evil.test:{port}/v1/status");
    gateway.ask("GET", &path).answer().refused(421, "foreign-host");
    gateway.put("x", "1").with("Host", "evil.test").answer().refused(421, "foreign-host");
    gateway.get("x").answer().refused(404, "absent");
}

#[test]
fn a_page_of_another_origin_is_refused() {
    let gateway = Gateway::start();
    let own = format!("http://{}", gateway.running.address());
    gateway.put("x", "1").with("Origin", &own).answer().is(204);
    for origin in ["null", "http://evil.test", "https://127.0.0.1", "http://127.0.0.1:1", ""] {
        let put = gateway.put("x", "2").with("Origin", origin).answer();
        put.refused(403, "foreign-origin");
        gateway.get("x").with("Origin", origin).answer().refused(403, "foreign-origin");
        assert_eq!(put.header("access-control-allow-origin"), None);
    }
    assert_eq!(gateway.get("x").answer().is(200).body, b"1");
}

#[test]
fn a_value_is_never_a_page() {
    let gateway = Gateway::start();
    gateway
        .put("x", "<script>alert(1)</script>")
        .with("Content-Type", "text/html")
        .answer()
        .is(204);
    for ask in [gateway.get("x"), gateway.get("y"), gateway.get("x").with("Host", "evil.test")] {
        let answer = ask.answer();
        assert_ne!(answer.header("content-type"), Some("text/html"));
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.contains("default-src 'none'"), "{policy}");
        assert_eq!(answer.header("cross-origin-resource-policy"), Some("same-origin"));
    }
}

#[test]
fn a_private_gateway_answers_nobody_without_the_token_and_goes_by_any_name() {
    let gateway = Gateway::with(|settings| settings.is_private = true);
    for ask in [gateway.get("x"), gateway.put("x", "1"), gateway.ask("GET", "/v1/openapi.json")] {
        ask.answer().refused(401, "no-token");
    }
    let shown = format!("Bearer {TOKEN}");
    let put = gateway.put("x", "1").with("Authorization", &shown).with("Host", "store.test:1");
    put.answer().is(204);
    assert_eq!(gateway.get("x").with("Authorization", &shown).answer().is(200).body, b"1");
}
