//! Programs that are given the socket, and accept or receive themselves.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpStream, UdpSocket};
use std::time::Duration;

use palco_superserver::{Address, Descriptors, Event};

use crate::support::{House, any_port, is_exit, is_fail, is_start, program, single};

/// Accepts on descriptor `$1` until its standard time is over, and says how many it has accepted before.
const ACCEPT: &str = "exec python3 -c '
import os, socket, sys
server = socket.socket(fileno=int(os.environ.get(\"FD\", \"0\")))
for turn in range(int(os.environ[\"TURNS\"])):
    client, _ = server.accept()
    client.sendall(b\"%d %d\\n\" % (os.getpid(), turn))
    client.close()
'";

fn ask(house: &House) -> (i32, u32) {
    let mut line = String::new();
    BufReader::new(house.connect("single")).read_line(&mut line).unwrap();
    let (pid, turn) = line.trim().split_once(' ').unwrap();
    (pid.parse().unwrap(), turn.parse().unwrap())
}

#[test]
fn a_program_accepts_itself_until_it_ends_and_is_started_again() {
    let mut spec = single("single", ACCEPT, Address::tcp(any_port()));
    program(&mut spec).environment.set.push(("TURNS".into(), "2".into()));
    let house = House::new([spec]);
    let (first, turn) = ask(&house);
    assert_eq!(turn, 0);
    assert_eq!(ask(&house), (first, 1));
    house.log.wait(1, is_exit);
    let (second, turn) = ask(&house);
    assert_eq!(turn, 0);
    assert_ne!(first, second);
}

#[test]
fn several_sockets_go_to_one_program_with_their_names() {
    let look = "exec python3 -c '
import os, socket
assert int(os.environ[\"LISTEN_PID\"]) == os.getpid()
names = os.environ[\"LISTEN_FDNAMES\"].split(\":\")
count = int(os.environ[\"LISTEN_FDS\"])
servers = [socket.socket(fileno=3 + place) for place in range(count)]
while True:
    client, _ = servers[1].accept()
    client.sendall(\",\".join(names).encode() + b\"\\n\")
    client.close()
'";
    let mut spec = single("single", look, Address::tcp(any_port()));
    spec.endpoints.push(spec.endpoints[0].clone());
    program(&mut spec).descriptors =
        Descriptors::Listen { names: vec!["web".into(), "admin".into()] };
    let house = House::new([spec]);
    let listening = house.superserver.listening();
    let second = listening[0].1[1].split(' ').nth(1).unwrap();
    let mut line = String::new();
    BufReader::new(TcpStream::connect(second).unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "web,admin\n");
}

#[test]
fn a_program_that_nobody_is_connected_to_ends_and_comes_back() {
    let mut spec = single("single", ACCEPT, Address::tcp(any_port()));
    program(&mut spec).environment.set.push(("TURNS".into(), "1000".into()));
    spec.limits.idle = Some(Duration::from_millis(200));
    let house = House::new([spec]);
    let (first, _) = ask(&house);
    let exits = house.log.wait(1, is_exit);
    assert!(matches!(&exits[0], Event::Exit { how, .. } if how == "signal=15"), "{exits:?}");
    assert_ne!(ask(&house).0, first);
}

#[test]
fn a_datagram_starts_a_program_and_the_next_one_another() {
    let receive = "exec python3 -c '
import socket
server = socket.socket(fileno=0)
words, client = server.recvfrom(100)
server.sendto(words.upper(), client)
'";
    let house = House::new([single("single", receive, Address::udp(any_port()))]);
    let client = UdpSocket::bind(any_port()).unwrap();
    for words in ["one", "two"] {
        client.send_to(words.as_bytes(), house.address("single")).unwrap();
        let mut answer = [0; 100];
        let (length, _) = client.recv_from(&mut answer).unwrap();
        assert_eq!(&answer[..length], words.to_uppercase().as_bytes());
    }
    assert_eq!(house.log.wait(2, is_start).len(), 2);
}

#[test]
fn a_program_that_leaves_its_work_is_not_started_all_the_time() {
    let house = House::new([single("single", "exit 0", Address::udp(any_port()))]);
    let client = UdpSocket::bind(any_port()).unwrap();
    client.send_to(b"never read", house.address("single")).unwrap();
    let fails = house.log.wait(3, is_fail);
    let paused = |event: &Event| matches!(event, Event::Fail { reason, .. } if reason.starts_with("looping"));
    assert!(fails.iter().all(paused), "{fails:?}");
    // Each failure is one start, and each has its pause.
    let starts = house.superserver.status().services[0].started;
    assert!(starts <= 5, "{starts} starts");
}

#[test]
fn a_listening_socket_as_standard_input_is_inetds_wait() {
    let accept = "exec python3 -c '
import socket
client, _ = socket.socket(fileno=0).accept()
client.sendall(client.recv(100))
'";
    let house = House::new([single("single", accept, Address::tcp(any_port()))]);
    for _ in 0..2 {
        let mut client = house.connect("single");
        client.write_all(b"words").unwrap();
        let mut answer = [0; 5];
        client.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"words");
    }
}
