//! Urgent data of clients, and programs that know nothing of it.

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::thread;

use palco_actors::{AnyRef, Signal};
use palco_superserver::{
    Address, Builtin, Continued, Event, MuxName, Plan, ServiceSpec, Status, Urgent,
};
use palco_urgent::{of_acknowledgement, send_urgent, take_urgent};
use tempfile::NamedTempFile;

use crate::support::{House, any_port, builtin, is_exit, is_start, plan, program, read, script};

/// /usr/bin/yes as it is, without a shell.
fn yes() -> ServiceSpec {
    let mut spec = script("yes", "");
    let program = program(&mut spec);
    (program.path, program.arg0, program.args) = ("/usr/bin/yes".into(), "yes".into(), Vec::new());
    spec
}

/// A client, and the program that serves it: told by the log.
fn client(house: &House, id: &str) -> (TcpStream, i32) {
    let client = house.connect(id);
    let start = house.log.wait(1, is_start).pop();
    let Some(Event::Start { pid: Some(pid), .. }) = start else { panic!("{start:?}") };
    (client, pid)
}

/// The states of all processes of a group (proc(5)): `R`, `S`, `T` …; none of those that are not reaped yet.
fn group(leader: i32) -> Vec<char> {
    let state = |stat: String| {
        let (_, fields) = stat.rsplit_once(')')?;
        let mut fields = fields.split_whitespace();
        let state = fields.next()?.chars().next()?;
        (fields.nth(1)?.parse() == Ok(leader) && state != 'Z').then_some(state)
    };
    let stats = fs::read_dir("/proc").unwrap().flatten();
    let stats = stats.filter_map(|entry| fs::read_to_string(entry.path().join("stat")).ok());
    stats.filter_map(state).collect()
}

fn until(holds: impl Fn() -> bool) {
    while !holds() {
        thread::yield_now();
    }
}

/// A script that does not read before it is told to: from one that waits in a read the kernel may take an urgent byte away
/// before anybody hears it. With what tells it.
fn busy(id: &str, then: &str) -> (ServiceSpec, NamedTempFile) {
    let until = NamedTempFile::new().unwrap();
    let waiting = format!("while [ -e {} ]; do sleep 0.01; done; {then}", until.path().display());
    (script(id, &waiting), until)
}

/// A shell that has just forked waits in the kernel (`D`) until its child, which stands still, has begun its program.
fn until_stopped(leader: i32) {
    until(|| {
        let states = group(leader);
        states.contains(&'T') && states.iter().all(|state| matches!(state, 'T' | 'D'))
    });
}

fn until_going(leader: i32) {
    until(|| !group(leader).contains(&'T'));
}

/// Takes as many bytes as come.
fn take(client: &TcpStream, count: u64) {
    let taken = std::io::copy(&mut client.take(count), &mut std::io::sink()).unwrap();
    assert_eq!(taken, count);
}

/// Takes what has been sent by a program that stands still, and asserts that then nothing comes any more.
fn drain(client: &mut TcpStream, leader: i32) {
    client.set_nonblocking(true).unwrap();
    let mut dry = 0;
    while dry < 100 {
        match client.read(&mut [0; 65536]) {
            Ok(0) => panic!("the connection has ended"),
            Ok(_) => dry = 0,
            Err(error) if error.kind() == ErrorKind::WouldBlock => dry += 1,
            Err(error) => panic!("{error}"),
        }
        assert!(group(leader).iter().all(|state| *state == 'T'));
    }
    client.set_nonblocking(false).unwrap();
}

/// Whether the connection ends, after whatever comes before.
fn until_end(mut client: &TcpStream) {
    while !matches!(client.read(&mut [0; 65536]), Ok(0) | Err(_)) {}
}

fn status(house: &House) -> Status {
    house.superserver.status()
}

fn counts(house: &House) -> (u64, u64, u64) {
    let urgent = &status(house).services[0].urgent;
    (urgent.suspended, urgent.continued, urgent.killed)
}

/// The one instance.
fn instance(house: &House) -> AnyRef {
    let service = house.superserver.supervisor().children().pop().unwrap();
    service.children().pop().unwrap().children().pop().unwrap()
}

fn is_told(event: &Event) -> bool {
    matches!(
        event,
        Event::Suspend { .. } | Event::Continue { .. } | Event::Kill { .. } | Event::Puzzle { .. }
    )
}

#[test]
fn an_unmodified_program_is_suspended_continued_and_ended_by_its_client() {
    let house = House::new([yes()]);
    let (mut client, pid) = client(&house, "yes");
    let from = client.local_addr().unwrap().to_string();
    take(&client, 1 << 20);

    send_urgent(&client, b'S').unwrap();
    until_stopped(pid);
    drain(&mut client, pid);
    let snapshot = || instance(&house).snapshot();
    until(|| snapshot().status == palco_actors::Status::Suspended);

    send_urgent(&client, b'C').unwrap();
    take(&client, 1 << 20);
    until(|| snapshot().status != palco_actors::Status::Suspended);

    send_urgent(&client, b'K').unwrap();
    until_end(&client);
    let exits = house.log.wait(1, is_exit);
    assert!(matches!(&exits[0], Event::Exit { how, .. } if how == "signal=15"), "{exits:?}");
    assert!(group(pid).is_empty());
    assert_eq!(counts(&house), (1, 1, 1));
    assert!(status(&house).urgent.is_some());
    let by = Continued::ByClient;
    let told = [
        Event::Suspend { pid, from: from.clone() },
        Event::Continue { pid, by, from: from.clone() },
        Event::Kill { pid, from },
    ];
    assert_eq!(house.log.wait(3, is_told), told);
}

#[test]
fn a_suspended_program_is_ended_without_going_on() {
    let marked = "trap 'echo ended; exit 0' TERM; echo begun; while :; do sleep 1 & wait; done";
    let house = House::new([script("marked", marked)]);
    let (mut client, pid) = client(&house, "marked");
    client.read_exact(&mut [0; 6]).unwrap();
    send_urgent(&client, b'S').unwrap();
    until_stopped(pid);
    send_urgent(&client, b'K').unwrap();
    assert_eq!(read(client), "ended\n");
    until(|| group(pid).is_empty());
}

#[test]
fn a_pipeline_is_reached_as_a_whole() {
    let house = House::new([script("pipe", "yes | cat; :")]);
    let (mut client, pid) = client(&house, "pipe");
    take(&client, 1 << 20);
    send_urgent(&client, b'S').unwrap();
    until(|| group(pid) == ['T'; 3]);
    drain(&mut client, pid);
    send_urgent(&client, b'C').unwrap();
    take(&client, 1 << 20);
    send_urgent(&client, b'K').unwrap();
    until_end(&client);
    until(|| group(pid).is_empty());
}

#[test]
fn what_does_not_want_to_end_is_killed_after_its_time() {
    // The shell ends, its child does not.
    let stubborn = "(trap '' TERM; echo here; while :; do sleep 1; done) & wait";
    let mut spec = script("stubborn", stubborn);
    spec.limits.end_within = std::time::Duration::from_millis(200);
    let house = House::new([spec]);
    let (mut client, pid) = client(&house, "stubborn");
    client.read_exact(&mut [0; 5]).unwrap();
    send_urgent(&client, b'K').unwrap();
    until_end(&client);
    until(|| group(pid).is_empty());
    assert!(matches!(house.log.wait(1, is_exit)[..], [Event::Exit { .. }]));
}

#[test]
fn the_client_hears_the_end_of_a_program_that_ends_by_itself() {
    let (spec, until) = busy("cat", "cat; echo end");
    let house = House::new([spec]);
    let (mut client, pid) = client(&house, "cat");
    send_urgent(&client, b'S').unwrap();
    until_stopped(pid);
    send_urgent(&client, b'C').unwrap();
    until_going(pid);
    until.close().unwrap();
    client.write_all(b"two\n").unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    assert_eq!(read(client), "two\nend\n");
}

#[test]
fn a_program_that_is_killed_while_it_rests_ends_its_connection() {
    let house = House::new([script("sleeper", "echo here; exec sleep 1000")]);
    let (mut client, pid) = client(&house, "sleeper");
    client.read_exact(&mut [0; 5]).unwrap();
    // By others: nobody but them may continue it.
    instance(&house).signal(Signal::Suspend);
    until_stopped(pid);
    send_urgent(&client, b'C').unwrap();
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::SIGKILL).unwrap();
    assert_eq!(read(client), "");
    assert!(
        matches!(&house.log.wait(1, is_exit)[..], [Event::Exit { how, .. }] if how == "signal=9")
    );
    assert_eq!(counts(&house), (0, 0, 0));
}

#[test]
fn a_child_of_a_program_keeps_its_connection() {
    // Out of the group, and told by the client what to do after the program has ended.
    let house =
        House::new([script("heir", "exec 3<&0; setsid sh -c 'read word; echo got $word' <&3 & :")]);
    let (mut client, _) = client(&house, "heir");
    house.log.wait(1, is_exit);
    client.write_all(b"it\n").unwrap();
    assert_eq!(read(client), "got it\n");
}

#[test]
fn a_program_that_closes_its_connection_and_lives_on_ends_it() {
    let house = House::new([script("closer", "echo done; exec <&- >&- 2>&-; sleep 1000")]);
    let (client, pid) = client(&house, "closer");
    assert_eq!(read(client), "done\n");
    assert_eq!(group(pid).len(), 2);
}

#[test]
fn a_byte_that_means_nothing_is_told_of_once_and_disturbs_nothing() {
    let (spec, until_told) = busy("cat", "cat");
    let house = House::new([spec]);
    let (mut client, pid) = client(&house, "cat");
    send_urgent(&client, b'x').unwrap();
    house.log.wait(1, is_told);
    send_urgent(&client, b's').unwrap();
    // Answered out of the stream; twice is as once.
    for _ in 0..2 {
        send_urgent(&client, b'S').unwrap();
        until(|| {
            matches!(take_urgent(&client), Ok(palco_urgent::Urgent::Byte(byte))
                if of_acknowledgement(byte) == Some((palco_core::RequestState::Held, true)))
        });
    }
    until_stopped(pid);
    send_urgent(&client, b'C').unwrap();
    until_going(pid);
    until_told.close().unwrap();
    for byte in [b'x', 0, b's'] {
        send_urgent(&client, byte).unwrap();
        client.write_all(b"in order").unwrap();
        let mut told = [0; 8];
        client.read_exact(&mut told).unwrap();
        assert_eq!(&told, b"in order");
    }
    client.shutdown(Shutdown::Write).unwrap();
    assert_eq!(read(client), "");
    house.log.wait(1, is_exit);
    assert_eq!(counts(&house), (1, 1, 0));
    let told = house.log.wait(3, is_told);
    let [Event::Puzzle { byte: b'x', .. }, Event::Suspend { .. }, Event::Continue { .. }] =
        &told[..]
    else {
        panic!("{told:?}")
    };
}

#[test]
fn a_program_does_not_rest_for_ever_for_a_client_that_has_gone() {
    for way in [Shutdown::Write, Shutdown::Both] {
        let (spec, until) = busy("cat", "cat; echo end");
        let house = House::new([spec]);
        let (client, pid) = client(&house, "cat");
        send_urgent(&client, b'S').unwrap();
        until_stopped(pid);
        // What does not end the connection does not continue the program.
        (&client).write_all(b"more").unwrap();
        client.shutdown(way).unwrap();
        until.close().unwrap();
        if way == Shutdown::Write {
            assert_eq!(read(client), "moreend\n");
        }
        house.log.wait(1, is_exit);
        let told = house.log.wait(2, is_told);
        let gone =
            |event: &Event| matches!(event, Event::Continue { by: Continued::ClientGone, .. });
        assert!(gone(&told[1]), "{told:?}");
    }
}

#[test]
fn a_program_that_its_client_has_suspended_goes_on_when_the_superserver_leaves() {
    let (spec, until_told) = busy("cat", "cat; echo end");
    let house = House::new([spec]);
    let (client, pid) = client(&house, "cat");
    send_urgent(&client, b'S').unwrap();
    until_stopped(pid);
    until(|| instance(&house).snapshot().status == palco_actors::Status::Suspended);
    house.superserver.leave();
    until_going(pid);
    drop(house);
    until_told.close().unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    assert_eq!(read(client), "end\n");
}

#[test]
fn programs_that_use_urgent_data_themselves_are_left_alone() {
    // Called like one of them, and as it would: it takes the byte itself.
    let taker = "import socket, time; s = socket.socket(fileno=0); s.sendall(b'here')\n\
                 while True:\n try: s.sendall(b'got ' + s.recv(1, socket.MSG_OOB)); break\n except OSError: pass";
    let mut spec = script("in.telnetd", "");
    let telnetd = program(&mut spec);
    (telnetd.path, telnetd.arg0) = ("/usr/bin/python3".into(), "/usr/sbin/in.telnetd".into());
    telnetd.args = vec!["-c".into(), taker.into()];
    let mut off = script("off", "cat");
    program(&mut off).urgent = Urgent::Off;
    let house = House::new([spec, off, yes()]);
    let mut taking = house.connect("in.telnetd");
    taking.read_exact(&mut [0; 4]).unwrap();
    send_urgent(&taking, b'K').unwrap();
    let mut got = [0; 5];
    taking.read_exact(&mut got).unwrap();
    assert_eq!(&got, b"got K");
    let mut unheard = house.connect("off");
    send_urgent(&unheard, b'K').unwrap();
    unheard.write_all(b"still here").unwrap();
    unheard.shutdown(Shutdown::Write).unwrap();
    assert_eq!(read(unheard), "still here");
    let states: Vec<String> =
        status(&house).services.into_iter().map(|service| service.urgent.state).collect();
    let states: Vec<&str> = states.iter().map(String::as_str).collect();
    assert_eq!(states, ["off: the program uses urgent data itself", "off: switched off", "on"]);
}

#[test]
fn without_a_service_that_wants_it_nobody_listens() {
    let house = House::new([builtin(Builtin::Echo, Address::tcp(any_port()))]);
    assert_eq!(status(&house).urgent, None);
    let Plan { mut services, .. } = plan([yes()]);
    services.push(builtin(Builtin::Echo, Address::tcp(any_port())));
    house.superserver.reload(plan(services)).unwrap();
    assert!(status(&house).urgent.is_some());
}

#[test]
fn what_tcpmux_has_started_is_interrupted_as_what_it_is() {
    let mut chosen = yes();
    chosen.endpoints.clear();
    chosen.mux = Some(MuxName { name: "yes".into(), greets: true });
    let house = House::new([builtin(Builtin::Tcpmux, Address::tcp(any_port())), chosen]);
    let mut client = house.connect("builtin");
    // Not yet: there is no program, and what it means is nobody's business.
    send_urgent(&client, b'x').unwrap();
    client.write_all(b"yes\r\n").unwrap();
    take(&client, 1 << 16);
    send_urgent(&client, b'K').unwrap();
    until_end(&client);
    let service = status(&house).services.into_iter().find(|service| service.id == "yes").unwrap();
    assert_eq!(service.urgent.killed, 1);
}
