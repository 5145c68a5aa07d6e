//! Messages that were accepted and then not handled: counted by reason, the latest kept for a look.

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use palco_core::{ExitReason, Time};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

/// How many dead letters are kept; the counts go on.
const KEPT_MAX: usize = 256;

/// Why an accepted message was not handled, or not to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DropReason {
    /// The asker had given up, or its deadline had passed, before it was handled.
    AskerGone,
    /// The actor stopped or finished with the message still queued.
    ActorStopped,
    /// The actor failed for good, or was killed, with the message still queued.
    ActorFailed,
    /// Its handler was interrupted.
    Interrupted,
    /// Its handler panicked.
    Panicked,
    /// Its handler was running when the actor was killed.
    Killed,
    /// The process that its handler ran in has ended.
    ProcessEnded,
    /// It cannot cross to the actor's process or node: it is not in the actor's table of messages, or holds what cannot
    /// be sent there.
    NotPortable,
    /// It, or its reply, is larger than the frames of the actor's process or node.
    TooLarge,
    /// The node that it was handed over to is lost, and nobody knows what became of it; or there is no connection to the
    /// node, and it was not to wait for one.
    NodeLost,
}

impl DropReason {
    /// All reasons, in the order of their counters.
    pub const ALL: [Self; 10] = [
        Self::AskerGone,
        Self::ActorStopped,
        Self::ActorFailed,
        Self::Interrupted,
        Self::Panicked,
        Self::Killed,
        Self::ProcessEnded,
        Self::NotPortable,
        Self::TooLarge,
        Self::NodeLost,
    ];

    pub(crate) fn of_queued(reason: &ExitReason) -> Self {
        if reason.is_failure() { Self::ActorFailed } else { Self::ActorStopped }
    }
}

impl fmt::Display for DropReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AskerGone => "asker gone",
            Self::ActorStopped => "actor stopped",
            Self::ActorFailed => "actor failed",
            Self::Interrupted => "interrupted",
            Self::Panicked => "panicked",
            Self::Killed => "killed",
            Self::ProcessEnded => "process ended",
            Self::NotPortable => "not portable",
            Self::TooLarge => "too large",
            Self::NodeLost => "node lost",
        })
    }
}

/// One message that was not handled.
#[derive(Clone, Debug, Serialize)]
pub struct DeadLetter {
    /// The path of the actor it was sent to.
    pub to: Box<str>,
    /// The type of the message.
    pub message: &'static str,
    /// Why it was not handled.
    pub reason: DropReason,
    /// When it was dropped.
    pub at: Time,
}

/// The dead letters of one system.
#[derive(Debug, Default)]
pub(crate) struct DeadLetters {
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    letters: VecDeque<DeadLetter>,
    /// How many there have been.
    count: u64,
}

impl DeadLetters {
    pub(crate) fn push(&self, letter: DeadLetter) {
        tracing::debug!(to = %letter.to, message = letter.message, reason = %letter.reason, "dead letter");
        let mut kept = self.kept.lock();
        if kept.letters.len() == KEPT_MAX {
            kept.letters.pop_front();
        }
        kept.letters.push_back(letter);
        kept.count += 1;
    }

    /// How many there have been, and those after the first `seen` that are kept.
    pub(crate) fn after(&self, seen: u64) -> (u64, Vec<DeadLetter>) {
        let kept = self.kept.lock();
        let fresh = usize::try_from(kept.count.saturating_sub(seen)).unwrap_or(usize::MAX);
        let known = kept.letters.len().saturating_sub(fresh);
        (kept.count, kept.letters.iter().skip(known).cloned().collect())
    }
}

/// Counters by reason.
#[derive(Debug, Default)]
pub(crate) struct Dropped([AtomicU64; DropReason::ALL.len()]);

impl Dropped {
    pub(crate) fn add(&self, reason: DropReason, count: u64) {
        self.0[reason as usize].fetch_add(count, Ordering::Relaxed);
    }

    pub(crate) fn total(&self) -> u64 {
        self.0.iter().map(|count| count.load(Ordering::Relaxed)).sum()
    }

    pub(crate) fn of(&self, reason: DropReason) -> u64 {
        self.0[reason as usize].load(Ordering::Relaxed)
    }
}
