//! One client, one program.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, UdpSocket};
use std::os::unix::net::UnixStream;

use palco_actors::Signal;
use palco_superserver::{Address, Builtin, Descriptors, Event, MuxName};
use palco_threads::block_on;

use crate::support::{
    House, any_port, builtin, is_exit, is_fail, is_start, plan, program, read, script,
};

#[test]
fn a_program_talks_to_the_client_over_its_standard_descriptors() {
    let house = House::new([script("tr", "tr a-z A-Z; echo said >&2")]);
    let mut client = house.connect("tr");
    client.write_all(b"hello\n").unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    assert_eq!(read(client), "HELLO\nsaid\n");
    let exits = house.log.wait(1, is_exit);
    assert!(matches!(&exits[0], Event::Exit { how, .. } if how == "status=0"), "{exits:?}");
    assert_eq!(house.superserver.status().services[0].ends.len(), 1);
}

#[test]
fn a_program_begins_with_exactly_what_it_is_given() {
    let look = "env | grep -v ^_= | sort; pwd; ls /proc/self/fd | tr '\\n' ' '; echo; \
                cut -d' ' -f1,6 /proc/$$/stat | tr ' ' '\\n' | uniq | wc -l";
    let mut spec = script("look", look);
    program(&mut spec).environment.ucspi = true;
    program(&mut spec).environment.set.push(("A".into(), "b".into()));
    let house = House::new([spec]);
    let client = house.connect("look");
    let (own, local) = (client.local_addr().unwrap(), client.peer_addr().unwrap());
    let text = read(client);
    for line in [
        "A=b\n",
        "PROTO=TCP\n",
        "TCPLOCALIP=127.0.0.1\n",
        &format!("TCPLOCALPORT={}\n", local.port()),
        "TCPREMOTEIP=127.0.0.1\n",
        &format!("TCPREMOTEPORT={}\n", own.port()),
    ] {
        assert!(text.contains(line), "{line} is missing in {text}");
    }
    // Beside 0, 1 and 2 there is the one that lists them; it leads its session; nothing else is in its environment.
    assert!(text.contains("\n/\n0 1 2 3 \n1\n"), "{text}");
    assert_eq!(text.lines().filter(|line| line.contains('=')).count(), 8, "{text}");
}

#[test]
fn a_connection_may_come_as_descriptor_three() {
    let said = "echo $LISTEN_FDS $LISTEN_FDNAMES $((LISTEN_PID == $$)) >&3; cat <&3 >&3";
    let mut spec = script("three", said);
    program(&mut spec).descriptors = Descriptors::Listen { names: vec![] };
    let house = House::new([spec]);
    let mut client = house.connect("three");
    client.write_all(b"echoed").unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    assert_eq!(read(client), "1 connection 1\nechoed");
}

#[test]
fn a_unix_socket_is_served_and_removed_at_the_end() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.sock");
    let mut spec = script("unix", "cat");
    spec.endpoints[0].address = Address::UnixStream(path.clone());
    let house = House::new([spec]);
    let mut client = UnixStream::connect(&path).unwrap();
    client.write_all(b"over a path").unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    let mut text = String::new();
    client.read_to_string(&mut text).unwrap();
    assert_eq!(text, "over a path");
    house.superserver.close();
    assert!(!path.exists());
}

#[test]
fn a_program_that_is_not_there_costs_only_its_own_clients() {
    let mut broken = script("broken", "");
    program(&mut broken).path = "/nowhere/to/be/found".into();
    let house = House::new([broken, script("fine", "echo fine")]);
    assert_eq!(read(house.connect("broken")), "");
    let fails = house.log.wait(1, is_fail);
    let said =
        matches!(&fails[0], Event::Fail { reason, .. } if reason.contains("/nowhere/to/be/found"));
    assert!(said, "{fails:?}");
    assert_eq!(read(house.connect("fine")), "fine\n");
}

#[test]
fn a_builtin_answers_connections_and_datagrams() {
    let house = House::new([builtin(Builtin::Echo, Address::tcp(any_port()))]);
    let mut client = house.connect("builtin");
    client.write_all(b"there and back").unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    assert_eq!(read(client), "there and back");
    let house = House::new([builtin(Builtin::Echo, Address::udp(any_port()))]);
    let client = UdpSocket::bind(any_port()).unwrap();
    client.send_to(b"datagram", house.address("builtin")).unwrap();
    let mut answer = [0; 100];
    let (length, from) = client.recv_from(&mut answer).unwrap();
    assert_eq!((&answer[..length], from), (&b"datagram"[..], house.address("builtin")));
}

#[test]
fn an_instance_stands_for_its_process() {
    let house = House::new([script("wait", "echo ready; exec cat")]);
    let client = house.connect("wait");
    let mut lines = BufReader::new(client.try_clone().unwrap()).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "ready");
    let started = house.log.wait(1, is_start);
    let Event::Start { pid: Some(pid), from: Some(from) } = &started[0] else {
        panic!("{started:?}")
    };
    assert_eq!(from, "127.0.0.1");
    let status = house.superserver.status();
    let instance = &status.services[0].instances[0];
    assert_eq!(instance.pid, Some(*pid));
    assert!(instance.rss_bytes.is_some());
    let peer = client.local_addr().unwrap().to_string();
    assert!(instance.actor.ends_with(&peer), "{}", instance.actor);
    // Held with its actor, and killed with it.
    let actor = house.system.find(&instance.actor).unwrap();
    let state = || {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        stat.rsplit(") ").next().unwrap().chars().next().unwrap()
    };
    actor.signal(Signal::Suspend);
    while state() != 'T' {
        std::thread::yield_now();
    }
    actor.signal(Signal::Resume);
    while state() == 'T' {
        std::thread::yield_now();
    }
    actor.signal(Signal::Kill);
    block_on(actor.exited());
    let mut rest = String::new();
    (&client).read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "");
}

#[test]
fn a_stop_asks_a_program_to_end_and_an_interrupt_reaches_it() {
    let traps = "trap 'echo interrupted' INT; trap 'echo ending; exit 3' TERM; echo ready; \
                 while :; do read line || :; done";
    let house = House::new([script("traps", traps)]);
    let client = house.connect("traps");
    let mut lines = BufReader::new(client.try_clone().unwrap()).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "ready");
    let status = house.superserver.status();
    let actor = house.system.find(&status.services[0].instances[0].actor).unwrap();
    actor.signal(Signal::Interrupt);
    assert_eq!(lines.next().unwrap().unwrap(), "interrupted");
    actor.signal(Signal::Stop);
    assert_eq!(lines.next().unwrap().unwrap(), "ending");
    let exits = house.log.wait(1, is_exit);
    assert!(matches!(&exits[0], Event::Exit { how, .. } if how == "status=3"), "{exits:?}");
}

#[test]
fn tcpmux_starts_services_by_name() {
    let mux = builtin(Builtin::Tcpmux, Address::tcp(any_port()));
    let named = |id: &str, text: &str, greets| {
        let mut spec = script(id, text);
        spec.endpoints.clear();
        spec.mux = Some(MuxName { name: id.to_owned(), greets });
        spec
    };
    let house =
        House::new([mux, named("date", "cat", true), named("raw", "echo +own; cat", false)]);
    let ask = |words: &str| {
        let mut client = house.connect("builtin");
        client.write_all(words.as_bytes()).unwrap();
        client.shutdown(Shutdown::Write).unwrap();
        read(client)
    };
    let greeted = ask("DATE\r\nrest");
    assert!(greeted.starts_with("+") && greeted.ends_with("\r\nrest"), "{greeted:?}");
    assert_eq!(ask("raw\r\nrest"), "+own\nrest");
    let help = ask("help\r\n");
    assert_eq!(help.split_whitespace().collect::<Vec<_>>(), ["date", "raw"]);
    assert!(ask("nobody\r\n").starts_with('-'));
}

#[test]
fn an_address_in_use_switches_only_its_own_service_off() {
    let taken = std::net::TcpListener::bind(any_port()).unwrap();
    let mut off = script("off", "cat");
    off.endpoints[0].address = Address::tcp(taken.local_addr().unwrap());
    let house = House::closed(plan([off, script("on", "echo on")]), Default::default());
    house.superserver.open().unwrap();
    let remarks = house.superserver.remarks();
    assert_eq!(remarks.len(), 1);
    assert!(remarks[0].to_string().contains("is in use by"), "{}", remarks[0]);
    assert_eq!(read(house.connect("on")), "on\n");
}

#[test]
fn a_client_over_ipv4_looks_like_one_although_the_socket_is_of_ipv6() {
    let look = "exec python3 -c 'import socket; s = socket.socket(fileno=0); \
                s.sendall(str(s.getpeername()[0]).encode())'";
    let mut spec = script("both", look);
    spec.endpoints[0].address = Address::Tcp { socket: "[::]:0".parse().unwrap(), only_v6: false };
    let house = House::new([spec]);
    let port = house.address("both").port();
    let told = |ip: &str| read(std::net::TcpStream::connect((ip, port)).unwrap());
    assert_eq!(told("127.0.0.1"), "127.0.0.1");
    assert_eq!(told("::1"), "::1");
}

#[test]
fn a_program_may_have_as_many_descriptors_as_the_superserver_was_given() {
    let mut limited = script("limited", "ulimit -n");
    let resource = palco_processes::Resource::RLIMIT_NOFILE;
    let house = House::new([script("plain", "ulimit -Sn; ulimit -Hn")]);
    let told = read(house.connect("plain"));
    let (soft, hard) = nix::sys::resource::getrlimit(resource).unwrap();
    assert_eq!(soft, hard, "the superserver has taken all");
    assert!(told.ends_with(&format!("\n{hard}\n")), "{told}");
    program(&mut limited).limits.push(palco_superserver::ResourceLimit {
        resource,
        soft: 33,
        hard: 44,
    });
    assert_eq!(read(House::new([limited]).connect("limited")), "33\n");
}
