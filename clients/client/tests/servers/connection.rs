//! Connecting, limits and failures, whatever the protocol.

use std::error::Error as _;
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc;
use std::time::Duration;

use palco_client::{Connection, Error, Exactly, Limits, Line, LineEnd};

use crate::server::{close, expect, impatient, open, send_slowly, serve, wait};

#[test]
fn a_port_where_nobody_listens_is_refused_with_advice() {
    // The port of a client is taken, so nobody else can begin to listen on it.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let address = client.local_addr().unwrap();
    let error = Connection::open(address, Limits::default()).unwrap_err();
    assert!(matches!(error, Error::Refused { .. }), "{error:?}");
    let text = format!("nothing listens on {address}; `palco ps` shows what runs");
    assert_eq!(error.to_string(), text);
}

#[test]
fn what_is_no_address_is_named() {
    let error = Connection::open("no port", Limits::default()).unwrap_err();
    assert!(matches!(error, Error::Address { .. }), "{error:?}");
    assert!(error.to_string().contains("no port"));
    assert!(error.source().is_some());
}

#[test]
fn no_time_to_connect_is_a_timeout() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let limits = Limits { connect_within: Duration::ZERO, ..Limits::default() };
    let error = Connection::open(listener.local_addr().unwrap(), limits).unwrap_err();
    assert!(matches!(error, Error::ConnectTimeout { .. }), "{error:?}");
}

#[test]
fn a_silent_server_is_a_timeout_that_says_what_came() {
    let error = serve(
        |mut stream| {
            send_slowly(&mut stream, b"ab");
            wait(&mut stream);
        },
        |address| {
            let mut connection = Connection::open(address, impatient()).unwrap();
            connection.call(&[], Exactly::new(3)).unwrap_err()
        },
    );
    assert!(matches!(error, Error::Timeout { .. }), "{error:?}");
    assert!(error.to_string().contains("2 bytes came: \"ab\""), "{error}");
}

#[test]
fn a_server_that_never_reads_is_a_timeout() {
    let (done, over) = mpsc::channel::<()>();
    let error = serve(
        move |stream| {
            assert!(over.recv().is_err());
            drop(stream);
        },
        move |address| {
            let mut connection = Connection::open(address, impatient()).unwrap();
            let large = vec![b'a'; 64 * 1024 * 1024];
            let error = connection.call(&large, Exactly::new(1)).unwrap_err();
            drop(done);
            error
        },
    );
    assert!(matches!(error, Error::Timeout { .. }), "{error:?}");
}

#[test]
fn a_trickle_does_not_move_the_deadline() {
    let error = serve(
        |mut stream| while stream.write_all(b"a").is_ok() {},
        |address| {
            let mut connection = Connection::open(address, impatient()).unwrap();
            connection.call(&[], Exactly::new(usize::MAX)).unwrap_err()
        },
    );
    assert!(matches!(error, Error::Timeout { .. }), "{error:?}");
}

#[test]
fn an_answer_may_be_as_large_as_the_limit_and_no_larger() {
    for (limit, passes) in [(4, true), (3, false)] {
        let answer = serve(
            |mut stream| {
                stream.write_all(b"abcd").unwrap();
                close(stream);
            },
            |address| {
                let limits = Limits { answer_bytes_max: limit, ..Limits::default() };
                let mut connection = Connection::open(address, limits).unwrap();
                connection.call(&[], Exactly::new(4))
            },
        );
        match answer {
            Ok(bytes) => assert!(passes && bytes == b"abcd"),
            Err(Error::TooLarge { limit: 3, .. }) => assert!(!passes),
            Err(error) => panic!("{error:?}"),
        }
    }
}

#[test]
fn a_server_that_closes_early_is_quoted() {
    let error = serve(
        |mut stream| {
            stream.write_all(b"\x1bhalf").unwrap();
            close(stream);
        },
        |address| open(address).call(&[], Line::new(LineEnd::Newline)).unwrap_err(),
    );
    assert!(matches!(error, Error::Closed { .. }), "{error:?}");
    assert!(error.to_string().contains(r#"5 bytes came: "\x1bhalf""#), "{error}");
}

#[test]
fn a_server_that_closes_at_once_has_said_nothing() {
    let error = serve(drop, |address| {
        open(address).call(b"hello\n", Line::new(LineEnd::Newline)).unwrap_err()
    });
    assert!(matches!(error, Error::Closed { .. }), "{error:?}");
    assert!(error.to_string().contains("nothing came"), "{error}");
}

#[test]
fn the_last_words_of_a_server_that_does_not_listen_are_heard() {
    let words = serve(
        |mut stream| stream.write_all(b"error: too many connections\n").unwrap(),
        |address| {
            let mut connection = open(address);
            // They are there before the request is sent, which the server then refuses.
            connection.call(&vec![b'a'; 8 * 1024 * 1024], Line::new(LineEnd::Newline)).unwrap()
        },
    );
    assert_eq!(words, "error: too many connections");
}

#[test]
fn bytes_that_nobody_asked_for_refuse_the_next_call() {
    let error = serve(
        |mut stream| {
            stream.write_all(b"onetwo").unwrap();
            close(stream);
        },
        |address| {
            let mut connection = open(address);
            assert_eq!(connection.call(&[], Exactly::new(3)).unwrap(), b"one");
            connection.call(&[], Exactly::new(3)).unwrap_err()
        },
    );
    assert!(matches!(error, Error::Unasked { .. }), "{error:?}");
    assert!(error.to_string().contains("\"two\""), "{error}");
}

#[test]
fn a_failed_call_spends_the_connection() {
    serve(
        |mut stream| wait(&mut stream),
        |address| {
            let mut connection = Connection::open(address, impatient()).unwrap();
            for spent in [false, true] {
                let error = connection.call(b"a", Exactly::new(1)).unwrap_err();
                assert_eq!(matches!(error, Error::Spent { .. }), spent, "{error:?}");
                assert_eq!(matches!(error, Error::Timeout { .. }), !spent, "{error:?}");
            }
        },
    );
}

#[test]
fn calls_follow_one_another_on_a_connection() {
    serve(
        |mut stream| {
            for (request, answer) in [(b"1", b"a"), (b"2", b"b")] {
                expect(&mut stream, request);
                stream.write_all(answer).unwrap();
            }
        },
        |address| {
            let mut connection = open(address);
            assert_eq!(connection.call(b"1", Exactly::new(1)).unwrap(), b"a");
            assert_eq!(connection.call(b"2", Exactly::new(1)).unwrap(), b"b");
        },
    );
}
