//! More of everything than there is room for, while a command still gets through.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;

use palco_urgent::{Policy, PortSettings};

use crate::desk::{KEY, Stage};

fn few(places: usize) -> PortSettings {
    PortSettings { places, ..PortSettings::default() }
}

#[test]
fn ten_thousand_connections_that_say_nothing_do_not_keep_a_command_out() {
    let stage = Stage::new();
    let before = stage.thread.obtained();
    let held = format!("HOLD work/1.2:{KEY}");
    let mut silent = Vec::new();
    for count in 0..10_000 {
        silent.push(stage.connect());
        // All that fit into the descriptors of a process stay open.
        if silent.len() > 300 {
            silent.remove(0);
        }
        if count % 1000 == 999 {
            assert_eq!(stage.ask(&held), "held note: as the test says");
        }
    }
    let counts = stage.thread.counts().port;
    assert_eq!((counts.connections, counts.commands), (10_010, 10));
    assert!(counts.evicted > 0);
    // The flood has not cost the thread its place before others.
    assert_eq!(stage.thread.obtained(), before);
    if matches!(before.policy, Policy::Fifo(_)) {
        assert_eq!(before.to_string(), "SCHED_FIFO 50");
    }
}

#[test]
fn who_has_waited_longest_makes_room_and_who_has_commanded_stays() {
    let stage = Stage::with(few(3));
    let mut first = stage.client();
    assert_eq!(first.ask("HELP").get(..4), Some("help"));
    let mut second = stage.client();
    assert_eq!(second.ask("HELP").get(..4), Some("help"));
    // Only a command with its key counts.
    assert_eq!(first.ask(&format!("STATUS work/1.2:{KEY}")), "running");
    let mut third = stage.client();
    assert_eq!(third.ask("HELP").get(..4), Some("help"));
    let mut fourth = stage.client();
    assert_eq!(fourth.ask("HELP").get(..4), Some("help"));
    assert_eq!(second.line(), "");
    assert_eq!(first.ask(&format!("STATUS work/1.2:{KEY}")), "running");
    assert_eq!(stage.thread.counts().port.evicted, 1);
}

#[test]
fn when_all_places_are_busy_the_next_is_told_so() {
    let stage = Stage::with(few(1));
    let mut busy = stage.client();
    busy.send(format!("HOLD work/1.99:{KEY}\n").as_bytes());
    while stage.thread.counts().port.commands == 0 {}
    let mut refused = stage.client();
    assert_eq!(refused.line(), "error busy all places at this port are taken; try again");
    assert_eq!(refused.line(), "");
}

#[test]
fn a_client_that_does_not_read_is_dropped_and_delays_nobody() {
    let stage = Stage::new();
    let mut deaf = stage.connect();
    let lines = b"HELP\n".repeat(2000);
    let end = loop {
        if let Err(error) = deaf.write_all(&lines) {
            break error;
        }
        assert_eq!(stage.ask(&format!("STATUS work/1.2:{KEY}")), "running");
    };
    assert!(matches!(end.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe), "{end}");
}

#[test]
fn everything_ends_with_the_thread() {
    let stage = Stage::new();
    let mut waiting = stage.connect();
    let mut busy = stage.client();
    busy.send(format!("HOLD work/1.99:{KEY}\n").as_bytes());
    while stage.thread.counts().port.commands == 0 {}
    let address = stage.thread.address().unwrap();
    drop(stage);
    assert_eq!(waiting.read(&mut [0]).unwrap(), 0);
    assert_eq!(busy.line(), "");
    assert!(TcpStream::connect(address).is_err());
}
