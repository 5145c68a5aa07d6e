//! The whole stage at one moment, and what has changed since.

use std::sync::Arc;

use palco_actors::ActorId;
use serde::{Deserialize, Serialize};

use super::actor::ActorView;

/// Everything that the overview shows.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StageSnapshot {
    /// The number of the latest update before this; updates after it complete the picture.
    pub seq: u64,
    /// When.
    pub at_ms: u64,
    /// Sums.
    pub totals: Totals,
    /// All living actors, parents before children, and for a while those that have ended.
    pub actors: Vec<ActorView>,
    /// What looks wrong.
    pub lints: Vec<Lint>,
    /// The latest exits, restarts and actions, oldest first.
    pub log: Vec<LogEntry>,
    /// The latest messages that were not handled, oldest first.
    pub dead_letters: Vec<Letter>,
}

/// Sums over the stage. Counters only grow; rates are for the observer to compute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Living actors.
    pub actors: u64,
    /// Kernel threads of this process.
    pub threads: u64,
    /// Processes of actors.
    pub processes: u64,
    /// Messages accepted.
    pub sent: u64,
    /// Messages handled to their end.
    pub handled: u64,
    /// Messages accepted and not handled.
    pub dropped: u64,
    /// Messages in mailboxes.
    pub queued: u64,
    /// Messages with a handler.
    pub in_flight: u64,
    /// Whether sent = handled + dropped + queued + in flight, as far as can be seen while it moves.
    pub balanced: bool,
    /// Restarts.
    pub restarts: u64,
    /// Memory of this process, in bytes.
    pub rss_bytes: u64,
    /// Processor time of this process, in milliseconds.
    pub cpu_ms: u64,
}

/// What has changed since the update before.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Delta {
    /// The update's number.
    pub seq: u64,
    /// When.
    pub at_ms: u64,
    /// Sums.
    pub totals: Totals,
    /// New actors and those that have changed, whole.
    pub changed: Vec<ActorView>,
    /// Actors that are shown no longer.
    pub gone: Vec<ActorId>,
    /// All lints, if they have changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lints: Option<Vec<Lint>>,
    /// New dead letters.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub dead_letters: Vec<Letter>,
}

/// What an observer hears.
#[derive(Clone, Debug)]
pub enum Update {
    /// Four times a second, if anything has changed.
    Delta(Arc<Delta>),
    /// As it happens.
    Log(Arc<LogEntry>),
    /// The observer was too slow and has missed so many: a fresh snapshot is needed.
    Lost(u64),
}

/// Something worth a line: an exit, a restart, an action of a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogEntry {
    /// Its number; larger than that of all updates before.
    pub seq: u64,
    /// When.
    pub at_ms: u64,
    /// What kind.
    pub kind: LogKind,
    /// The actor.
    pub actor: ActorId,
    /// Its path.
    pub path: String,
    /// What happened, for people.
    pub text: String,
    /// Who did it, if a person did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub who: Option<String>,
}

/// What kind of line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogKind {
    /// A life has ended in a failure, and another is to begin.
    Restarted,
    /// A healthy process was replaced.
    Recycled,
    /// The actor has ended for good, without failure.
    Ended,
    /// The actor has ended for good, with a failure.
    Failed,
    /// A person did something.
    Action,
}

/// A message that was not handled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Letter {
    /// When.
    pub at_ms: u64,
    /// The addressee's path.
    pub to: String,
    /// The message's type.
    pub message: String,
    /// Why.
    pub reason: String,
}

/// Something that looks wrong, and what can be done about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lint {
    /// What.
    pub kind: LintKind,
    /// The actor.
    pub actor: ActorId,
    /// Its path.
    pub path: String,
    /// What was seen, and what can be done, for people.
    pub text: String,
    /// Since when it has been so.
    pub since_ms: u64,
}

/// What looks wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LintKind {
    /// A handler keeps an event loop to itself for too long.
    SlowHandler,
    /// A mailbox has been growing for a while.
    GrowingMailbox,
    /// Many restarts in a short time.
    RestartStorm,
    /// It asks itself, which can only expire.
    AsksItself,
    /// Actors that wait for each other in a circle.
    Deadlock,
    /// A process that is not confined as it should be.
    Unconfined,
}
