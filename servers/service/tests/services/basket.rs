//! The basket: kept by the client, by the server, and by a server of several processes.

mod requests;
mod shared;

use std::time::Duration;

use palco_service::Relaunch;
use palco_service::services::basket::{
    BasketCodec, BasketService, Keep, Secret, Sessions, SessionsConfig, Signed, SignedConfig,
};
use serde_json::Value;

use crate::support::{Connection, TestHost};

/// How long baskets last here.
const TTL: Duration = Duration::from_mins(10);

/// An answer, taken apart.
struct Answer {
    head: String,
    content: Value,
}

impl Answer {
    fn of(text: &str) -> Self {
        let (head, content) = text.split_once("\r\n\r\n").unwrap();
        let content = serde_json::from_str(content).unwrap_or(Value::Null);
        Self { head: head.to_owned(), content }
    }

    fn status(&self) -> &str {
        &self.head["HTTP/1.1 ".len()..][..3]
    }

    fn field(&self, name: &str) -> Option<&str> {
        let mut fields = self.head.lines().filter_map(|line| line.split_once(": "));
        fields.find(|(found, _)| *found == name).map(|(_, value)| value)
    }

    /// What the client stores: name and value.
    fn cookie(&self) -> Option<&str> {
        self.field("Set-Cookie").and_then(|field| field.split(';').next())
    }

    fn detail(&self) -> &str {
        self.content["detail"].as_str().unwrap()
    }
}

/// One request on a connection of its own.
fn ask<K: Keep>(
    service: &BasketService<K>,
    host: &TestHost,
    request: &str,
    cookie: Option<&str>,
) -> Answer {
    let cookie = cookie.map_or(String::new(), |cookie| format!("Cookie: x=1; {cookie}\r\n"));
    let mut connection = Connection::open(service, BasketCodec::default(), host);
    Answer::of(&connection.ask(format!("{request} HTTP/1.1\r\nHost: h\r\n{cookie}\r\n")))
}

fn signed(secret: &str) -> BasketService<Signed> {
    let config = SignedConfig { secret: Secret::new(secret), ttl: TTL };
    BasketService::<Signed>::relaunch(&config).unwrap().0
}

fn sessions() -> BasketService<Sessions> {
    let config = SessionsConfig { ttl: TTL, ..SessionsConfig::default() };
    BasketService::<Sessions>::relaunch(&config).unwrap().0
}

/// What a client sees that puts things in, takes them out and empties its basket.
fn shops<K: Keep>(service: &BasketService<K>) {
    let host = TestHost::default();
    let looked = ask(service, &host, "GET /basket", None);
    assert_eq!((looked.status(), looked.cookie()), ("200", None), "nothing is kept of nothing");
    assert_eq!(looked.content["kept_by"], K::SIDE);
    let mut cookie = None;
    for (request, expected) in [
        ("PUT /basket/tea?count=2", r#"{"tea":2}"#),
        ("PUT /basket/cups?count=1000000", r#"{"cups":1000000,"tea":2}"#),
        ("PUT /basket/tea?count=3", r#"{"cups":1000000,"tea":3}"#),
        ("GET /basket", r#"{"cups":1000000,"tea":3}"#),
        ("DELETE /basket/cups", r#"{"tea":3}"#),
        ("DELETE /basket/none", r#"{"tea":3}"#),
        ("GET http://h/basket", r#"{"tea":3}"#),
        ("DELETE /basket", "{}"),
        ("GET /basket", "{}"),
    ] {
        let answer = ask(service, &host, request, cookie.as_deref());
        assert_eq!(answer.status(), "200", "{request}: {}", answer.content);
        assert_eq!(answer.content["items"].to_string(), expected, "{request}");
        assert_eq!(answer.content["note"], Value::Null);
        assert_eq!(answer.content["expires_in_s"], TTL.as_secs());
        let field = answer.field("Set-Cookie").unwrap();
        assert!(field.starts_with(&format!("{}=", K::COOKIE)), "{field}");
        assert!(field.ends_with("; Max-Age=600; HttpOnly; SameSite=Strict; Path=/"), "{field}");
        cookie = answer.cookie().map(str::to_owned);
    }
}

#[test]
fn a_client_that_shops_cannot_tell_who_keeps_its_basket() {
    shops(&signed("a secret"));
    shops(&sessions());
}

#[test]
fn a_signed_basket_is_good_wherever_the_secret_is_and_a_session_only_where_it_began() {
    let host = TestHost::default();
    let put = ask(&signed("a secret"), &host, "PUT /basket/tea?count=2", None);
    let elsewhere = ask(&signed("a secret"), &host, "GET /basket", put.cookie());
    assert_eq!(elsewhere.content["items"]["tea"], 2);

    let put = ask(&sessions(), &host, "PUT /basket/tea?count=2", None);
    let elsewhere = ask(&sessions(), &host, "GET /basket", put.cookie());
    assert_eq!(elsewhere.content["items"].to_string(), "{}");
    assert_eq!(elsewhere.content["note"], "session expired or unknown");
    assert_ne!(elsewhere.cookie().unwrap(), put.cookie().unwrap(), "a new id");
}

#[test]
fn every_request_refreshes_and_without_one_the_basket_expires() {
    for (name, status) in [(Signed::COOKIE, "401"), (Sessions::COOKIE, "200")] {
        let (signed, sessions, host) = (signed("a secret"), sessions(), TestHost::default());
        let ask = |request: &str, cookie: Option<&str>| match name {
            Signed::COOKIE => ask(&signed, &host, request, cookie),
            _ => ask(&sessions, &host, request, cookie),
        };
        let mut cookie = ask("PUT /basket/tea?count=2", None).cookie().unwrap().to_owned();
        for _ in 0..5 {
            host.later.set(host.later.get() + TTL - Duration::from_secs(1));
            let answer = ask("GET /basket", Some(&cookie));
            assert_eq!(answer.content["items"]["tea"], 2, "{name}");
            cookie = answer.cookie().unwrap().to_owned();
        }
        host.later.set(host.later.get() + TTL);
        let answer = ask("GET /basket", Some(&cookie));
        assert_eq!(answer.status(), status, "{name}");
        assert_eq!(answer.content["items"]["tea"], Value::Null);
    }
}

#[test]
fn a_cookie_that_is_expired_or_forged_is_refused_with_the_reason_and_deleted() {
    let (service, host) = (signed("a secret"), TestHost::default());
    let good = ask(&service, &host, "PUT /basket/tea?count=2", None).cookie().unwrap().to_owned();
    let refused = |cookie: &str, kind: &str| {
        let answer = ask(&service, &host, "PUT /basket/cups?count=1", Some(cookie));
        assert_eq!(answer.status(), "401", "{cookie}");
        assert_eq!(answer.field("Content-Type"), Some("application/problem+json"));
        assert_eq!(answer.content["type"], format!("urn:palco:basket:{kind}"), "{cookie}");
        assert!(answer.detail().contains("ask again without it"), "{}", answer.detail());
        let deleted = "basket=; Max-Age=0; HttpOnly; SameSite=Strict; Path=/";
        assert_eq!(answer.field("Set-Cookie"), Some(deleted));
        assert!(answer.field("WWW-Authenticate").unwrap().contains("cookie-name=\"basket\""));
    };
    // Whatever character is changed.
    for at in "basket=".len()..good.len() {
        let other = if &good[at..=at] == "A" { "B" } else { "A" };
        refused(&format!("{}{other}{}", &good[..at], &good[at + 1..]), "cookie-forged");
    }
    for forged in ["basket=", "basket=.", "basket=e30", "basket=a.b.c"] {
        refused(forged, "cookie-forged");
    }
    let foreign = ask(&signed("another"), &host, "PUT /basket/tea?count=2", None);
    refused(foreign.cookie().unwrap(), "cookie-forged");
    host.later.set(TTL);
    refused(&good, "cookie-expired");
}

#[test]
fn an_old_signed_cookie_brings_an_old_basket_back_and_an_old_session_id_does_not() {
    let host = TestHost::default();
    let service = signed("a secret");
    let old = ask(&service, &host, "PUT /basket/tea?count=2", None);
    ask(&service, &host, "DELETE /basket", old.cookie());
    assert_eq!(ask(&service, &host, "GET /basket", old.cookie()).content["items"]["tea"], 2);

    let service = sessions();
    let old = ask(&service, &host, "PUT /basket/tea?count=2", None);
    ask(&service, &host, "DELETE /basket", old.cookie());
    let replayed = ask(&service, &host, "GET /basket", old.cookie());
    assert_eq!(replayed.content["items"].to_string(), "{}");
}

/// Fills a basket until no more goes in; how many items and the cookie that was kept last.
fn fill<K: Keep>(service: &BasketService<K>) -> (usize, String) {
    let (host, mut cookie) = (TestHost::default(), String::new());
    for number in 0.. {
        let request = format!("PUT /basket/item-{number}?count=1");
        let answer = ask(
            service,
            &host,
            &request,
            Some(&cookie).filter(|c| !c.is_empty()).map(String::as_str),
        );
        if answer.status() == "507" {
            let kept = ask(service, &host, "GET /basket", Some(&cookie));
            assert_eq!(kept.content["items"].as_object().unwrap().len(), number);
            return (number, cookie);
        }
        answer.field("Set-Cookie").unwrap().clone_into(&mut cookie);
        assert!(cookie.len() <= 4096, "{}", cookie.len());
        cookie.truncate(cookie.find(';').unwrap());
    }
    unreachable!("a basket is bounded")
}

#[test]
fn a_basket_is_bounded_and_stays_as_it_was_when_it_is_full() {
    let (items, cookie) = fill(&signed("a secret"));
    assert!(items > 150 && cookie.len() > 3900, "{items} items, {} bytes", cookie.len());
    let (items, cookie) = fill(&sessions());
    assert!(items > 600 && cookie.len() == "basket-session=".len() + 32, "{items} {cookie}");
}
