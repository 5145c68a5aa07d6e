//! An interrupt ends the running request and with it the connection; it does nothing to who only waits.

use palco_actors::Signal;
use palco_service::services::echo::EchoService;
use palco_service::services::kv::{KvService, Limits};

use crate::actors::{everybody, is_writing};
use crate::client::Client;
use crate::stage::{in_every_cell, trials, until};

trials! {
    an_interrupted_request_ends_with_the_protocols_word,
    an_interrupt_does_nothing_to_those_who_wait,
    an_interrupt_does_not_touch_an_answer_on_its_way,
}

fn an_interrupted_request_ends_with_the_protocols_word() {
    in_every_cell(|stage| {
        let (server, begun) = stage.work(stage.settings());
        let mut other = stage.cell.serves_several().then(|| Client::of(&server));
        let asks = ["sleep 60000\n", "cpu 60000000\n", "offload 3000\n", "sleep 0\nsleep 60000\n"];
        let mut calls = 0;
        for (count, ask) in (1..).zip(asks) {
            let mut client = Client::of(&server);
            client.say(ask.to_owned() + "sleep 0\n");
            calls += ask.lines().count();
            begun.until(calls);
            stage.signal(&everybody(&server), Signal::Interrupt);
            let heard = client.rest();
            let words = "error: the call was interrupted\n";
            assert!(heard.ends_with(words), "{ask:?}: {heard:?}");
            assert_eq!(heard.lines().count(), ask.lines().count(), "{heard:?}");
            drop(client);
            until("it is counted", || server.scores().interrupted == count);
            if let Some(other) = &mut other {
                other.say("sleep 0\n");
                assert!(other.line().starts_with("ok sleep 0 "));
                calls += 1;
            }
        }
        drop(other);
        let mut next = Client::of(&server);
        next.say("sleep 0\n");
        assert!(next.line().starts_with("ok sleep 0 "));
        assert!(everybody(&server).iter().all(|acceptor| acceptor.snapshot().restarts == 0));
        assert_eq!(server.scores().panicked, 0);
    });
}

fn an_interrupt_does_nothing_to_those_who_wait() {
    in_every_cell(|stage| {
        let server = stage.serve::<EchoService>(stage.settings(), ());
        let mut client = Client::of(&server);
        for _ in 0..20 {
            client.say("hello");
            assert_eq!(client.exactly(5), b"hello");
            stage.signal(&everybody(&server), Signal::Interrupt);
        }
        client.say("hello");
        assert_eq!(client.exactly(5), b"hello");
        let scores = server.scores();
        assert_eq!((scores.interrupted, scores.accepted), (0, 1), "{scores:?}");
        drop(client);
        let mut next = Client::of(&server);
        next.say("hello");
        assert_eq!(next.exactly(5), b"hello");
    });
}

fn an_interrupt_does_not_touch_an_answer_on_its_way() {
    in_every_cell(|stage| {
        let server = stage.serve::<KvService>(stage.settings(), Limits::default());
        let mut client = Client::with_little_room(server.address());
        let value = "v".repeat(256 << 10);
        client.say(format!("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$262144\r\n{value}\r\n"));
        assert_eq!(client.line(), "+OK\r\n");
        client.say("GET k\r\n".repeat(100));
        until("an answer is on its way", || is_writing(&server));
        let reply = format!("$262144\r\n{value}\r\n");
        for _ in 0..100 {
            stage.signal(&everybody(&server), Signal::Interrupt);
            assert!(client.exactly(reply.len()) == reply.as_bytes());
        }
        client.end();
        assert_eq!(client.rest(), "");
        assert_eq!(server.scores().interrupted, 0);
    });
}
