//! A suspend holds whoever serves, and loses nothing.

use std::thread;

use palco_actors::{AnyRef, Signal, Status};

use crate::actors::{acceptors, connections, serving};
use crate::client::Client;
use crate::protocols::for_every_service;
use crate::stage::{in_every_cell, trials, until};

trials! {
    while_acceptors_rest_new_connections_wait_in_the_backlog,
    a_suspended_call_goes_on_where_it_rested,
    a_suspended_connection_reads_nothing_and_answers_after_the_resume,
    a_suspended_connection_leaves_the_others_alone,
    a_write_that_was_begun_rests_and_goes_on,
}

fn while_acceptors_rest_new_connections_wait_in_the_backlog() {
    in_every_cell(|stage| {
        for_every_service(stage, |protocol, server| {
            let acceptors = acceptors(server);
            stage.signal(&acceptors, Signal::Suspend);
            let resting = |actor: &AnyRef| actor.snapshot().status == Status::Suspended;
            assert!(acceptors.iter().all(resting));
            let exchange = (protocol.exchange)(0);
            let mut clients: Vec<Client> = (0..3).map(|_| Client::of(server)).collect();
            for client in &mut clients {
                client.say(&exchange.ask);
            }
            if protocol.name == "echo" {
                stage.let_pass(20); // once is enough
            }
            assert!(clients.iter().all(Client::is_silent), "{}", protocol.name);
            assert_eq!(server.scores().accepted, 0);
            stage.signal(&acceptors, Signal::Resume);
            for mut client in clients {
                client.hear(|heard| (protocol.plain)(heard) == exchange.answer);
            }
            assert_eq!(server.scores().accepted, 3);
        });
    });
}

fn a_suspended_call_goes_on_where_it_rested() {
    in_every_cell(|stage| {
        for ask in ["sleep 60\n", "cpu 60000\n"] {
            let (server, begun) = stage.work(stage.settings_for_one_worker());
            let mut client = Client::of(&server);
            client.say(ask);
            begun.until(1);
            let serving = serving(&server);
            stage.signal(&serving, Signal::Suspend);
            // It may have come to its end before the signal; else nothing may come now.
            if client.is_silent() {
                assert!(serving.iter().all(|actor| actor.snapshot().status == Status::Suspended));
                stage.let_pass(100);
                assert!(client.is_silent(), "{ask}");
                assert_eq!(server.scores().requests, 0);
            }
            stage.signal(&serving, Signal::Resume);
            assert!(client.line().starts_with(&format!("ok {}", ask.trim())));
        }
    });
}

fn a_suspended_connection_reads_nothing_and_answers_after_the_resume() {
    in_every_cell(|stage| {
        let (server, begun) = stage.work(stage.settings_for_one_worker());
        let mut client = Client::of(&server);
        client.say("sleep 0\n");
        assert!(client.line().starts_with("ok sleep 0 "));
        let serving = serving(&server);
        for round in 1..=10 {
            stage.signal(&serving, Signal::Suspend);
            assert!(serving.iter().all(|actor| actor.snapshot().status == Status::Suspended));
            client.say("sleep 0\nsleep 0\n");
            if round == 1 {
                stage.let_pass(20);
            }
            assert!(client.is_silent());
            assert_eq!(server.scores().requests, 2 * round - 1);
            stage.signal(&serving, Signal::Resume);
            for _ in 0..2 {
                assert!(client.line().starts_with("ok sleep 0 "));
            }
            begun.until(2 * round as usize + 1);
        }
    });
}

fn a_suspended_connection_leaves_the_others_alone() {
    in_every_cell(|stage| {
        let (server, _) = stage.work(stage.settings());
        let mut resting = Client::of(&server);
        resting.say("sleep 0\n");
        assert!(resting.line().starts_with("ok sleep 0 "));
        let connections = connections(&server);
        if connections.is_empty() {
            return; // no actor of its own
        }
        stage.signal(&connections, Signal::Suspend);
        resting.say("sleep 0\n");
        let mut other = Client::of(&server);
        other.say("sleep 30\n");
        assert!(other.line().starts_with("ok sleep 30 "));
        assert!(resting.is_silent());
        stage.signal(&connections, Signal::Resume);
        assert!(resting.line().starts_with("ok sleep 0 "));
    });
}

fn a_write_that_was_begun_rests_and_goes_on() {
    in_every_cell(|stage| {
        let (server, _) = stage.work(stage.settings_for_one_worker());
        let mut client = Client::with_little_room(server.address());
        let mut speaker = client.twin();
        let lines = 60_000;
        let speaking = thread::spawn(move || {
            for _ in 0..lines / 100 {
                speaker.say("help\n".repeat(100));
            }
            speaker.end();
        });
        until("it has asked for much", || server.scores().requests > 10_000);
        let serving = serving(&server);
        for _ in 0..10 {
            stage.signal(&serving, Signal::Suspend);
            stage.signal(&serving, Signal::Resume);
        }
        let heard = client.rest();
        assert_eq!(heard.lines().filter(|line| line.starts_with("ok cpu <us> |")).count(), lines);
        speaking.join().unwrap();
    });
}
