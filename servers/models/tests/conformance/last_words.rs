//! When the server ends a connection, all it has said arrives, also at a client that is still talking.

use palco_service::services::kv::{KvService, Limits};

use crate::client::{Client, End};
use crate::protocols::for_every_service;
use crate::stage::{in_every_cell, trials, until};

trials! {
    last_words_reach_a_client_that_goes_on_talking,
    an_answer_that_closes_arrives_whole_though_more_was_asked,
    a_service_that_speaks_first_is_heard_by_a_client_that_talks,
    a_client_that_never_stops_talking_is_cut_off,
}

/// More than the server reads in one go, less than it is patient for.
const MORE: usize = 128 << 10;

fn last_words_reach_a_client_that_goes_on_talking() {
    in_every_cell(|stage| {
        let (work, _) = stage.work(stage.settings());
        let kv = stage.serve::<KvService>(stage.settings(), Limits::default());
        for (server, bad, words) in [
            (&work, "x".repeat(2000), "error: line exceeds the limit of 1024 bytes\n"),
            (&work, "panic now\n".into(), "error: the call failed\n"),
            (&kv, "*x\r\n".into(), "-ERR Protocol error: invalid multibulk length\r\n"),
            (&kv, "QUIT\r\n".into(), "+OK\r\n"),
        ] {
            let mut client = Client::of(server);
            client.say(bad + &"x".repeat(MORE));
            assert_eq!(client.exactly(words.len()), words.as_bytes());
            client.say("x".repeat(100));
            assert_eq!(client.ending(), End::Eof, "{words}");
        }
    });
}

fn an_answer_that_closes_arrives_whole_though_more_was_asked() {
    in_every_cell(|stage| {
        let kv = stage.serve::<KvService>(stage.settings(), Limits::default());
        let value = "v".repeat(400_000);
        let mut client = Client::with_little_room(kv.address());
        client.say(format!("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$400000\r\n{value}\r\n"));
        assert_eq!(client.line(), "+OK\r\n");
        client.say("GET k\r\nGET k\r\nQUIT\r\n".to_owned() + &"GET k\r\n".repeat(10_000));
        client.say("PING\r\n");
        assert_eq!(client.rest(), format!("$400000\r\n{value}\r\n").repeat(2) + "+OK\r\n");
    });
}

fn a_service_that_speaks_first_is_heard_by_a_client_that_talks() {
    in_every_cell(|stage| {
        for_every_service(stage, |protocol, server| {
            if protocol.speaks_first {
                let mut client = Client::of(server);
                client.say("x".repeat(MORE));
                let (heard, end) = client.everything();
                assert_eq!((protocol.plain)(&heard), protocol.conversation(1).1);
                assert_eq!(end, End::Eof);
            }
        });
    });
}

fn a_client_that_never_stops_talking_is_cut_off() {
    in_every_cell(|stage| {
        let kv = stage.serve::<KvService>(stage.settings(), Limits::default());
        let mut client = Client::of(&kv);
        client.say("*x\r\n");
        assert!(client.line().starts_with("-ERR Protocol error"));
        // A byte at a time, so that the limit on bytes is far away.
        until("the server has had enough", || !client.try_say("x"));
        until("the connection is counted", || kv.scores().malformed == 1);
        let mut next = Client::of(&kv);
        next.say("PING\r\n");
        assert_eq!(next.line(), "+PONG\r\n");
    });
}
