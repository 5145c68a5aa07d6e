//! Limits: what waits, what is turned away, and that it is said.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use palco_superserver::{Action, Control, Event, Limit, Rate, ServiceSpec};

use crate::support::{House, is_fail, is_start, read, script};

/// Says that it is there, and stays until its client has said all.
const STAY: &str = "echo here; exec cat";

fn limited(change: impl FnOnce(&mut ServiceSpec)) -> House {
    let mut spec = script("limited", STAY);
    change(&mut spec);
    House::new([spec])
}

/// Waits until the program of this client has begun.
fn greeted(client: &TcpStream) -> bool {
    let mut line = String::new();
    BufReader::new(client).read_line(&mut line).unwrap();
    line == "here\n"
}

fn acted(house: &House, limit: Limit) -> u64 {
    let status = house.superserver.status();
    let of = status.services[0].limits.iter().find(|known| known.limit == limit);
    of.map_or(0, |of| of.acted.times)
}

#[test]
fn beyond_the_instances_a_client_waits_and_nothing_is_lost() {
    let house = limited(|spec| spec.limits.instances = Control::defer(1));
    let first = house.connect("limited");
    assert!(greeted(&first));
    let mut second = house.connect("limited");
    second.write_all(b"patience\n").unwrap();
    second.shutdown(Shutdown::Write).unwrap();
    while acted(&house, Limit::Instances) == 0 {
        std::thread::yield_now();
    }
    drop(first);
    assert_eq!(read(second), "here\npatience\n");
    assert_eq!(house.superserver.status().services[0].failed, 0);
}

#[test]
fn a_source_at_its_limit_waits_and_others_do_not() {
    let house = limited(|spec| spec.limits.per_source = Some(Control::defer(1)));
    let first = house.connect("limited");
    assert!(greeted(&first));
    let waiting = house.connect("limited");
    while house.superserver.status().services[0].waiting == 0 {
        std::thread::yield_now();
    }
    // Loopback has many addresses.
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    let other: std::net::SocketAddr = "127.0.0.2:0".parse().unwrap();
    socket.bind(&other.into()).unwrap();
    socket.connect(&house.address("limited").into()).unwrap();
    assert!(greeted(&TcpStream::from(socket)));
    drop(first);
    assert!(greeted(&waiting));
    assert!(acted(&house, Limit::PerSource) > 0);
}

#[test]
fn one_too_many_may_be_dropped_and_it_is_said() {
    let house = limited(|spec| spec.limits.instances = Control { max: 1, action: Action::Drop });
    let first = house.connect("limited");
    assert!(greeted(&first));
    let mut second = house.connect("limited");
    let mut nothing = Vec::new();
    // An end of input or a reset, as the kernel likes.
    let _end = second.read_to_end(&mut nothing);
    assert_eq!(nothing, b"");
    let fails = house.log.wait(1, is_fail);
    let said =
        matches!(&fails[0], Event::Fail { reason, from: Some(_) } if reason == "service_limit");
    assert!(said, "{fails:?}");
    assert_eq!(acted(&house, Limit::Instances), 1);
}

#[test]
fn a_service_that_closes_refuses_and_comes_back() {
    let rate = Rate { count: 1, per: Duration::from_millis(50) };
    let close = Action::Close(Duration::from_millis(200));
    let house = limited(|spec| spec.limits.rate = Some(Control { max: rate, action: close }));
    let address = house.address("limited");
    let clients: Vec<TcpStream> = (0..2).map(|_| house.connect("limited")).collect();
    house.log.wait(1, |event| matches!(event, Event::Close { .. }));
    let refused = TcpStream::connect(address).unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
    drop(clients);
    house.log.wait(1, |event| matches!(event, Event::Listen { .. }));
    assert!(greeted(&TcpStream::connect(address).unwrap()));
}

#[test]
fn a_service_that_fails_stays_off_until_it_is_defined_anew() {
    let rate = Rate { count: 1, per: Duration::from_secs(3600) };
    let mut spec = script("limited", STAY);
    spec.limits.rate = Some(Control { max: rate, action: Action::Fail });
    let house = House::new([spec.clone()]);
    let address = house.address("limited");
    let _clients: Vec<TcpStream> = (0..2).map(|_| house.connect("limited")).collect();
    house.log.wait(1, |event| matches!(event, Event::Close { .. }));
    assert!(house.superserver.status().services[0].state.starts_with("off"));
    assert!(TcpStream::connect(address).is_err());
    spec.limits.rate = None;
    house.superserver.reload(crate::support::plan([spec])).unwrap();
    house.log.wait(1, |event| matches!(event, Event::Listen { .. }));
    assert!(greeted(&TcpStream::connect(address).unwrap()));
}

#[test]
fn a_rate_lets_wait_and_all_are_served() {
    let rate = Rate { count: 2, per: Duration::from_millis(100) };
    let house = limited(|spec| spec.limits.rate = Some(Control::defer(rate)));
    let clients: Vec<TcpStream> = (0..6).map(|_| house.connect("limited")).collect();
    assert!(clients.iter().all(greeted));
    assert_eq!(house.log.wait(6, is_start).len(), 6);
    assert!(acted(&house, Limit::Rate) > 0);
}
