//! Commands on keys of either class.

use palco_rambo::{CAS_VALUE_BYTES_MAX, VALUE_BYTES_MAX};
use palco_service::services::resp::write_command;

use crate::support::Connection;

#[test]
fn registers_are_set_read_counted_and_deleted() {
    Connection::alone().tell(&[
        ("GET a", "$-1|"),
        ("SET a 1", "+OK|"),
        ("get a", "$1|1|"),
        ("SET a 12 KEEPTTL", "+OK|"),
        ("STRLEN a", ":2|"),
        ("STRLEN none", ":0|"),
        ("EXISTS a a b", ":2|"),
        ("TYPE a", "+string|"),
        ("TYPE b", "+none|"),
        ("TTL a", ":-1|"),
        ("PTTL b", ":-2|"),
        ("MSET a 1 b 2 a 3", "+OK|"),
        ("MGET a none b a", "*4|$1|3|$-1|$1|2|$1|3|"),
        ("DBSIZE", ":2|"),
        ("DEL a a none", ":1|"),
        ("UNLINK a b", ":1|"),
        ("MGET a b", "*2|$-1|$-1|"),
        ("DBSIZE", ":0|"),
    ]);
}

#[test]
fn keys_of_class_cas_are_set_read_and_deleted_by_the_same_words() {
    Connection::alone().tell(&[
        ("SET cas:a 1", "+OK|"),
        ("GET cas:a", "$1|1|"),
        ("MSET cas:a 2 b 3", "+OK|"),
        ("MGET cas:a b cas:c", "*3|$1|2|$1|3|$-1|"),
        ("EXISTS cas:a cas:c", ":1|"),
        ("DEL cas:a cas:a b cas:c", ":2|"),
        ("GET cas:a", "$-1|"),
        ("TYPE cas:a", "+none|"),
    ]);
}

#[test]
fn numbers_are_counted_where_there_is_agreement() {
    Connection::alone().tell(&[
        ("INCR counter:n", ":1|"),
        ("INCRBY counter:n 41", ":42|"),
        ("DECR counter:n", ":41|"),
        ("DECRBY counter:n 100", ":-59|"),
        ("SET counter:n 9223372036854775807", "+OK|"),
        ("INCR counter:n", "-ERR increment or decrement would overflow|"),
        ("INCRBY counter:n 1.5", "-ERR value is not an integer or out of range|"),
        ("DECRBY counter:n -9223372036854775808", "-ERR decrement would overflow|"),
        ("SET counter:n x", "+OK|"),
        ("INCR counter:n", "-ERR value is not an integer or out of range|"),
        ("APPEND counter:n yz", ":3|"),
        ("GET counter:n", "$3|xyz|"),
    ]);
}

#[test]
fn what_needs_agreement_is_refused_for_plain_registers() {
    let mut connection = Connection::alone();
    connection.ask("SET n 1");
    for line in [
        "INCR n",
        "DECR n",
        "INCRBY n 1",
        "DECRBY n 1",
        "APPEND n 1",
        "GETSET n 1",
        "GETDEL n",
        "SETNX n 1",
        "SET n 1 NX",
        "SET n 1 XX",
        "SET n 1 GET",
        "PALCO.GETV n",
        "PALCO.CASV n 1 2",
        "PALCO.DELV n 1",
    ] {
        let name = line.split(' ').next().unwrap();
        let expected = format!(
            "-WRONGTYPE {name}: 'n' is a plain register, and this needs agreement: use a name that begins \
             with cas: or counter:|"
        );
        assert_eq!(connection.ask(line), expected);
    }
    assert_eq!(connection.ask("GET n"), "$1|1|");
}

#[test]
fn a_tag_tells_the_order_of_writes() {
    Connection::alone().tell(&[
        ("PALCO.TAG a", "$-1|"),
        ("SET a 1", "+OK|"),
        ("PALCO.TAG a", "$8|1.n1.1.1|"),
        ("PALCO.TAG cas:a", "-WRONGTYPE PALCO.TAG: 'cas:a' has a version: PALCO.GETV tells it|"),
    ]);
}

#[test]
fn a_name_or_value_that_is_too_long_is_refused_with_its_limit_and_nothing_else_happens() {
    let mut connection = Connection::alone();
    let mut ask = |arguments: &[&[u8]]| {
        let mut bytes = bytes::BytesMut::new();
        write_command(arguments.iter().copied(), &mut bytes);
        String::from_utf8_lossy(&connection.send(&bytes)).into_owned()
    };
    let (name, value) = ([b'k'; 1025], vec![b'v'; VALUE_BYTES_MAX + 1]);
    let whole = &value[..VALUE_BYTES_MAX];
    assert_eq!(ask(&[b"GET", &name]), "-ERR a key of 1025 bytes, at most 1024 can be\r\n");
    assert_eq!(ask(&[b"SET", &name[..1024], whole]), "+OK\r\n");
    let expected = format!("-ERR a value of 1048577 bytes, at most {VALUE_BYTES_MAX} can be\r\n");
    assert_eq!(ask(&[b"MSET", b"a", b"1", b"b", &value]), expected);
    assert_eq!(ask(&[b"EXISTS", b"a", &name[..1024]]), ":1\r\n");

    let expected = format!(
        "-ERR a value of {VALUE_BYTES_MAX} bytes, at most {CAS_VALUE_BYTES_MAX} can be\r\n"
    );
    assert_eq!(ask(&[b"SET", b"cas:a", whole]), expected);
    assert_eq!(ask(&[b"SET", b"cas:a", &value[..CAS_VALUE_BYTES_MAX]]), "+OK\r\n");
    let expected = "-ERR the value would be longer than a key of class cas can hold\r\n";
    assert_eq!(ask(&[b"APPEND", b"cas:a", b"x"]), expected);
}

#[test]
fn names_and_values_are_any_bytes() {
    let mut connection = Connection::alone();
    let value: Vec<u8> = (0..=255).chain(*b"\r\n$3\r\n").collect();
    let mut bytes = bytes::BytesMut::new();
    write_command([&b"SET"[..], b"\r\n\0", &value], &mut bytes);
    write_command([&b"GET"[..], b"\r\n\0"], &mut bytes);
    let mut expected = format!("+OK\r\n${}\r\n", value.len()).into_bytes();
    expected.extend_from_slice(&value);
    expected.extend_from_slice(b"\r\n");
    assert_eq!(connection.send(&bytes), expected);
}
