//! Every request of every service is answered, in its order, also to a client that has ended its half.

use crate::client::{Client, End};
use crate::protocols::{Protocol, for_every_service};
use crate::stage::{in_every_cell, trials, until};

trials! {
    a_request_is_answered_before_the_next_is_said,
    a_client_that_only_listens_hears_a_service_that_speaks_first,
    many_requests_in_one_write_are_answered_in_order,
    a_client_that_ends_its_half_gets_all_answers_and_then_the_end,
    a_client_that_says_nothing_and_ends_is_let_go,
    half_a_request_before_the_end_is_no_request,
    clients_that_reset_their_connections_harm_nobody,
}

fn a_request_is_answered_before_the_next_is_said() {
    in_every_cell(|stage| {
        for_every_service(stage, |protocol, server| {
            let mut client = Client::of(server);
            let exchanges = if protocol.speaks_first { 1 } else { 12 };
            for number in 0..exchanges {
                let exchange = (protocol.exchange)(number);
                client.say(exchange.ask);
                client.hear(|heard| (protocol.plain)(heard) == exchange.answer);
            }
            if protocol.speaks_first {
                assert_eq!(client.ending(), End::Eof, "{}", protocol.name);
            }
            drop(client);
            until("the connection is counted", || server.scores().done == 1);
            assert_eq!(server.scores().requests, exchanges as u64);
        });
    });
}

fn a_client_that_only_listens_hears_a_service_that_speaks_first() {
    in_every_cell(|stage| {
        for_every_service(stage, |protocol, server| {
            if protocol.speaks_first {
                let (_, answer) = protocol.conversation(1);
                assert_eq!(hear_all(protocol, &mut Client::of(server)), answer);
            }
        });
    });
}

fn many_requests_in_one_write_are_answered_in_order() {
    in_every_cell(|stage| {
        for_every_service(stage, |protocol, server| {
            let (asks, answers) = protocol.conversation(200);
            let mut client = Client::of(server);
            client.say(asks);
            client.hear(|heard| (protocol.plain)(heard) == answers);
        });
    });
}

fn a_client_that_ends_its_half_gets_all_answers_and_then_the_end() {
    in_every_cell(|stage| {
        for_every_service(stage, |protocol, server| {
            let (asks, answers) = protocol.conversation(50);
            let mut client = Client::of(server);
            client.say(asks);
            client.end();
            assert_eq!(hear_all(protocol, &mut client), answers, "{}", protocol.name);
            until("the connection is counted", || server.scores().done == 1);
        });
    });
}

fn a_client_that_says_nothing_and_ends_is_let_go() {
    in_every_cell(|stage| {
        for_every_service(stage, |protocol, server| {
            let mut client = Client::of(server);
            client.end();
            let answer =
                if protocol.speaks_first { protocol.conversation(1).1 } else { String::new() };
            assert_eq!(hear_all(protocol, &mut client), answer, "{}", protocol.name);
        });
    });
}

fn half_a_request_before_the_end_is_no_request() {
    in_every_cell(|stage| {
        for_every_service(stage, |protocol, server| {
            if protocol.speaks_first || protocol.name == "echo" {
                return; // they have no half requests
            }
            let (asks, answers) = protocol.conversation(4);
            let mut client = Client::of(server);
            client.say([&asks[..], &asks[..5]].concat());
            client.end();
            assert_eq!(hear_all(protocol, &mut client), answers, "{}", protocol.name);
            until("the connection is counted", || server.scores().done == 1);
            assert_eq!(server.scores().requests, 4);
        });
    });
}

fn clients_that_reset_their_connections_harm_nobody() {
    in_every_cell(|stage| {
        for_every_service(stage, |protocol, server| {
            for _ in 0..20 {
                let mut client = Client::of(server);
                client.try_say(protocol.conversation(50).0);
                client.abort();
            }
            let (asks, answers) = protocol.conversation(1);
            let mut client = Client::of(server);
            client.say(asks);
            client.hear(|heard| (protocol.plain)(heard) == answers);
            let scores = server.scores();
            assert_eq!((scores.panicked, scores.malformed, scores.abandoned), (0, 0, 0));
        });
    });
}

/// All until an end in order, as plain text.
fn hear_all(protocol: &Protocol, client: &mut Client) -> String {
    let (heard, end) = client.everything();
    assert_eq!(end, End::Eof, "{}: a reset after \"{}\"", protocol.name, heard.escape_ascii());
    (protocol.plain)(&heard)
}
