//! From one plan to the next.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};

use palco_superserver::{Address, Origin, Remark, Severity};

use crate::support::{House, any_port, plan, read, script};

#[test]
fn a_client_survives_the_end_of_its_service() {
    let house = House::new([script("old", "echo here; exec cat"), script("other", "echo other")]);
    let address = house.address("old");
    let mut client = house.connect("old");
    let mut lines = BufReader::new(client.try_clone().unwrap()).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "here");
    let changes = house.superserver.reload(plan([script("new", "echo new")])).unwrap();
    assert_eq!(changes.added, ["new"]);
    assert_eq!(changes.removed, ["old", "other"]);
    // A program of another test that is being started may still have the socket for a moment.
    while TcpStream::connect(address).is_ok() {
        std::thread::yield_now();
    }
    assert_eq!(read(house.connect("new")), "new\n");
    client.write_all(b"still here\n").unwrap();
    assert_eq!(lines.next().unwrap().unwrap(), "still here");
    assert_eq!(house.superserver.status().services.len(), 2, "the old one departs");
    client.shutdown(Shutdown::Write).unwrap();
    assert!(lines.next().is_none());
    while house.superserver.status().services.len() > 1 {
        std::thread::yield_now();
    }
}

#[test]
fn a_socket_that_is_wanted_as_before_is_not_touched() {
    let mut spec = script("same", "echo one");
    let house = House::new([spec.clone()]);
    let address = house.address("same");
    spec.endpoints[0].address = Address::tcp(address);
    // With its port said it is another endpoint: bound anew in the place of the old one.
    house.superserver.reload(plan([spec.clone()])).unwrap();
    let mut other = script("same", "echo two");
    other.endpoints = spec.endpoints.clone();
    let changes = house.superserver.reload(plan([other.clone()])).unwrap();
    assert_eq!(changes.changed, ["same"]);
    assert_eq!(house.address("same"), address);
    assert_eq!(read(TcpStream::connect(address).unwrap()), "two\n");
    let unchanged = house.superserver.reload(plan([other.clone()])).unwrap();
    assert_eq!(unchanged.to_string(), "nothing has changed");
    // Another service may have it.
    let mut renamed = other.clone();
    renamed.id = "renamed".to_owned();
    house.superserver.reload(plan([renamed])).unwrap();
    assert_eq!(house.address("renamed"), address);
    assert_eq!(read(TcpStream::connect(address).unwrap()), "two\n");
}

#[test]
fn an_error_that_was_not_there_before_changes_nothing() {
    let house = House::new([script("fine", "echo fine")]);
    let mut broken = plan([script("other", "echo other")]);
    let error = Remark {
        severity: Severity::Error,
        origin: Origin { file: "inetd.conf".into(), line: 7 },
        service: Some("ftp".to_owned()),
        text: "there is no user `frp`".to_owned(),
        remedy: String::new(),
    };
    broken.remarks.push(error.clone());
    let refused = house.superserver.reload(broken).unwrap_err();
    assert_eq!(refused.remarks, [error]);
    assert_eq!(read(house.connect("fine")), "fine\n");
    assert_eq!(house.superserver.listening().len(), 1);
}

#[test]
fn an_address_that_cannot_be_had_changes_nothing() {
    let house = House::new([script("fine", "echo fine")]);
    let taken = std::net::TcpListener::bind(any_port()).unwrap();
    let mut wanted = script("fine", "echo other");
    wanted.endpoints[0].address = Address::tcp(taken.local_addr().unwrap());
    let refused = house.superserver.reload(plan([script("new", "echo new"), wanted])).unwrap_err();
    assert!(refused.remarks[0].to_string().contains("is in use"), "{}", refused.remarks[0]);
    assert_eq!(read(house.connect("fine")), "fine\n");
    assert_eq!(house.superserver.listening().len(), 1);
}

#[test]
fn an_address_may_become_narrower_or_wider() {
    let mut wide = script("web", "echo wide");
    wide.endpoints[0].address = Address::tcp("0.0.0.0:0".parse().unwrap());
    let house = House::new([wide]);
    let port = house.address("web").port();
    let with = |ip: &str, said: &str| {
        let mut spec = script("web", said);
        spec.endpoints[0].address = Address::tcp(format!("{ip}:{port}").parse().unwrap());
        plan([spec])
    };
    house.superserver.reload(with("127.0.0.1", "echo narrow")).unwrap();
    assert_eq!(read(house.connect("web")), "narrow\n");
    house.superserver.reload(with("0.0.0.0", "echo wide")).unwrap();
    let mut client = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let mut text = String::new();
    client.read_to_string(&mut text).unwrap();
    assert_eq!(text, "wide\n");
}
