//! Servers of palco that somebody else listens for: an activator (here `palco activate`), or an inetd.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use crate::support::{PATIENCE, Stage, palco, until};

const PALCO: &str = env!("CARGO_BIN_EXE_palco");

/// An activator; when dropped it ends, and with it what it has started.
struct Activator(Stage);

impl Drop for Activator {
    fn drop(&mut self) {
        self.0.interrupt();
        let _ = self.0.child.wait();
    }
}

/// `palco activate OPTIONS -- palco serve WORDS` on a free port.
fn activate(options: &[&str], words: &[&str]) -> Activator {
    let listen = ["activate", "-l", "127.0.0.1:0"];
    Activator(Stage::run(&[&listen, options, &["--", PALCO, "serve"], words].concat()))
}

fn connect(activator: &Activator) -> TcpStream {
    let address = activator.0.view["services"][0]["addresses"][0].as_str().unwrap();
    let stream = TcpStream::connect(address.strip_prefix("tcp ").unwrap()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// One word there and back.
fn echo(stream: &mut TcpStream, word: &str) {
    stream.write_all(word.as_bytes()).unwrap();
    let mut answer = vec![0; word.len()];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(answer, word.as_bytes());
}

fn end_of(mut stream: TcpStream) {
    stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(stream.read(&mut [0]).unwrap(), 0);
}

/// What a server says that is activated with these descriptors; a shell gives them their numbers.
fn given(sockets: [OwnedFd; 2], count: usize, words: &str) -> Output {
    let [third, fourth] = sockets;
    // exec keeps the process, so the number is right.
    let script = format!(
        "exec 3<&0 4>&1 >&2; LISTEN_PID=$$ LISTEN_FDS={count} exec {PALCO} serve {words} --dashboard off"
    );
    let mut shell = Command::new("sh");
    shell.args(["-c", &script]).stdin(third).stdout(fourth).stderr(Stdio::piped());
    shell.output().unwrap()
}

/// Standard error of a server that must not start.
fn refused(sockets: [OwnedFd; 2], count: usize, words: &str) -> String {
    let directory = tempfile::tempdir().unwrap();
    let control = directory.path().join("control.sock");
    let output = given(sockets, count, &format!("{words} --control {}", control.display()));
    assert_eq!(output.status.code(), Some(1));
    assert!(!control.exists(), "nothing is left behind");
    String::from_utf8(output.stderr).unwrap()
}

fn null() -> OwnedFd {
    std::fs::File::open("/dev/null").unwrap().into()
}

#[test]
fn the_first_client_starts_a_server_and_all_share_it() {
    for place in ["task", "thread", "process"] {
        let directory = tempfile::tempdir().unwrap();
        let control = directory.path().join("served.sock");
        let words = ["echo", "--place", place, "--dashboard", "off", "--control"];
        let activator = activate(&[], &[&words[..], &[control.to_str().unwrap()]].concat());
        assert!(!control.exists(), "it runs before a client has come");
        let mut clients: Vec<TcpStream> = (0..3).map(|_| connect(&activator)).collect();
        clients.iter_mut().for_each(|client| echo(client, "hello"));
        clients.iter_mut().for_each(|client| echo(client, "again"));
        clients.into_iter().for_each(end_of);
        let scores = ask(&control)["stage"]["servers"][0]["scores"]["accepted"].clone();
        assert_eq!(scores, 3, "one server for all");
    }
}

#[test]
fn no_child_of_an_activated_server_sees_the_variables() {
    let directory = tempfile::tempdir().unwrap();
    let control = directory.path().join("served.sock");
    let words = ["echo", "--place", "process", "--model", "team", "--workers", "1"];
    let more = ["--dashboard", "off", "--control", control.to_str().unwrap()];
    let activator = activate(&["--fdname", "front"], &[&words[..], &more].concat());
    echo(&mut connect(&activator), "hello");
    let view = ask(&control);
    let worker =
        view["actors"].as_array().unwrap().iter().find(|actor| actor["path"] == "echo/worker-0");
    assert_knows_no_activator(worker.unwrap());
}

/// Not even one that was there for its parent.
fn assert_knows_no_activator(actor: &serde_json::Value) {
    let environment = std::fs::read(format!("/proc/{}/environ", actor["process"]["pid"])).unwrap();
    assert!(!environment.is_empty());
    assert!(!String::from_utf8_lossy(&environment).contains("LISTEN_"));
}

/// What runs on a stage that has this control socket.
fn ask(control: &Path) -> serde_json::Value {
    let output = palco().arg("--json").arg("--control").arg(control).arg("ps").output().unwrap();
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn servers_leave_when_idle_and_no_client_is_lost() {
    for cell in [
        &["--model", "per-connection", "--place", "task"][..],
        &["--model", "team", "--place", "thread", "--workers", "2"],
        &["--model", "team", "--place", "process", "--workers", "2"],
    ] {
        let directory = tempfile::tempdir().unwrap();
        let control = directory.path().join("served.sock");
        let path = control.to_str().unwrap();
        let words = ["echo", "--idle-exit", "20ms", "--dashboard", "off", "--control", path];
        let activator = activate(&[], &[&words[..], cell].concat());
        for _ in 0..3 {
            let mut client = connect(&activator);
            echo(&mut client, "hello");
            assert!(control.exists());
            end_of(client);
            until("it has left, and taken its control socket away", || !control.exists());
        }
        // Now without waiting: some come while it leaves.
        for _ in 0..30 {
            let mut client = connect(&activator);
            echo(&mut client, "hello");
            end_of(client);
        }
    }
}

#[test]
fn a_server_does_not_leave_a_client_that_is_silent() {
    let activator = activate(&[], &["echo", "--idle-exit", "10ms", "--dashboard", "off"]);
    let mut silent = connect(&activator);
    echo(&mut silent, "hello");
    let hourglass = Stage::run(&["serve", "work", "--dashboard", "off"]);
    hourglass.text(&["call", "work", "sleep", "200"]);
    echo(&mut silent, "still here");
}

#[test]
fn a_server_of_its_own_leaves_when_idle_too_and_leaves_nothing_behind() {
    let directory = tempfile::tempdir().unwrap();
    let mut command = palco();
    command.env("TMPDIR", directory.path());
    let mut stage = Stage::of(
        &mut command,
        &["serve", "echo", "--place", "thread", "--idle-exit", "10ms", "--dashboard", "off"],
    );
    assert_eq!(stage.child.wait().unwrap().code(), Some(0));
    assert!(!stage.control().exists());
    assert!(TcpStream::connect(stage.address("echo")).is_err());
    assert_eq!(directory.path().read_dir().unwrap().count(), 0);
}

#[test]
fn a_server_leaves_although_nobody_hears_what_it_says() {
    let mut stage = Stage::run(&["serve", "echo", "--dashboard", "off", "--idle-exit", "300ms"]);
    drop(stage.child.stderr.take());
    assert_eq!(stage.child.wait().unwrap().code(), Some(0));
    assert!(!stage.control().exists());
}

#[test]
fn an_accepted_connection_is_served_as_descriptor_3_or_as_standard_input() {
    for options in [&["--accept"][..], &["--accept", "--inetd"]] {
        let activator = activate(options, &["echo", "--inetd"]);
        let mut clients = [connect(&activator), connect(&activator)];
        clients.iter_mut().for_each(|client| echo(client, "hello"));
        clients.iter_mut().for_each(|client| echo(client, "again"));
        // Nothing but the answers: nothing was printed there.
        clients.into_iter().for_each(end_of);
    }
}

#[test]
fn every_service_can_be_a_line_of_inetd_conf() {
    for (service, request, answer) in [
        ("echo", "hello", "hello"),
        ("daytime", "", "-UTC"),
        ("kv", "PING\r\n", "+PONG"),
        ("work", "sleep 0\n", "ok sleep 0"),
        ("http", "GET / HTTP/1.0\r\n\r\n", "200 OK"),
    ] {
        let (mut client, server) = UnixStream::pair().unwrap();
        let mut child = from_inetd(&["serve", service, "--inetd"], &server);
        drop(server);
        client.write_all(request.as_bytes()).unwrap();
        client.shutdown(Shutdown::Write).unwrap();
        let mut said = String::new();
        client.read_to_string(&mut said).unwrap();
        assert!(said.contains(answer), "{service}: {said}");
        assert_eq!(child.wait().unwrap().code(), Some(0));
    }
}

/// Started as an inetd does: the socket is standard input, output and error.
fn from_inetd(words: &[&str], socket: &UnixStream) -> std::process::Child {
    let end = || Stdio::from(OwnedFd::from(socket.try_clone().unwrap()));
    Command::new(PALCO).args(words).stdin(end()).stdout(end()).stderr(end()).spawn().unwrap()
}

#[test]
fn a_signal_lets_the_request_of_a_single_connection_finish() {
    let (mut client, server) = UnixStream::pair().unwrap();
    let mut child = from_inetd(&["serve", "work", "--inetd"], &server);
    let mut answers = BufReader::new(client.try_clone().unwrap());
    let mut line = String::new();
    client.write_all(b"sleep 0\n").unwrap();
    answers.read_line(&mut line).unwrap();
    client.write_all(b"sleep 300\n").unwrap();
    until("the request has been read", || {
        let mut look = [PollFd::new(server.as_fd(), PollFlags::POLLIN)];
        poll(&mut look, PollTimeout::ZERO).unwrap() == 0
    });
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    line.clear();
    answers.read_line(&mut line).unwrap();
    assert!(line.starts_with("ok sleep 300"), "{line}");
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_single_connection_leaves_nothing_behind() {
    let directory = tempfile::tempdir().unwrap();
    let (client, server) = UnixStream::pair().unwrap();
    let mut command = Command::new(PALCO);
    command.args(["serve", "http", "--inetd"]).env("TMPDIR", directory.path());
    let mut child = command.stdin(OwnedFd::from(server)).spawn().unwrap();
    drop(command); // and with it the other end, of which the server has one
    drop(client);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(directory.path().read_dir().unwrap().count(), 0);
}

#[test]
fn what_is_wrong_with_a_line_of_inetd_conf_is_not_told_to_the_client() {
    for words in [
        &["serve", "echo", "--inetd", "--model", "team"][..],
        &["serve", "echo", "--inetd", "--root", "/"],
        &["serve", "gopher", "--inetd"],
    ] {
        let (mut client, server) = UnixStream::pair().unwrap();
        let mut child = from_inetd(words, &server);
        drop(server);
        let mut said = String::new();
        client.read_to_string(&mut said).unwrap();
        assert_eq!(said, "");
        assert!(!child.wait().unwrap().success());
    }
}

#[test]
fn a_server_takes_one_listening_socket_and_says_what_else_it_was_given() {
    let listening = || TcpListener::bind("127.0.0.1:0").unwrap();
    let said = refused([listening().into(), listening().into()], 2, "echo");
    assert!(said.contains("given 2 sockets; a server takes one"), "{said}");
    let said = refused([UdpSocket::bind("127.0.0.1:0").unwrap().into(), null()], 1, "echo");
    assert!(said.contains("a datagram socket"), "{said}");
    let said = refused([UnixStream::pair().unwrap().0.into(), null()], 1, "echo");
    assert!(said.contains("a connection") && said.contains("add --inetd"), "{said}");
    let said = refused([null(), null()], 1, "echo");
    assert!(said.contains("given no socket"), "{said}");
    let said = refused([null(), null()], 5, "echo");
    assert!(said.contains("is announced, but not open"), "{said}");
    let said = refused([listening().into(), null()], 1, "echo --listen 127.0.0.1:0");
    assert!(said.contains("leave out --listen"), "{said}");
}

#[test]
fn what_is_not_one_connection_is_refused_as_one() {
    let run = |input: OwnedFd| {
        let mut command = Command::new(PALCO);
        let output = command.args(["serve", "echo", "--inetd"]).stdin(input).output().unwrap();
        assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0));
        String::from_utf8(output.stderr).unwrap()
    };
    let said = run(TcpListener::bind("127.0.0.1:0").unwrap().into());
    assert!(said.contains("standard input is a socket that listens on 127.0.0.1:"), "{said}");
    assert!(said.contains("`nowait`"), "{said}");
    let said = run(UdpSocket::bind("127.0.0.1:0").unwrap().into());
    assert!(said.contains("standard input is a datagram socket"), "{said}");
    let said = run(null());
    assert!(said.contains("standard input is no socket"), "{said}");
    for option in ["--model=team", "--place=thread", "--listen=127.0.0.1:0", "--idle-exit=1s"] {
        let output = palco().args(["serve", "echo", "--inetd", option]).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert!(said.contains("cannot be used with"), "{said}");
    }
    let output = palco().args(["serve", "echo", "--idle-exit", "0s"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn descriptors_for_another_process_are_left_alone_and_no_child_sees_the_variables() {
    let mut command = palco();
    command.env("LISTEN_PID", "1").env("LISTEN_FDS", "7").env("LISTEN_FDNAMES", "a");
    let words = ["serve", "echo", "--place", "process", "--model", "team", "--workers", "1"];
    let stage = Stage::of(&mut command, &[&words[..], &["--dashboard", "off"]].concat());
    assert_eq!(stage.text(&["call", "echo", "hello"]), "hello\n");
    assert_knows_no_activator(&stage.actor("echo/worker-0"));
}
