//! Bad input gets an error that says what, where and what to do; nothing else is disturbed.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;

use crate::support::{Stage, palco, talk};

const ECHO: &str = r#"
[[server]]
service = "echo"
model = "per-connection"
place = "task"
"#;

/// Exit code and standard error of a command that must fail.
fn refused(arguments: &[&str]) -> (Option<i32>, String) {
    let output = palco().args(arguments).output().unwrap();
    assert!(!output.status.success(), "{arguments:?}");
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn unknown_names_list_the_valid_ones_as_usage_errors() {
    for (arguments, valid) in [
        (&["serve", "gopher"][..], "echo, time, daytime, kv, work, http, files, telnet, ftp"),
        (&["serve", "echo", "--model", "prefork"], "iterative, per-connection, team"),
        (&["serve", "echo", "--place", "cloud"], "task, thread, fiber, process"),
        (&["serve", "kv", "--state", "common"], "local, shared"),
    ] {
        let (code, said) = refused(arguments);
        assert_eq!(code, Some(2));
        assert!(said.contains(valid), "{said}");
    }
}

#[test]
fn an_impossible_cell_says_why() {
    let (code, said) = refused(&["serve", "echo", "--model", "iterative", "--workers", "4"]);
    assert_eq!(code, Some(1));
    assert!(said.contains("`iterative` has no workers"), "{said}");
    let (code, said) = refused(&["serve", "kv", "--place", "thread", "--state", "shared"]);
    assert_eq!(code, Some(1));
    assert!(said.contains("`state` belongs to place `process`"), "{said}");
    let (_, said) = refused(&["serve", "echo", "--place", "process", "--state", "shared"]);
    assert!(said.contains("service `echo` has no state to share"), "{said}");
    let (_, said) = refused(&["serve", "echo", "--place", "task", "--memory-max", "64"]);
    assert!(
        said.contains("settings for processes belong to place `process`, not to `task`"),
        "{said}"
    );
}

#[test]
fn a_port_in_use_names_the_port_and_its_holder() {
    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = holder.local_addr().unwrap().to_string();
    let directory = tempfile::tempdir().unwrap();
    let control = directory.path().join("control.sock");
    let (code, said) =
        refused(&["serve", "echo", "--listen", &address, "--control", control.to_str().unwrap()]);
    assert_eq!(code, Some(1));
    assert!(said.contains(&address), "{said}");
    assert!(said.contains(&format!("(pid {})", std::process::id())), "{said}");
    assert!(!control.exists(), "nothing is left behind");
}

#[test]
fn a_mistake_in_a_stage_file_shows_line_and_key() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("stage.toml");
    std::fs::write(&file, "[[server]]\nservice = \"echo\"\nmodle = \"team\"\n").unwrap();
    let (_, said) = refused(&["up", file.to_str().unwrap()]);
    assert!(
        said.contains("stage.toml") && said.contains("line 3") && said.contains("modle"),
        "{said}"
    );
}

#[test]
fn no_stage_and_no_such_actor_say_what_to_do() {
    let directory = tempfile::tempdir().unwrap();
    let nowhere = directory.path().join("nowhere.sock");
    let (_, said) = refused(&["ps", "--control", nowhere.to_str().unwrap()]);
    assert!(said.contains("start one with `palco`"), "{said}");
    let stage = Stage::up(ECHO);
    let output = stage.command(&["inspect", "ech0"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.contains("there is no actor `ech0`") && said.contains("echo/dispatcher"),
        "{said}"
    );
}

#[test]
fn a_live_control_socket_is_not_stolen() {
    let stage = Stage::up(ECHO);
    let control = stage.control();
    let (_, said) = refused(&["serve", "echo", "--control", control.to_str().unwrap()]);
    assert!(said.contains(&format!("pid {}", stage.child.id())), "{said}");
    assert_eq!(stage.text(&["call", "echo", "still here"]), "still here\n");
}

#[test]
fn a_stale_control_socket_is_replaced() {
    let mut first = Stage::up(ECHO);
    first.child.kill().unwrap(); // SIGKILL: it cannot tidy up
    first.child.wait().unwrap();
    assert!(first.control().exists());
    let control = first.control();
    let second = Stage::at(&control, &["serve", "echo"]);
    assert_eq!(second.text(&["call", "echo", "again"]), "again\n");
}

#[test]
fn the_control_socket_is_for_its_owner_only() {
    let stage = Stage::up(ECHO);
    let mode = std::fs::metadata(stage.control()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn nonsense_on_the_control_socket_gets_an_error_and_disturbs_nobody() {
    let stage = Stage::up(ECHO);
    for nonsense in ["\n", "{}\n", "{\"do\":\"dance\"}\n", "\u{1}\u{2}\n"] {
        let mut stream = UnixStream::connect(stage.control()).unwrap();
        stream.write_all(nonsense.as_bytes()).unwrap();
        let mut answer = String::new();
        BufReader::new(stream).read_line(&mut answer).unwrap();
        assert!(answer.contains("\"error\""), "{nonsense:?}: {answer}");
    }
    let mut endless = UnixStream::connect(stage.control()).unwrap();
    // The stage stops reading at its limit; what it does not want may not be written.
    let _ = endless.write_all(&vec![b'x'; 1 << 20]);
    let mut answer = Vec::new();
    let _ = endless.read_to_end(&mut answer);
    assert_eq!(talk(stage.connect("echo"), "hi"), "hi");
    assert_eq!(stage.actor("control")["restarts"], 0);
}

#[test]
fn a_directory_that_is_none_is_refused_before_anything_starts() {
    let stage = "[[server]]\nservice = \"http\"\nmodel = \"team\"\nplace = \"task\"\nlisten = \"127.0.0.1:0\"\nroot = \"/nosuch\"\n";
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("stage.toml");
    std::fs::write(&file, stage).unwrap();
    let (_, said) = refused(&["check", file.to_str().unwrap()]);
    assert!(said.contains("server `http`") && said.contains("/nosuch is no directory"), "{said}");
}
