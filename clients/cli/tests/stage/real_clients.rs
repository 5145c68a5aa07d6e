//! Real clients, unchanged: redis-cli, redis-benchmark, curl, nc. Behind feature `real-clients`, for they must be there.

use std::io::Write;
use std::process::{Command, Stdio};

use crate::support::Stage;

/// Every cell of the matrix.
const CELLS: [(&str, &str); 9] = [
    ("iterative", "task"),
    ("iterative", "thread"),
    ("per-connection", "task"),
    ("per-connection", "thread"),
    ("team", "task"),
    ("team", "thread"),
    ("iterative", "process"),
    ("per-connection", "process"),
    ("team", "process"),
];

/// Clients that come again find what they left: in processes too, if those share their state.
fn serve(service: &str, model: &str, place: &str, more: &[&str]) -> Stage {
    let shares = service == "kv" && place == "process";
    let state: &[&str] = if shares { &["--state", "shared"] } else { &[] };
    Stage::run(&[&["serve", service, "--model", model, "--place", place], more, state].concat())
}

fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{program} {arguments:?}: {said}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn redis_cli_works_under_every_architecture() {
    for (model, place) in CELLS {
        let stage = serve("kv", model, place, &[]);
        let port = stage.address("kv").port().to_string();
        let redis = |words: &[&str]| run("redis-cli", &[&["-p", &port], words].concat());
        assert_eq!(redis(&["PING"]), "PONG\n", "{model} {place}");
        assert_eq!(redis(&["SET", "greeting", "olá, palco"]), "OK\n");
        assert_eq!(redis(&["--raw", "GET", "greeting"]), "olá, palco\n");
        assert_eq!(redis(&["INCR", "visits"]), "1\n");
        assert_eq!(redis(&["EXISTS", "greeting", "nothing"]), "1\n");
        assert_eq!(redis(&["DEL", "greeting"]), "1\n");
        assert_eq!(redis(&["GET", "greeting"]), "\n");
        assert!(redis(&["INFO"]).contains("# Keyspace"));
    }
}

#[test]
fn redis_benchmark_completes_without_an_error() {
    for (model, place, clients) in [
        ("per-connection", "task", "20"),
        ("per-connection", "thread", "20"),
        ("team", "thread", "8"),
        ("team", "process", "8"),
        ("per-connection", "process", "20"),
    ] {
        let stage = serve("kv", model, place, &[]);
        let port = stage.address("kv").port().to_string();
        let said = run(
            "redis-benchmark",
            &[
                "-p",
                &port,
                "-t",
                "set,get,incr,mset",
                "-n",
                "2000",
                "-c",
                clients,
                "-P",
                "4",
                "--csv",
            ],
        );
        assert_eq!(said.lines().count(), 5, "a heading and four tests: {said}");
        assert!(!said.contains("rror"), "{said}");
    }
}

#[test]
fn curl_works_under_every_architecture() {
    let root = tempfile::tempdir().unwrap();
    std::fs::write(root.path().join("index.html"), "<h1>olá</h1>").unwrap();
    let large: Vec<u8> = (0..3_000_000_u32).map(|i| (i % 251) as u8).collect();
    std::fs::write(root.path().join("large.bin"), &large).unwrap();
    for (model, place) in CELLS {
        let stage = serve("http", model, place, &["--root", root.path().to_str().unwrap()]);
        let base = format!("http://{}", stage.address("http"));
        assert_eq!(run("curl", &["-sf", &base]), "<h1>olá</h1>", "{model} {place}");
        let head = run("curl", &["-sfI", &format!("{base}/large.bin")]);
        assert!(head.contains("Content-Length: 3000000"), "{head}");
        let copy = root.path().join("copy.bin");
        run("curl", &["-sf", "-o", copy.to_str().unwrap(), &format!("{base}/large.bin")]);
        assert!(std::fs::read(&copy).unwrap() == large, "the copy differs");
        let status = ["-s", "-o", "/dev/null", "-w", "%{http_code}", "--path-as-is"];
        let escape = run("curl", &[&status[..], &[&format!("{base}/../../etc/passwd")]].concat());
        assert!(["400", "403", "404"].contains(&escape.as_str()), "{escape}");
    }
}

#[test]
fn nc_is_echoed_under_every_architecture() {
    for (model, place) in CELLS {
        let stage = serve("echo", model, place, &[]);
        let address = stage.address("echo");
        let mut nc = Command::new("nc")
            .args(["-N", &address.ip().to_string(), &address.port().to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        nc.stdin.take().unwrap().write_all(b"one\ntwo\n").unwrap();
        let output = nc.wait_with_output().unwrap();
        assert_eq!(output.stdout, b"one\ntwo\n", "{model} {place}");
    }
}
