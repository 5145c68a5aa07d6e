//! Servers in processes, with the real binary: its children die, are killed, are many, and never outlive it.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::Command;

use crate::support::{Stage, palco, talk, until};

/// The living children of a process: (id, command line).
fn children(parent: u32) -> BTreeSet<(u32, String)> {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let ids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let child = |id: u32| {
        let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
        // After the name, which may hold anything: state, parent.
        let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
        let is_dead = fields.next()? == "Z";
        let is_child = fields.next()?.parse::<u32>().ok()? == parent;
        let command = std::fs::read_to_string(format!("/proc/{id}/cmdline")).ok()?;
        (is_child && !is_dead).then(|| (id, command.trim_end_matches('\0').to_owned()))
    };
    ids.filter_map(child).collect()
}

/// A zygote's forks have its command line, and names of their own.
fn zygote(stage: &Stage) -> u32 {
    let is_zygote = |(id, command): &(u32, String)| {
        let name = std::fs::read_to_string(format!("/proc/{id}/comm")).unwrap_or_default();
        command.contains("palco: zygote") && !name.starts_with('#')
    };
    children(stage.child.id()).into_iter().find(is_zygote).unwrap().0
}

fn workers(stage: &Stage) -> BTreeSet<u32> {
    children(stage.child.id()).into_iter().map(|(id, _)| id).collect()
}

fn is_alive(id: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    stat.rsplit_once(')').is_some_and(|(_, rest)| !rest.trim_start().starts_with('Z'))
}

fn kill(id: u32, signal: &str) {
    let _ = Command::new("kill").args([signal, &id.to_string()]).status().unwrap();
}

fn is_echoed(stream: &mut TcpStream, text: &str) -> bool {
    let mut answer = vec![0; text.len()];
    stream.write_all(text.as_bytes()).is_ok()
        && stream.read_exact(&mut answer).is_ok()
        && answer == text.as_bytes()
}

fn scores(stage: &Stage) -> serde_json::Value {
    stage.json(&["ps"])["stage"]["servers"][0]["scores"].clone()
}

const PREFORK: [&str; 8] =
    ["serve", "echo", "--model", "team", "--place", "process", "--workers", "4"];
const PER_CONNECTION: [&str; 6] =
    ["serve", "kv", "--model", "per-connection", "--place", "process"];

#[test]
fn a_worker_that_segfaults_comes_back_and_the_others_notice_nothing() {
    let stage = Stage::run(&PREFORK);
    until("four workers run", || workers(&stage).len() == 4);
    let mut clients: Vec<_> = (0..3).map(|_| stage.connect("echo")).collect();
    assert!(clients.iter_mut().all(|client| is_echoed(client, "hello")));
    let before = workers(&stage);
    let victim = *before.first().unwrap();
    kill(victim, "-SEGV");
    until("another has taken its place", || {
        let now = workers(&stage);
        now.len() == 4 && !now.contains(&victim)
    });
    // One of them may have been the victim's.
    let alive = clients.iter_mut().filter_map(|client| is_echoed(client, "again").then_some(()));
    assert!(alive.count() >= 2);
    assert!(is_echoed(&mut stage.connect("echo"), "and again"));
    let workers = stage.json(&["ps"])["actors"].clone();
    let ends: Vec<_> =
        workers.as_array().unwrap().iter().map(|actor| &actor["last_exit"]).collect();
    let expected =
        serde_json::json!({ "kind": "signaled", "detail": { "signal": 11, "core": false } });
    assert_eq!(ends.iter().filter(|end| ***end == expected).count(), 1, "{ends:?}");
}

#[test]
fn a_dispatcher_passes_connections_to_workers_and_a_killed_one_costs_only_its_own() {
    let passing = ["--accept-by", "dispatcher", "--workers", "2"];
    let stage = Stage::run(&[&PREFORK[..6], &passing].concat());
    until("two workers run", || workers(&stage).len() == 2);
    let (mut first, mut second) = (stage.connect("echo"), stage.connect("echo"));
    assert!(is_echoed(&mut first, "hello") && is_echoed(&mut second, "hello"));
    // Nobody is free: the third waits in the backlog until the worker of the first is.
    let mut third = stage.connect("echo");
    until("it waits", || scores(&stage)["deferred"] == 1);
    assert_eq!(scores(&stage)["accepted"], 2);
    let pid = |path: &str| stage.actor(path)["process"]["pid"].as_u64().unwrap();
    kill(u32::try_from(pid("echo/worker-0")).unwrap(), "-KILL");
    assert!(is_echoed(&mut third, "my turn") && is_echoed(&mut second, "not disturbed"));
    assert!(matches!(first.read(&mut [0]), Ok(0) | Err(_)));
    until("it is counted", || scores(&stage)["abandoned"] == 1 && scores(&stage)["active"] == 2);
    assert_eq!(stage.actor("echo/worker-0")["restarts"], 1);
}

#[test]
fn a_connection_that_segfaults_ends_alone_and_is_counted() {
    let stage = Stage::run(&PER_CONNECTION);
    let (mut first, mut second) = (stage.connect("kv"), stage.connect("kv"));
    let id = |stream: &mut TcpStream| {
        stream.write_all(b"INFO server\r\n").unwrap();
        let reader = BufReader::new(stream);
        let mut lines = reader.lines().map(Result::unwrap);
        let id = lines.by_ref().find_map(|line| Some(line.strip_prefix("process_id:")?.to_owned()));
        // What is left: the state, and the end of the string.
        assert!(lines.next().unwrap().starts_with("palco_state:local"));
        id.unwrap().parse::<u32>().unwrap()
    };
    let (one, other) = (id(&mut first), id(&mut second));
    assert_ne!(one, other);
    kill(one, "-SEGV");
    assert!(matches!(first.read(&mut [0; 64]), Ok(0..=2) | Err(_)));
    until("it is counted", || scores(&stage)["abandoned"] == 1 && scores(&stage)["active"] == 1);
    assert_eq!(id(&mut second), other);
    assert_eq!(talk(stage.connect("kv"), "PING\r\n"), "+PONG\r\n");
}

#[test]
fn no_process_outlives_the_stage() {
    for (arguments, service) in [(&PREFORK[..], "echo"), (&PER_CONNECTION[..], "kv")] {
        let mut stage = Stage::run(arguments);
        let _held: Vec<_> = (0..3).map(|_| stage.connect(service)).collect();
        let parent = stage.child.id();
        until("they have their processes", || {
            scores(&stage)["active"] == 3 && children(parent).len() >= 4
        });
        let processes = children(parent);
        stage.kill("-KILL");
        stage.child.wait().unwrap();
        for (id, command) in processes {
            until(&format!("{command} ({id}) has ended"), || !is_alive(id));
        }
    }
}

#[test]
fn a_drained_stage_leaves_no_process_either() {
    let mut stage = Stage::run(&PREFORK);
    let mut client = stage.connect("echo");
    assert!(is_echoed(&mut client, "hello"));
    let processes = children(stage.child.id());
    stage.interrupt();
    assert_eq!(stage.child.wait().unwrap().code(), Some(0));
    assert!(matches!(client.read(&mut [0; 1]), Ok(0)));
    assert!(processes.iter().all(|(id, _)| !is_alive(*id)), "{processes:?}");
}

#[test]
fn when_the_zygote_is_killed_the_next_connection_has_another() {
    let stage = Stage::run(&PER_CONNECTION);
    let mut first = stage.connect("kv");
    first.write_all(b"PING\r\n").unwrap();
    let mut answer = [0; 7];
    first.read_exact(&mut answer).unwrap();
    for _ in 0..3 {
        let zygote = zygote(&stage);
        kill(zygote, "-KILL");
        until("it has ended", || !is_alive(zygote));
        assert_eq!(talk(stage.connect("kv"), "PING\r\n"), "+PONG\r\n");
    }
    first.write_all(b"PING\r\n").unwrap();
    first.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"+PONG\r\n");
}

#[test]
fn without_descriptors_connections_wait_or_end_and_then_all_is_well_again() {
    let binary = palco().get_program().to_owned();
    let limited = format!("ulimit -n 64; exec {} \"$@\"", binary.to_str().unwrap());
    let stage = Stage::of(Command::new("sh").args(["-c", &limited, "palco"]), &PER_CONNECTION);
    // Far more than there are descriptors for: those in the backlog wait, others may be let in and end.
    let crowd: Vec<_> = (0..60).map(|_| stage.connect("kv")).collect();
    for mut client in &crowd {
        let _ = client.write_all(b"PING\r\n");
    }
    // Asked from outside: the stage itself has no descriptor left to answer with.
    drop(crowd);
    until("somebody is served", || {
        let mut client = stage.connect("kv");
        let mut answer = [0; 7];
        client.write_all(b"PING\r\n").is_ok() && client.read_exact(&mut answer).is_ok()
    });
    until("nobody is held", || scores(&stage)["active"] == 0);
    let scores = scores(&stage);
    let count = |name: &str| scores[name].as_u64().unwrap();
    let endings = [
        "done",
        "drained",
        "malformed",
        "panicked",
        "interrupted",
        "broken",
        "timed_out",
        "abandoned",
    ];
    let ended: u64 = endings.iter().map(|name| count(name)).sum();
    assert_eq!(count("accepted"), ended, "{scores}");
}

#[test]
fn processes_that_share_a_state_count_together() {
    let stage = Stage::run(&[
        "serve",
        "kv",
        "--model",
        "team",
        "--place",
        "process",
        "--workers",
        "3",
        "--state",
        "shared",
    ]);
    let mut clients: Vec<_> = (0..3).map(|_| stage.connect("kv")).collect();
    let mut count = 0;
    for _ in 0..4 {
        for client in &mut clients {
            client.write_all(b"INCR n\r\n").unwrap();
            let mut line = String::new();
            BufReader::new(&mut *client).read_line(&mut line).unwrap();
            count += 1;
            assert_eq!(line, format!(":{count}\r\n"));
        }
    }
}
