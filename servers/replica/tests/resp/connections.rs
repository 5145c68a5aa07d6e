//! What a connection is asked about itself.

use std::sync::Arc;

use palco_replica::Alone;
use palco_replica::resp::{Gateway, Settings};

use crate::support::Connection;

fn with_password() -> Connection {
    let settings = Settings { password: Some("geheim".into()), ..Settings::default() };
    Connection::to(&Arc::new(Gateway::new(Arc::new(Alone::new()), settings)))
}

#[test]
fn a_connection_answers_for_itself() {
    Connection::alone().tell(&[
        ("PING", "+PONG|"),
        ("PING \"a b\"", "$3|a b|"),
        ("PING a b", "-ERR wrong number of arguments for 'ping' command|"),
        ("ECHO hi", "$2|hi|"),
        ("SELECT 0", "+OK|"),
        ("SELECT 1", "-ERR DB index is out of range|"),
        ("SELECT x", "-ERR value is not an integer or out of range|"),
        ("TIME", "*2|$10|1000000000|$1|7|"),
        ("CLIENT ID", ":1|"),
        ("CLIENT GETNAME", "$-1|"),
        ("CLIENT SETNAME anna", "+OK|"),
        (
            "CLIENT SETNAME \"a b\"",
            "-ERR Client names cannot contain spaces, newlines or special characters.|",
        ),
        ("CLIENT GETNAME", "$4|anna|"),
        ("CLIENT SETINFO LIB-NAME x", "+OK|"),
        ("CLIENT NO-EVICT on", "+OK|"),
        (
            "CLIENT INFO",
            "$72|id=1 addr=test:1 name=anna db=0 resp=2 lib-name=x lib-ver= user=default\n|",
        ),
        (
            "CLIENT KILL x",
            "-ERR 'CLIENT KILL' is not offered: connections cannot see or touch each other|",
        ),
        ("CLIENT WHAT", "-ERR unknown subcommand 'WHAT'. Try CLIENT HELP.|"),
        ("RESET", "+RESET|"),
        ("CLIENT GETNAME", "$-1|"),
    ]);
}

#[test]
fn hello_chooses_the_version_of_the_protocol() {
    let two = "*14|$6|server|$5|palco|$7|version|$5|7.0.0|$5|proto|:2|$2|id|:1|$4|mode|$10|standalone|$4|role|$6|master\
               |$7|modules|*0|";
    let three = "%7|$6|server|$5|palco|$7|version|$5|7.0.0|$5|proto|:3|$2|id|:1|$4|mode|$10|standalone|$4|role|$6|master\
                 |$7|modules|*0|";
    Connection::alone().tell(&[
        ("HELLO", two),
        ("HELLO 3 SETNAME me", three),
        ("CLIENT GETNAME", "$2|me|"),
        ("GET a", "_|"),
        ("CONFIG GET save", "%1|$4|save|$0||"),
        ("HELLO", three),
        ("HELLO 4", "-NOPROTO unsupported protocol version|"),
        ("HELLO x", "-ERR Protocol version is not an integer or out of range|"),
        ("HELLO 3 SETNAME", "-ERR syntax error|"),
        ("HELLO 2", two),
        ("GET a", "$-1|"),
        ("HELLO 3\nGET a\nRESET\nGET a", &format!("{three}_|+RESET|$-1|")),
    ]);
}

#[test]
fn nothing_is_answered_before_the_password() {
    let unknown = "-NOAUTH Authentication required.|";
    let wrong = "-WRONGPASS invalid username-password pair or user is disabled.|";
    with_password().tell(&[
        ("SET a 1", unknown),
        ("PING", unknown),
        ("INFO", unknown),
        ("SCAN 0", unknown),
        ("AUTH falsch", wrong),
        ("AUTH default gehei", wrong),
        ("AUTH other geheim", wrong),
        ("PING", unknown),
        ("AUTH default geheim", "+OK|"),
        ("GET a", "$-1|"),
        ("RESET", "+RESET|"),
        ("GET a", unknown),
        ("AUTH geheim\nGET a", "+OK|$-1|"),
    ]);
    let mut connection = with_password();
    assert!(connection.ask("HELLO 3").starts_with("-NOAUTH HELLO must be called with"));
    assert_eq!(connection.ask("HELLO 3 AUTH default falsch"), wrong);
    assert!(connection.ask("HELLO 3 AUTH default geheim").starts_with("%7|"));
    assert_eq!(connection.ask("PING"), "+PONG|");
    assert_eq!(with_password().ask("QUIT"), "+OK|");
}

#[test]
fn a_password_that_nobody_wants_is_pointed_out() {
    let answer = Connection::alone().ask("AUTH x");
    assert!(answer.starts_with("-ERR AUTH <password> called without any password"), "{answer}");
    let shown =
        format!("{:?}", Settings { password: Some("geheim".into()), ..Settings::default() });
    assert!(!shown.contains("geheim"), "{shown}");
}

#[test]
fn replies_can_be_left_out() {
    Connection::alone().tell(&[
        ("CLIENT REPLY SKIP\nSET a 1\nGET a", "$1|1|"),
        ("CLIENT REPLY OFF", ""),
        ("SET a 2\nDBSIZE", ""),
        ("CLIENT REPLY SKIP\nPING\nPING", ""),
        ("CLIENT REPLY ON", "+OK|"),
        ("GET a", "$1|2|"),
        ("CLIENT REPLY maybe", "-ERR syntax error|"),
    ]);
}
