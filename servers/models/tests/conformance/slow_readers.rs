//! A client that asks for far more than fits on the way and reads late gets everything, and costs the others nothing.

use std::fs;
use std::thread;

use palco_files::http::HttpService;
use palco_models::Server;
use palco_service::services::echo::EchoService;
use palco_service::services::kv::{KvService, Limits};
use palco_service::services::work::WorkService;

use crate::client::Client;
use crate::http;
use crate::stage::{Stage, in_every_cell, trials, until};

trials! {
    large_values_reach_a_slow_reader_whole_and_are_not_made_ahead_of_it,
    a_large_file_reaches_a_slow_reader_whole,
    an_echo_that_nobody_reads_holds_up_only_its_client,
    many_small_answers_reach_a_slow_reader_whole,
}

/// Far more than the kernel's buffers between a server and a client with little room.
const REPLIES: usize = 96;
const VALUE_BYTES: usize = 256 << 10;

fn large_values_reach_a_slow_reader_whole_and_are_not_made_ahead_of_it() {
    in_every_cell(|stage| {
        let server = stage.serve::<KvService>(stage.settings(), Limits::default());
        let value = pattern(VALUE_BYTES);
        let mut client = Client::with_little_room(server.address());
        client.say([&b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$262144\r\n"[..], &value, b"\r\n"].concat());
        assert_eq!(client.line(), "+OK\r\n");
        client.say("GET k\r\n".repeat(REPLIES));
        another_is_served(stage, &server, b"PING\r\n", "+PONG\r\n");
        until("the first values are on their way", || server.scores().requests > 2);
        let ahead = server.scores().requests;
        assert!(
            ahead < REPLIES as u64 / 2,
            "{ahead} answers were made for a client that has read one"
        );
        let reply = [&b"$262144\r\n"[..], &value, b"\r\n"].concat();
        for number in 0..REPLIES {
            assert!(client.exactly(reply.len()) == reply, "reply {number} is not the value");
        }
        client.end();
        assert_eq!(client.rest(), "");
    });
}

fn a_large_file_reaches_a_slow_reader_whole() {
    in_every_cell(|stage| {
        let root = stage.directory();
        let file = pattern(12 << 20);
        fs::write(root.join("large"), &file).unwrap();
        fs::write(root.join("small"), "small").unwrap();
        let server = stage.serve::<HttpService>(stage.settings(), root.into());
        let ask = "GET /large HTTP/1.1\r\nHost: h\r\n\r\n";
        let mut client = Client::with_little_room(server.address());
        client.say(ask.repeat(2));
        client.end();
        let small = b"GET /small HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
        another_is_served(stage, &server, small, "HTTP/1.1 200 OK\r\n");
        let (heard, _) = client.everything();
        let (status, first, after) = http::response(&heard).unwrap();
        assert!(status == 200 && first == file, "the first file came whole");
        let (status, second, after) = http::response(after).unwrap();
        assert!(status == 200 && second == file, "the second file came whole");
        assert!(after.is_empty());
    });
}

fn an_echo_that_nobody_reads_holds_up_only_its_client() {
    in_every_cell(|stage| {
        let server = stage.serve::<EchoService>(stage.settings(), ());
        let said = pattern(16 << 20);
        let mut client = Client::with_little_room(server.address());
        let mut speaker = client.twin();
        thread::scope(|scope| {
            scope.spawn(|| {
                speaker.say(&said);
                speaker.end();
            });
            another_is_served(stage, &server, b"hello\n", "hello\n");
            let (heard, _) = client.everything();
            assert!(heard == said, "{} of {} bytes came back", heard.len(), said.len());
        });
    });
}

fn many_small_answers_reach_a_slow_reader_whole() {
    in_every_cell(|stage| {
        let server = stage.serve::<WorkService>(stage.settings(), ());
        let mut client = Client::with_little_room(server.address());
        let mut speaker = client.twin();
        let lines = 60_000;
        thread::scope(|scope| {
            scope.spawn(|| {
                for _ in 0..lines / 100 {
                    speaker.say("help\n".repeat(100));
                }
                speaker.end();
            });
            another_is_served(stage, &server, b"help\n", "ok cpu <us>");
            let heard = client.rest();
            assert_eq!(
                heard.lines().filter(|line| line.starts_with("ok cpu <us> |")).count(),
                lines
            );
            assert_eq!(heard.lines().count(), lines);
        });
    });
}

/// Another client is answered meanwhile, where several are served.
fn another_is_served(stage: &Stage, server: &Server, ask: &[u8], beginning: &str) {
    if stage.cell.serves_several() {
        let mut other = Client::of(server);
        other.say(ask);
        assert_eq!(other.exactly(beginning.len()), beginning.as_bytes());
    }
}

/// Bytes of which no part looks like another of the same length nearby.
fn pattern(length: usize) -> Vec<u8> {
    let words = (0_u32..).flat_map(|number| number.wrapping_mul(0x9e37_79b1).to_le_bytes());
    words.take(length).collect()
}
