//! A socket of others: served under every model, left open by a drain, and nobody is lost between one server and the next.

use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use palco_actors::{PlaceKind, Signal, System};
use palco_models::{Listen, Server, ServerSettings, Single, StartError};
use palco_service::services::echo::EchoService;
use palco_service::services::work::WorkService;
use palco_threads::block_on;

use crate::actors::acceptors;
use crate::client::{Client, End};
use crate::stage::{LIMIT, Stage, in_every_cell, trials, until};

trials! {
    a_socket_of_others_is_served_and_left_open,
    who_comes_between_two_servers_waits_for_the_second,
    a_server_that_is_used_is_not_left,
    a_server_whose_acceptor_somebody_has_suspended_is_not_left,
    nobody_is_lost_when_servers_leave_and_come,
    a_server_hands_its_socket_over_to_another_place_and_nobody_is_refused,
    what_is_no_listening_tcp_socket_is_refused,
    a_single_connection_is_served_to_its_end,
    a_single_connection_is_drained_by_a_stop,
}

fn socket() -> Arc<TcpListener> {
    Arc::new(TcpListener::bind("127.0.0.1:0").unwrap())
}

fn on(stage: &Stage, socket: &Arc<TcpListener>) -> ServerSettings {
    let listen = Listen::On(Arc::clone(socket));
    ServerSettings { listen, drain_within: LIMIT, ..stage.settings_for_one_worker() }
}

/// A whole conversation with whoever serves there.
fn converse(address: SocketAddr) {
    let mut client = Client::connect(address);
    client.say("hello");
    assert_eq!(client.exactly(5), b"hello");
    client.end();
    assert_eq!(client.ending(), End::Eof);
}

fn a_socket_of_others_is_served_and_left_open() {
    in_every_cell(|stage| {
        let socket = socket();
        let server = stage.serve::<EchoService>(on(stage, &socket), ());
        assert_eq!(server.address(), socket.local_addr().unwrap());
        for _ in 0..3 {
            converse(server.address());
        }
        stage.wait("the drain", server.drain());
        assert!(TcpStream::connect_timeout(&server.address(), LIMIT).is_ok());
    });
}

fn who_comes_between_two_servers_waits_for_the_second() {
    in_every_cell(|stage| {
        let socket = socket();
        let first = stage.serve::<EchoService>(on(stage, &socket), ());
        converse(first.address());
        until("the client is gone", || first.scores().active == 0);
        until("it is left", || {
            stage.wait("a look", first.drain_unless_used(&first.scores())).is_some()
        });
        let mut between = Client::connect(first.address());
        between.say("hello");
        let _second = stage.serve::<EchoService>(on(stage, &socket), ());
        assert_eq!(between.exactly(5), b"hello");
    });
}

fn a_server_that_is_used_is_not_left() {
    in_every_cell(|stage| {
        let server = stage.serve::<EchoService>(stage.settings_for_one_worker(), ());
        acceptors(&server);
        let before = server.scores();
        let mut client = Client::of(&server);
        client.say("hello");
        assert_eq!(client.exactly(5), b"hello");
        assert_eq!(stage.wait("a look", server.drain_unless_used(&before)), None);
        assert_eq!(stage.wait("a look", server.drain_unless_used(&server.scores())), None);
        client.say("still here");
        assert_eq!(client.exactly(10), b"still here");
        client.end();
        assert_eq!(client.ending(), End::Eof);
        until("the client is gone", || server.scores().active == 0);
        assert_eq!(stage.wait("a look", server.drain_unless_used(&before)), None, "it was used");
        let mut report = None;
        until("it is left", || {
            report = stage.wait("a look", server.drain_unless_used(&server.scores()));
            report.is_some()
        });
        assert_eq!(report.unwrap().abandoned, 0);
    });
}

fn a_server_whose_acceptor_somebody_has_suspended_is_not_left() {
    in_every_cell(|stage| {
        let server = stage.serve::<EchoService>(stage.settings_for_one_worker(), ());
        let acceptors = acceptors(&server);
        stage.signal(&acceptors, Signal::Suspend);
        assert_eq!(stage.wait("a look", server.drain_unless_used(&server.scores())), None);
        let mut client = Client::of(&server);
        client.say("hello");
        assert_eq!(server.scores().accepted, 0, "it is still suspended");
        stage.signal(&acceptors, Signal::Resume);
        assert_eq!(client.exactly(5), b"hello");
    });
}

fn nobody_is_lost_when_servers_leave_and_come() {
    in_every_cell(|stage| {
        let (socket, done, lives) = (socket(), AtomicBool::new(false), AtomicUsize::new(0));
        let address = socket.local_addr().unwrap();
        let is_done = || done.load(Ordering::Acquire);
        let leave_and_come = || {
            while !is_done() {
                let server = stage.serve::<EchoService>(on(stage, &socket), ());
                lives.fetch_add(1, Ordering::AcqRel);
                until("it is left", || {
                    let seen = server.scores();
                    let look = server.drain_unless_used(&seen);
                    is_done() || stage.wait("a look", look).is_some()
                });
                stage.wait("the end", server.drain());
            }
        };
        let be_many_clients = || {
            for _ in 0..20 {
                converse(address);
            }
            until("there were several servers", || {
                converse(address);
                lives.load(Ordering::Acquire) > 3
            });
        };
        thread::scope(|scope| {
            scope.spawn(leave_and_come);
            let outcome = scope.spawn(be_many_clients).join();
            done.store(true, Ordering::Release);
            outcome.unwrap();
        });
    });
}

fn a_server_hands_its_socket_over_to_another_place_and_nobody_is_refused() {
    in_every_cell(|stage| {
        let mut server = stage.serve::<EchoService>(stage.settings(), ());
        // Where each worker has a socket of its own there is none to hand over.
        let Some(socket) = server.socket() else { return };
        let address = server.address();
        // Who waits with its thread, and who gives it to others, have the same socket for a while.
        let other =
            if stage.cell.place.shares_its_thread() { PlaceKind::Thread } else { PlaceKind::Task };
        let done = AtomicBool::new(false);
        let be_clients = || {
            while !done.load(Ordering::Acquire) {
                converse(address);
            }
        };
        thread::scope(|scope| {
            let clients = [(); 2].map(|()| scope.spawn(be_clients));
            for place in [other, stage.cell.place, other] {
                let listen = Listen::Taken(Arc::clone(&socket));
                let settings = ServerSettings { listen, place, process: None, ..stage.settings() };
                let next = stage.serve::<EchoService>(settings, ());
                until("the successor serves", || next.scores().accepted > 0);
                let report = stage.wait("the predecessor's end", server.leave());
                assert_eq!(report.abandoned, 0);
                let served = next.scores().accepted;
                until("the successor goes on", || next.scores().accepted > served);
                server = next;
            }
            done.store(true, Ordering::Release);
            for client in clients {
                client.join().unwrap();
            }
        });
        stage.wait("the drain", server.drain());
        assert!(TcpStream::connect(address).is_err(), "it was its own");
    });
}

fn what_is_no_listening_tcp_socket_is_refused() {
    in_every_cell(|stage| {
        let directory = stage.directory();
        let listening = socket();
        let connected = TcpStream::connect(listening.local_addr().unwrap()).unwrap();
        let others: [OwnedFd; 3] = [
            UdpSocket::bind("127.0.0.1:0").unwrap().into(),
            UnixListener::bind(directory.join("socket")).unwrap().into(),
            connected.into(),
        ];
        for other in others {
            let settings = on(stage, &Arc::new(TcpListener::from(other)));
            let refused = Server::launch::<EchoService>(&stage.system, settings, ());
            assert!(matches!(refused, Err(StartError::Inherited(_))), "{refused:?}");
        }
        assert!(stage.system.snapshot().is_empty(), "nothing is left running");
    });
}

/// A connection that somebody else has accepted, and its client.
fn accepted() -> (Client, OwnedFd) {
    let listening = socket();
    let client = Client::connect(listening.local_addr().unwrap());
    (client, listening.accept().unwrap().0.into())
}

fn single(drain_within: Duration) -> (System, Client, Single) {
    let system = System::builder().event_loops(1).build().unwrap();
    let (client, socket) = accepted();
    let single =
        Single::serve::<WorkService>(&system, "work", socket, "somebody", drain_within, &());
    (system, client, single.unwrap())
}

fn a_single_connection_is_served_to_its_end() {
    let (system, mut client, single) = single(LIMIT);
    for _ in 0..2 {
        client.say("sleep 0\n");
        assert!(client.line().starts_with("ok sleep 0"));
    }
    client.end();
    assert_eq!(client.ending(), End::Eof);
    block_on(single.ended());
    let scores = single.scores();
    assert_eq!((scores.accepted, scores.requests, scores.done, scores.active), (1, 2, 1, 0));
    block_on(system.shutdown());
}

fn a_single_connection_is_drained_by_a_stop() {
    let (system, mut client, single) = single(LIMIT);
    client.say("sleep 0\n");
    assert!(client.line().starts_with("ok sleep 0"));
    let is_doing =
        |what: &str| system.snapshot().iter().any(|actor| actor.note.as_deref() == Some(what));
    until("it waits", || is_doing("reading"));
    client.say("sleep 200\n");
    until("it has begun", || is_doing("serving"));
    single.stop();
    assert!(client.rest().starts_with("ok sleep 200"));
    block_on(single.ended());
    assert_eq!((single.scores().drained, single.scores().abandoned), (1, 0));
    block_on(system.shutdown());
}
