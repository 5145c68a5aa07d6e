//! What the processes of a server know of each other: nothing, or one state that all of them share.

use std::process::Command;
use std::sync::Arc;

use palco_models::Server;
use palco_service::services::kv::{KvService, Limits};

use crate::client::Client;
use crate::stage::{Cell, Stage, in_cells, trials, until};

trials! {
    each_process_has_a_store_of_its_own,
    a_shared_store_is_seen_by_all,
    a_shared_store_outlives_a_crash,
    what_is_too_large_to_share_is_refused_with_a_word,
}

fn several(cell: Cell) -> bool {
    cell.ends_by_force() && cell.serves_several()
}

/// One RESP answer of one line.
fn ask(client: &mut Client, request: &str) -> String {
    client.say(format!("{request}\r\n"));
    client.line().trim_end().to_owned()
}

/// A field of `INFO`.
fn info(client: &mut Client, field: &str) -> String {
    let length = ask(client, "INFO").trim_start_matches('$').parse::<usize>().unwrap();
    let text = String::from_utf8(client.exactly(length + 2)).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    line.unwrap_or_else(|| panic!("no {field} in {text}")).to_owned()
}

fn each_process_has_a_store_of_its_own() {
    in_cells(several, |stage| {
        let server = stage.serve::<KvService>(stage.settings(), Limits::default());
        let (mut one, mut other) = (Client::of(&server), Client::of(&server));
        assert_eq!(ask(&mut one, "INCR n"), ":1");
        assert_eq!(ask(&mut other, "INCR n"), ":1");
        assert_eq!(ask(&mut one, "INCR n"), ":2");
        assert_ne!(info(&mut one, "process_id"), info(&mut other, "process_id"));
        assert_eq!(info(&mut one, "palco_state"), "local");
    });
}

fn shared(stage: &Stage) -> Arc<Server> {
    let limits = Limits::default();
    stage.keep(Server::launch_shared::<KvService>(&stage.system, stage.settings(), limits).unwrap())
}

fn a_shared_store_is_seen_by_all() {
    in_cells(several, |stage| {
        let server = shared(stage);
        let (mut one, mut other) = (Client::of(&server), Client::of(&server));
        for count in [1, 3, 5] {
            assert_eq!(ask(&mut one, "INCR n"), format!(":{count}"));
            assert_eq!(ask(&mut other, "INCR n"), format!(":{}", count + 1));
        }
        assert_ne!(info(&mut one, "process_id"), info(&mut other, "process_id"));
        assert_eq!(info(&mut one, "palco_state"), "shared");
        assert_eq!(info(&mut other, "db0"), "keys=1,expires=0,avg_ttl=0");
        assert_eq!(ask(&mut one, "INCR n wrong"), ask(&mut other, "INCR n wrong"));
        assert_eq!(ask(&mut one, "FLUSHALL"), "+OK");
        assert_eq!(ask(&mut other, "DBSIZE"), ":0");
        other.say("MSET a 1 b 2\r\nMGET a c b\r\nPING\r\nGET a\r\n");
        assert_eq!(other.exactly(35), b"+OK\r\n*3\r\n$1\r\n1\r\n$-1\r\n$1\r\n2\r\n+PONG\r\n"[..35]);
    });
}

fn a_shared_store_outlives_a_crash() {
    in_cells(several, |stage| {
        let server = shared(stage);
        let mut one = Client::of(&server);
        assert_eq!(ask(&mut one, "SET k v"), "+OK");
        let pid = info(&mut one, "process_id");
        assert!(Command::new("kill").args(["-KILL", &pid]).status().unwrap().success());
        assert!(one.everything().0.is_empty());
        let mut other = Client::of(&server);
        assert_eq!(ask(&mut other, "GET k"), "$1");
        until("it is counted", || server.scores().abandoned == 1);
    });
}

fn what_is_too_large_to_share_is_refused_with_a_word() {
    in_cells(several, |stage| {
        let server = shared(stage);
        let mut client = Client::of(&server);
        let value = "v".repeat(400_000);
        assert_eq!(
            ask(&mut client, &format!("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$400000\r\n{value}")),
            "+OK"
        );
        let part = format!("$1\r\nk\r\n$400000\r\n{value}\r\n");
        let refused =
            ask(&mut client, &format!("*7\r\n$4\r\nMSET\r\n{}", part.repeat(3).trim_end()));
        assert!(refused.starts_with("-ERR a command of more than "), "{refused}");
        let refused = ask(&mut client, "MGET k k k");
        assert!(refused.starts_with("-ERR a reply of more than "), "{refused}");
        assert_eq!(ask(&mut client, "STRLEN k"), ":400000");
    });
}
