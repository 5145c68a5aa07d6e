//! The HTTP client.

use std::io::Write;
use std::net::TcpStream;

use palco_client::{Connection, Error, Limits, http};

use crate::server::{TICKET, close, expect, open, send_slowly, serve};

fn expect_request(stream: &mut TcpStream, method: &str, path: &str) {
    let host = stream.local_addr().expect("a bound socket");
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: palco\r\nAccept: */*\r\n\r\n"
    );
    expect(stream, request.as_bytes());
}

#[test]
fn get_and_head_share_a_connection() {
    const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\n";
    serve(
        |mut stream| {
            expect_request(&mut stream, "HEAD", "/a?b=c");
            send_slowly(&mut stream, HEAD);
            expect_request(&mut stream, "GET", "/a?b=c");
            send_slowly(&mut stream, HEAD);
            send_slowly(&mut stream, b"hello");
        },
        |address| {
            let mut connection = open(address);
            let head = http::head(&mut connection, "/a?b=c").unwrap();
            assert!(head.body.is_empty());
            let response = http::get(&mut connection, "/a?b=c").unwrap();
            assert_eq!((response.status, &response.reason[..]), (200, "OK"));
            assert_eq!(response.header("content-type"), Some("text/plain"));
            assert_eq!(response.body, b"hello");
            assert_eq!(response.headers, head.headers);
        },
    );
}

#[test]
fn a_body_without_length_lasts_until_the_server_closes() {
    let response = serve(
        |mut stream| {
            expect_request(&mut stream, "GET", "/");
            send_slowly(&mut stream, b"HTTP/1.0 404 Not Found\r\n\r\nnot here");
        },
        |address| http::get(&mut open(address), "/").unwrap(),
    );
    assert_eq!(response.status, 404);
    assert_eq!(response.body, b"not here");
}

#[test]
fn a_body_that_ends_before_its_length_is_no_response() {
    let error = serve(
        |mut stream| {
            expect_request(&mut stream, "GET", "/");
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort").unwrap();
            close(stream);
        },
        |address| http::get(&mut open(address), "/").unwrap_err(),
    );
    assert!(matches!(error, Error::Closed { .. }), "{error:?}");
}

#[test]
fn an_endless_body_is_too_large() {
    let error = serve(
        |mut stream| {
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
            while stream.write_all(&[b'a'; 4096]).is_ok() {}
        },
        |address| {
            let limits = Limits { answer_bytes_max: 1_000_000, ..Limits::default() };
            http::get(&mut Connection::open(address, limits).unwrap(), "/").unwrap_err()
        },
    );
    assert!(matches!(error, Error::TooLarge { limit: 1_000_000, .. }), "{error:?}");
}

#[test]
fn a_ticket_is_that_of_the_request_after_the_one_that_asks() {
    serve(
        |mut stream| {
            let mut answer = |field: &str| {
                let host = stream.local_addr().expect("a bound socket");
                let request = format!(
                    "HEAD / HTTP/1.1\r\nHost: {host}\r\nUser-Agent: palco\r\nAccept: */*\r\n\
                     Palco-Ticket: ?\r\n\r\n"
                );
                expect(&mut stream, request.as_bytes());
                let head = format!("HTTP/1.1 403 Forbidden\r\nContent-Length: 9\r\n{field}\r\n");
                send_slowly(&mut stream, head.as_bytes());
            };
            answer(&format!("palco-ticket: {TICKET}\r\n"));
            answer("Palco-Ticket: none\r\n");
            answer("");
        },
        |address| {
            let mut connection = open(address);
            let ticket = http::ticket(&mut connection).unwrap();
            assert_eq!(ticket.to_string(), TICKET.replace("17.2:", "17.3:"));
            for said in ["Palco-Ticket: none", "403 without Palco-Ticket"] {
                let error = http::ticket(&mut connection).unwrap_err();
                assert!(matches!(error, Error::NoTicket { .. }), "{error:?}");
                assert!(error.to_string().contains(said), "{error}");
            }
        },
    );
}

#[test]
fn what_is_no_path_is_not_sent() {
    serve(drop, |address| {
        let mut connection = open(address);
        for path in ["", "a", "/a b", "/a\r\nX: y", "/é"] {
            let error = http::get(&mut connection, path).unwrap_err();
            assert!(matches!(error, Error::Request(_)), "{path:?}: {error:?}");
        }
    });
}
