//! Clients of others, unchanged, against a real server: `redis-cli`, `redis-benchmark` and redis-py.

use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::sync::Arc;

use palco_actors::{PlaceKind, System};
use palco_models::{ModelKind, Server, ServerSettings};
use palco_replica::Alone;
use palco_replica::resp::{Gateway, RespCodec, Settings};

/// A node of one, on a free port.
struct Node {
    server: Server,
    _system: System,
}

impl Node {
    fn start(settings: Settings) -> Self {
        let system = System::builder().event_loops(2).build().expect("a system starts");
        let serving = ServerSettings::new("registers", ModelKind::PerConnection, PlaceKind::Task);
        let gateway = Arc::new(Gateway::new(Arc::new(Alone::new()), settings));
        let server = Server::start(&system, serving, gateway, RespCodec::new())
            .expect("a free port of loopback");
        Self { server, _system: system }
    }

    fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// What a program says that has to end well, and has to be there.
    fn run(&self, program: &str, arguments: &[&str]) -> String {
        let port = self.address().port().to_string();
        let mut command = Command::new(program);
        command.args(["-p", &port]).args(arguments).stdin(Stdio::null());
        said(program, &mut command)
    }

    fn cli(&self, arguments: &[&str]) -> String {
        self.run("redis-cli", arguments)
    }
}

fn said(program: &str, command: &mut Command) -> String {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{program} has to be installed for this test: {error}"));
    let (out, err) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}: {} {out}{err}", output.status);
    out.into_owned()
}

#[test]
fn redis_cli_speaks_both_versions() {
    let node = Node::start(Settings::default());
    for version in ["-2", "-3"] {
        let ask = |words: &[&str]| node.cli(&[&[version], words].concat());
        assert_eq!(ask(&["PING"]), "PONG\n");
        assert_eq!(ask(&["SET", "greeting", "olá, palco"]), "OK\n");
        assert_eq!(ask(&["--raw", "GET", "greeting"]), "olá, palco\n");
        assert_eq!(ask(&["--no-raw", "DEL", "greeting"]), "(integer) 1\n");
        assert_eq!(ask(&["--no-raw", "GET", "greeting"]), "(nil)\n");
        assert_eq!(ask(&["--no-raw", "SET", "cas:a", "1", "XX"]), "(nil)\n");
        assert_eq!(ask(&["EXPIRE", "a", "1"]).lines().count(), 2);
        assert!(ask(&["INFO", "registers"]).contains("shard0_members:n1"));
        assert!(ask(&["COMMAND", "DOCS", "get"]).contains("The value of a key"));
    }
    assert_eq!(node.cli(&["-3", "--no-raw", "CONFIG", "GET", "save"]), "1# \"save\" => \"\"\n");
    for key in ["a", "b", "cas:c"] {
        node.cli(&["SET", key, "x"]);
    }
    let mut keys: Vec<_> = node.cli(&["--scan"]).lines().map(str::to_owned).collect();
    keys.sort();
    assert_eq!(keys, ["a", "b", "cas:c"]);
}

#[test]
fn redis_cli_says_the_password() {
    let node = Node::start(Settings { password: Some("geheim".into()), ..Settings::default() });
    assert!(node.cli(&["PING"]).contains("NOAUTH"));
    assert_eq!(node.cli(&["--no-auth-warning", "-a", "geheim", "PING"]), "PONG\n");
    assert_eq!(node.cli(&["--no-auth-warning", "-3", "-a", "geheim", "PING"]), "PONG\n");
}

/// Its counters are of class cas, by their name.
#[test]
fn redis_benchmark_completes_without_an_error() {
    let node = Node::start(Settings::default());
    let told = node.run(
        "redis-benchmark",
        &["-t", "ping,set,get,mset,incr", "-n", "2000", "-c", "20", "-P", "16", "-q"],
    );
    assert!(!told.to_lowercase().contains("error"), "{told}");
    let tests = told.matches("requests per second").count();
    assert_eq!(tests, 6, "two pings and four others: {told}");
    assert_eq!(node.cli(&["GET", "counter:__rand_int__"]), "2000\n");
}

const PYTHON: &str = r#"
import sys
import redis

client = redis.Redis(host="127.0.0.1", port=int(sys.argv[1]), decode_responses=True)
assert client.ping()
assert client.set("a", "1") and client.get("a") == "1"
assert client.get("none") is None
assert client.mset({"b": "2", "c": "3"}) and client.mget("a", "b", "none") == ["1", "2", None]
assert client.incr("counter:n") == 1 and client.incrby("counter:n", 41) == 42
assert client.set("cas:lock", "anna", nx=True) is True
assert client.set("cas:lock", "bela", nx=True) is None
assert client.setnx("cas:lock", "carl") is False
assert client.getset("cas:lock", "carl") == "anna"
assert client.delete("a", "none") == 1 and client.exists("a", "b") == 1
pipeline = client.pipeline(transaction=False)
for number in range(1000):
    pipeline.set(f"k{number}", number).get(f"k{number}")
assert pipeline.execute() == [part for number in range(1000) for part in (True, str(number))]
assert len(set(client.scan_iter(match="k*", count=100))) == 1000
assert client.dbsize() == 1000 + 4
assert client.ttl("b") == -1 and client.type("b") == "string"
assert client.info()["loading"] == 0 and client.info("registers")["shards"] == 1
assert client.config_get("save") == {"save": ""}
assert client.command_count() > 30 and "get" in client.command()
assert client.client_setname("test") and client.client_getname() == "test"
assert client.client_list()[0]["name"] == "test"
assert client.execute_command("PALCO.GETV", "cas:lock") == [2, "carl"]
for refused, code in [
    (lambda: client.incr("plain"), "WRONGTYPE"),
    (lambda: client.expire("b", 10), "'EXPIRE' is not offered"),
    (lambda: client.set("b", "1", ex=10), "option 'EX'"),
]:
    try:
        refused()
    except redis.ResponseError as error:
        assert code in str(error), error
    else:
        raise AssertionError(code)
print("well")
"#;

/// The client library of Python, Debian package `python3-redis`.
#[test]
fn redis_py_does_what_its_users_do() {
    let node = Node::start(Settings::default());
    let mut python = Command::new("/usr/bin/python3");
    python.args(["-c", PYTHON, &node.address().port().to_string()]).stdin(Stdio::null());
    assert_eq!(said("python3 with python3-redis", &mut python), "well\n");
}
