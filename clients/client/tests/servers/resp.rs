//! The client of the key-value store.

use std::error::Error as _;
use std::io::Write;

use palco_client::resp::{self, Value};
use palco_client::{Error, Malformed};

use crate::server::{TICKET, close, expect, open, send_slowly, serve, wait};

#[test]
fn a_command_goes_out_as_bulk_strings_and_its_reply_comes_in_slowly() {
    let value = serve(
        |mut stream| {
            expect(&mut stream, b"*3\r\n$4\r\nMGET\r\n$1\r\na\r\n$2\r\n\r\n\r\n");
            send_slowly(&mut stream, b"*2\r\n$3\r\none\r\n$-1\r\n");
        },
        |address| resp::call(&mut open(address), &[b"MGET", b"a", b"\r\n"]).unwrap(),
    );
    assert_eq!(value.to_string(), "1) \"one\"\n2) (nil)");
}

#[test]
fn an_error_reply_is_a_value_and_the_connection_goes_on() {
    serve(
        |mut stream| {
            expect(&mut stream, &resp::command(&[b"NO"]));
            stream.write_all(b"-ERR unknown command\r\n").unwrap();
            expect(&mut stream, &resp::command(&[b"PING"]));
            stream.write_all(b"+PONG\r\n").unwrap();
        },
        |address| {
            let mut connection = open(address);
            let error = resp::call(&mut connection, &[b"NO"]).unwrap();
            assert_eq!(error, Value::Error("ERR unknown command".into()));
            let pong = resp::call(&mut connection, &[b"PING"]).unwrap();
            assert_eq!(pong, Value::Simple("PONG".into()));
        },
    );
}

#[test]
fn a_ticket_is_a_bulk_string_and_anything_else_is_none() {
    serve(
        |mut stream| {
            expect(&mut stream, &resp::command(&[b"PALCO.TICKET"]));
            let reply = format!("${}\r\n{TICKET}\r\n", TICKET.len());
            send_slowly(&mut stream, reply.as_bytes());
            for reply in ["-ERR unknown command\r\n", "$-1\r\n", "$3\r\nabc\r\n"] {
                expect(&mut stream, &resp::command(&[b"PALCO.TICKET"]));
                stream.write_all(reply.as_bytes()).unwrap();
            }
        },
        |address| {
            let mut connection = open(address);
            assert_eq!(resp::ticket(&mut connection).unwrap().to_string(), TICKET);
            for said in ["ERR unknown command", "nil", "abc"] {
                let error = resp::ticket(&mut connection).unwrap_err();
                assert!(matches!(error, Error::NoTicket { .. }), "{error:?}");
                assert!(error.to_string().contains(said), "{error}");
            }
        },
    );
}

#[test]
fn no_command_is_not_sent() {
    serve(drop, |address| {
        let error = resp::call(&mut open(address), &[]).unwrap_err();
        assert!(matches!(error, Error::Request(_)), "{error:?}");
    });
}

#[test]
fn a_reply_that_ends_early_is_quoted() {
    let error = serve(
        |mut stream| {
            expect(&mut stream, &resp::command(&[b"GET", b"a"]));
            stream.write_all(b"$5\r\nab").unwrap();
            close(stream);
        },
        |address| resp::call(&mut open(address), &[b"GET", b"a"]).unwrap_err(),
    );
    assert!(matches!(error, Error::Closed { .. }), "{error:?}");
    assert!(error.to_string().contains(r#"6 bytes came: "$5\r\nab""#), "{error}");
}

#[test]
fn a_length_above_the_limit_is_too_large_while_the_server_still_holds_the_data() {
    let error = serve(
        |mut stream| {
            stream.write_all(b"$999999999\r\n").unwrap();
            wait(&mut stream);
        },
        |address| resp::call(&mut open(address), &[b"GET", b"a"]).unwrap_err(),
    );
    assert!(matches!(error, Error::TooLarge { .. }), "{error:?}");
}

#[test]
fn another_protocol_is_recognized_while_the_server_still_waits() {
    let error = serve(
        |mut stream| {
            stream.write_all(b"HTTP/1.1 400 Bad Request").unwrap();
            wait(&mut stream);
        },
        |address| resp::call(&mut open(address), &[b"PING"]).unwrap_err(),
    );
    let source = error.source().and_then(|source| source.downcast_ref());
    assert!(matches!(source, Some(Malformed::Syntax(_))), "{error:?}");
    assert!(error.to_string().contains("HTTP/1.1 400"), "{error}");
}

#[test]
fn a_second_reply_refuses_the_next_command() {
    let error = serve(
        |mut stream| {
            stream.write_all(b"+PONG\r\n+PONG\r\n").unwrap();
            close(stream);
        },
        |address| {
            let mut connection = open(address);
            resp::call(&mut connection, &[b"PING"]).unwrap();
            resp::call(&mut connection, &[b"PING"]).unwrap_err()
        },
    );
    assert!(matches!(error, Error::Unasked { .. }), "{error:?}");
}
