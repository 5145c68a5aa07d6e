//! More clients than there are workers: they wait for their turn, and all get it.

use std::sync::{Mutex, mpsc};
use std::thread;

use bytes::Bytes;
use palco_models::{ModelKind, Server, ServerSettings};
use palco_service::services::echo::EchoCodec;
use palco_service::{CallContext, Peer, Service};

use crate::client::{Client, End};
use crate::stage::{Stage, in_cells, in_every_cell, trials, until};

trials! {
    twenty_clients_are_all_served,
    six_clients_share_two_workers,
    one_at_a_time_serves_four_clients_one_after_the_other,
    a_blocked_handler_holds_up_nobody_where_places_are_isolated,
}

/// All clients connect, then all ask, then each leaves as soon as it has its answer.
fn all_are_served(stage: &Stage, server: &Server, clients: u64) {
    let mut crowd: Vec<Client> = (0..clients).map(|_| Client::of(server)).collect();
    for client in &mut crowd {
        client.say("sleep 5\n");
    }
    thread::scope(|scope| {
        for mut client in crowd {
            scope.spawn(move || {
                assert!(client.line().starts_with("ok sleep 5 ms took "));
                client.end();
                assert_eq!(client.ending(), End::Eof);
            });
        }
    });
    until("all are counted", || server.scores().done == clients);
    let scores = server.scores();
    assert_eq!(scores.accepted, clients, "{} {scores:?}", stage.cell);
    assert_eq!((scores.dropped, scores.closed, scores.failed), (0, 0, 0), "{scores:?}");
}

fn twenty_clients_are_all_served() {
    in_every_cell(|stage| {
        let (server, _) = stage.work(stage.settings());
        all_are_served(stage, &server, 20);
    });
}

fn six_clients_share_two_workers() {
    in_cells(
        |cell| cell.model == ModelKind::Team,
        |stage| {
            let settings = ServerSettings { workers: Some(2), ..stage.settings() };
            let (server, _) = stage.work(settings);
            all_are_served(stage, &server, 6);
        },
    );
}

fn one_at_a_time_serves_four_clients_one_after_the_other() {
    in_cells(
        |cell| !cell.serves_several(),
        |stage| {
            let (server, begun) = stage.work(stage.settings());
            let mut first = Client::of(&server);
            first.say("sleep 0\n");
            assert!(first.line().starts_with("ok sleep"));
            let mut waiting: Vec<Client> = (0..3).map(|_| Client::of(&server)).collect();
            for client in &mut waiting {
                client.say("sleep 0\n");
            }
            first.say("sleep 1\n");
            assert!(first.line().starts_with("ok sleep 1 "));
            assert!(waiting.iter().all(Client::is_silent), "the first is still there");
            drop(first);
            for mut client in waiting {
                assert!(client.line().starts_with("ok sleep 0 "));
            }
            begun.until(5);
            until("all are counted", || server.scores().done == 4);
        },
    );
}

fn a_blocked_handler_holds_up_nobody_where_places_are_isolated() {
    in_cells(
        |cell| cell.isolates_blocking() && cell.shares_memory(),
        |stage| {
            let (release, gate) = mpsc::channel();
            let service = Gate { gate: Mutex::new(gate) };
            let server = stage.serve_here(stage.settings(), service, EchoCodec);
            let mut blocked = Client::of(&server);
            blocked.say("block");
            let mut other = Client::of(&server);
            for _ in 0..100 {
                other.say("hello");
                assert_eq!(other.exactly(5), b"hello");
            }
            assert!(blocked.is_silent());
            release.send(()).unwrap();
            assert_eq!(blocked.exactly(5), b"block");
        },
    );
}

/// An echo that blocks its thread, if told so, until the test releases it.
struct Gate {
    gate: Mutex<mpsc::Receiver<()>>,
}

impl Service for Gate {
    type Request = Bytes;
    type Response = Bytes;
    type Session = ();

    fn open(&self, _: &Peer) {}

    async fn call(&self, _: &mut (), request: Bytes, _: &CallContext<'_>) -> Bytes {
        if &request[..] == b"block" {
            self.gate.lock().unwrap().recv().unwrap();
        }
        request
    }
}
