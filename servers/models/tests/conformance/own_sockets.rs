//! Teams whose workers each have a listening socket of their own, in one `SO_REUSEPORT` group.

use std::fs;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread;

use palco_actors::PlaceKind;
use palco_models::{
    AcceptBy, BindError, Crew, CrewError, Listen, ModelKind, PlanError, Server, ServerSettings,
    StartError,
};
use palco_service::services::echo::EchoService;
use socket2::{Domain, Socket, Type};

use crate::actors::acceptors;
use crate::client::Client;
use crate::crew::{Served, Who, by_worker, stop};
use crate::stage::{Cell, Stage, in_cells, trials, until};

trials! {
    each_worker_has_a_listening_socket,
    connections_are_spread_over_the_workers,
    a_worker_s_next_life_serves_who_waits_at_its_socket,
    an_address_that_others_would_share_is_in_use,
    a_socket_that_somebody_else_has_bound_is_refused,
    a_worker_that_is_stopped_takes_its_socket_along,
    a_team_with_sockets_of_its_own_shrinks_to_its_spares,
    a_drain_refuses_who_comes_at_every_socket,
}

fn in_teams(body: impl Fn(&Stage) + Sync) {
    let is_meant =
        |cell: Cell| cell.model == ModelKind::Team && cell.accept_by == AcceptBy::Workers;
    in_cells(is_meant, body);
}

fn own() -> Crew {
    Crew { accept_by: Some(AcceptBy::OwnSockets), ..Crew::default() }
}

/// With a thread or a process for each worker: a stage of these tests has two event loops.
fn settings(stage: &Stage, crew: Crew) -> ServerSettings {
    let workers = if stage.cell.place == PlaceKind::Task { 2 } else { 4 };
    ServerSettings { crew, workers: Some(workers), ..stage.settings() }
}

/// How many sockets listen at an address of IPv4 (proc(5), `/proc/net/tcp`).
fn listeners(address: SocketAddr) -> usize {
    let port = format!(":{:04X}", address.port());
    let table = fs::read_to_string("/proc/net/tcp").unwrap();
    let is_listener = |line: &&str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        words[1].ends_with(&port) && words[3] == "0A"
    };
    table.lines().skip(1).filter(is_listener).count()
}

fn each_worker_has_a_listening_socket() {
    in_teams(|stage| {
        let server = stage.serve::<EchoService>(settings(stage, own()), ());
        assert_eq!(Some(listeners(server.address())), server.settings().workers);
        let shared = settings(stage, Crew::default());
        let server = stage.serve::<EchoService>(shared, ());
        assert_eq!(listeners(server.address()), 1);
    });
}

fn connections_are_spread_over_the_workers() {
    in_teams(|stage| {
        let server = stage.serve::<Who>(settings(stage, own()), ());
        let answers: Vec<Served> = (0..200).map(|_| Served::by(&server)).collect();
        let workers = server.settings().workers.unwrap();
        let counts = match stage.cell.place {
            // All fibers share a few threads.
            PlaceKind::Fiber => return assert_eq!(answers.len(), 200),
            PlaceKind::Process => by_worker(answers.iter().map(|served| served.pid)),
            _ => by_worker(answers.iter().map(|served| served.thread)),
        };
        assert_eq!(counts.len(), workers, "{counts:?}");
        // A hash of the addresses: even, not equal.
        assert!(counts.values().all(|count| *count > 200 / workers / 4), "{counts:?}");
    });
}

fn a_worker_s_next_life_serves_who_waits_at_its_socket() {
    let is_meant = |cell: Cell| {
        cell.model == ModelKind::Team
            && cell.place != PlaceKind::Task
            && cell.accept_by == AcceptBy::Workers
    };
    in_cells(is_meant, |stage| {
        let crew = Crew { requests_max: Some(2), ..own() };
        let server = stage.serve::<EchoService>(settings(stage, crew), ());
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..25 {
                        let mut client = Client::of(&server);
                        client.say("hello");
                        assert_eq!(client.exactly(5), b"hello");
                    }
                });
            }
        });
        until("all have ended", || server.scores().active == 0);
        let scores = server.scores();
        assert_eq!((scores.accepted, scores.abandoned, scores.broken), (100, 0, 0), "{scores:?}");
        assert_eq!(listeners(server.address()), 4);
    });
}

/// A socket of somebody who would share its address with us.
fn theirs() -> (Socket, SocketAddr) {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.set_reuse_port(true).unwrap();
    socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    socket.listen(8).unwrap();
    let address = socket.local_addr().unwrap().as_socket().unwrap();
    (socket, address)
}

fn an_address_that_others_would_share_is_in_use() {
    in_teams(|stage| {
        let (_theirs, address) = theirs();
        let settings = ServerSettings { listen: address.into(), ..settings(stage, own()) };
        let started = Server::launch::<EchoService>(&stage.system, settings, ());
        assert!(matches!(started, Err(StartError::Bind(BindError::InUse { .. }))), "{started:?}");
    });
}

fn a_socket_that_somebody_else_has_bound_is_refused() {
    in_teams(|stage| {
        let (theirs, _) = theirs();
        let listen = Listen::On(Arc::new(theirs.into()));
        let settings = ServerSettings { listen, ..settings(stage, own()) };
        assert_eq!(settings.check(), Err(PlanError::Crew(CrewError::Inherited)));
    });
}

fn a_worker_that_is_stopped_takes_its_socket_along() {
    in_teams(|stage| {
        let server = stage.serve::<EchoService>(settings(stage, own()), ());
        let workers = acceptors(&server);
        stop(stage, &workers[0]);
        until("its socket is closed", || listeners(server.address()) == workers.len() - 1);
        // Nobody comes to a socket at which nobody accepts.
        for _ in 0..50 {
            let mut client = Client::of(&server);
            client.say("hello");
            assert_eq!(client.exactly(5), b"hello");
        }
    });
}

fn a_team_with_sockets_of_its_own_shrinks_to_its_spares() {
    let is_meant = |cell: Cell| {
        cell.model == ModelKind::Team
            && cell.place != PlaceKind::Task
            && cell.accept_by == AcceptBy::Workers
    };
    in_cells(is_meant, |stage| {
        let crew = Crew { spare_min: Some(1), spare_max: Some(2), ..own() };
        let server = stage.serve::<EchoService>(settings(stage, crew), ());
        let address = server.address();
        assert_eq!(listeners(address), 4);
        until("two are left", || listeners(address) == 2 && server.workers().len() == 2);
        for _ in 0..50 {
            let mut client = Client::connect(address);
            client.say("hello");
            assert_eq!(client.exactly(5), b"hello");
        }
        let scores = server.scores();
        assert_eq!((scores.drained, scores.abandoned), (0, 0), "{scores:?}");
    });
}

fn a_drain_refuses_who_comes_at_every_socket() {
    in_teams(|stage| {
        let server = stage.serve::<EchoService>(settings(stage, own()), ());
        let address = server.address();
        stage.wait("the drain", server.drain());
        assert_eq!(listeners(address), 0);
    });
}
