//! HTTP: the protocol.

use palco_files::TreeErrorKind;
use palco_files::http::{HEAD_BYTES_MAX, HttpCodec, HttpService, REQUEST_BODY_BYTES_MAX};
use palco_service::{Codec, Farewell};

use crate::files::{Answer, Site};
use crate::support::{Connection, TestHost, farewell, ticket};

fn get(site: &Site, head: &str) -> Answer {
    let host = TestHost::default();
    let mut connection = Connection::open(&site.service, HttpCodec::default(), &host);
    Answer::only(&connection.ask(format!("{head}\r\nHost: h\r\n\r\n")))
}

#[test]
fn a_file_comes_with_its_length_type_and_dates() {
    let site = Site::new();
    let answer = get(&site, "GET /hello.txt HTTP/1.1");
    assert_eq!((answer.status, answer.body.as_str()), (200, "Hello, world\n"));
    for (name, value) in [
        ("Content-Length", "13"),
        ("Content-Type", "text/plain; charset=utf-8"),
        ("Date", "Sun, 09 Sep 2001 01:46:40 GMT"),
        ("Last-Modified", "Sun, 09 Sep 2001 01:30:00 GMT"),
        ("Accept-Ranges", "bytes"),
        ("X-Content-Type-Options", "nosniff"),
    ] {
        assert_eq!(answer.field(name), Some(value), "{name}");
    }
    assert_eq!(answer.field("Connection"), None);
}

#[test]
fn head_has_the_fields_of_get_and_no_content() {
    let site = Site::new();
    let host = TestHost::default();
    let mut connection = Connection::open(&site.service, HttpCodec::default(), &host);
    let head = connection.ask("HEAD /big.bin HTTP/1.1\r\nHost: h\r\n\r\n");
    assert!(head.ends_with("\r\n\r\n"), "{head}");
    let get = connection.ask("GET /big.bin HTTP/1.1\r\nHost: h\r\n\r\n");
    assert!(get.starts_with(&head));
}

#[test]
fn requests_are_pipelined_and_bodies_are_skipped() {
    let site = Site::new();
    let host = TestHost::default();
    let mut connection = Connection::open(&site.service, HttpCodec::default(), &host);
    let text = connection.ask(
        "GET /hello.txt HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nGET /\
         \r\n\r\nPOST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc\
         BREW / HTTP/1.1\r\nHost: h\r\n\r\n\
         GET /hello.txt HTTP/1.1\nHost: h\nConnection: x, Close\n\n\
         GET /hello.txt HTTP/1.1\r\nHost: h\r\n\r\n",
    );
    let answers = Answer::all(&text);
    let status: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    assert_eq!(status, [200, 405, 501, 200]);
    assert_eq!(answers[1].field("Allow"), Some("GET, HEAD, OPTIONS"));
    assert_eq!(answers[3].field("Connection"), Some("close"));
    assert!(connection.closed);
}

#[test]
fn http_1_0_closes_unless_it_asks_to_keep_alive() {
    let site = Site::new();
    for (extra, connection_field, closed) in
        [("", "close", true), ("Connection: keep-alive\r\n", "keep-alive", false)]
    {
        let host = TestHost::default();
        let mut connection = Connection::open(&site.service, HttpCodec::default(), &host);
        let answer = Answer::only(&connection.ask(format!("GET / HTTP/1.0\r\n{extra}\r\n")));
        assert_eq!(answer.status, 200);
        assert_eq!(answer.field("Connection"), Some(connection_field));
        assert_eq!(connection.closed, closed);
    }
}

#[test]
fn what_cannot_be_served_is_refused_and_the_connection_closes() {
    let long = format!("X: {}\r\n", "x".repeat(HEAD_BYTES_MAX));
    let many = "X: y\r\n".repeat(65);
    let body = format!("Content-Length: {}\r\n", REQUEST_BODY_BYTES_MAX + 1);
    let site = Site::new();
    for (request, status) in [
        ("GET / HTTP/1.1\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: h\r\nContent-Length: +1\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost : h\r\n\r\n", 400),
        ("GET /\r\n\r\n", 400),
        ("GET / SPDY/1\r\n\r\n", 400),
        ("\x16\x03\x01", 400),
        ("GET / HTTP/2.0\r\nHost: h\r\n\r\n", 505),
        ("GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n", 501),
        (&format!("GET / HTTP/1.1\r\n{body}Host: h\r\n\r\n"), 413),
        ("GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999999999999999\r\n\r\n", 413),
        (&format!("GET / HTTP/1.1\r\n{long}"), 431),
        (&format!("GET / HTTP/1.1\r\n{many}\r\n"), 431),
    ] {
        let host = TestHost::default();
        let mut connection = Connection::open(&site.service, HttpCodec::default(), &host);
        let answer = Answer::only(&connection.ask(request));
        assert_eq!(answer.status, status, "{request}");
        assert_eq!(answer.field("Connection"), Some("close"), "{request}");
        assert!(connection.closed, "{request}");
    }
}

#[test]
fn a_client_that_waits_for_continue_gets_its_answer_and_the_end() {
    let site = Site::new();
    let host = TestHost::default();
    let mut connection = Connection::open(&site.service, HttpCodec::default(), &host);
    let answer = Answer::only(
        &connection
            .ask("PUT /x HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n"),
    );
    assert_eq!(answer.status, 405);
    assert!(connection.closed);
}

#[test]
fn conditions_are_obeyed() {
    let site = Site::new();
    let modified = "Sun, 09 Sep 2001 01:30:00 GMT";
    let before = "Sun, 09 Sep 2001 01:29:59 GMT";
    for (field, status) in [
        (format!("If-Modified-Since: {modified}"), 304),
        (format!("If-Modified-Since: {before}"), 200),
        ("If-Modified-Since: yesterday".into(), 200),
        (format!("If-None-Match: \"x\"\r\nIf-Modified-Since: {modified}"), 200),
        ("If-None-Match: *".into(), 304),
        (format!("If-Unmodified-Since: {modified}"), 200),
        (format!("If-Unmodified-Since: {before}"), 412),
        ("If-Match: \"x\"".into(), 412),
        (format!("If-Match: *\r\nIf-Unmodified-Since: {before}"), 200),
    ] {
        let answer = get(&site, &format!("GET /hello.txt HTTP/1.1\r\n{field}"));
        assert_eq!(answer.status, status, "{field}");
        if status == 304 {
            assert_eq!((answer.field("Content-Length"), answer.body.as_str()), (None, ""));
            assert_eq!(answer.field("Last-Modified"), Some(modified));
        }
    }
}

#[test]
fn one_range_is_served() {
    let site = Site::new();
    for (range, status, field, body) in [
        ("bytes=0-4", 206, Some("bytes 0-4/13"), "Hello"),
        ("bytes=7-", 206, Some("bytes 7-12/13"), "world\n"),
        ("bytes=-6", 206, Some("bytes 7-12/13"), "world\n"),
        ("bytes=0-4,4-8", 200, None, "Hello, world\n"),
        ("pages=1-2", 200, None, "Hello, world\n"),
    ] {
        let answer = get(&site, &format!("GET /hello.txt HTTP/1.1\r\nRange: {range}"));
        assert_eq!((answer.status, answer.body.as_str()), (status, body), "{range}");
        assert_eq!(answer.field("Content-Range"), field, "{range}");
    }
    let beyond = get(&site, "GET /hello.txt HTTP/1.1\r\nRange: bytes=13-");
    assert_eq!(beyond.status, 416);
    assert_eq!(beyond.field("Content-Range"), Some("bytes */13"));
    let head = get(&site, "HEAD /hello.txt HTTP/1.1\r\nRange: bytes=0-1");
    assert_eq!(head.status, 200);
}

#[test]
fn a_range_is_served_only_of_the_version_that_the_client_has() {
    let site = Site::new();
    for (date, status) in [
        ("Sun, 09 Sep 2001 01:30:00 GMT", 206),
        ("Sun, 09 Sep 2001 01:30:01 GMT", 200),
        ("\"tag\"", 200),
    ] {
        let head = format!("GET /hello.txt HTTP/1.1\r\nRange: bytes=0-1\r\nIf-Range: {date}");
        assert_eq!(get(&site, &head).status, status, "{date}");
    }
}

#[test]
fn last_words_are_responses() {
    let codec = HttpCodec::default();
    let say = |why| Answer::only(&farewell::<HttpService, _>(&codec, &why));
    let busy = say(Farewell::Busy);
    assert_eq!((busy.status, busy.field("Retry-After")), (503, Some("1")));
    assert_eq!(say(Farewell::Failed).status, 500);
    assert_eq!(say(Farewell::Interrupted).status, 503);
    assert_eq!(say(Farewell::TooSlow).status, 408);
    let idle = farewell::<HttpService, _>(&codec, &Farewell::Idle);
    assert_eq!(idle, "", "it would be taken for the next answer");
}

#[test]
fn last_words_to_a_head_have_no_content() {
    let mut codec = HttpCodec::default();
    let mut input = bytes::BytesMut::from(&b"HEAD / HTTP/1.1\r\nHost: h\r\n\r\n"[..]);
    let request = Codec::<HttpService>::decode(&mut codec, &mut input);
    assert!(matches!(request, Ok(Some(_))));
    assert!(farewell::<HttpService, _>(&codec, &Farewell::Failed).ends_with("\r\n\r\n"));
}

#[test]
fn only_a_directory_can_be_served() {
    let site = Site::new();
    for name in ["hello.txt", "nothing"] {
        let error = HttpService::new(site.root.join(name)).unwrap_err();
        assert_eq!(error.kind(), TreeErrorKind::NotFound, "{error}");
        assert!(error.to_string().contains(name), "{error}");
    }
}

#[test]
fn who_asks_for_a_ticket_gets_that_of_this_very_request_and_nobody_else_gets_any() {
    let site = Site::new();
    let host = TestHost::with_urgent_port();
    let mut connection = Connection::open(&site.service, HttpCodec::default(), &host);
    let mut ask = |method: &str, field: &str| {
        let request = format!("{method} /hello.txt HTTP/1.1\r\nHost: h\r\n{field}\r\n");
        let text = connection.ask(request);
        let answers = Answer::all(&text);
        answers[0].field("Palco-Ticket").map(str::to_owned)
    };
    assert_eq!(ask("GET", ""), None);
    assert_eq!(ask("GET", "Palco-Ticket: ?\r\n"), Some(ticket(2)));
    assert_eq!(ask("BREW", "palco-ticket:\r\n"), Some(ticket(3)));
    assert_eq!(ask("HEAD", "Palco-Ticket: ?\r\n"), Some(ticket(4)));
    let answer = get(&site, "GET / HTTP/1.1\r\nPalco-Ticket: ?");
    assert_eq!(answer.field("Palco-Ticket"), Some("none"));
}
