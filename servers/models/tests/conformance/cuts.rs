//! However a client's bytes are cut on their way, the answers are the same.

use crate::client::Client;
use crate::protocols::for_every_service;
use crate::stage::{in_every_cell, trials};

trials! {
    one_byte_at_a_time_is_understood,
    requests_cut_anywhere_are_understood,
    an_answer_comes_before_the_rest_of_the_next_request,
    cutting_loses_nothing,
}

fn one_byte_at_a_time_is_understood() {
    in_every_cell(|stage| {
        for_every_service(stage, |protocol, server| {
            let (asks, answers) = protocol.conversation(6);
            let mut client = Client::of(server);
            for byte in asks {
                // A server that speaks first may have closed by now.
                if !client.try_say([byte]) {
                    break;
                }
            }
            client.hear(|heard| (protocol.plain)(heard) == answers);
        });
    });
}

fn requests_cut_anywhere_are_understood() {
    in_every_cell(|stage| {
        for seed in [3, 1_000_003, 77_777_777] {
            for_every_service(stage, |protocol, server| {
                let (asks, answers) = protocol.conversation(30);
                let mut client = Client::of(server);
                for piece in cut(&asks, seed) {
                    if !client.try_say(piece) {
                        break;
                    }
                }
                client.hear(|heard| (protocol.plain)(heard) == answers);
            });
        }
    });
}

fn an_answer_comes_before_the_rest_of_the_next_request() {
    in_every_cell(|stage| {
        for_every_service(stage, |protocol, server| {
            if protocol.speaks_first || protocol.name == "echo" {
                return; // they have no half requests
            }
            let (first, second) = ((protocol.exchange)(0), (protocol.exchange)(1));
            let (early, late) = second.ask.split_at(second.ask.len() / 2);
            let mut client = Client::of(server);
            client.say([&first.ask[..], early].concat());
            client.hear(|heard| (protocol.plain)(heard) == first.answer);
            assert!(client.is_silent(), "{}", protocol.name);
            client.say(late);
            client.hear(|heard| (protocol.plain)(heard) == second.answer);
        });
    });
}

/// Pieces of 1 to 64 bytes, their sizes by the linear congruential generator of C's standard.
fn cut(bytes: &[u8], seed: u32) -> Vec<&[u8]> {
    let (mut pieces, mut rest, mut state) = (Vec::new(), bytes, seed);
    while !rest.is_empty() {
        state = state.wrapping_mul(1_103_515_245).wrapping_add(12_345);
        let size = 1 + (state >> 16) as usize % 64;
        let (piece, after) = rest.split_at(size.min(rest.len()));
        pieces.push(piece);
        rest = after;
    }
    pieces
}

fn cutting_loses_nothing() {
    let bytes: Vec<u8> = (0..=255).cycle().take(5000).collect();
    assert_eq!(cut(&bytes, 3).concat(), bytes);
}
