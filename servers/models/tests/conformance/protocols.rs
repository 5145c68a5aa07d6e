//! Every service, as a client knows it: what to ask and what is answered.

use std::fs;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use palco_files::http::HttpService;
use palco_files::sftp::SftpService;
use palco_models::{Server, ServerSettings};
use palco_service::services::echo::EchoService;
use palco_service::services::kv::{KvService, Limits};
use palco_service::services::time::{TimeFormat, TimeService};
use palco_service::services::work::WorkService;

use crate::http;
use crate::sftp;
use crate::stage::Stage;

/// What a client says, and the plain text of what it hears.
pub(crate) struct Exchange {
    pub(crate) ask: Vec<u8>,
    pub(crate) answer: String,
}

pub(crate) struct Protocol {
    pub(crate) name: &'static str,
    pub(crate) start: fn(&Stage, ServerSettings) -> Arc<Server>,
    /// The exchange with this number, on a server of its own.
    pub(crate) exchange: fn(usize) -> Exchange,
    /// Bytes as text, without what differs from time to time.
    pub(crate) plain: fn(&[u8]) -> String,
    /// The server speaks once, unasked, and closes.
    pub(crate) speaks_first: bool,
    /// What it says when there is no room; empty if the protocol has no words for it.
    pub(crate) busy: &'static str,
}

impl Protocol {
    /// The first exchanges of one connection: all that is asked, and all that is answered.
    pub(crate) fn conversation(&self, length: usize) -> (Vec<u8>, String) {
        let (mut asks, mut answers) = (Vec::new(), String::new());
        for exchange in (0..length).map(self.exchange) {
            asks.extend(exchange.ask);
            if answers.is_empty() || !self.speaks_first {
                answers.push_str(&exchange.answer);
            }
        }
        (asks, answers)
    }
}

/// Runs `check` for every service, each on a server of its own.
pub(crate) fn for_every_service(stage: &Stage, check: impl Fn(&Protocol, &Server)) {
    for protocol in &PROTOCOLS {
        let server = (protocol.start)(stage, stage.settings());
        check(protocol, &server);
        stage.wait(protocol.name, server.drain());
    }
}

const PROTOCOLS: [Protocol; 7] = [
    Protocol {
        name: "echo",
        start: |stage, settings| stage.serve::<EchoService>(settings, ()),
        exchange: |number| said_and_heard(format!("\0{number}\u{ff}\r\n")),
        plain: text,
        speaks_first: false,
        busy: "",
    },
    Protocol {
        name: "time",
        start: |stage, settings| stage.serve::<TimeService>(settings, TimeFormat::Binary),
        exchange: |_| exchange("what time is it?", "now"),
        plain: |bytes| match <[u8; 4]>::try_from(bytes) {
            Ok(seconds) if is_now(u32::from_be_bytes(seconds)) => "now".into(),
            Ok(_) | Err(_) => text(bytes),
        },
        speaks_first: true,
        busy: "",
    },
    Protocol {
        name: "daytime",
        start: |stage, settings| stage.serve::<TimeService>(settings, TimeFormat::Line),
        exchange: |_| exchange("what time is it?", "a day"),
        plain: |bytes| if is_daytime(&text(bytes)) { "a day".into() } else { text(bytes) },
        speaks_first: true,
        busy: "",
    },
    Protocol {
        name: "kv",
        start: |stage, settings| stage.serve::<KvService>(settings, Limits::default()),
        exchange: |number| match number % 3 {
            0 => {
                exchange(format!("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$4\r\n{number:04}\r\n"), "+OK\r\n")
            }
            1 => exchange("*2\r\n$3\r\nGET\r\n$1\r\nk\r\n", format!("$4\r\n{:04}\r\n", number - 1)),
            _ => exchange("INCR n\r\n", format!(":{}\r\n", number / 3 + 1)),
        },
        plain: text,
        speaks_first: false,
        busy: "-ERR max number of clients reached\r\n",
    },
    Protocol {
        name: "work",
        start: |stage, settings| stage.serve::<WorkService>(settings, ()),
        exchange: |number| match number % 4 {
            0 => exchange("sleep 0\n", "ok sleep 0 ms took some us\n"),
            1 => exchange("cpu 150\n", "ok cpu 150 us took some us\n"),
            2 => exchange("offload 0\n", "ok offload 0 ms took some us\n"),
            _ => exchange(
                format!("sleep x{number}\n"),
                format!("error: sleep takes a whole number of ms, not \"x{number}\"\n"),
            ),
        },
        plain: |bytes| without_durations(&text(bytes)),
        speaks_first: false,
        busy: "error: too many connections\n",
    },
    Protocol {
        name: "http",
        start: |stage, settings| {
            let root = stage.directory();
            fs::write(root.join("0.txt"), "nought").unwrap();
            fs::write(root.join("1.txt"), "one\n".repeat(700)).unwrap();
            stage.serve::<HttpService>(settings, root.into())
        },
        exchange: |number| {
            let ask = |target: &str| format!("GET /{target} HTTP/1.1\r\nHost: h\r\n\r\n");
            match number % 3 {
                0 => exchange(ask("0.txt"), "200 nought|"),
                1 => exchange(ask("1.txt"), format!("200 {}|", "one\n".repeat(700))),
                _ => exchange(ask("2.txt"), "404 page|"),
            }
        },
        plain: http::plain,
        speaks_first: false,
        busy: "503 page|",
    },
    Protocol {
        name: "sftp",
        start: |stage, settings| {
            let root = stage.directory();
            fs::write(root.join("0.txt"), "nought").unwrap();
            stage.serve::<SftpService>(settings, root.into())
        },
        exchange: |number| match number {
            0 => exchange(sftp::begins(), "version 3|"),
            _ if number % 2 == 1 => exchange(sftp::asks("0.txt"), "6 bytes|"),
            _ => exchange(sftp::asks("1.txt"), "NoSuchFile|"),
        },
        plain: sftp::plain,
        speaks_first: false,
        busy: "Failure|",
    },
];

fn exchange(ask: impl Into<Vec<u8>>, answer: impl Into<String>) -> Exchange {
    Exchange { ask: ask.into(), answer: answer.into() }
}

fn said_and_heard(text: String) -> Exchange {
    exchange(text.clone(), text)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// `took 17 us` becomes `took some us`.
fn without_durations(text: &str) -> String {
    let mut parts = text.split(" took ");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let after = part.trim_start_matches(|digit: char| digit.is_ascii_digit());
        plain.push_str(if after.len() < part.len() { " took some" } else { " took " });
        plain.push_str(after);
    }
    plain
}

/// Whether RFC 868's count of seconds since 1900 is that of this moment.
fn is_now(seconds: u32) -> bool {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let now = u32::try_from((since_1970 + 2_208_988_800) % (1 << 32)).unwrap();
    now.wrapping_sub(seconds) < 600
}

/// Whether this is a line like `Sunday, November 6, 1994 08:49:37-UTC`.
fn is_daytime(line: &str) -> bool {
    let words: Vec<&str> = line.split(' ').collect();
    let [weekday, _month, day, year, clock] = words[..] else { return false };
    weekday.ends_with("day,")
        && day.trim_end_matches(',').parse::<u8>().is_ok()
        && year.parse::<u32>().is_ok()
        && clock.len() == "08:49:37-UTC\r\n".len()
        && clock.ends_with("-UTC\r\n")
}
