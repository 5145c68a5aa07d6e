//! The superserver as an operator runs it: files, signals, commands.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{PATIENCE, Stage, palco};

/// A file of lines, and a port for each of them that nobody has.
struct House {
    directory: TempDir,
    ports: Vec<u16>,
    user: String,
}

impl House {
    fn new(ports: usize) -> Self {
        let listeners: Vec<TcpListener> =
            (0..ports).map(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap()).collect();
        let port = |listener: &TcpListener| listener.local_addr().unwrap().port();
        let user = Command::new("id").arg("-un").output().unwrap().stdout;
        Self {
            directory: tempfile::tempdir().unwrap(),
            ports: listeners.iter().map(port).collect(),
            user: String::from_utf8(user).unwrap().trim().to_owned(),
        }
    }

    fn file(&self) -> PathBuf {
        self.directory.path().join("inetd.conf")
    }

    /// A line that runs a shell script.
    fn line(&self, place: usize, script: &str) -> String {
        let path = self.directory.path().join(format!("script-{place}-{}", script.len()));
        fs::write(&path, script).unwrap();
        let (port, user) = (self.ports[place], &self.user);
        format!("127.0.0.1:{port} stream tcp4 nowait {user} /bin/sh sh {}\n", path.display())
    }

    fn write(&self, text: &str) -> PathBuf {
        fs::write(self.file(), text).unwrap();
        self.file()
    }

    fn start(&self, arguments: &[&str]) -> Stage {
        let file = self.file();
        let common = ["inetd", "--dashboard", "off", "--config", file.to_str().unwrap()];
        Stage::run(&[&common, arguments].concat())
    }

    fn connect(&self, place: usize) -> TcpStream {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.ports[place]));
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    fn told(&self, place: usize) -> String {
        let mut text = String::new();
        self.connect(place).read_to_string(&mut text).unwrap();
        text
    }

    fn check(&self, text: &str) -> (bool, String) {
        let file = self.write(text);
        let output = palco().args(["inetd", "check"]).arg(file).output().unwrap();
        (output.status.success(), String::from_utf8(output.stdout).unwrap())
    }
}

#[test]
fn services_run_and_status_tells_of_them() {
    let house = House::new(1);
    house.write(&house.line(0, "echo hello; exit 3"));
    let stage = house.start(&[]);
    assert_eq!(house.told(0), "hello\n");
    let status = loop {
        let status = stage.json(&["inetd", "status"]);
        if status["services"][0]["ended"] == 1 {
            break status;
        }
    };
    let service = &status["services"][0];
    assert_eq!(service["state"], "listening");
    assert_eq!(service["ends"][0]["how"], "status=3");
    let text = stage.text(&["inetd", "status"]);
    assert!(text.contains("LAST EXITS") && text.contains("status=3"), "{text}");
    // The same actors as anywhere.
    assert!(stage.text(&["tree"]).contains("inetd"));
}

#[test]
fn a_hangup_reads_the_file_again_and_a_broken_file_changes_nothing() {
    let house = House::new(2);
    house.write(&house.line(0, "echo one; cat"));
    let stage = house.start(&[]);
    let live = house.connect(0);
    let mut lines = BufReader::new(live.try_clone().unwrap()).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "one");
    let reloads = || stage.json(&["inetd", "status"])["reloads"].as_u64().unwrap();

    house.write(
        &(house.line(0, "echo another") + "17 stream tcp4 nowait nosuchuser /bin/cat cat\n"),
    );
    let refused = stage.command(&["inetd", "reload"]);
    assert!(!refused.status.success());
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(said.contains("nothing was changed") && said.contains("inetd.conf:2"), "{said}");
    assert!(said.contains("nosuchuser"), "{said}");

    house.write(&(house.line(0, "echo changed") + &house.line(1, "echo added")));
    stage.kill("-HUP");
    while reloads() == 0 {
        std::thread::yield_now();
    }
    assert_eq!((house.told(0), house.told(1)), ("changed\n".to_owned(), "added\n".to_owned()));
    (&live).write_all(b"still here\n").unwrap();
    assert_eq!(lines.next().unwrap().unwrap(), "still here");
    live.shutdown(Shutdown::Write).unwrap();
}

#[test]
fn a_successor_takes_over_without_a_client_noticing() {
    let house = House::new(1);
    house.write(&house.line(0, "echo one; cat"));
    let mut old = house.start(&[]);
    let live = house.connect(0);
    let mut lines = BufReader::new(live.try_clone().unwrap()).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "one");
    house.write(&house.line(0, "echo two"));
    let control = old.control();
    let file = house.file();
    let take_over =
        ["inetd", "--dashboard", "off", "--take-over", "--config", file.to_str().unwrap()];
    let new = Stage::at(&control, &take_over);
    assert_eq!(house.told(0), "two\n");
    let status = new.json(&["inetd", "status"]);
    assert_eq!(status["pid"], new.child.id());
    assert_eq!(status["services"][0]["running"], 1, "the old one's counts");
    assert!(old.child.try_wait().unwrap().is_none());
    (&live).write_all(b"still here\n").unwrap();
    assert_eq!(lines.next().unwrap().unwrap(), "still here");
    live.shutdown(Shutdown::Write).unwrap();
    assert!(old.child.wait().unwrap().success());
}

#[test]
fn programs_outlive_the_superserver() {
    let house = House::new(1);
    house.write(&house.line(0, "echo here; cat"));
    let mut stage = house.start(&[]);
    let live = house.connect(0);
    let mut lines = BufReader::new(live.try_clone().unwrap()).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "here");
    stage.kill("-TERM");
    assert!(stage.child.wait().unwrap().success());
    assert!(!stage.control().exists());
    (&live).write_all(b"still here\n").unwrap();
    assert_eq!(lines.next().unwrap().unwrap(), "still here");
    live.shutdown(Shutdown::Write).unwrap();
    assert!(lines.next().is_none());
}

#[test]
fn check_explains_what_is_good_and_names_line_and_remedy_of_what_is_not() {
    let house = House::new(2);
    let good = house.line(0, "echo");
    let (fine, text) = house.check(&good);
    assert!(
        fine && text.contains("listens on") && text.contains("1 service on, no errors"),
        "{text}"
    );
    let (port, user) = (house.ports[1], &house.user);
    let long = "x".repeat(10 << 20);
    let cases = [
        (
            format!("{port} stream tcp4 nowait nobodyatall /bin/cat cat"),
            "there is no user `nobodyatall`",
        ),
        (
            format!("{port} stream tcp4 nowait {user} /no/such/program x"),
            "there is no program `/no/such/program`",
        ),
        (house.line(0, "echo twice"), "inetd.conf:1"),
        (format!("{port} stream tcp4 nowait/5/2 {user} /bin/cat cat"), "freebsd"),
        (format!("{port} stream udp4 nowait {user} /bin/cat cat"), "write `dgram`"),
        (format!("{port} stream tcp4"), "column"),
        ("no-such-service stream tcp4 nowait root /bin/cat cat".to_owned(), "no-such-service"),
        (long, "bytes"),
    ];
    for (bad, why) in cases {
        let (fine, text) = house.check(&format!("{good}{bad}\n"));
        assert!(
            !fine && text.contains("inetd.conf:2: error") && text.contains(why),
            "{bad}: {text}"
        );
        assert!(text.contains("1 service on, 1 error"), "{text}");
    }
    let xinetd = "defaults\n{\n}\ninclude /no/such/file\n";
    let file = house.directory.path().join("xinetd.conf");
    fs::write(&file, xinetd).unwrap();
    let output = palco().args(["--json", "inetd", "check"]).arg(&file).output().unwrap();
    let checked: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(checked["ok"], false);
    assert!(checked["remarks"].to_string().contains("/no/such/file"), "{checked}");
}

#[test]
fn the_sample_can_be_checked_and_a_dry_run_starts_nothing() {
    let sample = palco().args(["inetd", "sample"]).output().unwrap().stdout;
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("sample.toml");
    fs::write(&file, sample).unwrap();
    let checked = palco().args(["--json", "inetd", "check"]).arg(&file).output().unwrap();
    let checked: Value = serde_json::from_slice(&checked.stdout).unwrap();
    assert!(!checked["services"].as_array().unwrap().is_empty(), "{checked}");
    let house = House::new(1);
    house.write(&house.line(0, "echo"));
    let output = palco()
        .args(["inetd", "--dry-run", "--config", house.file().to_str().unwrap()])
        .output()
        .unwrap();
    assert!(output.status.success());
    assert!(String::from_utf8(output.stdout).unwrap().contains("127.0.0.1"));
}

#[test]
fn a_port_in_use_is_off_and_named_and_the_others_are_on() {
    let house = House::new(1);
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = taken.local_addr().unwrap().port();
    let off = format!("127.0.0.1:{port} stream tcp4 nowait {} /bin/cat cat\n", house.user);
    house.write(&(off.clone() + &house.line(0, "echo on")));
    let stage = house.start(&[]);
    assert_eq!(house.told(0), "on\n");
    let status = stage.json(&["inetd", "status"]);
    let said = status["remarks"].to_string();
    assert!(said.contains(&port.to_string()) && said.contains("is in use"), "{said}");
    // With nothing at all to serve there is no superserver.
    house.write(&off);
    refused(&["inetd", "--config", house.file().to_str().unwrap()], "no service is on");
}

#[test]
fn what_cannot_be_run_is_said_at_once() {
    let gone = Path::new("/no/such/inetd.conf");
    refused(&["inetd", "--config", gone.to_str().unwrap()], "/no/such/inetd.conf");
    refused(&["inetd", "status", "--control", "/no/such/socket"], "/no/such/socket");
    refused(&["activate", "-l", "127.0.0.1:0", "--", "no-such-program"], "no-such-program");
    refused(&["activate", "-l", "nonsense", "--", "cat"], "nonsense");
    refused(&["activate", "-l", "0", "--fdname", "a:b", "--", "cat"], "colon");
    refused(&["activate", "-l", "0", "--accept", "--idle-exit", "1s", "--", "cat"], "--idle-exit");
    let stage =
        Stage::up("[[server]]\nservice = \"echo\"\nmodel = \"iterative\"\nplace = \"task\"\n");
    let output = stage.command(&["inetd", "status"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("no superserver"), "{said}");
}

fn refused(arguments: &[&str], why: &str) {
    let directory = tempfile::tempdir().unwrap();
    let control = directory.path().join("control.sock");
    let mut command = palco();
    if !arguments.contains(&"--control") {
        command.arg("--control").arg(control);
    }
    let output = command.args(arguments).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && said.contains(why), "{arguments:?}: {said}");
}

#[test]
fn a_log_that_was_renamed_is_begun_anew_by_a_hangup() {
    let house = House::new(1);
    house.write(&house.line(0, "echo hello"));
    let (log, old) = (house.directory.path().join("log"), house.directory.path().join("log.1"));
    let stage = house.start(&["--log", log.to_str().unwrap()]);
    assert_eq!(house.told(0), "hello\n");
    fs::rename(&log, &old).unwrap();
    stage.kill("-HUP");
    while !fs::read_to_string(&log).is_ok_and(|text| text.contains("reloaded: nothing has changed"))
    {
        std::thread::yield_now();
    }
    assert_eq!(house.told(0), "hello\n");
    assert!(fs::read_to_string(&old).unwrap().contains("START: "));
    while !fs::read_to_string(&log).unwrap().contains("EXIT: ") {
        std::thread::yield_now();
    }
}
