//! Who the workers are, with the real binary: options and keys have the effect that they promise, and say the same when
//! they do not go together.

use std::io::{Read, Write};

use serde_json::Value;

use crate::support::{Stage, palco, until};

const TEAM: [&str; 6] = ["serve", "echo", "--model", "team", "--place", "process"];

/// One request on a connection of its own.
fn ask(stage: &Stage) {
    let (mut stream, mut answer) = (stage.connect("echo"), [0; 5]);
    stream.write_all(b"hello").unwrap();
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"hello");
}

fn server(stage: &Stage) -> Value {
    stage.json(&["ps"])["stage"]["servers"][0].clone()
}

/// The workers that live.
fn workers(stage: &Stage) -> usize {
    let ps = stage.json(&["ps"]);
    let actors = ps["actors"].as_array().unwrap();
    let is_worker = |actor: &&Value| actor["path"].as_str().unwrap().starts_with("echo/worker-");
    actors.iter().filter(is_worker).count()
}

#[test]
fn a_team_grows_to_its_spares_and_its_workers_are_replaced() {
    let options = [
        ["--workers", "1"],
        ["--spare-min", "2"],
        ["--spare-max", "3"],
        ["--workers-max", "8"],
        ["--requests-max", "2"],
        ["--requests-jitter", "0"],
        ["--backlog", "9"],
    ];
    let stage = Stage::run(&[&TEAM[..], options.as_flattened()].concat());
    assert_eq!(server(&stage)["backlog"], 9);
    until("two are spare", || workers(&stage) == 2);
    assert!(stage.text(&["tree"]).contains("crew"));
    for _ in 0..20 {
        ask(&stage);
    }
    let recycled = |number: u32| {
        let actor = stage.actor(&format!("echo/worker-{number}"));
        actor["process"]["recycled"].as_u64().unwrap_or(0)
    };
    // One may have been asked once and no more.
    until("lives have ended", || (0..8).map(recycled).sum::<u64>() >= 9);
    assert_eq!(server(&stage)["scores"]["abandoned"], 0);
}

#[test]
fn workers_have_sockets_and_cores_of_their_own() {
    let options = [["--workers", "3"], ["--accept-by", "own-sockets"], ["--affinity", "spread"]];
    let stage = Stage::run(&[&TEAM[..], options.as_flattened()].concat());
    let port = format!(":{:04X}", stage.address("echo").port());
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let listens = |line: &&str| line.contains(&port) && line.contains(" 0A ");
    assert_eq!(table.lines().filter(listens).count(), 3);
    ask(&stage);
    let cores = |number: u32| {
        let actor = stage.actor(&format!("echo/worker-{number}"));
        let status = format!("/proc/{}/status", actor["process"]["pid"].as_u64()?);
        let status = std::fs::read_to_string(status).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"))?;
        Some(line.trim().to_owned())
    };
    until("each is on one core", || {
        (0..3).all(|number| cores(number).is_some_and(|cores| cores.parse::<usize>().is_ok()))
    });
}

#[test]
fn a_file_and_the_command_line_say_the_same_of_what_does_not_go_together() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("stage.toml");
    for (place, options, keys, says) in [
        ("task", &["--spare-min", "1"][..], "spare-min = 1", "is never busy"),
        (
            "thread",
            &["--spare-min", "4", "--spare-max", "4"],
            "spare-min = 4\nspare-max = 4",
            "spare-max 4",
        ),
        ("thread", &["--requests-jitter", "4"], "requests-jitter = 4", "requests-max"),
        ("task", &["--requests-max", "4"], "requests-max = 4", "an actor of its own"),
        ("fiber", &["--affinity", "0"], "affinity = [[0]]", "share its LWPs"),
        ("thread", &["--affinity", "1023"], "affinity = [[1023]]", "core 1023"),
    ] {
        let line = ["serve", "echo", "--model", "team", "--place", place];
        let by_line = palco().args(line).args(options).output().unwrap();
        let head = "[[server]]\nlisten = \"127.0.0.1:0\"\nservice = \"echo\"\nmodel = \"team\"\n";
        let text = format!("{head}place = \"{place}\"\n[server.crew]\n{keys}\n");
        std::fs::write(&path, text).unwrap();
        let by_file = palco().arg("check").arg(&path).output().unwrap();
        for output in [by_line, by_file] {
            assert_eq!(output.status.code(), Some(1));
            let said = String::from_utf8(output.stderr).unwrap();
            assert!(said.contains(says), "{said}");
        }
    }
}

#[test]
fn what_the_kernel_will_not_do_is_said_before_it_matters() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("stage.toml");
    let text = "[[server]]\nlisten = \"127.0.0.1:0\"\nservice = \"echo\"\nmodel = \"team\"\n\
                place = \"thread\"\nlimits = { backlog = 2000000000 }\n";
    std::fs::write(&path, text).unwrap();
    let checked = palco().arg("check").arg(&path).output().unwrap();
    assert!(checked.status.success());
    let said = String::from_utf8(checked.stdout).unwrap();
    assert!(said.contains("warning: server `echo`: backlog 2000000000"), "{said}");
    let none = palco().args(["serve", "echo", "--backlog", "0"]).output().unwrap();
    let said = String::from_utf8(none.stderr).unwrap();
    assert!(said.contains("backlog must be at least 1"), "{said}");
}
