//! Telnet.

use std::time::Duration;

use palco_service::services::telnet::{LINE_BYTES_MAX, TelnetCodec, TelnetService};
use palco_service::{Codec, Farewell, Malformed};

use crate::support::{Connection, TestHost, farewell, ticket};

const IP: &[u8] = b"\xff\xf4";

/// A connection that has been greeted.
fn open(host: &TestHost) -> Connection<'_, TelnetService, TelnetCodec> {
    let mut connection = Connection::open(&TelnetService, TelnetCodec::default(), host);
    assert!(connection.ask("").starts_with("palco teletype: "));
    connection
}

#[test]
fn the_codec_wants_urgent_data() {
    const { assert!(<TelnetCodec as Codec<TelnetService>>::USES_URGENT_DATA) };
}

#[test]
fn count_prints_numbers_in_small_parts_with_a_checkpoint_each() {
    let host = TestHost::default();
    let mut connection = open(&host);
    assert_eq!(connection.ask("count 3\r\n"), "1\r\n2\r\n3\r\nok\r\n");
    assert_eq!(connection.ask("count 0\r\n"), "ok\r\n");
    host.checkpoints.set(0);
    let numbers: String = (1..=5000).map(|number| format!("{number}\r\n")).collect();
    assert_eq!(connection.ask("count 5000\r\n"), numbers + "ok\r\n");
    assert_eq!(host.checkpoints.get(), 4);
    assert!(connection.part_peak <= 16 * 1024, "{}", connection.part_peak);
    assert!(host.slept.borrow().is_empty());
}

#[test]
fn count_with_a_pause_waits_between_two_lines() {
    let host = TestHost::default();
    let mut connection = open(&host);
    assert_eq!(connection.ask("count 3 20\r\n"), "1\r\n2\r\n3\r\nok\r\n");
    assert_eq!(*host.slept.borrow(), [Duration::from_millis(20); 2]);
    assert_eq!(connection.ask("sleep 60000\r\n"), "ok\r\n");
    assert_eq!(host.slept.borrow()[2], Duration::from_secs(60));
}

#[test]
fn errors_name_the_limit_and_keep_the_connection() {
    let host = TestHost::default();
    let mut connection = open(&host);
    for (line, answer) in [
        ("count", "error: count takes how many, and perhaps the ms between them\r\n"),
        ("count 1000000001", "error: count ends at 1000000000 lines\r\n"),
        ("count -1", "error: count takes a whole number of lines, not \"-1\"\r\n"),
        ("count 1 60001", "error: count ends at 60000 ms\r\n"),
        ("sleep", "error: sleep takes how many ms\r\n"),
        ("help me", "error: help takes no argument\r\n"),
        (
            "\u{1b}[2J",
            "error: unknown command \"\\u{1b}[2J\"; the commands are count, sleep, ticket, help, quit\r\n",
        ),
        ("ticket", "error: this server has no urgent port\r\n"),
        ("  ", ""),
    ] {
        assert_eq!(connection.ask(format!("{line}\r\n")), answer, "{line}");
    }
    assert_eq!(connection.ask("quit\r\nhelp\r\n"), "bye\r\n");
    assert!(connection.closed);
}

#[test]
fn the_longest_line_is_read_and_a_longer_one_ends_the_connection() {
    let host = TestHost::default();
    let mut connection = open(&host);
    let longest = format!("{:LINE_BYTES_MAX$}\r\n", "sleep 0");
    assert_eq!(connection.ask(&longest), "ok\r\n");
    let answer = connection.ask(format!(" {longest}"));
    assert_eq!(answer, "error: line exceeds the limit of 1024 bytes\r\n");
    let limit = LINE_BYTES_MAX;
    assert_eq!(connection.malformed, Some(Malformed::TooLarge { what: "line", limit }));
}

#[test]
fn requests_are_counted_from_the_greeting_on() {
    let host = TestHost::with_urgent_port();
    let mut connection = open(&host);
    let said = |number| format!("ok ticket {}\r\n", ticket(number));
    assert_eq!(connection.ask("ticket\r\n"), said(3));
    // Neither an empty line, nor an erased one, nor a command without an answer is a request.
    connection.ask(b"\r\nx\xff\xf7\r\n\xff\xf1\xff\xf4\xff\xf6wrong\r\n");
    assert_eq!(connection.ask("ticket\r\n"), said(6));
}

#[test]
fn are_you_there_is_answered_in_the_middle_of_a_line() {
    let host = TestHost::default();
    let mut connection = open(&host);
    assert_eq!(connection.ask(b"sle\xff\xf6"), "[yes]\r\n");
    assert_eq!(connection.ask("ep 1\r\n"), "ok\r\n");
}

#[test]
fn options_are_refused_and_lines_go_on_around_them() {
    let host = TestHost::default();
    let mut connection = open(&host);
    // DO ECHO, WILL TERMINAL-TYPE with a subnegotiation nobody asked for, and DO ECHO again
    connection
        .send(b"sl\xff\xfd\x01\xff\xfb\x18\xff\xfa\x18\x00vt\n100\xff\xf0\xff\xfd\x01eep 1\r\n");
    assert_eq!(connection.output.split(), &b"\xff\xfc\x01\xff\xfe\x18ok\r\n"[..]);
}

#[test]
fn interrupt_process_alone_comes_too_late_and_is_nothing() {
    let host = TestHost::default();
    let mut connection = open(&host);
    // What inetutils sends for `send ip`; no urgent data, so the server has not even looked before sleep was over.
    assert_eq!(connection.ask([b"sleep 5\r\n", IP].concat()), "ok\r\n");
    assert_eq!(connection.ask(b"\xff\xf3\xff\xf5sleep 1\r\n"), "ok\r\n");
}

#[test]
fn a_synch_alone_discards_what_was_typed_ahead_and_lets_the_command_go_on() {
    let host = TestHost::default();
    let mut connection = open(&host);
    // What inetutils sends for `send synch`: IAC as the urgent byte, then DM like other data.
    assert!(!connection.urgent_during(b"sleep 9\r\n", b"count 5\r\nquit\r\n\xff"));
    assert_eq!(connection.ask(b""), "ok\r\n");
    assert_eq!(connection.ask(b"\xf2"), "[synch: 15 bytes of input discarded]\r\n");
    assert_eq!(connection.ask("count 1\r\n"), "1\r\nok\r\n");
}

#[test]
fn interrupt_process_with_a_synch_ends_the_command_and_keeps_the_connection() {
    let host = TestHost::default();
    // Three ways of the same: `send ip` and `send synch` of inetutils, and two clients whose urgent byte is the mark.
    for (urgent, behind) in [
        (&b"\xff\xf4\xff"[..], &b"\xf2"[..]),
        (b"\xff\xf4\xff\xf2", b""),
        (b"\xff\xf3\xff\xf2", b""),
    ] {
        let mut connection = open(&host);
        assert!(connection.urgent_during(b"count 1000000 1\r\n", urgent));
        assert_eq!(connection.ask(behind), "\r\n[interrupted]\r\n");
        assert_eq!(connection.ask("sleep 1\r\n"), "ok\r\n");
    }
}

#[test]
fn a_second_synch_during_the_same_command_may_bring_the_interrupt() {
    let host = TestHost::default();
    let mut connection = open(&host);
    // `send synch`, `send ip` and `send synch` of inetutils, one after the other, as they arrive together.
    let bytes = b"count 5\r\n\xff\xf2\xff\xf4\xff";
    assert!(connection.urgent_during(b"count 100000 300\r\n", bytes));
    assert_eq!(
        connection.ask(b"\xf2"),
        "\r\n[interrupted]\r\n[synch: 9 bytes of input discarded]\r\n"
    );
}

#[test]
fn commands_among_discarded_text_are_obeyed() {
    let host = TestHost::default();
    let mut connection = open(&host);
    assert!(connection.urgent_during(b"sleep 9\r\nslee", b"p 1\r\n\xff\xf5hel\xff\xf6p\xff\xf2"));
    assert_eq!(
        connection.ask(b""),
        "\r\n[interrupted]\r\n[yes]\r\n[synch: 13 bytes of input discarded]\r\n"
    );
}

#[test]
fn an_interrupt_that_was_cut_in_two_is_seen_and_one_in_text_is_not() {
    let host = TestHost::default();
    assert!(open(&host).urgent_during(b"sleep 9\r\nab\xff", b"\xf4\xff"));
    assert!(!open(&host).urgent_during(b"sleep 9\r\nab\xff", b"\xff\xf4\xff"));
    assert!(
        !open(&host).urgent_during(b"sleep 9\r\n", b"\xff\xfa\x01\xff\xff\xf4\xff\xf0\xff\xf2")
    );
}

#[test]
fn a_data_mark_without_urgent_data_is_nothing() {
    let host = TestHost::default();
    let mut connection = open(&host);
    assert_eq!(connection.ask(b"sleep\xff\xf2 1\r\n"), "ok\r\n");
}

#[test]
fn last_words_are_lines() {
    let say = |why| farewell::<TelnetService, _>(&TelnetCodec::default(), &why);
    assert_eq!(say(Farewell::Busy), "error: too many connections\r\n");
    assert_eq!(say(Farewell::Failed), "error: the command failed\r\n");
    assert_eq!(say(Farewell::Interrupted), "error: the command was interrupted\r\n");
    assert_eq!(say(Farewell::TooSlow), "error: the line took too long\r\n");
    assert_eq!(say(Farewell::Idle), "error: idle for too long\r\n");
}
