//! What a server has done: counts that only grow, kept by everyone who serves.

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
    /// A time limit was reached.
    TimedOut,
    /// It was killed before it had come to an end.
    Abandoned,
}

impl Ending {
    pub(crate) const ALL: [Self; 8] = [
        Self::Done,
        Self::Drained,
        Self::Malformed,
        Self::Panicked,
        Self::Interrupted,
        Self::Broken,
        Self::TimedOut,
        Self::Abandoned,
    ];
}

/// What is counted beside endings, as the place of its word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Count {
    Accepted,
    Requests,
    Deferred,
    Dropped,
    Closed,
    Failed,
    AcceptErrors,
    Shed,
    HeaderTimeouts,
    BodyTimeouts,
    IdleTimeouts,
    HandlerTimeouts,
    SendTimeouts,
    WorkerTimeouts,
}

impl Count {
    /// What is counted by whoever serves a connection.
    pub(crate) const SERVED: [Self; 7] = [
        Self::Requests,
        Self::HeaderTimeouts,
        Self::BodyTimeouts,
        Self::IdleTimeouts,
        Self::HandlerTimeouts,
        Self::SendTimeouts,
        Self::WorkerTimeouts,
    ];
}

/// Where the endings begin among the words.
const ENDINGS: usize = Count::WorkerTimeouts as usize + 1;

/// Words of a scoreboard.
pub(crate) const SCORE_WORDS: usize = ENDINGS + Ending::ALL.len();

/// The place of an ending's word.
pub(crate) const fn word_of(ending: Ending) -> usize {
    ENDINGS + ending as usize
}

/// The counters of one server, or of one of its processes.
#[derive(Debug, Default)]
pub(crate) struct Scoreboard([AtomicU64; SCORE_WORDS]);

impl Scoreboard {
    pub(crate) fn count(&self, what: Count, more: u64) {
        self.0[what as usize].fetch_add(more, Ordering::Relaxed);
    }

    pub(crate) fn count_ending(&self, ending: Ending) {
        self.0[word_of(ending)].fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn words(&self) -> &[AtomicU64] {
        &self.0
    }
}

/// A sum of scoreboards.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally([u64; SCORE_WORDS]);

impl Tally {
    /// Adds all words of a scoreboard.
    pub(crate) fn add(&mut self, words: &[AtomicU64]) {
        for (sum, word) in self.0.iter_mut().zip(words) {
            *sum = sum.wrapping_add(word.load(Ordering::Relaxed));
        }
    }

    pub(crate) fn add_count(&mut self, what: Count, more: u64) {
        let sum = &mut self.0[what as usize];
        *sum = sum.wrapping_add(more);
    }

    pub(crate) fn scores(&self, active: u64) -> Scores {
        let of = |what: Count| self.0[what as usize];
        let ended = |ending: Ending| self.0[word_of(ending)];
        Scores {
            accepted: of(Count::Accepted),
            active,
            requests: of(Count::Requests),
            deferred: of(Count::Deferred),
            dropped: of(Count::Dropped),
            closed: of(Count::Closed),
            failed: of(Count::Failed),
            accept_errors: of(Count::AcceptErrors),
            shed: of(Count::Shed),
            header_timeouts: of(Count::HeaderTimeouts),
            body_timeouts: of(Count::BodyTimeouts),
            idle_timeouts: of(Count::IdleTimeouts),
            handler_timeouts: of(Count::HandlerTimeouts),
            send_timeouts: of(Count::SendTimeouts),
            worker_timeouts: of(Count::WorkerTimeouts),
            done: ended(Ending::Done),
            drained: ended(Ending::Drained),
            malformed: ended(Ending::Malformed),
            panicked: ended(Ending::Panicked),
            interrupted: ended(Ending::Interrupted),
            broken: ended(Ending::Broken),
            timed_out: ended(Ending::TimedOut),
            abandoned: ended(Ending::Abandoned),
        }
    }
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
    /// Connections told that the server is busy because the queue to be accepted stood (`shed-above`).
    pub shed: u64,
    /// How often `header-within` was reached: each time one connection ended.
    pub header_timeouts: u64,
    /// How often `body-within` was reached: each time one connection ended.
    pub body_timeouts: u64,
    /// How often `idle-within` was reached: each time one connection ended.
    pub idle_timeouts: u64,
    /// Requests interrupted because `handler-within` was reached; where the protocol has words for it the connection
    /// went on.
    pub handler_timeouts: u64,
    /// How often `send-within` was reached: each time one connection was reset.
    pub send_timeouts: u64,
    /// Processes killed because `worker-within` was reached.
    pub worker_timeouts: u64,
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
    /// Connections ended by a time limit: which, say the counts of timeouts.
    pub timed_out: u64,
    /// Connections killed before their end, or lost with the process that served them.
    pub abandoned: u64,
}
