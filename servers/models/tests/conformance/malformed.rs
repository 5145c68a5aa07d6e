//! Bytes that are no request end their own connection, with a word, and no other.

use palco_models::Server;

use crate::client::Client;
use crate::protocols::{Protocol, for_every_service};
use crate::stage::{in_every_cell, trials, until};

trials! {
    malformed_input_gets_a_word_and_the_end,
    what_was_asked_before_is_answered_first,
    only_the_connection_of_malformed_input_ends,
}

/// Malformed input of each protocol that knows such a thing, and how its last words begin.
fn malformed(protocol: &Protocol) -> Vec<(Vec<u8>, &'static str)> {
    let head = |line: &str| format!("{line}\r\nHost: h\r\n").into_bytes();
    match protocol.name {
        "kv" => vec![
            (b"*x\r\n".to_vec(), "-ERR Protocol error: invalid multibulk length\r\n"),
            (b"*1\r\n:1\r\n".to_vec(), "-ERR Protocol error: expected '$', got ':'\r\n"),
            (b"*1\r\n$999999999\r\n".to_vec(), "-ERR Protocol error: invalid bulk length\r\n"),
            (b"*99999999\r\n".to_vec(), "-ERR Protocol error: invalid multibulk length\r\n"),
            (vec![b'x'; (64 << 10) + 1], "-ERR Protocol error: too big inline request\r\n"),
        ],
        "work" => vec![(vec![b'x'; 1026], "error: line exceeds the limit of 1024 bytes\n")],
        "http" => vec![
            (b"\x16\x03\x01\x02\x00\x01".to_vec(), "HTTP/1.1 400 "),
            (b"one two three four\r\n\r\n".to_vec(), "HTTP/1.1 400 "),
            (b"GET / HTTP/1.1\r\n\r\n".to_vec(), "HTTP/1.1 400 "),
            ([head("GET / HTTP/1.1"), b"x: y\r\n".repeat(3000)].concat(), "HTTP/1.1 431 "),
            (
                [head("GET / HTTP/1.1"), b"Content-Length: 70000\r\n\r\n".to_vec()].concat(),
                "HTTP/1.1 413 ",
            ),
        ],
        // A packet that is empty, one that is too long, and one without an id.
        "sftp" => vec![
            (vec![0, 0, 0, 0], "\0\0\0$e"),
            (vec![0x7f, 0, 0, 0], "\0\0\0Ce"),
            (vec![0, 0, 0, 1, 3], "\0\0\0\x38e"),
        ],
        "echo" | "time" | "daytime" => Vec::new(),
        other => panic!("say what is malformed to {other}"),
    }
}

fn malformed_input_gets_a_word_and_the_end() {
    in_every_cell(|stage| {
        for_every_service(stage, |protocol, server| {
            for (count, (bytes, beginning)) in (1..).zip(malformed(protocol)) {
                let mut client = Client::of(server);
                client.say(bytes);
                let heard = client.rest_of_bytes();
                let is_told = heard.starts_with(beginning.as_bytes());
                assert!(is_told, "{}: \"{}\"", protocol.name, heard.escape_ascii());
                drop(client);
                until("it is counted", || server.scores().malformed == count);
            }
        });
    });
}

fn what_was_asked_before_is_answered_first() {
    in_every_cell(|stage| {
        for_every_service(stage, |protocol, server| {
            let Some((bytes, beginning)) = malformed(protocol).into_iter().next() else { return };
            let (asks, answers) = protocol.conversation(20);
            let mut client = Client::of(server);
            client.say([asks, bytes].concat());
            let heard = client.rest_of_bytes();
            let mut places = heard.windows(beginning.len());
            let place = places.rposition(|words| words == beginning.as_bytes()).unwrap();
            assert_eq!((protocol.plain)(&heard[..place]), answers);
            assert_eq!(server.scores().requests, 20);
        });
    });
}

fn only_the_connection_of_malformed_input_ends() {
    in_every_cell(|stage| {
        for_every_service(stage, |protocol, server| {
            for (bytes, beginning) in malformed(protocol) {
                let mut other = stage.cell.serves_several().then(|| Client::of(server));
                if let Some(other) = &mut other {
                    converse(protocol, other);
                }
                let mut client = Client::of(server);
                client.say(bytes);
                assert!(client.rest_of_bytes().starts_with(beginning.as_bytes()));
                drop(client);
                if let Some(other) = &mut other {
                    converse(protocol, other);
                }
                drop(other);
                is_well(protocol, server);
            }
        });
    });
}

/// A first exchange, whose answer is the same however often it is made.
fn converse(protocol: &Protocol, client: &mut Client) {
    let exchange = (protocol.exchange)(0);
    client.say(exchange.ask);
    client.hear(|heard| (protocol.plain)(heard) == exchange.answer);
}

/// A new client is served.
fn is_well(protocol: &Protocol, server: &Server) {
    converse(protocol, &mut Client::of(server));
}
