//! The key-value store: keys, values, protocol and limits.

use bytes::BytesMut;
use palco_service::services::kv::{KvService, Limits, PART_BYTES, RespCodec, write_command};
use palco_service::{Codec, Farewell, Malformed};

use crate::support::{Connection, TestHost, farewell};

/// Asks inline commands one by one on one connection to one fresh store.
fn dialogue(limits: &Limits, lines: &[(&str, &str)]) {
    let host = TestHost::default();
    let service = KvService::new(limits.clone());
    let mut connection = Connection::open(&service, RespCodec::new(limits.clone()), &host);
    for (line, answer) in lines {
        let got = connection.ask(format!("{line}\r\n"));
        assert_eq!(got, *answer, "{line}");
    }
    assert!(!connection.closed);
}

fn tell(lines: &[(&str, &str)]) {
    dialogue(&Limits::default(), lines);
}

#[test]
fn keys_are_set_read_counted_and_deleted() {
    tell(&[
        ("GET a", "$-1\r\n"),
        ("SET a 1", "+OK\r\n"),
        ("get a", "$1\r\n1\r\n"),
        ("EXISTS a a b", ":2\r\n"),
        ("DBSIZE", ":1\r\n"),
        ("STRLEN a", ":1\r\n"),
        ("APPEND a bc", ":3\r\n"),
        ("APPEND new xy", ":2\r\n"),
        ("MGET a new none", "*3\r\n$3\r\n1bc\r\n$2\r\nxy\r\n$-1\r\n"),
        ("MSET a 1 b 2 a 3", "+OK\r\n"),
        ("MGET a b", "*2\r\n$1\r\n3\r\n$1\r\n2\r\n"),
        ("DEL a a none", ":1\r\n"),
        ("FLUSHDB ASYNC", "+OK\r\n"),
        ("DBSIZE", ":0\r\n"),
        ("FLUSHALL now", "-ERR syntax error\r\n"),
        ("FLUSHALL", "+OK\r\n"),
    ]);
}

#[test]
fn set_obeys_its_conditions_and_refuses_what_it_cannot_do() {
    tell(&[
        ("SET a 1 XX", "$-1\r\n"),
        ("SET a 1 nx", "+OK\r\n"),
        ("SET a 2 NX", "$-1\r\n"),
        ("SET a 2 NX GET", "$1\r\n1\r\n"),
        ("SET a 3 XX GET", "$1\r\n1\r\n"),
        ("SET b 1 GET", "$-1\r\n"),
        ("MGET a b", "*2\r\n$1\r\n3\r\n$1\r\n1\r\n"),
        ("SET a 4 NX XX", "-ERR syntax error\r\n"),
        ("SET a 4 EX 10", "-ERR option 'EX' of 'set' is not supported\r\n"),
        ("SET a 4 keepttl", "-ERR option 'KEEPTTL' of 'set' is not supported\r\n"),
        ("SET a 4 whatever", "-ERR syntax error\r\n"),
        ("GET a", "$1\r\n3\r\n"),
    ]);
}

#[test]
fn integers_count_and_refuse_to_overflow() {
    tell(&[
        ("INCR n", ":1\r\n"),
        ("INCRBY n 41", ":42\r\n"),
        ("DECR n", ":41\r\n"),
        ("INCRBY n -100", ":-59\r\n"),
        ("SET n 9223372036854775807", "+OK\r\n"),
        ("INCR n", "-ERR increment or decrement would overflow\r\n"),
        ("SET n -9223372036854775808", "+OK\r\n"),
        ("DECR n", "-ERR increment or decrement would overflow\r\n"),
        ("INCRBY n 1.5", "-ERR value is not an integer or out of range\r\n"),
        ("SET n 01", "+OK\r\n"),
        ("INCR n", "-ERR value is not an integer or out of range\r\n"),
        ("GET n", "$2\r\n01\r\n"),
    ]);
}

#[test]
fn errors_have_the_words_of_redis() {
    let long = "x".repeat(200);
    let cut = "x".repeat(128);
    tell(&[
        ("foo a b", "-ERR unknown command 'foo', with args beginning with: 'a' 'b' \r\n"),
        ("foo \"a\\r\\nb\"", "-ERR unknown command 'foo', with args beginning with: 'a  b' \r\n"),
        (&long, &format!("-ERR unknown command '{cut}', with args beginning with: \r\n")),
        ("GET", "-ERR wrong number of arguments for 'get' command\r\n"),
        ("Get a b", "-ERR wrong number of arguments for 'get' command\r\n"),
        ("MSET a 1 b", "-ERR wrong number of arguments for 'mset' command\r\n"),
        ("PING a b", "-ERR wrong number of arguments for 'ping' command\r\n"),
        ("CONFIG GET", "-ERR wrong number of arguments for 'config|get' command\r\n"),
        ("CONFIG SET a b", "-ERR unknown subcommand 'SET'. Try CONFIG HELP.\r\n"),
        ("SELECT 1", "-ERR DB index is out of range\r\n"),
        ("SELECT x", "-ERR value is not an integer or out of range\r\n"),
    ]);
}

#[test]
fn commands_are_pipelined_and_binary_safe() {
    let host = TestHost::default();
    let service = KvService::default();
    let mut connection = Connection::open(&service, RespCodec::default(), &host);
    let value: Vec<u8> = (0..=255).chain(*b"\r\n$3\r\n").collect();
    let mut bytes = BytesMut::new();
    write_command([&b"SET"[..], b"\r\n\0", &value], &mut bytes);
    write_command([&b"GET"[..], b"\r\n\0"], &mut bytes);
    bytes.extend_from_slice(b"PING\r\n\r\n*0\r\n*-1\r\n");
    write_command([&b"ECHO"[..], b""], &mut bytes);
    connection.send(&bytes);
    let mut expected = format!("+OK\r\n${}\r\n", value.len()).into_bytes();
    expected.extend_from_slice(&value);
    expected.extend_from_slice(b"\r\n+PONG\r\n$0\r\n\r\n");
    assert_eq!(connection.output, expected);
}

#[test]
fn malformed_input_ends_the_connection_with_the_words_of_redis() {
    let limits = Limits { value_bytes_max: 100, inline_bytes_max: 100, ..Limits::default() };
    let big = format!("*1\r\n{}", "$".repeat(70_000));
    for (bytes, words) in [
        ("*x\r\n", "invalid multibulk length"),
        ("*65537\r\n", "invalid multibulk length"),
        ("*3\rx", "invalid multibulk length"),
        ("*1\r\nx", "expected '$', got 'x'"),
        ("*1\r\n\r\n", "expected '$', got ' '"),
        ("*1\r\n$-1\r\n", "invalid bulk length"),
        ("*1\r\n$101\r\n", "invalid bulk length"),
        ("*1\r\n$1\r\nabc", "expected CRLF after a bulk string"),
        (&"*".repeat(70_000), "too big mbulk count string"),
        (&big, "too big bulk count string"),
        (&"x".repeat(101), "too big inline request"),
        ("GET \"a\r\n", "unbalanced quotes in request"),
    ] {
        let host = TestHost::default();
        let service = KvService::new(limits.clone());
        let mut connection = Connection::open(&service, RespCodec::new(limits.clone()), &host);
        let answer = connection.ask(bytes);
        assert_eq!(answer, format!("-ERR Protocol error: {words}\r\n"));
        assert!(connection.closed);
    }
}

#[test]
fn a_command_has_a_limit_as_a_whole() {
    let limits = Limits { command_bytes_max: 100, ..Limits::default() };
    let mut codec = RespCodec::new(limits);
    let decode = |codec: &mut RespCodec, bytes: &[u8]| {
        Codec::<KvService>::decode(codec, &mut BytesMut::from(bytes))
    };
    // Refused with the header that says too much, before the bytes it speaks of.
    let bytes = b"*3\r\n$3\r\nSET\r\n$1\r\na\r\n$100\r\n";
    let expected = Malformed::TooLarge { what: "command", limit: 100 };
    assert_eq!(decode(&mut codec, bytes), Err(expected));
}

#[test]
fn a_full_store_refuses_to_grow_and_still_shrinks() {
    let oom = "-OOM command not allowed when used memory > 'maxmemory'.\r\n";
    let limits = Limits { keys_max: 2, store_bytes_max: 500, ..Limits::default() };
    let long = "x".repeat(400);
    dialogue(
        &limits,
        &[
            ("MSET a 1 b 2", "+OK\r\n"),
            ("SET c 3", oom),
            ("MSET a 9 c 3", oom),
            ("GET a", "$1\r\n1\r\n"),
            ("SET a 4", "+OK\r\n"),
            (&format!("SET a {long}"), oom),
            (&format!("APPEND a {long}"), oom),
            ("INCR b", ":3\r\n"),
            ("DEL b", ":1\r\n"),
            ("INCR c", ":1\r\n"),
            ("MGET a b c", "*3\r\n$1\r\n4\r\n$-1\r\n$1\r\n1\r\n"),
        ],
    );
}

#[test]
fn values_do_not_grow_beyond_their_limit() {
    let limits = Limits { value_bytes_max: 8, ..Limits::default() };
    dialogue(
        &limits,
        &[
            ("SET a 12345678", "+OK\r\n"),
            ("APPEND a 9", "-ERR string exceeds maximum allowed size (proto-max-bulk-len)\r\n"),
            (
                "SET a 123456789",
                "-ERR string exceeds maximum allowed size (proto-max-bulk-len)\r\n",
            ),
            ("GET a", "$8\r\n12345678\r\n"),
        ],
    );
}

#[test]
fn a_long_array_leaves_in_parts() {
    let host = TestHost::default();
    let service = KvService::default();
    let mut connection = Connection::open(&service, RespCodec::default(), &host);
    let value = "v".repeat(1000);
    assert_eq!(connection.ask(format!("SET k {value}\r\n")), "+OK\r\n");
    let keys = vec!["k"; 1000].join(" ");
    let answer = connection.ask(format!("MGET {keys}\r\n"));
    assert_eq!(answer, format!("*1000\r\n{}", format!("$1000\r\n{value}\r\n").repeat(1000)));
    assert!(connection.part_peak < PART_BYTES + 2000, "{}", connection.part_peak);
}

#[test]
fn last_words_are_errors() {
    let say = |why| farewell::<KvService, _>(&RespCodec::default(), &why);
    assert_eq!(say(Farewell::Busy), "-ERR max number of clients reached\r\n");
    assert_eq!(say(Farewell::Failed), "-ERR internal error\r\n");
    assert_eq!(say(Farewell::Interrupted), "-ERR interrupted\r\n");
    assert_eq!(say(Farewell::TooSlow), "-ERR the request took too long\r\n");
    assert_eq!(say(Farewell::Idle), "", "it would be taken for the next answer");
}
