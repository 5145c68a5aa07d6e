//! What is said at the port, and what is answered.

use std::io::Write;
use std::net::Shutdown;
use std::time::Duration;

use palco_urgent::{HELP, PortSettings};

use crate::desk::{KEY, OTHER, Stage};

#[test]
fn each_line_is_answered_in_order_on_one_connection() {
    let stage = Stage::new();
    let mut client = stage.client();
    assert_eq!(client.ask(&format!("HOLD work/1.2:{KEY}")), "held note: as the test says");
    assert_eq!(client.ask(&format!("priority 10 work/1.2:{KEY}\r")), "running note: nice 10");
    client.send(format!("STATUS work/1.1:{KEY}\nHELP\r\nstatus work/1.3:{KEY}\n").as_bytes());
    let answers: Vec<_> = (0..3).map(|_| client.line()).collect();
    assert_eq!(answers, ["finished", HELP, "queued"]);
    assert_eq!(stage.thread.counts().port.commands, 4);
}

#[test]
fn a_line_in_pieces_is_one_line() {
    let stage = Stage::new();
    let mut client = stage.client();
    for byte in format!("HOLD work/1.2:{KEY}\n").bytes() {
        client.send(&[byte]);
    }
    assert_eq!(client.line(), "held note: as the test says");
}

#[test]
fn what_is_no_command_is_refused_and_the_next_line_is_read() {
    let stage = Stage::new();
    let mut client = stage.client();
    let bad = ["", "GET / HTTP/1.1", "HOLD", "HOLD work/1.2", "PRIORITY 20 work/1.2:0", "\u{7f}"];
    for line in bad {
        let answer = client.ask(line);
        let is_refused =
            answer.starts_with("error malformed ") || answer.starts_with("error unknown-verb ");
        assert!(is_refused, "{line:?}: {answer}");
    }
    client.send(b"HOLD \xff\xfe\n");
    assert_eq!(client.line(), "error malformed the line is not UTF-8");
    assert_eq!(client.ask(&format!("STATUS work/1.2:{KEY}")), "running");
    assert_eq!(stage.thread.counts().port.malformed, 7);
}

#[test]
fn a_line_that_is_too_long_is_refused_and_ends_the_connection() {
    let stage = Stage::new();
    let mut client = stage.client();
    // The longest, with either end.
    for end in ["", "\r"] {
        let line = format!("{}{end}", "x".repeat(512));
        assert!(client.ask(&line).starts_with("error unknown-verb "));
    }
    client.send(&[b'x'; 100_000]);
    assert_eq!(client.line(), "error malformed a line has at most 512 bytes");
    assert_eq!(client.line(), "");
    let mut client = stage.client();
    assert_eq!(client.ask(&"x".repeat(513)), "error malformed a line has at most 512 bytes");
    assert_eq!(client.line(), "");
}

#[test]
fn a_wrong_key_is_told_the_same_whether_or_not_there_is_such_a_request() {
    let stage = Stage::new();
    let mut client = stage.client();
    let refused = "error wrong-key the key does not belong to this request";
    for claim in [format!("work/1.2:{OTHER}"), format!("work/7.7:{KEY}"), format!("x/1.2:{KEY}")] {
        assert_eq!(client.ask(&format!("CANCEL {claim}")), refused);
    }
    assert_eq!(stage.thread.counts().port.wrong_keys, 3);
}

#[test]
fn after_a_storm_of_wrong_keys_nothing_is_looked_at_until_a_token_is_back() {
    let stage = Stage::new();
    let mut client = stage.client();
    let wrong = format!("CANCEL work/1.2:{OTHER}");
    let answers: Vec<_> = (0..100).map(|_| client.ask(&wrong)).collect();
    let refused = answers.iter().filter(|answer| answer.starts_with("error wrong-key ")).count();
    assert!((16..100).contains(&refused), "{refused}");
    let counts = stage.thread.counts().port;
    assert_eq!((counts.wrong_keys, counts.waits), (refused as u64, 100 - refused as u64));
    // The right key has to wait too, on other connections as well, and then it is looked at.
    let right = format!("STATUS work/1.2:{KEY}");
    let mut said = stage.ask(&right);
    while said != "running" {
        assert!(said.starts_with("error wait "), "{said}");
        said = stage.ask(&right);
    }
}

#[test]
fn who_completes_no_command_in_time_is_closed() {
    let idle = Duration::from_millis(20);
    let stage = Stage::with(PortSettings { idle, ..PortSettings::default() });
    let mut silent = stage.client();
    assert_eq!(silent.line(), "");
    let mut half = stage.client();
    half.send(b"HOLD ");
    assert_eq!(half.line(), "");
}

#[test]
fn an_end_without_a_line_is_no_command() {
    let stage = Stage::new();
    let mut stream = stage.connect();
    stream.write_all(format!("HOLD work/1.2:{KEY}").as_bytes()).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(std::io::read_to_string(stream).unwrap(), "");
    assert_eq!(stage.thread.counts().port.commands, 0);
}

#[test]
fn a_desk_that_panics_costs_its_own_connection() {
    let stage = Stage::new();
    let mut other = stage.client();
    assert_eq!(stage.ask(&format!("HOLD work/1.666:{KEY}")), "");
    assert_eq!(other.ask(&format!("STATUS work/1.2:{KEY}")), "running");
}
