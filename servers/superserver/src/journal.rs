//! What happened, in the words of xinetd's log: `START`, `EXIT`, `FAIL`.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use palco_processes::Exit;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

/// Entries that are kept for those who ask later.
const KEPT_MAX: usize = 256;

/// Something that happened to a service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// When.
    pub at: SystemTime,
    /// The service's id.
    pub service: String,
    /// What.
    pub event: Event,
}

/// What can happen to a service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "event")]
pub enum Event {
    /// An instance has begun.
    Start {
        /// Its process; none if it is built in.
        pid: Option<i32>,
        /// Whom it serves, unless it accepts itself.
        from: Option<String>,
    },
    /// An instance has ended.
    Exit {
        /// Its process; none if it is built in.
        pid: Option<i32>,
        /// How: `status=0`, `signal=15`, or what went wrong.
        how: String,
        /// How long it ran, in milliseconds.
        duration_ms: u64,
    },
    /// A client was not served, or a program was not started.
    Fail {
        /// Why, in one word where xinetd has one, and more after a colon.
        reason: String,
        /// Whom.
        from: Option<String>,
    },
    /// A program was suspended by urgent data.
    Suspend {
        /// Its process.
        pid: i32,
        /// The client's address and port.
        from: String,
    },
    /// A program that had been suspended so goes on.
    Continue {
        /// Its process.
        pid: i32,
        /// By whom.
        by: Continued,
        /// The client's address and port.
        from: String,
    },
    /// A program was asked to end by urgent data.
    Kill {
        /// Its process.
        pid: i32,
        /// The client's address and port.
        from: String,
    },
    /// Urgent data that means nothing; told once for each connection.
    Puzzle {
        /// The process of the client's program.
        pid: i32,
        /// What came.
        byte: u8,
        /// The client's address and port.
        from: String,
    },
    /// It listens.
    Listen {
        /// Where.
        address: String,
    },
    /// It listens no more.
    Close {
        /// Where, and why.
        why: String,
    },
}

/// By whom a program that its client had suspended was continued.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Continued {
    /// Its client.
    ByClient,
    /// The superserver: the client has closed its side, so it could not do so itself.
    ClientGone,
    /// The superserver: it leaves, and would not hear the client any more.
    Leaving,
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { service, event, .. } = self;
        let from = |f: &mut fmt::Formatter<'_>, from: &Option<String>| match from {
            Some(from) => write!(f, " from={from}"),
            None => Ok(()),
        };
        let pid = |f: &mut fmt::Formatter<'_>, pid: &Option<i32>| match pid {
            Some(pid) => write!(f, " pid={pid}"),
            None => Ok(()),
        };
        match event {
            Event::Start { pid: of, from: peer } => {
                write!(f, "START: {service}")?;
                pid(f, of)?;
                from(f, peer)
            }
            Event::Exit { pid: of, how, duration_ms } => {
                write!(f, "EXIT: {service} {how}")?;
                pid(f, of)?;
                write!(f, " duration={}(sec)", duration_ms / 1000)
            }
            Event::Fail { reason, from: peer } => {
                write!(f, "FAIL: {service} {reason}")?;
                from(f, peer)
            }
            Event::Suspend { pid, from } => {
                write!(f, "SUSPEND: {service} by its client pid={pid} from={from}")
            }
            Event::Continue { pid, by, from } => {
                let by = match by {
                    Continued::ByClient => "by its client",
                    Continued::ClientGone => "since its client has closed its side",
                    Continued::Leaving => "since nobody will listen any more",
                };
                write!(f, "CONTINUE: {service} {by} pid={pid} from={from}")
            }
            Event::Kill { pid, from } => {
                write!(f, "KILL: {service} by its client pid={pid} from={from}")
            }
            Event::Puzzle { pid, byte, from } => {
                write!(f, "URGENT: {service} ignored byte={byte:#04x} pid={pid} from={from}")
            }
            Event::Listen { address } => write!(f, "LISTEN: {service} {address}"),
            Event::Close { why } => write!(f, "CLOSE: {service} {why}"),
        }
    }
}

/// Told of every entry, at once, on the thread where it happened: it must be quick.
pub type Sink = Arc<dyn Fn(&Entry) + Send + Sync>;

/// Where entries go.
pub(crate) struct Journal {
    sink: Sink,
    kept: Mutex<VecDeque<Entry>>,
}

impl Journal {
    pub(crate) fn new(sink: Sink) -> Self {
        Self { sink, kept: Mutex::default() }
    }

    pub(crate) fn note(&self, service: &str, event: Event) {
        let entry = Entry { at: SystemTime::now(), service: service.to_owned(), event };
        (self.sink)(&entry);
        let mut kept = self.kept.lock();
        if kept.len() == KEPT_MAX {
            kept.pop_front();
        }
        kept.push_back(entry);
    }

    pub(crate) fn exit(
        &self,
        service: &str,
        pid: Option<i32>,
        how: impl Into<String>,
        ran: Duration,
    ) {
        let duration_ms = u64::try_from(ran.as_millis()).unwrap_or(u64::MAX);
        self.note(service, Event::Exit { pid, how: how.into(), duration_ms });
    }

    pub(crate) fn fail(&self, service: &str, reason: impl Into<String>, from: Option<String>) {
        self.note(service, Event::Fail { reason: reason.into(), from });
    }

    /// The latest entries, oldest first.
    pub(crate) fn latest(&self) -> Vec<Entry> {
        self.kept.lock().iter().cloned().collect()
    }
}

/// As xinetd's log says it.
pub(crate) fn how(exit: Exit) -> String {
    match exit {
        Exit::Exited(code) => format!("status={code}"),
        Exit::Signaled { signal, core: false } => format!("signal={signal}"),
        Exit::Signaled { signal, core: true } => format!("signal={signal} core"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_those_that_scripts_for_xinetd_look_for() {
        let line = |event| {
            let at = SystemTime::UNIX_EPOCH;
            Entry { at, service: "ftp".to_owned(), event }.to_string()
        };
        let from = Some("192.0.2.1".to_owned());
        let start = Event::Start { pid: Some(17), from: from.clone() };
        assert_eq!(line(start), "START: ftp pid=17 from=192.0.2.1");
        let how = how(Exit::Exited(0));
        let exit = Event::Exit { pid: Some(17), how, duration_ms: 2900 };
        assert_eq!(line(exit), "EXIT: ftp status=0 pid=17 duration=2(sec)");
        let fail = Event::Fail { reason: "per_source_limit".to_owned(), from };
        assert_eq!(line(fail), "FAIL: ftp per_source_limit from=192.0.2.1");
        let from = || "192.0.2.1:40312".to_owned();
        let by = Continued::ClientGone;
        let words = [
            (Event::Suspend { pid: 17, from: from() }, "SUSPEND: ftp by its client"),
            (Event::Continue { pid: 17, by, from: from() }, "CONTINUE: ftp since its client has"),
            (Event::Kill { pid: 17, from: from() }, "KILL: ftp by its client"),
            (Event::Puzzle { pid: 17, byte: 0, from: from() }, "URGENT: ftp ignored byte=0x00"),
        ];
        for (event, words) in words {
            let line = line(event);
            assert!(line.starts_with(words) && line.ends_with("pid=17 from=192.0.2.1:40312"));
        }
        assert_eq!(super::how(Exit::Signaled { signal: 11, core: true }), "signal=11 core");
    }

    #[test]
    fn only_the_latest_are_kept() {
        let journal = Journal::new(Arc::new(|_| {}));
        for number in 0..KEPT_MAX + 3 {
            journal.fail("x", number.to_string(), None);
        }
        let kept = journal.latest();
        assert_eq!(kept.len(), KEPT_MAX);
        assert!(matches!(&kept[0].event, Event::Fail { reason, .. } if reason == "3"));
    }
}
