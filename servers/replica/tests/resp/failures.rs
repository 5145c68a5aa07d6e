//! What a client is told when registers cannot do what it asked.

use std::sync::Arc;
use std::time::Duration;

use palco_rambo::{Failure, Outcome, Tag, Versioned};
use palco_replica::Alone;
use palco_replica::resp::{Gateway, Settings};

use crate::support::{Connection, Scripted};

fn after(line: &str, outcomes: &[Outcome]) -> String {
    let script: Vec<_> = outcomes.iter().map(|outcome| vec![outcome.clone()]).collect();
    Connection::over(Scripted::new(script)).ask(line)
}

const UNKNOWN: Outcome = Outcome::Unknown { tag: None };
const READ_IT: &str = "-UNKNOWN outcome: it may have happened and may still happen: read the key|";
const READ_THEM: &str = "-UNKNOWN outcome: some of these keys have been changed, others may have been and may still \
     be: read them|";

#[test]
fn a_change_that_did_not_happen_may_be_tried_again() {
    for (failure, words) in [
        (Failure::Timeout, "no quorum answered in time; nothing was changed"),
        (
            Failure::NotJoined,
            "this participant has not joined: no seed has answered yet, ask again",
        ),
        (
            Failure::Busy { limit: 9 },
            "9 operations are under way, at most that many can be: ask again",
        ),
    ] {
        for line in ["SET a 1", "GET a", "INCR cas:a", "DEL a", "MGET a"] {
            let answer = after(line, &[Outcome::Failed(failure.clone())]);
            assert_eq!(answer, format!("-TRYAGAIN {words}|"), "{line}");
        }
    }
}

#[test]
fn a_change_whose_outcome_is_unknown_says_so_and_is_not_repeated() {
    for line in ["SET a 1", "SET cas:a 1", "INCR cas:a", "SET cas:a 1 NX", "PALCO.CASV cas:a 0 x"] {
        let registers = Scripted::new([vec![UNKNOWN]]);
        let asked = registers.asked();
        assert_eq!(Connection::over(registers).ask(line), READ_IT, "{line}");
        assert_eq!(asked.take().len(), 1, "{line}");
    }
    let tag = Tag { sequence: 3, ..Tag::ZERO };
    let expected = format!(
        "-UNKNOWN outcome: it may have happened and may still happen, with the tag {tag}: read the key|"
    );
    assert_eq!(after("SET a 1", &[Outcome::Unknown { tag: Some(tag) }]), expected);
    // Registers that answer too little have not said that nothing happened.
    assert_eq!(Connection::over(Scripted::new([vec![]])).ask("SET a 1"), READ_IT);
}

#[test]
fn what_only_read_has_changed_nothing() {
    for line in ["GET a", "GET cas:a", "EXISTS a", "DEL a", "DEL cas:a", "GETSET cas:a 1"] {
        assert_eq!(after(line, &[UNKNOWN]), "-TRYAGAIN no quorum answered in time|", "{line}");
    }
    let found = Outcome::Cas(Versioned { version: 1, value: Some("1".into()) });
    assert_eq!(after("GETDEL cas:a", &[found, UNKNOWN]), READ_IT);
}

#[test]
fn of_several_keys_some_may_have_been_changed() {
    let failed = Outcome::Failed(Failure::Timeout);
    let written = Outcome::Written(Tag::ZERO);
    for (outcomes, expected) in [
        (vec![written.clone(), failed.clone()], READ_THEM),
        (vec![written, UNKNOWN], READ_THEM),
        (vec![failed.clone(), UNKNOWN], READ_IT),
        (
            vec![failed.clone(), failed],
            "-TRYAGAIN no quorum answered in time; nothing was changed|",
        ),
    ] {
        let mut connection = Connection::over(Scripted::new([outcomes.clone()]));
        assert_eq!(connection.ask("MSET a 1 b 2"), expected, "{outcomes:?}");
    }
}

#[test]
fn one_command_that_fails_leaves_the_others_of_its_batch_alone() {
    let mut outcomes = vec![Outcome::Written(Tag::ZERO); 3];
    outcomes[1] = Outcome::Failed(Failure::Timeout);
    let mut connection = Connection::over(Scripted::new([outcomes]));
    let answer = connection.ask("SET a 1\nSET b 1\nGET\nSET c 1\nEXPIRE c 10\nPING");
    assert_eq!(
        answer,
        "+OK|-TRYAGAIN no quorum answered in time; nothing was changed|-ERR wrong number of \
         arguments for 'get' command|+OK|-ERR 'EXPIRE' is not offered: expiry needs clocks that \
         agree|+PONG|"
    );
}

#[test]
fn without_time_nothing_is_begun() {
    let settings = Settings { within: Duration::ZERO, ..Settings::default() };
    let mut connection = Connection::to(&Arc::new(Gateway::new(Arc::new(Alone::new()), settings)));
    let expected = "-TRYAGAIN no quorum answered in time; nothing was changed|+PONG|";
    assert_eq!(connection.ask("SET a 1\nPING"), expected);
}

#[test]
fn many_keys_have_one_answer_that_fits_into_memory() {
    let settings = Settings { at_once_max: 4, answer_bytes_max: 20, ..Settings::default() };
    let mut connection = Connection::to(&Arc::new(Gateway::new(Arc::new(Alone::new()), settings)));
    connection.ask("MSET a aaaaaaaa b bbbbbbbb c cccccccc d d e e f f");
    let expected = "-ERR the values of these keys take more than 20 bytes: ask for fewer at once|";
    assert_eq!(connection.ask("MGET a b c d e f"), expected);
    assert_eq!(connection.ask("MGET d e f d e f"), "*6|$1|d|$1|e|$1|f|$1|d|$1|e|$1|f|");
}

#[test]
fn unknown_commands_and_known_ones_that_are_not_offered_are_told_apart() {
    Connection::alone().tell(&[
        ("foo a b", "-ERR unknown command 'foo', with args beginning with: 'a' 'b' |"),
        (
            "keys *",
            "-ERR 'KEYS' is not offered: a node knows only the keys that it holds: use SCAN|",
        ),
        ("LPUSH a 1", "-ERR 'LPUSH' is not offered: values are strings|"),
        ("multi", "-ERR 'MULTI' is not offered: several keys are never changed together|"),
        ("MSET a 1 b", "-ERR wrong number of arguments for 'mset' command|"),
    ]);
}
