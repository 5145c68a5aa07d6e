//! The echo client.

use std::io::{Read, Write};
use std::net::TcpStream;

use palco_client::{Connection, Error, Limits, echo};

use crate::server::{close, expect, open, send_slowly, serve};

fn echo_all(mut stream: TcpStream) {
    let mut buffer = [0; 64 * 1024];
    while let Ok(count @ 1..) = stream.read(&mut buffer) {
        stream.write_all(&buffer[..count]).expect("a client that listens");
    }
}

#[test]
fn every_byte_comes_back_however_many_there_are() {
    // More than the buffers of both directions hold.
    let bytes: Vec<u8> = (0..24_000_000_u32).map(|number| (number % 251) as u8).collect();
    let echoed = serve(echo_all, |address| echo::call(&mut open(address), &bytes).unwrap());
    assert!(echoed == bytes);
}

#[test]
fn nothing_is_echoed_as_nothing() {
    let echoed = serve(echo_all, |address| echo::call(&mut open(address), b"").unwrap());
    assert!(echoed.is_empty());
}

#[test]
fn a_slow_echo_is_awaited() {
    let echoed = serve(
        |mut stream| {
            expect(&mut stream, b"hello");
            send_slowly(&mut stream, b"hello");
        },
        |address| echo::call(&mut open(address), b"hello").unwrap(),
    );
    assert_eq!(echoed, b"hello");
}

#[test]
fn half_an_echo_is_an_early_end() {
    let error = serve(
        |mut stream| {
            expect(&mut stream, b"hello");
            stream.write_all(b"hel").unwrap();
            close(stream);
        },
        |address| echo::call(&mut open(address), b"hello").unwrap_err(),
    );
    assert!(matches!(error, Error::Closed { .. }), "{error:?}");
}

#[test]
fn too_long_an_echo_is_cut_where_it_should_end() {
    let echoed = serve(
        |mut stream| {
            expect(&mut stream, b"hello");
            stream.write_all(b"hello hello").unwrap();
            close(stream);
        },
        |address| echo::call(&mut open(address), b"hello").unwrap(),
    );
    assert_eq!(echoed, b"hello");
}

#[test]
fn what_could_not_come_back_is_not_sent() {
    serve(
        |mut stream| assert_eq!(stream.read(&mut [0]).unwrap(), 0),
        |address| {
            let limits = Limits { answer_bytes_max: 4, ..Limits::default() };
            let mut connection = Connection::open(address, limits).unwrap();
            let error = echo::call(&mut connection, b"hello").unwrap_err();
            assert!(matches!(error, Error::TooLarge { limit: 4, .. }), "{error:?}");
        },
    );
}
