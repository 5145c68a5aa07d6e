//! Interrupting a program that knows nothing of it, as an operator and a client see it.

use std::fs;
use std::io::Read;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;

use crate::support::{PATIENCE, Stage, palco, until};

/// `palco inetd` on an inetd.conf with one line for /usr/bin/yes.
fn yes(directory: &Path) -> (Stage, SocketAddr) {
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
    let user = Command::new("id").arg("-un").output().unwrap().stdout;
    let user = String::from_utf8(user).unwrap();
    let line =
        format!("127.0.0.1:{} stream tcp4 nowait {} /usr/bin/yes yes\n", free.port(), user.trim());
    let (file, log) = (directory.join("inetd.conf"), directory.join("log"));
    fs::write(&file, line).unwrap();
    let [file, log] = [file.to_str().unwrap(), log.to_str().unwrap()];
    let arguments = ["inetd", "--dashboard", "off", "--config", file, "--log", log];
    (Stage::run(&arguments), free)
}

/// The lines of the documentation's example, which sends `word` as urgent data.
const SAY: &str =
    "import socket, sys; s = socket.socket(fileno=0); s.send(sys.argv[1].encode(), socket.MSG_OOB)";

fn say(client: &TcpStream, word: &str) {
    let connection = std::os::fd::OwnedFd::from(client.try_clone().unwrap());
    let mut python = Command::new("python3");
    let python = python.args(["-c", SAY, word]).stdin(connection);
    assert!(python.status().unwrap().success());
}

#[test]
fn yes_is_suspended_continued_and_killed_and_everybody_shows_it() {
    let directory = tempfile::tempdir().unwrap();
    let (stage, address) = yes(directory.path());
    let mut client = TcpStream::connect(address).unwrap();
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    client.read_exact(&mut [0; 4096]).unwrap();
    let from = client.local_addr().unwrap().to_string();

    say(&client, "S");
    let is_suspended = || stage.text(&["ps"]).contains("suspended");
    until("the actor rests", is_suspended);
    say(&client, "C");
    until("the actor goes on", || !is_suspended());
    client.read_exact(&mut [0; 4096]).unwrap();
    say(&client, "K");
    while !matches!(client.read(&mut [0; 65536]), Ok(0) | Err(_)) {}

    until("the end is known", || stage.json(&["inetd", "status"])["services"][0]["ended"] == 1);
    let status = stage.json(&["inetd", "status"]);
    let urgent = &status["services"][0]["urgent"];
    assert_eq!(
        (&urgent["state"], &urgent["suspended"], &urgent["continued"], &urgent["killed"]),
        (&"on".into(), &1.into(), &1.into(), &1.into()),
        "{urgent}"
    );
    let text = stage.text(&["inetd", "status"]);
    assert!(
        text.contains("SUSPENDED BY CLIENTS") && text.contains("Urgent data is heard"),
        "{text}"
    );
    let log = fs::read_to_string(directory.path().join("log")).unwrap();
    for word in ["SUSPEND: ", "CONTINUE: ", "KILL: "] {
        let told = log.lines().any(|line| line.contains(word) && line.ends_with(&from));
        assert!(told, "{word}: {log}");
    }
}

#[test]
fn check_says_whose_urgent_data_is_heard_and_why_not() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("services.toml");
    fs::write(
        &file,
        "[[service]]\nname = \"a\"\nlisten = \"17001\"\nprogram = [\"/bin/cat\"]\n\
         [[service]]\nname = \"b\"\nlisten = \"17002\"\nprogram = [\"/bin/cat\"]\narg0 = \"in.ftpd\"\n\
         [[service]]\nname = \"c\"\nlisten = \"17003\"\nprogram = [\"/bin/cat\"]\nurgent = false\n",
    )
    .unwrap();
    let output = palco().args(["inetd", "check"]).arg(file).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    for words in ["S suspends", "off: the program uses urgent data itself", "off: switched off"] {
        assert!(
            text.lines().any(|line| line.contains("urgent data") && line.contains(words)),
            "{text}"
        );
    }
}
