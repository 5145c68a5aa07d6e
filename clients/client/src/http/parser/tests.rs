//! Laws of the response parser.

use proptest::prelude::{Strategy, any, prop, prop_assert_eq, proptest};

use super::*;
use crate::pieces::{Outcome, feed, feed_whole, lengths, soup};

const BODY_BYTES_MAX: usize = 1 << 20;

const TOKENS: &[&str] = &[
    "HTTP/1.1 200 OK\r\n",
    "HTTP/1.0 404\r\n",
    "HTTP/1.1 100 Continue\r\n",
    "\r\n",
    "\n",
    "\r",
    "a",
    "Content-Length: 3\r\n",
    "Content-Length: 999999999\r\n",
    "Transfer-Encoding: chunked\r\n",
    "X: y\r\n",
    "abc",
];

fn parser(method: Method) -> ResponseParser {
    ResponseParser::new(method, BODY_BYTES_MAX)
}

fn get(text: &str) -> Outcome<Response> {
    feed_whole(&mut parser(Method::Get), text.as_bytes())
}

/// A response with the length of its body, and its bytes.
fn response() -> impl Strategy<Value = (Response, Vec<u8>)> {
    let fields = prop::collection::vec(("x-[a-z]{1,8}", "[!-~]{0,12}"), 0..5);
    let body = prop::collection::vec(any::<u8>(), 0..60);
    (200_u16..204, "[A-Za-z]{0,8}", fields, body).prop_map(|(status, reason, mut headers, body)| {
        headers.push(("Content-Length".into(), body.len().to_string()));
        let mut bytes = format!("HTTP/1.1 {status} {reason}\r\n").into_bytes();
        for (name, value) in &headers {
            bytes.extend(format!("{name}: {value}\r\n").into_bytes());
        }
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(&body);
        (Response { status, reason, headers, body }, bytes)
    })
}

proptest! {
    #[test]
    fn a_response_is_read_from_any_pieces(
        (response, mut bytes) in response(),
        behind in prop::collection::vec(any::<u8>(), 0..8),
        lengths in lengths(),
    ) {
        let own = bytes.len();
        bytes.extend(behind);
        let read = feed(&mut parser(Method::Get), &bytes, &lengths, |_, _| {});
        prop_assert_eq!(read, Ok(Some((response, own))));
    }

    #[test]
    fn where_the_pieces_are_cut_changes_nothing(bytes in soup(TOKENS), lengths in lengths()) {
        let (mut in_pieces, mut whole) = (parser(Method::Get), parser(Method::Get));
        let outcome = feed(&mut in_pieces, &bytes, &lengths, |_, _| {});
        prop_assert_eq!(outcome, feed_whole(&mut whole, &bytes));
        prop_assert_eq!(in_pieces.finish(), whole.finish());
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes: Vec<u8>, lengths in lengths()) {
        for beginning in ["", "HTTP/1.1 ", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\n\r\n"] {
            let bytes = [beginning.as_bytes(), &bytes].concat();
            let mut parser = parser(Method::Get);
            let _ = feed(&mut parser, &bytes, &lengths, |_, _| {});
            // Also after an error.
            let _ = parser.feed(&bytes);
            let _ = parser.finish();
        }
    }
}

#[test]
fn a_length_alone_reserves_nothing() {
    let mut parser = ResponseParser::new(Method::Get, usize::MAX);
    let head = b"HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\n";
    assert_eq!(parser.feed(head), Ok(Step::More));
    let State::Body(response, _) = &parser.state else { panic!("the head is complete") };
    assert_eq!(response.body.capacity(), 0);
}

#[test]
fn a_length_above_the_limit_is_refused_before_the_body() {
    for length in ["1048577", "99999999999999999999999"] {
        let refused = get(&format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n"));
        assert_eq!(refused, Err(Malformed::answer_bytes(BODY_BYTES_MAX)));
    }
}

#[test]
fn a_body_without_length_ends_where_the_server_closes() {
    let mut parser = ResponseParser::new(Method::Get, 4);
    assert_eq!(feed_whole(&mut parser, b"HTTP/1.0 200 OK\r\n\r\nabcd"), Ok(None));
    assert_eq!(parser.clone().finish().map(|response| response.body), Some(b"abcd".to_vec()));
    assert_eq!(parser.feed(b"e"), Err(Malformed::answer_bytes(4)));
}

#[test]
fn a_cut_body_with_length_is_no_response() {
    let mut parser = parser(Method::Get);
    let cut = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab";
    assert_eq!(feed_whole(&mut parser, cut), Ok(None));
    assert_eq!(parser.finish(), None);
}

#[test]
fn what_has_no_body_does_not_wait_for_one() {
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n";
    let answered = feed_whole(&mut parser(Method::Head), head.as_bytes());
    assert!(matches!(answered, Ok(Some((response, _))) if response.body.is_empty()));
    for status in [204, 304] {
        let answered = get(&format!("HTTP/1.1 {status} \r\nContent-Length: 3\r\n\r\n"));
        assert!(matches!(answered, Ok(Some(_))), "{status}");
    }
}

#[test]
fn interim_responses_are_dropped() {
    let text =
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 \r\nLink: </a>\r\n\r\nHTTP/1.1 204 \r\n\r\n";
    let answered = get(text);
    assert!(matches!(&answered, Ok(Some((response, used)))
        if response.status == 204 && *used == text.len()));
}

#[test]
fn fields_are_found_in_any_case() {
    let Ok(Some((response, _))) = get("HTTP/1.1 204 \r\nDate: a\r\ndate: b\r\n\r\n") else {
        panic!("a response")
    };
    assert_eq!(response.header("DATE"), Some("a"));
    assert_eq!(response.header("server"), None);
}

#[test]
fn what_breaks_the_protocol_is_refused() {
    for wrong in [
        "error: too many connections",
        "\r\n",
        "HTTP/2 200\r\n\r\n",
        "HTTP/1.1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: +3\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n",
    ] {
        let refused = get(wrong);
        assert!(matches!(refused, Err(Malformed::Syntax(_))), "{wrong:?}: {refused:?}");
    }
}

#[test]
fn a_head_has_limits_in_bytes_and_fields() {
    let long = format!("HTTP/1.1 200 OK\r\nA: {}", "b".repeat(HEAD_BYTES_MAX));
    assert!(matches!(get(&long), Err(Malformed::TooLarge { limit: HEAD_BYTES_MAX, .. })));
    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "A: b\r\n".repeat(FIELDS_MAX + 1));
    assert!(matches!(get(&many), Err(Malformed::TooLarge { limit: FIELDS_MAX, .. })));
}
