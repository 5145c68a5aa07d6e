//! A drain: no new connections, an answer to what was asked, the end for who asks nothing.

use std::io::ErrorKind;
use std::net::TcpStream;
use std::sync::Arc;
use std::thread;

use palco_actors::ExitReason;
use palco_models::{DrainReport, Server, ServerSettings};
use palco_service::services::kv::{KvService, Limits};
use palco_threads::block_on;

use crate::client::{Client, End};
use crate::protocols::for_every_service;
use crate::stage::{LIMIT, Stage, in_every_cell, trials, until};

trials! {
    a_running_request_is_answered_and_idle_connections_are_closed,
    new_connections_are_refused_as_soon_as_a_drain_has_begun,
    every_service_drains_while_clients_are_connected,
    a_client_in_full_flow_is_answered_to_a_point_and_then_ended,
    what_was_asked_before_a_drain_reaches_a_slow_reader_whole,
    an_address_is_free_again_after_a_drain,
    a_drain_of_nobody_and_a_second_drain_find_nothing_to_do,
    the_end_of_the_system_closes_the_door_as_well,
}

/// Begins to drain; the report comes when the thread is joined.
fn begin_drain(server: &Arc<Server>) -> thread::JoinHandle<DrainReport> {
    let server = Arc::clone(server);
    thread::spawn(move || block_on(server.drain()))
}

fn is_refused(server: &Server) -> bool {
    let connected = TcpStream::connect_timeout(&server.address(), LIMIT);
    connected.is_err_and(|error| error.kind() == ErrorKind::ConnectionRefused)
}

/// Patience enough for a loaded machine: nothing is to be abandoned.
fn patient(stage: &Stage) -> ServerSettings {
    ServerSettings { drain_within: LIMIT, ..stage.settings() }
}

fn a_running_request_is_answered_and_idle_connections_are_closed() {
    in_every_cell(|stage| {
        let (server, begun) = stage.work(patient(stage));
        let mut idle: Vec<Client> = Vec::new();
        if stage.cell.serves_several() {
            for count in 1..=3 {
                let mut client = Client::of(&server);
                client.say("sleep 0\n");
                assert!(client.line().starts_with("ok sleep 0 "));
                idle.push(client);
                begun.until(count);
            }
        }
        let mut busy = Client::of(&server);
        busy.say("sleep 300\n");
        begun.until(idle.len() + 1);
        let held = idle.len() as u64 + 1;
        let drain = begin_drain(&server);
        for client in &mut idle {
            assert_eq!(client.ending(), End::Eof);
        }
        let answer = busy.rest();
        assert!(
            answer.starts_with("ok sleep 300 ms took ") && answer.ends_with(" us\n"),
            "{answer}"
        );
        assert_eq!(drain.join().unwrap(), DrainReport { finished: held, abandoned: 0 });
        assert!(is_refused(&server));
        let scores = server.scores();
        assert_eq!((scores.drained, scores.abandoned, scores.active), (held, 0, 0), "{scores:?}");
        assert_eq!(stage.wait("the end", server.ended()), ExitReason::Stopped);
    });
}

fn new_connections_are_refused_as_soon_as_a_drain_has_begun() {
    in_every_cell(|stage| {
        let (server, begun) = stage.work(patient(stage));
        let mut busy = Client::of(&server);
        busy.say("sleep 300\n");
        begun.until(1);
        let drain = begin_drain(&server);
        until("the door is closed", || is_refused(&server));
        assert!(busy.rest().starts_with("ok sleep 300 "));
        assert_eq!(drain.join().unwrap().abandoned, 0);
    });
}

fn every_service_drains_while_clients_are_connected() {
    in_every_cell(|stage| {
        for_every_service(stage, |protocol, _| {
            let server = (protocol.start)(stage, patient(stage));
            let count = if stage.cell.serves_several() { 5 } else { 1 };
            let mut clients: Vec<Client> = (0..count).map(|_| Client::of(&server)).collect();
            until("all are held", || server.scores().accepted == count);
            if protocol.speaks_first {
                clients.iter_mut().for_each(|client| _ = client.everything());
                clients.clear();
                until("all have been told", || server.scores().done == count);
            }
            let held = clients.len() as u64;
            let report = stage.wait(protocol.name, server.drain());
            assert_eq!(report, DrainReport { finished: held, abandoned: 0 }, "{}", protocol.name);
            assert!(clients.iter_mut().all(|client| client.ending() == End::Eof));
        });
    });
}

fn a_client_in_full_flow_is_answered_to_a_point_and_then_ended() {
    in_every_cell(|stage| {
        let server = stage.serve::<KvService>(patient(stage), Limits::default());
        let mut client = Client::of(&server);
        let mut speaker = client.twin();
        let flow = thread::spawn(move || while speaker.try_say("PING\r\n".repeat(100)) {});
        for _ in 0..1000 {
            assert_eq!(client.line(), "+PONG\r\n");
        }
        let drain = begin_drain(&server);
        let (heard, _) = client.everything();
        drop(client);
        // It goes on talking after it was told the end, so it may be cut off in the middle of its last answers.
        let mut answers = b"+PONG\r\n".iter().cycle();
        assert!(heard.iter().all(|byte| Some(byte) == answers.next()), "answers and nothing else");
        assert_eq!(drain.join().unwrap(), DrainReport { finished: 1, abandoned: 0 });
        flow.join().unwrap();
        let scores = server.scores();
        assert_eq!(scores.drained + scores.broken, 1, "{scores:?}");
    });
}

fn what_was_asked_before_a_drain_reaches_a_slow_reader_whole() {
    in_every_cell(|stage| {
        let server = stage.serve::<KvService>(patient(stage), Limits::default());
        let value = "v".repeat(256 << 10);
        let mut client = Client::with_little_room(server.address());
        client.say(format!("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$262144\r\n{value}\r\n"));
        assert_eq!(client.line(), "+OK\r\n");
        client.say("GET k\r\n".repeat(64));
        until("the first answers are on their way", || server.scores().requests > 2);
        client.say("GET k\r\n".repeat(64)); // too late to be read
        let drain = begin_drain(&server);
        until("the door is closed", || is_refused(&server));
        let reply = format!("$262144\r\n{value}\r\n");
        for _ in 0..64 {
            assert!(client.exactly(reply.len()) == reply.as_bytes());
        }
        let (heard, end) = client.everything();
        assert_eq!(heard.len() % reply.len(), 0, "whole answers only");
        assert_eq!(end, End::Eof);
        drop(client);
        assert_eq!(drain.join().unwrap().abandoned, 0);
    });
}

fn an_address_is_free_again_after_a_drain() {
    in_every_cell(|stage| {
        let mut settings = stage.settings();
        for round in 0..5 {
            settings.name = format!("round-{round}");
            let (server, _) = stage.work(settings.clone());
            settings.listen = server.address().into();
            let mut client = Client::of(&server);
            client.say("sleep 0\n");
            assert!(client.line().starts_with("ok sleep 0 "));
            stage.wait("a drain", server.drain());
            assert_eq!(client.ending(), End::Eof);
        }
    });
}

fn a_drain_of_nobody_and_a_second_drain_find_nothing_to_do() {
    in_every_cell(|stage| {
        let (server, _) = stage.work(stage.settings());
        for _ in 0..2 {
            let report = stage.wait("a drain", server.drain());
            assert_eq!(report, DrainReport { finished: 0, abandoned: 0 });
        }
    });
}

fn the_end_of_the_system_closes_the_door_as_well() {
    in_every_cell(|stage| {
        let (server, _) = stage.work(stage.settings());
        let mut client = Client::of(&server);
        client.say("sleep 0\n");
        assert!(client.line().starts_with("ok sleep 0 "));
        stage.wait("the shutdown", stage.system.shutdown());
        assert_eq!(client.ending(), End::Eof);
        until("the door is closed", || is_refused(&server));
    });
}
