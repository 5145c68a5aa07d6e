//! Real clients, unchanged: redis-cli, redis-benchmark, curl, nc, telnet, Python. Behind feature `real-clients`, for they must be there.

use std::io::{BufReader, Read, Write};
use std::process::{Command, Stdio};

use crate::support::{Stage, until};

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
    let urgent: &[&str] = &["--urgent", "127.0.0.1:0"];
    let arguments: &[&str] = &["serve", service, "--model", model, "--place", place];
    Stage::run(&[arguments, urgent, more, state].concat())
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

/// Telnet's Synch (RFC 854): typed-ahead input is discarded, and with `send ip` before it the running command ends.
#[test]
fn telnet_interrupts_a_running_command_with_a_synch_under_every_architecture() {
    for (model, place) in CELLS {
        let stage = serve("telnet", model, place, &[]);
        let address = stage.address("telnet");
        let mut telnet = Command::new("telnet")
            .args([address.ip().to_string(), address.port().to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = telnet.stdin.take().unwrap();
        let mut stdout = BufReader::new(telnet.stdout.take().unwrap());
        let mut hears = |words: &str| {
            let mut heard = Vec::new();
            while !String::from_utf8_lossy(&heard).contains(words) {
                let mut byte = [0];
                assert_eq!(stdout.read(&mut byte).unwrap(), 1, "{model} {place}: never {words}");
                heard.extend(byte);
            }
        };
        hears("help");
        stdin.write_all(b"sleep 60000\n").unwrap();
        until("it is being served", || stage.text(&["urgent"]).contains("telnet/1.2"));
        // The escape character, then a command of the client itself.
        stdin.write_all(b"\x1dsend ip synch\n").unwrap();
        hears("[interrupted]");
        stdin.write_all(b"quit\n").unwrap();
        telnet.wait().unwrap();
    }
}

/// What Python's `ftplib` sends for `abort()`: `ABOR\r`, and the line feed as urgent data. A server that takes the line
/// feed out of the stream leaves its client waiting for ever.
#[test]
fn ftplib_aborts_a_running_command_under_every_architecture() {
    const CLIENT: &str = "import ftplib, sys\n\
        ftp = ftplib.FTP(); ftp.connect('127.0.0.1', int(sys.argv[1]), timeout=30); ftp.login()\n\
        ftp.putcmd('SITE SLEEP 60000')\n\
        print(ftp.abort()); print(ftp.getmultiline()); print(ftp.sendcmd('NOOP')); print(ftp.quit())\n";
    for (model, place) in CELLS {
        let stage = serve("ftp", model, place, &[]);
        let port = stage.address("ftp").port().to_string();
        let said = run("python3", &["-c", CLIENT, &port]);
        let codes: Vec<_> = said.lines().map(|line| &line[..3]).collect();
        assert_eq!(codes, ["426", "226", "200", "221"], "{model} {place}: {said}");
    }
}

/// Any client that can send urgent data holds, resumes and cancels the request of its own connection.
#[test]
fn a_python_client_holds_and_cancels_by_urgent_data_under_every_architecture() {
    const CLIENT: &str = "import socket, sys\n\
        s = socket.create_connection(('127.0.0.1', int(sys.argv[1])), 30)\n\
        s.sendall(b'count 1000000000\\n'); s.recv(100)\n\
        s.send(b'H', socket.MSG_OOB)\n\
        s.settimeout(1)\n\
        try:\n\
        \twhile s.recv(1 << 16): pass\n\
        except TimeoutError: print('silent')\n\
        s.settimeout(30)\n\
        s.send(b'R', socket.MSG_OOB); print('on' if s.recv(1) else 'over')\n\
        s.send(b'K', socket.MSG_OOB)\n\
        while s.recv(1 << 16): pass\n\
        print('over')\n";
    for (model, place) in CELLS {
        let stage = serve("work", model, place, &[]);
        let port = stage.address("work").port().to_string();
        assert_eq!(run("python3", &["-c", CLIENT, &port]), "silent\non\nover\n", "{model} {place}");
    }
}
