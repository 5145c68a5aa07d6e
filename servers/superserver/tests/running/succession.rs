//! From one superserver to the next, without a client noticing.

use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use palco_superserver::{Address, Control, Heritage};
use palco_threads::block_on;

use crate::support::{House, any_port, plan, program, read, script, single};

/// The house after this one.
fn succeed(old: &House, services: palco_superserver::Plan) -> House {
    let (addresses, sockets) = old.superserver.offer().unwrap();
    let new = House::closed(services, Heritage::new(addresses, sockets));
    let heirs = old.superserver.withdraw();
    new.superserver.adopt(&heirs).unwrap();
    new.superserver.open().unwrap();
    new
}

#[test]
fn clients_that_come_all_the_time_notice_nothing() {
    let services = || plan([script("hello", "echo hello")]);
    let mut house = House::new(services().services);
    let address = house.address("hello");
    let stop = Arc::new(AtomicBool::new(false));
    let client = std::thread::spawn({
        let stop = Arc::clone(&stop);
        move || {
            let mut served = 0;
            while !stop.load(Ordering::Relaxed) {
                assert_eq!(read(TcpStream::connect(address).unwrap()), "hello\n");
                served += 1;
            }
            served
        }
    });
    for _ in 0..10 {
        let next = succeed(&house, services());
        block_on(house.superserver.drained());
        house = next;
    }
    stop.store(true, Ordering::Relaxed);
    assert!(client.join().unwrap() > 0);
}

#[test]
fn a_program_of_the_old_one_counts_in_the_new_one() {
    let mut spec = script("one", "echo here; exec cat");
    spec.limits.instances = Control::defer(1);
    let old = House::new([spec.clone()]);
    let client = old.connect("one");
    let mut lines = BufReader::new(client.try_clone().unwrap()).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "here");
    let new = succeed(&old, plan([spec]));
    let status = new.superserver.status();
    assert_eq!(status.services[0].running, 1);
    let second = TcpStream::connect(client.peer_addr().unwrap()).unwrap();
    second.shutdown(Shutdown::Write).unwrap();
    (&client).write_all(b"still here\n").unwrap();
    assert_eq!(lines.next().unwrap().unwrap(), "still here");
    client.shutdown(Shutdown::Write).unwrap();
    assert_eq!(read(second), "here\n");
    block_on(old.superserver.drained());
}

#[test]
fn a_program_that_accepts_itself_keeps_its_socket_until_it_ends() {
    let accept = "exec python3 -c '
import os, socket
server = socket.socket(fileno=0)
for turn in range(3):
    client, _ = server.accept()
    client.sendall(b\"%d\\n\" % os.getpid())
    client.close()
'";
    let spec = single("single", accept, Address::tcp(any_port()));
    let old = House::new([spec.clone()]);
    let address = old.address("single");
    let ask = || read(TcpStream::connect(address).unwrap());
    let pid = ask();
    let new = succeed(&old, plan([spec]));
    assert_eq!([ask(), ask()], [pid.clone(), pid.clone()]);
    // It has ended: the new one starts another.
    assert_ne!(ask(), pid);
    assert_eq!(new.superserver.status().services[0].started, 1);
}

#[test]
fn the_old_one_goes_on_if_the_new_one_fails() {
    let mut spec = script("hello", "echo hello");
    program(&mut spec).nice = Some(1);
    let house = House::new([spec]);
    let address = house.address("hello");
    let (addresses, sockets) = house.superserver.offer().unwrap();
    let heirs = house.superserver.withdraw();
    assert!(heirs.is_empty());
    let waiting = TcpStream::connect(address).unwrap();
    house.superserver.resume(Heritage::new(addresses, sockets)).unwrap();
    assert_eq!(read(waiting), "hello\n");
    assert_eq!(read(TcpStream::connect(address).unwrap()), "hello\n");
}
