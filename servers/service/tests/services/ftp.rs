//! FTP.

use std::time::Duration;

use palco_service::services::ftp::{FtpCodec, FtpService, LINE_BYTES_MAX};
use palco_service::{Codec, Farewell};

use crate::support::{Connection, TestHost, farewell, ticket};

const INTERRUPTED: &str =
    "426 The command was interrupted.\r\n226 The command was interrupted.\r\n";
const NOTHING: &str = "226 Nothing was in progress.\r\n";

/// A connection that has been greeted.
fn open<'a>(service: &'a FtpService, host: &'a TestHost) -> Connection<'a, FtpService, FtpCodec> {
    let mut connection = Connection::open(service, FtpCodec::default(), host);
    assert!(connection.ask("").starts_with("220 "));
    connection
}

#[test]
fn the_codec_wants_urgent_data() {
    const { assert!(<FtpCodec as Codec<FtpService>>::USES_URGENT_DATA) };
}

#[test]
fn every_command_has_the_code_of_rfc_959() {
    let (host, service) = (TestHost::default(), FtpService::default());
    let mut connection = open(&service, &host);
    for (line, code) in [
        ("USER anonymous", "230"),
        ("PASS a@b", "230"),
        ("PASS", "230"),
        ("ACCT x", "202"),
        ("syst", "215"),
        ("TYPE I", "200"),
        ("type a n", "200"),
        ("TYPE E", "504"),
        ("MODE S", "200"),
        ("MODE B", "504"),
        ("STRU F", "200"),
        ("STRU R", "504"),
        ("NOOP", "200"),
        ("PWD", "257"),
        ("CWD /", "250"),
        ("CWD /etc", "550"),
        ("CDUP", "250"),
        ("ALLO 7", "202"),
        ("PASV", "502"),
        ("PORT 127,0,0,1,4,5", "502"),
        ("EPSV", "502"),
        ("RETR x", "502"),
        ("STOR x", "502"),
        ("LIST", "502"),
        ("MKD x", "502"),
        ("STAT x", "502"),
        ("ABOR", "226"),
        ("USER", "501"),
        ("NOOP x", "501"),
        ("SITE", "501"),
        ("SITE SLEEP", "501"),
        ("SITE SLEEP 60001", "501"),
        ("SITE CPU 1s", "501"),
        ("SITE TICKET x", "501"),
        ("SITE DANCE", "500"),
        ("SITE HELP", "214"),
        ("DANCE", "500"),
        ("", "500"),
    ] {
        let reply = connection.ask(format!("{line}\r\n"));
        let is_one_line = reply.find("\r\n") == Some(reply.len() - 2);
        assert!(is_one_line && reply.starts_with(&format!("{code} ")), "{line}: {reply}");
    }
    assert_eq!(connection.ask("QUIT\r\nNOOP\r\n"), "221 Bye.\r\n");
    assert!(connection.closed);
}

#[test]
fn replies_of_several_lines_end_with_the_one_without_a_hyphen() {
    let (host, service) = (TestHost::default(), FtpService::default());
    let mut connection = open(&service, &host);
    assert_eq!(
        connection.ask("STAT\r\n"),
        "211-palco, a control connection:\r\n211-from test:1\r\n\
         211-MODE S, STRU F, no data connection, nothing in progress.\r\n211 End of status.\r\n"
    );
    let help = connection.ask("HELP\r\n");
    let lines: Vec<&str> = help.lines().collect();
    assert_eq!(lines.len(), 3);
    assert!(lines[0].starts_with("214-") && lines[1].starts_with("214-"), "{help}");
    assert!(lines[2].starts_with("214 SITE SLEEP <ms>"), "{help}");
}

#[test]
fn site_commands_take_their_time() {
    let (host, service) = (TestHost::default(), FtpService::default());
    let mut connection = open(&service, &host);
    assert_eq!(connection.ask("SITE SLEEP 1500\r\n"), "200 Slept 1500 ms.\r\n");
    assert_eq!(*host.slept.borrow(), [Duration::from_millis(1500)]);
    assert_eq!(connection.ask("site cpu 10000\r\n"), "200 Computed 10000 us.\r\n");
    assert!(host.checkpoints.get() > 90, "{}", host.checkpoints.get());
    assert_eq!(
        connection.ask("SITE TICKET\r\n"),
        "502 No ticket: this server has no urgent port.\r\n"
    );
}

#[test]
fn requests_are_counted_from_the_greeting_on() {
    let (host, service) = (TestHost::with_urgent_port(), FtpService::default());
    let mut connection = open(&service, &host);
    assert_eq!(connection.ask("SITE TICKET\r\n"), format!("200 ticket {}\r\n", ticket(3)));
    connection.ask("\r\nwrong\r\n");
    assert_eq!(connection.ask("SITE TICKET\r\n"), format!("200 ticket {}\r\n", ticket(6)));
}

#[test]
fn abor_of_ftplib_ends_the_command() {
    // Python's `FTP.abort()`: `ABOR\r\n` at once with MSG_OOB, so that the line feed is the urgent byte.
    let (host, service) = (TestHost::default(), FtpService::default());
    let mut connection = open(&service, &host);
    assert!(connection.urgent_during(b"SITE SLEEP 5000\r\n", b"ABOR\r\n"));
    assert_eq!(connection.ask(""), INTERRUPTED);
    connection.urgent(b"ABOR\r\n");
    assert_eq!(connection.ask(""), NOTHING);
}

#[test]
fn abor_with_telnet_commands_ends_the_command() {
    // As RFC 959 has it, in the three ways in which the mark may be urgent or not.
    let (host, service) = (TestHost::default(), FtpService::default());
    for (urgent, behind) in [
        (&b"\xff\xf4\xff"[..], &b"\xf2ABOR\r\n"[..]),
        (b"\xff\xf4\xff\xf2", b"ABOR\r\n"),
        (b"\xff\xf4\xff\xf2ABOR\r\n", b""),
    ] {
        let mut connection = open(&service, &host);
        assert!(connection.urgent_during(b"SITE CPU 60000000\r\n", urgent));
        assert_eq!(connection.ask(behind), INTERRUPTED);
        assert_eq!(connection.ask("ABOR\r\n"), NOTHING);
        connection.urgent(urgent);
        assert_eq!(connection.ask(behind), NOTHING);
    }
}

#[test]
fn abor_is_found_in_any_case_and_however_it_is_cut() {
    let (host, service) = (TestHost::default(), FtpService::default());
    for (line, urgent, expected) in [
        (&b"SITE SLEEP 1\r\n"[..], &b"NOOP\r\nabor\r"[..], true),
        (b"SITE SLEEP 1\r\n", b"abor", true),
        (b"SITE SLEEP 1\r\nAB", b"OR\r\n", true),
        (b"SITE SLEEP 1\r\nNOOP\r\nA\xff", b"\xf1BOR\r\n", true),
        (b"SITE SLEEP 1\r\nNO", b"ABOR\r\n", false),
        (b"SITE SLEEP 1\r\n", b"STOR ABOR\r\n", false),
        (b"SITE SLEEP 1\r\n", b"ABORT\r\n", false),
        (b"SITE SLEEP 1\r\n", b"!", false),
    ] {
        let mut connection = open(&service, &host);
        let found = connection.urgent_during(line, urgent);
        assert_eq!(found, expected, "{} {}", line.escape_ascii(), urgent.escape_ascii());
    }
}

#[test]
fn commands_before_an_abor_are_carried_out() {
    let (host, service) = (TestHost::default(), FtpService::default());
    let mut connection = open(&service, &host);
    assert!(connection.urgent_during(b"SITE SLEEP 5000\r\n", b"NOOP\r\nABOR\r\n"));
    assert_eq!(
        connection.ask(""),
        format!("426 The command was interrupted.\r\n200 Done.\r\n{NOTHING}")
    );
}

#[test]
fn options_are_refused() {
    let (host, service) = (TestHost::default(), FtpService::default());
    let mut connection = open(&service, &host);
    connection.send(b"NO\xff\xfb\x01OP\r\n");
    assert_eq!(connection.output.split(), &b"\xff\xfe\x01200 Done.\r\n"[..]);
}

#[test]
fn a_line_that_is_too_long_ends_the_connection() {
    let (host, service) = (TestHost::default(), FtpService::default());
    let mut connection = open(&service, &host);
    assert_eq!(connection.ask(format!("{:LINE_BYTES_MAX$}\r\n", "NOOP")), "200 Done.\r\n");
    let reply = connection.ask("x".repeat(LINE_BYTES_MAX + 1));
    assert_eq!(reply, "500 line exceeds the limit of 1024 bytes.\r\n");
    assert!(connection.closed);
}

#[test]
fn last_words_are_replies() {
    let say = |why| farewell::<FtpService, _>(&FtpCodec::default(), &why);
    assert_eq!(say(Farewell::Busy), "421 Too many connections.\r\n");
    assert_eq!(say(Farewell::Failed), "421 The command failed.\r\n");
    assert_eq!(say(Farewell::Interrupted), "421 The command was interrupted.\r\n");
    assert_eq!(say(Farewell::TooSlow), "421 The command took too long.\r\n");
    assert_eq!(say(Farewell::Idle), "421 Idle for too long.\r\n");
}
