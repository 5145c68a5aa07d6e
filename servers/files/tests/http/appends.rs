//! HTTP: appends that happen once.

use std::fs;
use std::time::Duration;

use palco_files::http::{Config, HttpCodec, Keys};

use crate::changes::Desk;
use crate::files::Answer;
use crate::support::{Connection, TestHost};

fn append(desk: &Desk, key: &str, content: &str) -> Answer {
    desk.ask("POST /file", &format!("Idempotency-Key: \"{key}\"\r\n"), content)
}

#[test]
fn an_append_that_is_sent_again_is_answered_again_and_done_once() {
    let desk = Desk::new();
    let first = append(&desk, "a", "-1");
    assert_eq!((first.status, first.field("Idempotency-Replayed")), (200, None));
    assert_eq!(first.body, "{\"offset\":3,\"length\":2}\n");
    assert_eq!(append(&desk, "b", "-2").status, 200);
    let again = append(&desk, "a", "-1");
    assert_eq!((again.status, again.field("Idempotency-Replayed")), (200, Some("true")));
    assert_eq!(again.body, first.body);
    assert_eq!(desk.file(), "old-1-2");
    // Also by another server.
    let desk = desk.reopened();
    assert_eq!(append(&desk, "a", "-1").field("Idempotency-Replayed"), Some("true"));
    assert_eq!(desk.file(), "old-1-2");
}

#[test]
fn a_key_belongs_to_one_request() {
    let desk = Desk::new();
    fs::write(desk.root.join("other"), "").unwrap();
    assert_eq!(append(&desk, "a", "-1").status, 200);
    assert_eq!(append(&desk, "a", "-2").status, 422);
    assert_eq!(desk.ask("POST /other", "Idempotency-Key: \"a\"\r\n", "-1").status, 422);
    assert_eq!(desk.file(), "old-1");
}

#[test]
fn a_key_is_a_string_and_must_be_there_unless_it_is_optional() {
    let desk = Desk::new();
    let long = format!("\"{}\"", "k".repeat(256));
    for key in ["", "a", "\"a", "\"\"", "\"\\a\"", "\"a\"b\"", "\"\u{e9}\"", &long] {
        let answer = desk.ask("POST /file", &format!("Idempotency-Key: {key}\r\n"), "x");
        assert_eq!(answer.status, 400, "{key}");
    }
    assert_eq!(desk.ask("POST /file", "", "x").status, 400);
    assert_eq!(desk.file(), "old");
    let desk = Desk::with(|config| Config { keys: Keys::Optional, ..config });
    for _ in 0..2 {
        assert_eq!(desk.ask("POST /file", "", "-x").status, 200);
    }
    assert_eq!(desk.file(), "old-x-x", "without a key, again is twice");
}

#[test]
fn a_key_in_use_is_in_conflict_until_its_request_ends() {
    let desk = Desk::new();
    let host = TestHost::default();
    let mut connection = Connection::open(&desk.service, HttpCodec::default(), &host);
    let half =
        "POST /file HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nIdempotency-Key: \"a\"\r\n\r\n-1";
    assert_eq!(connection.ask(half), "");
    assert_eq!(append(&desk, "a", "-1-2").status, 409);
    drop(connection);
    assert_eq!(append(&desk, "a", "-1-2").status, 200);
    assert_eq!(desk.file(), "old-1-2");
}

#[test]
fn an_append_is_to_a_file_and_to_the_version_that_is_meant() {
    let desk = Desk::new();
    let ask = |target: &str, fields: &str| {
        desk.ask(&format!("POST {target}"), &format!("Idempotency-Key: \"k\"\r\n{fields}"), "x")
            .status
    };
    assert_eq!(ask("/none", ""), 404);
    assert_eq!(ask("/dir", ""), 405);
    assert_eq!(ask("/.palco/lock", ""), 404);
    assert_eq!(ask("/file", "If-Match: \"other\"\r\n"), 412);
    // What was refused has not used its key up.
    assert_eq!(ask("/file", "If-Match: *\r\n"), 200);
    assert_eq!(ask("/file", "If-Match: *\r\n"), 200);
    assert_eq!(desk.file(), "oldx");
}

#[test]
fn keys_are_forgotten_by_age_and_number() {
    let desk = Desk::with(|config| Config { keys_kept: Duration::ZERO, ..config });
    for _ in 0..2 {
        assert_eq!(append(&desk, "a", "-x").status, 200);
    }
    assert_eq!(desk.file(), "old-x-x");
    let desk = Desk::with(|config| Config { keys_max: 8, ..config });
    for number in 0..600 {
        assert_eq!(append(&desk, &number.to_string(), "").status, 200);
    }
    let kept = fs::read_dir(desk.root.join(".palco")).unwrap().count();
    assert!(kept < 8 + 256 + 2, "{kept}");
}
