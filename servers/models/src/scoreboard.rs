//! What a server has done: counts that only grow, kept by everyone who serves.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// The client had nothing more to ask, or the protocol ended it.
    Done,
    /// The server was asked to stop, and the running request was answered.
    Drained,
    /// The client's bytes were no request.
    Malformed,
    /// The handler panicked.
    Panicked,
    /// The request was interrupted.
    Interrupted,
    /// Reading or writing failed: the client has gone.
    Broken,
    /// It was killed before it had come to an end.
    Abandoned,
}

impl Ending {
    const COUNT: usize = 7;
}

/// The counters of one server.
#[derive(Debug, Default)]
pub(crate) struct Scoreboard {
    accepted: AtomicU64,
    requests: AtomicU64,
    deferred: AtomicU64,
    dropped: AtomicU64,
    closed: AtomicU64,
    failed: AtomicU64,
    accept_errors: AtomicU64,
    endings: [AtomicU64; Ending::COUNT],
}

/// A server's counts at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scores {
    /// Connections accepted and admitted.
    pub accepted: u64,
    /// Connections held now.
    pub active: u64,
    /// Requests that a call was begun for.
    pub requests: u64,
    /// How often accepting had to wait because `connections-max` was reached (action `defer`).
    pub deferred: u64,
    /// Connections reset because `connections-max` was reached (action `drop`).
    pub dropped: u64,
    /// Connections closed because `connections-max` was reached (action `close`).
    pub closed: u64,
    /// Connections told so because `connections-max` was reached (action `fail`).
    pub failed: u64,
    /// Failures of accept itself, for example too many open files.
    pub accept_errors: u64,
    /// Connections that came to a good end.
    pub done: u64,
    /// Connections ended by a drain after their last answer.
    pub drained: u64,
    /// Connections ended because of malformed input.
    pub malformed: u64,
    /// Connections ended by a panic of the handler.
    pub panicked: u64,
    /// Connections ended by an interrupt of their request.
    pub interrupted: u64,
    /// Connections whose client went away.
    pub broken: u64,
    /// Connections killed before their end.
    pub abandoned: u64,
}

macro_rules! count {
    ($($(#[$doc:meta])* $name:ident => $field:ident),* $(,)?) => {
        impl Scoreboard {
            $($(#[$doc])* pub(crate) fn $name(&self) { self.$field.fetch_add(1, Ordering::Relaxed); })*
        }
    };
}

count! {
    count_deferred => deferred,
    count_dropped => dropped,
    count_closed => closed,
    count_failed => failed,
    count_accept_error => accept_errors,
}

impl Scoreboard {
    pub(crate) fn count_requests(&self, requests: u64) {
        self.requests.fetch_add(requests, Ordering::Relaxed);
    }

    pub(crate) fn scores(&self, active: usize) -> Scores {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let ended = |ending: Ending| read(&self.endings[ending as usize]);
        Scores {
            accepted: read(&self.accepted),
            active: active as u64,
            requests: read(&self.requests),
            deferred: read(&self.deferred),
            dropped: read(&self.dropped),
            closed: read(&self.closed),
            failed: read(&self.failed),
            accept_errors: read(&self.accept_errors),
            done: ended(Ending::Done),
            drained: ended(Ending::Drained),
            malformed: ended(Ending::Malformed),
            panicked: ended(Ending::Panicked),
            interrupted: ended(Ending::Interrupted),
            broken: ended(Ending::Broken),
            abandoned: ended(Ending::Abandoned),
        }
    }
}

/// One admitted connection in the books: accepted when made, and with one ending when dropped, whoever drops it.
#[derive(Debug)]
pub(crate) struct Record {
    scoreboard: Arc<Scoreboard>,
    ending: Ending,
}

impl Record {
    pub(crate) fn new(scoreboard: &Arc<Scoreboard>) -> Self {
        scoreboard.accepted.fetch_add(1, Ordering::Relaxed);
        Self { scoreboard: Arc::clone(scoreboard), ending: Ending::Abandoned }
    }

    /// Without this the connection counts as abandoned.
    pub(crate) fn ends(&mut self, ending: Ending) {
        self.ending = ending;
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        self.scoreboard.endings[self.ending as usize].fetch_add(1, Ordering::Relaxed);
    }
}
