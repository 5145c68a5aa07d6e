//! What is a request, and what is told to who sends something else.

use palco_service::services::basket::{BasketCodec, HEAD_BYTES_MAX};
use palco_service::{Codec, Service};
use proptest::prelude::*;

use super::{Answer, ask, sessions, signed};
use crate::support::laws::{READ_BYTES_MAX, assert_cuts_do_not_matter, cuts, flood, garbage};
use crate::support::{Connection, TestHost};

#[test]
fn what_cannot_be_done_is_a_problem_that_says_what_can() {
    let long = format!("PUT /basket/{}?count=1", "x".repeat(65));
    for (request, status, hint) in [
        ("GET /", "404", "/basket"),
        ("GET /basketball", "404", "/basket"),
        ("PUT /basket/tea", "400", "?count=N"),
        ("PUT /basket/tea?count=0", "400", "from 1 to 1000000"),
        ("PUT /basket/tea?count=1000001", "400", "from 1 to 1000000"),
        ("PUT /basket/tea?count=+1", "400", "?count=N"),
        ("PUT /basket/tea?n=1", "400", "?count=N"),
        ("GET /basket?count=1", "400", "Only PUT"),
        ("PUT /basket/t%20a?count=1", "400", "letters"),
        ("PUT /basket/a/b?count=1", "400", "letters"),
        (&long, "400", "64"),
        ("PUT /basket", "405", "DELETE empties"),
        ("POST /basket", "405", "DELETE empties"),
        ("GET /basket/tea", "405", "PUT sets"),
        ("BREW /basket", "501", "GET, HEAD, PUT and DELETE"),
    ] {
        let answer = ask(&signed("a secret"), &TestHost::default(), request, None);
        assert_eq!(answer.status(), status, "{request}");
        assert_eq!(answer.field("Content-Type"), Some("application/problem+json"));
        assert!(answer.detail().contains(hint), "{request}: {}", answer.detail());
        assert_eq!(answer.field("Allow").is_some(), status == "405");
        assert_eq!(answer.field("Set-Cookie"), None);
    }
}

#[test]
fn what_is_no_request_ends_the_connection_with_a_problem() {
    let host = TestHost::default();
    let service = sessions();
    let large = format!("GET /basket HTTP/1.1\r\nHost: h\r\nX: {}", "x".repeat(HEAD_BYTES_MAX));
    let put = "PUT /basket/tea?count=1 HTTP/1.1\r\nHost: h\r\n";
    for (bytes, status) in [
        ("\x16\x03\x01".to_owned(), "400"),
        ("GET /basket HTTP/1.1\r\n\r\n".to_owned(), "400"),
        ("GET /basket HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n".to_owned(), "400"),
        (format!("{put}Content-Length: 3\r\n\r\nabc"), "413"),
        (format!("{put}Content-Length: 0\r\nContent-Length: 0\r\n\r\n"), "413"),
        (format!("{put}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), "413"),
        (large, "431"),
    ] {
        let mut connection = Connection::open(&service, BasketCodec::default(), &host);
        let answer = Answer::of(&connection.ask(&bytes));
        assert_eq!(answer.status(), status, "{bytes:.60}");
        assert!(connection.closed && connection.malformed.is_some());
        assert_eq!(answer.field("Connection"), Some("close"));
        assert_eq!(answer.content["status"].to_string(), status);
    }
}

#[test]
fn connections_last_as_long_as_the_client_wants_and_a_head_has_no_content() {
    let host = TestHost::default();
    let service = sessions();
    let mut connection = Connection::open(&service, BasketCodec::default(), &host);
    let head = "HEAD /basket HTTP/1.1\r\nHost: h\r\n\r\n";
    let answers = connection.ask(head.repeat(3));
    assert_eq!(answers.matches("HTTP/1.1 200 OK\r\n").count(), 3, "pipelined");
    assert!(
        answers.ends_with("\r\n\r\n") && answers.contains("Date: Sun, 09 Sep 2001 01:46:40 GMT")
    );
    let kept = connection.ask("GET /basket HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    assert!(kept.contains("\r\nConnection: keep-alive\r\n") && !connection.closed);
    let put = "PUT /basket/tea?count=1 HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n";
    assert!(connection.ask(put).starts_with("HTTP/1.1 200 "));
    let last = connection.ask("GET /basket HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    assert!(last.contains("\r\nConnection: close\r\n") && connection.closed);
}

#[test]
fn the_last_answer_of_a_connection_says_so() {
    fn that_ends<S: Service, C: Codec<S>>(_: &S, mut codec: C) -> C {
        codec.ends();
        codec
    }
    let (service, host) = (sessions(), TestHost::default());
    let codec = that_ends(&service, BasketCodec::default());
    let mut connection = Connection::open(&service, codec, &host);
    let last = connection.ask("GET /basket HTTP/1.1\r\nHost: h\r\n\r\n");
    assert!(last.contains("\r\nConnection: close\r\n") && connection.closed, "{last}");
}

#[test]
fn the_first_cookie_of_the_name_counts_among_those_of_other_servers() {
    let (service, host) = (signed("a secret"), TestHost::default());
    let put = ask(&service, &host, "PUT /basket/tea?count=2", None);
    let cookie = put.cookie().unwrap();
    let all = format!("basket-session=0; {cookie}; basket=old; empty");
    assert_eq!(ask(&service, &host, "GET /basket", Some(&all)).content["items"]["tea"], 2);
}

/// Requests of a client without cookies, right and wrong.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let line = prop::sample::select(vec![
        "GET /basket HTTP/1.1\r\nHost: h\r\n\r\n",
        "PUT /basket/tea?count=2 HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n",
        "HEAD /basket HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
        "DELETE /basket HTTP/1.1\nHost: h\nCookie: basket=e30.x\n\n",
        "\r\n",
        "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
        "PUT /basket/tea HTTP/1.1\r\nHost: h\r\nContent-Length: 7\r\n\r\n",
        "GET /basket HTTP/2.0\r\n",
    ]);
    let piece = prop_oneof![9 => line.prop_map(|line| line.as_bytes().to_vec()), 1 => garbage()];
    prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn cuts_do_not_matter(bytes in bytes(), cuts in cuts()) {
        assert_cuts_do_not_matter!(signed("a secret"), BasketCodec::default(), &bytes, &cuts);
    }
}

#[test]
fn endless_heads_are_not_hoarded() {
    for (first, endless) in [("", "\r\n"), ("GET /", "x"), ("GET / HTTP/1.1\r\n", "A: b\r\n")] {
        let service = sessions();
        let (first, endless) = (first.as_bytes(), endless.as_bytes());
        let peak = flood(&service, BasketCodec::default(), first, endless);
        assert!(peak <= HEAD_BYTES_MAX + READ_BYTES_MAX, "{peak}");
    }
}
