//! Commands that come together go together, but on one key in their order.

use std::fmt::Write;
use std::sync::Arc;

use palco_rambo::{Command, Outcome, Tagged};
use palco_replica::resp::{Gateway, Settings};

use crate::support::{Connection, Scripted};

/// How many commands each trip had.
fn trips(lines: &str) -> (Vec<usize>, String) {
    let registers = Scripted::default();
    let asked = registers.asked();
    let answer = Connection::over(registers).ask(lines);
    (asked.take().iter().map(Vec::len).collect(), answer)
}

#[test]
fn different_keys_take_one_trip() {
    let (trips, answer) = trips("SET a 1\nSET b 2\nGET c\nPING\nINCR counter:d\nMGET e f");
    assert_eq!(trips, [6]);
    assert_eq!(answer, "+OK|+OK|$-1|+PONG|:1|*2|$-1|$-1|");
}

#[test]
fn one_key_keeps_its_order_and_holds_up_nobody_else() {
    let (trips, answer) = trips("SET a 1\nGET a\nSET a 2\nGET b\nGET a\nGET a\nDEL a\nGET a");
    assert_eq!(answer, "+OK|$1|1|+OK|$-1|$1|2|$1|2|:1|$-1|");
    // The first write and b; a read; a write; the two reads, shared; the deletion's reading and writing; a read.
    assert_eq!(trips, [2, 1, 1, 1, 1, 1, 1]);
}

#[test]
fn a_command_that_names_a_key_twice_does_not_wait_for_itself() {
    let (trips, answer) = trips("MSET a 1 b 2 a 3\nGET a\nDEL a a b\nMGET a a");
    assert_eq!(answer, "+OK|$1|3|:2|*2|$-1|$-1|");
    // Both writes; the read of a beside the deletion's of b; the deletion's of a beside b's writing; a's writing; a read.
    assert_eq!(trips, [2, 2, 2, 1, 1]);
}

#[test]
fn reads_with_nothing_between_them_are_one_read() {
    let registers = Scripted::new([vec![Outcome::Read(Tagged {
        value: Some("x".into()),
        ..Tagged::default()
    })]]);
    let asked = registers.asked();
    assert_eq!(Connection::over(registers).ask("GET a\nSTRLEN a\nEXISTS a a"), "$1|x|:1|:2|");
    assert!(matches!(asked.take()[..], [ref only] if matches!(only[..], [Command::Read(_)])));
}

#[test]
fn what_looks_at_all_keys_waits_for_what_was_before() {
    let answer = Connection::alone().ask("SET a 1\nDBSIZE\nSET b 1\nDBSIZE\nDEL a\nSCAN 0");
    assert_eq!(answer, "+OK|:1|+OK|:2|:1|*2|$1|0|*1|$1|b|");
}

#[test]
fn a_long_pipeline_goes_in_portions_and_loses_nothing() {
    let registers = Scripted::default();
    let asked = registers.asked();
    let settings = Settings { at_once_max: 10, ..Settings::default() };
    let mut connection = Connection::to(&Arc::new(Gateway::new(Arc::new(registers), settings)));
    let (mut lines, mut answers) = (String::new(), String::new());
    for number in 0..100 {
        writeln!(lines, "SET k{number} {number}\nGET k{number}").unwrap();
        let text = number.to_string();
        write!(answers, "+OK|${}|{text}|", text.len()).unwrap();
    }
    assert_eq!(connection.ask(&lines), answers);
    assert!(asked.take().iter().all(|commands| commands.len() <= 10));
}

#[test]
fn changes_of_a_connection_have_one_client_and_ascending_numbers() {
    let registers = Scripted::default();
    let asked = registers.asked();
    let mut connection = Connection::over(registers);
    connection.ask("INCR counter:a\nINCR counter:b\nINCR counter:a\nSET cas:x 1 GET");
    connection.ask("INCR counter:a");
    let ids: Vec<_> = asked
        .take()
        .into_iter()
        .flatten()
        .filter_map(|command| match command {
            Command::Change(_, _, id) => Some(id),
            Command::Read(_)
            | Command::Write(..)
            | Command::Repeat(..)
            | Command::Reconfigure(_)
            | Command::Leave => None,
        })
        .collect();
    assert_eq!(ids.len(), 5);
    assert!(ids.windows(2).all(|two| two[0].client == two[1].client), "{ids:?}");
    assert!(ids.windows(2).all(|two| two[0].number < two[1].number), "{ids:?}");
}

#[test]
fn a_farewell_ends_a_pipeline() {
    let mut connection = Connection::alone();
    assert_eq!(connection.ask("SET a 1\nQUIT\nSET a 2"), "+OK|+OK|");
    assert!(connection.closed);
    let mut connection = Connection::alone();
    let answer = connection.send(b"SET a 1\r\n*1\r\n!");
    assert_eq!(answer, &b"+OK\r\n-ERR Protocol error: expected '$', got '!'\r\n"[..]);
    assert!(connection.closed);
}
