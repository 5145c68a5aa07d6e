//! `palco status`: a letter for every place.

use std::io::{BufRead, BufReader, Write};

use crate::support::{Stage, until};

const SERVERS: &str = r#"
[[server]]
service = "work"
model = "team"
place = "thread"
workers = 3

[[server]]
service = "echo"
model = "per-connection"
place = "task"
"#;

#[test]
fn a_busy_worker_is_seen_as_letter_as_number_and_as_keys() {
    let stage = Stage::up(SERVERS);
    let mut client = stage.connect("work");
    writeln!(client, "sleep 60000").unwrap();
    until("a worker is busy", || stage.text(&["status", "work"]).contains("\n  W__...."));
    let text = stage.text(&["status"]);
    assert!(text.contains("work, team × thread: 1 busy, 2 idle, 0 requests"), "{text}");
    assert!(text.contains("echo, per-connection × task: 0 busy, 0 idle"), "{text}");
    assert!(text.contains("W serves a request"), "a legend: {text}");
    let keys = stage.text(&["status", "--auto", "work"]);
    assert!(keys.contains("\nBusyWorkers: 1\nGracefulWorkers: 0\nIdleWorkers: 2\n"), "{keys}");
    assert!(keys.contains("\nScoreboard: W__."), "{keys}");
    let json = stage.json(&["status"]);
    assert!(json["servers"][0]["slots"].as_str().unwrap().starts_with("W__"), "{json}");
    let unknown = stage.command(&["status", "nobody"]);
    let said = String::from_utf8_lossy(&unknown.stderr).into_owned();
    assert!(said.contains("there is no server `nobody`; servers are: work, echo"), "{said}");
    drop(client);
}

#[test]
fn who_waits_is_told_which_limit_keeps_it() {
    let stage = Stage::up(&SERVERS.replace("workers = 3", "workers = 1"));
    let mut served = stage.connect("work");
    writeln!(served, "sleep 0").unwrap();
    let mut line = String::new();
    BufReader::new(&served).read_line(&mut line).unwrap();
    let _waits = stage.connect("work");
    let why = "1 wait to be accepted: all 1 workers have a connection";
    until("it is told why", || stage.text(&["status"]).contains(why));
}

/// Needs munin-plugins-core and libwww-perl.
#[cfg(feature = "real-clients")]
#[test]
fn munin_reads_the_scoreboard_as_apache_s() {
    use std::process::Command;

    const PLUGINS: &str = "/usr/share/munin/plugins";
    let stage = Stage::up_with(SERVERS, &["--dashboard", "127.0.0.1:0"]);
    let mut client = stage.connect("work");
    writeln!(client, "sleep 60000").unwrap();
    until("a worker is busy", || stage.text(&["status", "work"]).contains("\n  W__"));
    let page = stage.dashboard().unwrap();
    let root = &page[..page.find("/?").unwrap()];
    let ask = |plugin: &str, argument: &[&str]| {
        let mut plugin = Command::new(format!("{PLUGINS}/{plugin}"));
        let plugin = plugin.args(argument).env("url", format!("{root}/server-status?auto"));
        let output = plugin.env("ports", "80").output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    for plugin in ["apache_processes", "apache_accesses"] {
        assert_eq!(ask(plugin, &["autoconf"]), "yes\n", "{plugin}");
    }
    let processes = ask("apache_processes", &[]);
    assert!(processes.contains("busy80.value 1\nidle80.value 2\n"), "{processes}");
    assert!(ask("apache_accesses", &[]).contains("accesses80.value "));
}
