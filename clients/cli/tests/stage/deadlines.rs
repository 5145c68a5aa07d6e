//! Time limits of the real binary: that they act, are counted where people look, and are refused in the same words.

use std::io::{Read, Write};

use crate::support::{Stage, palco, until};

#[test]
fn a_time_limit_acts_and_is_shown_with_its_name() {
    let stage = Stage::run(&["serve", "work", "--header-within", "200ms", "--idle-within", "60s"]);
    let mut client = stage.connect("work");
    client.write_all(b"sle").unwrap();
    let mut heard = String::new();
    client.read_to_string(&mut heard).unwrap();
    assert_eq!(heard, "error: the line took too long\n");
    drop(client);
    until("it is shown", || stage.text(&["ps"]).contains("header-within: 1"));
}

#[test]
fn a_process_that_does_not_answer_is_replaced() {
    let stage = Stage::up(
        r#"
[[server]]
service = "work"
model = "team"
place = "process"
workers = 2

[server.deadlines]
worker-within = "300ms"
"#,
    );
    let mut client = stage.connect("work");
    client.write_all(b"block 60000\n").unwrap();
    assert!(!matches!(client.read(&mut [0]), Ok(1..)), "no answer, and an end");
    until("it is shown", || stage.text(&["ps"]).contains("worker-within: 1"));
    let mut next = stage.connect("work");
    next.write_all(b"sleep 0\n").unwrap();
    next.read_exact(&mut [0; 8]).unwrap();
}

#[test]
fn limits_that_cannot_be_had_are_refused_in_the_same_words_everywhere() {
    let why = "`worker-within` kills the process whose handler does not end; in place `thread`";
    let words = ["serve", "echo", "--place", "thread", "--worker-within", "5s"];
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("stage.toml");
    let server = "[[server]]\nservice = \"echo\"\nmodel = \"team\"\nplace = \"thread\"\n";
    let limits = "listen = \"127.0.0.1:0\"\n[server.deadlines]\nworker-within = \"5s\"\n";
    std::fs::write(&file, server.to_owned() + limits).unwrap();
    for words in [&words[..], &["up", file.to_str().unwrap()]] {
        let output = palco().args(words).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains(why), "{said}");
    }
}
