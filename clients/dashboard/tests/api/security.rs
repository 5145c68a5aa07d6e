//! Who may ask, and what a browser is told about it.

use palco_actors::Status;

use crate::errors::routes;
use crate::stage::{Stage, TOKEN};

const HEADERS: [(&str, &str); 6] = [
    (
        "Content-Security-Policy",
        "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
         object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    ),
    ("X-Frame-Options", "DENY"),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
];

#[test]
fn every_answer_has_every_security_header() {
    let stage = Stage::start();
    let mut answers = Vec::new();
    for (path, methods) in routes(&stage) {
        // Events have no end: their head is looked at where they are refused.
        if path != "/api/events" {
            for method in methods {
                answers.push((path.clone(), stage.ask(&method, &path).token(TOKEN).answer()));
            }
        }
        answers.push((path.clone(), stage.ask("PUT", &path).answer()));
        answers.push((path.clone(), stage.ask("GET", &path).with("Host", "evil.test").answer()));
        let foreign = stage.ask("GET", &path).with("Origin", "http://evil.test").answer();
        answers.push((path.clone(), foreign));
    }
    answers.push(("/nothing".into(), stage.ask("GET", "/nothing").answer()));
    for (path, answer) in answers {
        for (name, value) in HEADERS {
            assert_eq!(answer.header(name), Some(value), "{name} of {path}, {}", answer.status);
        }
        if path.starts_with("/api") {
            assert_eq!(answer.header("Cache-Control"), Some("no-store"), "{path}");
        }
        assert_eq!(answer.header("Access-Control-Allow-Origin"), None, "{path}");
    }
}

#[test]
fn acting_needs_the_token() {
    let stage = Stage::start();
    let probe = stage.probe("probe");
    let path = format!("/api/actors/{}/suspend", probe.any().id().number());
    let ask = || stage.ask("POST", &path);
    let missing = ask().answer();
    missing.refused(401);
    assert_eq!(missing.header("WWW-Authenticate"), Some("Bearer"));
    let cookie = format!("palco_token_{}", stage.address().port());
    for wrong in ["wrong", "", &TOKEN[1..], &format!("{TOKEN}0"), &TOKEN.to_uppercase()] {
        ask().token(wrong).answer().refused(401);
        ask().with("Cookie", &format!("{cookie}={wrong}")).answer().refused(401);
    }
    ask().with("Authorization", &format!("Basic {TOKEN}")).answer().refused(401);
    ask().with("Cookie", &format!("other={TOKEN}")).answer().refused(401);
    ask().with("Cookie", &format!("palco_token_1={TOKEN}")).answer().refused(401); // another stage's
    // Not in the address, where it would be kept in logs and histories.
    stage.ask("POST", &format!("{path}?token={TOKEN}")).answer().refused(401);
    stage.ask("POST", "/api/load").answer().refused(401);
    stage.ask("DELETE", "/api/load/kv").answer().refused(401);
    stage.ask("POST", "/nothing").answer().refused(401);
    assert_eq!(probe.any().snapshot().status, Status::Idle);
    ask().with("Cookie", &format!("a=b; {cookie}={TOKEN}")).answer().good();
    assert_eq!(probe.any().snapshot().status, Status::Suspended);
}

#[test]
fn the_address_with_the_token_becomes_a_cookie() {
    let stage = Stage::start();
    let url = stage.dashboard().url_with_token();
    let path = url.strip_prefix(&format!("http://{}", stage.address())).unwrap();
    assert_eq!(path, format!("/?token={TOKEN}"));
    let answer = stage.ask("GET", path).answer();
    assert_eq!((answer.status, answer.header("Location")), (303, Some("/")));
    let cookie = answer.header("Set-Cookie").unwrap();
    let name = format!("palco_token_{}", stage.address().port());
    assert_eq!(cookie, format!("{name}={TOKEN}; HttpOnly; SameSite=Strict; Path=/"));
    let pair = cookie.split(';').next().unwrap();
    let view = stage.ask("GET", "/api/snapshot").with("Cookie", pair).answer().good();
    assert_eq!(view["stage"]["can_act"], true);
    let wrong = stage.ask("GET", "/?token=wrong").answer();
    wrong.refused(401);
    assert_eq!(wrong.header("Set-Cookie"), None);
}

#[test]
fn other_hosts_are_refused_whatever_they_resolve_to() {
    let stage = Stage::start();
    let port = stage.address().port();
    let ask = |host: &str| stage.ask("GET", "/api/snapshot").with("Host", host).answer();
    for name in ["127.0.0.1", "localhost", "LocalHost", "[::1]"] {
        ask(&format!("{name}:{port}")).good();
    }
    for host in [
        "evil.test".to_owned(),
        format!("evil.test:{port}"),
        "localhost".into(),
        "localhost:1".into(),
    ] {
        ask(&host).refused(421);
    }
    // RFC 9112 section 3.2: without any, it is no request.
    assert_eq!(stage.ask("GET", "/api/snapshot").without("Host").answer().status, 400);
    stage.ask("GET", &format!("http://evil.test:{port}/api/snapshot")).answer().refused(421);
    stage.post("/api/actors/0/kill").with("Host", "evil.test").answer().refused(421);
}

#[test]
fn other_origins_are_refused_even_with_the_token() {
    let stage = Stage::start();
    let port = stage.address().port();
    let ask = |origin: &str| {
        stage.ask("GET", "/api/snapshot").token(TOKEN).with("Origin", origin).answer()
    };
    for name in ["127.0.0.1", "localhost"] {
        ask(&format!("http://{name}:{port}")).good();
    }
    for origin in [
        "null".to_owned(),
        "http://evil.test".into(),
        format!("https://localhost:{port}"),
        "http://localhost".into(),
        format!("http://localhost:{}", port ^ 1),
        format!("http://localhost:{port}.evil.test"),
    ] {
        ask(&origin).refused(403);
        stage.post("/api/actors/0/kill").with("Origin", &origin).answer().refused(403);
    }
}

#[test]
fn other_machines_need_the_token_to_read() {
    let stage = Stage::with(|settings| {
        settings.listen.set_ip([0, 0, 0, 0].into());
        settings.also_called = vec!["palco.test".into()];
    });
    for path in ["/api/snapshot", "/api/events", "/api/capture", "/metrics", "/api/openapi.json"] {
        stage.ask("GET", path).answer().refused(401);
    }
    for path in ["/", "/healthz", "/assets/index.html"] {
        assert_eq!(stage.ask("GET", path).answer().status, 200, "{path}");
    }
    let host = format!("palco.test:{}", stage.address().port());
    stage.ask("GET", "/api/snapshot").with("Host", &host).token(TOKEN).answer().good();
}
