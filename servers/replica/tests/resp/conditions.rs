//! Conditions on keys of class cas: they hold when the change is made, not when it was asked for.

use palco_rambo::{Outcome, Versioned};

use crate::support::{Connection, Scripted};

#[test]
fn set_obeys_its_conditions() {
    Connection::alone().tell(&[
        ("SET cas:a 1 XX", "$-1|"),
        ("SET cas:a 1 nx", "+OK|"),
        ("SET cas:a 2 NX", "$-1|"),
        ("SET cas:a 2 NX GET", "$1|1|"),
        ("SET cas:a 3 XX GET", "$1|1|"),
        ("SET cas:a 4 XX", "+OK|"),
        ("SET cas:b 1 GET", "$-1|"),
        ("SETNX cas:b 2", ":0|"),
        ("SETNX cas:c 2", ":1|"),
        ("MGET cas:a cas:b cas:c", "*3|$1|4|$1|1|$1|2|"),
        ("GETSET cas:c 3", "$1|2|"),
        ("GETDEL cas:c", "$1|3|"),
        ("GETDEL cas:c", "$-1|"),
        ("SET cas:c 4 NX", "+OK|"),
        ("SET cas:a 4 NX XX", "-ERR syntax error|"),
        ("SET cas:a 4 whatever", "-ERR syntax error|"),
    ]);
}

#[test]
fn expiry_is_refused_by_the_name_of_the_option() {
    for option in ["EX", "px", "EXAT", "PXAT"] {
        let expected = format!(
            "-ERR option '{}' of 'set' is not offered: expiry needs clocks that agree|",
            option.to_uppercase()
        );
        assert_eq!(Connection::alone().ask(&format!("SET a 1 {option} 10")), expected);
    }
}

#[test]
fn versions_say_whether_somebody_came_between() {
    Connection::alone().tell(&[
        ("PALCO.GETV cas:a", "*2|:0|$-1|"),
        ("PALCO.CASV cas:a 0 x", ":1|"),
        ("PALCO.CASV cas:a 0 y", "$-1|"),
        ("PALCO.GETV cas:a", "*2|:1|$1|x|"),
        ("PALCO.CASV cas:a 1 y", ":2|"),
        ("PALCO.DELV cas:a 1", "$-1|"),
        ("PALCO.DELV cas:a 2", ":3|"),
        ("PALCO.GETV cas:a", "*2|:3|$-1|"),
        ("PALCO.CASV cas:a -1 x", "-ERR value is not an integer or out of range|"),
    ]);
}

fn at(version: u64, value: Option<&'static str>) -> Versioned {
    Versioned { version, value: value.map(Into::into) }
}

#[test]
fn a_swap_goes_on_until_nobody_comes_between() {
    let registers = Scripted::new([
        vec![Outcome::Cas(at(1, Some("1")))],
        vec![Outcome::Mismatch(at(2, Some("2")))],
        vec![Outcome::Mismatch(at(3, Some("3")))],
        vec![Outcome::Cas(at(4, Some("x")))],
    ]);
    let asked = registers.asked();
    assert_eq!(Connection::over(registers).ask("GETSET cas:a x"), "$1|3|");
    assert_eq!(asked.take().len(), 4);
}

#[test]
fn a_swap_ends_when_its_condition_no_longer_holds() {
    let registers =
        Scripted::new([vec![Outcome::Cas(at(1, Some("1")))], vec![Outcome::Mismatch(at(2, None))]]);
    assert_eq!(Connection::over(registers).ask("SET cas:a x XX"), "$-1|");
}

#[test]
fn a_change_that_had_been_applied_counts_once() {
    let registers = Scripted::new([
        vec![Outcome::Repeated { version: 7, result: 42 }],
        vec![Outcome::Repeated { version: 8, result: 0 }],
    ]);
    Connection::over(registers)
        .tell(&[("INCR counter:a", ":42|"), ("PALCO.CASV cas:a 7 x", ":8|")]);
}
