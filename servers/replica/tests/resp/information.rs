//! What clients ask about the node, its keys and its commands.

use std::collections::BTreeSet;
use std::fmt::Write;

use crate::support::Connection;

#[test]
fn a_scan_finds_each_key_that_holds_something() {
    let mut connection = Connection::alone();
    let mut expected = BTreeSet::new();
    for number in 0..100 {
        connection.ask(&format!("SET k{number} x\nSET gone{number} x\nDEL gone{number}"));
        expected.insert(format!("k{number}"));
    }
    let (mut cursor, mut found, mut pages) = (String::from("0"), BTreeSet::new(), 0);
    loop {
        let answer = connection.ask(&format!("SCAN {cursor} COUNT 7 MATCH k*"));
        let parts: Vec<&str> =
            answer.split('|').filter(|part| !part.starts_with(['*', '$'])).collect();
        cursor = parts[0].into();
        found.extend(parts[1..].iter().filter(|part| !part.is_empty()).map(ToString::to_string));
        pages += 1;
        if cursor == "0" {
            break;
        }
    }
    assert_eq!(found, expected);
    assert!(pages >= 100 / 7, "{pages} pages");
    assert_eq!(connection.ask("DBSIZE"), ":100|");
}

#[test]
fn a_scan_filters_and_refuses_what_it_does_not_know() {
    let mut connection = Connection::alone();
    connection.ask("MSET a1 x a2 x b1 x cas:a1 x");
    connection.tell(&[
        ("SCAN 0 MATCH [ab]1", "*2|$1|0|*2|$2|a1|$2|b1|"),
        ("SCAN 0 MATCH cas:* TYPE string", "*2|$1|0|*1|$6|cas:a1|"),
        ("SCAN 0 TYPE list", "*2|$1|0|*0|"),
        ("SCAN 99", "*2|$1|0|*0|"),
        ("SCAN x", "-ERR invalid cursor|"),
        ("SCAN 0 COUNT 0", "-ERR syntax error|"),
        ("SCAN 0 COUNT x", "-ERR value is not an integer or out of range|"),
        ("SCAN 0 MATCH", "-ERR syntax error|"),
        ("SCAN 0 WHAT x", "-ERR syntax error|"),
    ]);
}

#[test]
fn info_tells_how_the_node_stands() {
    let mut connection = Connection::alone();
    connection.ask("SET a 1");
    let info = connection.ask("INFO");
    for line in [
        "# Server|redis_version:7.0.0|palco_version:",
        "# Clients|connected_clients:1|",
        "# Persistence|loading:0|",
        "|total_commands_processed:2|",
        "# Registers|shards:1|registers:1|operations:0|shard0:node=n1,boot=1,registers=1,operations=0,driving=none|",
        "|shard0_configuration:0|shard0_members:n1|shard0_map:c0{n1}|",
    ] {
        assert!(info.contains(line), "{line} is not in {info}");
    }
    assert_eq!(connection.ask("INFO clients nothing"), "$32|# Clients|connected_clients:1||");
    assert_eq!(connection.ask("INFO nothing"), "$0||");
}

#[test]
fn config_tells_what_is_true_and_changes_nothing() {
    Connection::alone().tell(&[
        ("CONFIG GET save", "*2|$4|save|$0||"),
        ("CONFIG GET append* SAVE", "*4|$10|appendonly|$2|no|$4|save|$0||"),
        ("CONFIG GET proto-max-bulk-len", "*2|$18|proto-max-bulk-len|$7|1048576|"),
        ("CONFIG GET nothing", "*0|"),
        ("CONFIG GET", "-ERR wrong number of arguments for 'config|get' command|"),
        (
            "CONFIG SET save 1",
            "-ERR 'CONFIG SET' is not offered: a node's settings are those it was started with|",
        ),
        ("CONFIG WHAT", "-ERR unknown subcommand 'WHAT'. Try CONFIG HELP.|"),
    ]);
}

#[test]
fn commands_describe_themselves() {
    let mut connection = Connection::alone();
    let count = connection.ask("COMMAND COUNT").trim_matches([':', '|']).to_owned();
    let mut head = String::new();
    write!(head, "*{count}|").unwrap();
    assert!(
        connection
            .ask("COMMAND")
            .starts_with(&format!("{head}*10|$3|get|:2|*2|+readonly|+fast|:1|:1|:1|"))
    );
    assert!(connection.ask("COMMAND LIST").starts_with(&format!("{head}$3|get|")));
    assert_eq!(connection.ask("COMMAND INFO nothing"), "*1|*-1|");
    let docs = connection.ask("COMMAND DOCS set nothing");
    assert!(docs.starts_with("*2|$3|set|*8|$7|summary|"), "{docs}");
    let optional = "*8|$4|name|$2|nx|$4|type|$10|pure-token|$5|token|$2|NX|$5|flags|*1|+optional|";
    assert!(docs.contains(optional), "{docs}");
    let scan = connection.ask("COMMAND DOCS scan");
    let token = "*8|$4|name|$7|pattern|$4|type|$6|string|$5|token|$5|MATCH|$5|flags|*1|+optional|";
    assert!(scan.contains(token), "{scan}");
}
