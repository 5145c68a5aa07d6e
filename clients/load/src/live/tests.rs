//! Loads on servers of every service, on one that stands still, and on none.

use std::net::TcpListener;
use std::path::Path;
use std::time::{Duration, Instant};

use palco_actors::{PlaceKind, System};
use palco_files::http::{Config, HttpService};
use palco_files::sftp::SftpService;
use palco_models::{ModelKind, Server, ServerSettings};
use palco_service::services::echo::EchoService;
use palco_service::services::kv::{self, KvService};
use palco_service::services::time::{TimeFormat, TimeService};
use palco_service::services::work::WorkService;
use palco_threads::block_on;

use super::*;
use crate::generator::REQUEST_BYTES_MAX;

pub(crate) fn server(system: &System, protocol: Protocol, root: &Path) -> Server {
    let settings = ServerSettings::new(protocol.name(), ModelKind::PerConnection, PlaceKind::Task);
    let started = match protocol {
        Protocol::Echo => Server::launch::<EchoService>(system, settings, ()),
        Protocol::Time => Server::launch::<TimeService>(system, settings, TimeFormat::Binary),
        Protocol::Daytime => Server::launch::<TimeService>(system, settings, TimeFormat::Line),
        Protocol::Kv => Server::launch::<KvService>(system, settings, kv::Limits::default()),
        Protocol::Work => Server::launch::<WorkService>(system, settings, ()),
        Protocol::Http => Server::launch::<HttpService>(system, settings, Config::read_only(root)),
        Protocol::Sftp => Server::launch::<SftpService>(system, settings, root.to_owned().into()),
        Protocol::Connect => unreachable!("no service speaks it"),
    };
    started.unwrap()
}

fn target(address: SocketAddr, protocol: Protocol) -> LiveTarget {
    LiveTarget {
        address,
        protocol,
        request: protocol.example().to_owned(),
        connections: 2,
        rate_per_s: 0,
        lasts: LASTS_MAX,
    }
}

/// The figures as soon as they are as they should be.
#[track_caller]
fn figures(load: &LiveLoad, done: impl Fn(&LiveFigures) -> bool) -> LiveFigures {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let figures = load.figures();
        if done(&figures) {
            return figures;
        }
        assert!(Instant::now() < deadline, "not within 30 s: {figures:?}");
        std::thread::yield_now();
    }
}

#[test]
fn every_service_answers_and_every_answer_is_counted() {
    let root = tempfile::tempdir().unwrap();
    std::fs::write(root.path().join("index.html"), "hello").unwrap();
    let system = System::new().unwrap();
    for protocol in Protocol::ALL {
        let server = server(&system, protocol, root.path());
        let load = LiveLoad::start(target(server.address(), protocol)).unwrap();
        let seen = figures(&load, |figures| figures.answered >= 20);
        assert_eq!((seen.failed, &seen.error), (0, &None), "{protocol}: {seen:?}");
        assert!(seen.in_flight <= 2 && seen.is_running, "{protocol}: {seen:?}");
        figures(&load, |figures| figures.histogram.iter().sum::<u64>() >= 20);
        drop(load);
        block_on(server.drain());
    }
    block_on(system.shutdown());
}

#[test]
fn a_load_ends_when_its_time_is_over() {
    let system = System::new().unwrap();
    let server = server(&system, Protocol::Echo, Path::new("."));
    let lasts = Duration::from_millis(200);
    let paced = LiveTarget { rate_per_s: 100, lasts, ..target(server.address(), Protocol::Echo) };
    let load = LiveLoad::start(paced).unwrap();
    let over = figures(&load, |figures| !figures.is_running);
    assert!((1..=20).contains(&over.sent), "{over:?}");
    assert_eq!((over.answered + over.failed, over.in_flight), (over.sent, 0), "{over:?}");
    assert!(over.cpu > Duration::ZERO, "{over:?}");
    block_on(system.shutdown());
}

#[test]
fn with_a_rate_the_wait_for_a_server_that_stands_still_is_counted_from_when_a_request_was_due() {
    // Each request takes 20 ms and a hundred a second are due on one connection: the wait must grow beyond 20 ms.
    let system = System::new().unwrap();
    let server = server(&system, Protocol::Work, Path::new("."));
    let load = LiveLoad::start(LiveTarget {
        request: "sleep 20".to_owned(),
        connections: 1,
        rate_per_s: 100,
        ..target(server.address(), Protocol::Work)
    });
    let load = load.unwrap();
    // Bucket 17 begins at 65 ms.
    figures(&load, |figures| figures.histogram.len() > 17);
    block_on(system.shutdown());
}

#[test]
fn a_server_that_says_no_or_is_not_there_is_counted_as_failed() {
    let system = System::new().unwrap();
    let server = server(&system, Protocol::Kv, Path::new("."));
    let unknown =
        LiveTarget { request: "NOSUCH x".into(), ..target(server.address(), Protocol::Kv) };
    let load = LiveLoad::start(unknown).unwrap();
    let seen = figures(&load, |figures| figures.failed > 0);
    assert!(seen.error.is_some_and(|error| error.contains("unknown command")));
    block_on(system.shutdown());

    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let load = LiveLoad::start(target(address, Protocol::Echo)).unwrap();
    let seen = figures(&load, |figures| figures.failed > 0);
    assert!(seen.error.is_some_and(|error| error.contains("cannot connect")));
}

#[test]
fn values_out_of_bounds_are_refused() {
    let good = || target(([127, 0, 0, 1], 1).into(), Protocol::Kv);
    let refused = [
        LiveTarget { connections: 0, ..good() },
        LiveTarget { connections: CONNECTIONS_MAX + 1, ..good() },
        LiveTarget { rate_per_s: RATE_PER_S_MAX + 1, ..good() },
        LiveTarget { lasts: Duration::ZERO, ..good() },
        LiveTarget { lasts: LASTS_MAX + Duration::from_secs(1), ..good() },
        LiveTarget { request: String::new(), ..good() },
        LiveTarget { request: "GET a\nGET b".into(), ..good() },
        LiveTarget { request: "x".repeat(REQUEST_BYTES_MAX + 1), ..good() },
        LiveTarget { protocol: Protocol::Http, request: "POST /".into(), ..good() },
        LiveTarget { protocol: Protocol::Time, request: "now".into(), ..good() },
        LiveTarget { protocol: Protocol::Connect, request: String::new(), ..good() },
    ];
    for target in refused {
        assert!(matches!(target.check(), Err(LiveError::Value(_))), "{target:?}");
    }
    good().check().unwrap();
}
