//! `palco serve basket`, as a user starts it; with a real client behind feature `real-clients`.

use std::fs::{self, Permissions};
use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;

use crate::support::{Stage, http, palco};

/// Standard error of a command that must fail.
fn refused(arguments: &[&str]) -> String {
    let output = palco().args(["serve"]).args(arguments).output().unwrap();
    assert!(!output.status.success(), "{arguments:?}");
    String::from_utf8(output.stderr).unwrap()
}

/// The field with the cookie of an answer; nothing if it has none.
fn cookie(answer: &str) -> String {
    let cookie = answer.lines().find_map(|line| line.strip_prefix("Set-Cookie: "));
    let cookie = cookie.and_then(|cookie| cookie.split(';').next());
    cookie.map_or(String::new(), |cookie| format!("Cookie: {cookie}\r\n"))
}

/// What is asked at `address` with the cookie of `before`, head and content.
fn ask(address: &str, request: &str, before: &str) -> String {
    http(address, request, &cookie(before))
}

#[test]
fn what_means_nothing_or_would_not_last_is_refused() {
    assert!(refused(&["echo", "--ttl", "1m"]).contains("belong to service `basket`"));
    assert!(refused(&["basket", "--ttl", "10ms"]).contains("1s to 366days, not for 10ms"));
    assert!(refused(&["basket", "--sessions", "nobody"]).contains("client, server"));
    let shared = ["basket", "--place", "process", "--state", "shared"];
    assert!(refused(&shared).contains("has no state to share"));
}

/// What one process answers that serves this connection alone, on its standard input; and what it says beside.
fn from_inetd(arguments: &[&str], request: &str) -> (String, String) {
    let (client, server) = UnixStream::pair().unwrap();
    (&client).write_all(request.as_bytes()).unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    let mut command = palco();
    command.args(["serve", "basket", "--inetd"]).args(arguments);
    let output = command.stdin(OwnedFd::from(server)).output().unwrap();
    // Nobody else holds the other end any more.
    drop(command);
    let mut answer = String::new();
    (&client).read_to_string(&mut answer).unwrap();
    (answer, String::from_utf8(output.stderr).unwrap())
}

#[test]
fn a_process_for_each_connection_goes_on_with_a_secret_and_begins_not_without() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("secret");
    fs::write(&file, "0123456789abcdef0123456789abcdef").unwrap();
    fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
    let with = ["--secret", file.to_str().unwrap()];
    let (put, _) = from_inetd(&with, "PUT /basket/tea?count=2 HTTP/1.1\r\nHost: h\r\n\r\n");
    let get = format!("GET /basket HTTP/1.1\r\nHost: h\r\n{}\r\n", cookie(&put));
    let (answer, said) = from_inetd(&with, &get);
    assert!(
        answer.ends_with("{\"items\":{\"tea\":2},\"kept_by\":\"client\",\"expires_in_s\":600}\n"),
        "{answer}{said}"
    );
    for nothing in [&[][..], &["--sessions", "server"]] {
        let (answer, said) = from_inetd(nothing, "");
        assert!(answer.is_empty() && said.contains("--secret FILE"), "{answer}{said}");
    }
}

#[test]
fn a_secret_is_one_or_is_refused_with_what_to_do() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("secret");
    let path = file.to_str().unwrap();
    let with = ["basket", "--secret", path];
    assert!(refused(&with).contains(path));
    fs::write(&file, "0123456789abcdef0123456789abcdef\n").unwrap();
    fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
    assert!(refused(&with).contains(&format!("chmod 600 {path}")));
    fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
    let server = [&with[..], &["--sessions", "server"]].concat();
    assert!(refused(&server).contains("nothing is signed"));
    fs::write(&file, "short").unwrap();
    assert!(refused(&with).contains("16 to 256"));
}

#[test]
fn all_processes_of_a_server_believe_a_secret_that_it_has_made_at_start() {
    let arguments = ["serve", "basket", "--model", "team", "--place", "process", "--workers", "3"];
    let stage = Stage::run(&arguments);
    let address = stage.address("basket").to_string();
    let mut answer = ask(&address, "PUT /basket/tea?count=2", "");
    for _ in 0..20 {
        answer = ask(&address, "GET /basket", &answer);
        assert!(answer.contains(r#"{"items":{"tea":2},"kept_by":"client""#), "{answer}");
    }
    let other = Stage::run(&arguments);
    let refused = ask(&other.address("basket").to_string(), "GET /basket", &answer);
    assert!(refused.starts_with("HTTP/1.1 401 ") && refused.contains("cookie-forged"), "{refused}");
}

#[test]
fn a_stage_file_says_who_keeps_the_baskets() {
    let stage = Stage::up(
        "[[server]]\nservice = \"basket\"\nmodel = \"team\"\nplace = \"thread\"\n\
         [server.basket]\nsessions = \"server\"\nttl = \"90s\"\n",
    );
    let address = stage.address("basket").to_string();
    let answer = ask(&address, "PUT /basket/tea?count=2", "");
    assert!(answer.contains(r#""kept_by":"server","expires_in_s":90"#), "{answer}");
    let answer = ask(&address, "PUT /basket/cups?count=4", &answer);
    assert!(answer.contains(r#"{"items":{"cups":4,"tea":2}"#), "{answer}");
    let called = stage.text(&["call", "basket"]);
    assert_eq!(called, "{\"items\":{},\"kept_by\":\"server\"}\n");
}
