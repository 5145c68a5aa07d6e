//! Who sent what to whom, and who waits for whom.

use palco_actors::{ActorId, PlaceKind};
use serde::{Deserialize, Serialize};

/// A window of time in which everything was noted down.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Capture {
    /// When it began.
    pub from_us: u64,
    /// When it ended.
    pub until_us: u64,
    /// Everybody who occurs in it, in the order of their first occurrence.
    pub lifelines: Vec<Lifeline>,
    /// The messages, by when they were sent.
    pub messages: Vec<MessageRecord>,
    /// What handlers said they were doing, by when they began.
    pub steps: Vec<StepRecord>,
    /// How many records were lost because more came than are kept.
    pub lost: u64,
}

/// Somebody who occurs in a capture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lifeline {
    /// Who.
    pub actor: ActorId,
    /// The path.
    pub path: String,
    /// The Rust type.
    pub actor_type: String,
    /// Where it lives.
    pub place: PlaceKind,
    /// What runs it: `loop 0`, `thread 4711`, `process 4712`.
    pub lane: String,
}

/// One message that was observed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageRecord {
    /// Its number; 0 is none.
    pub id: u64,
    /// The number of the message that began it all.
    pub trace: u64,
    /// The number of the message whose handler sent this one.
    pub cause: Option<u64>,
    /// Who sent it, if an actor did.
    pub from: Option<ActorId>,
    /// To whom.
    pub to: ActorId,
    /// Its type.
    pub message: String,
    /// Whether it is urgent.
    pub urgent: bool,
    /// Whether somebody waited for the answer.
    pub ask: bool,
    /// When it was sent.
    pub sent_us: u64,
    /// When its handler began.
    pub begun_us: u64,
    /// When its handler ended; none while it runs.
    pub ended_us: Option<u64>,
    /// `handled`, or why not.
    pub outcome: String,
}

/// What a handler said it was doing for a while, as `reading`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepRecord {
    /// Who.
    pub actor: ActorId,
    /// The number of the message that began it all; 0 if that was not observed.
    pub trace: u64,
    /// What.
    pub what: String,
    /// From when.
    pub at_us: u64,
    /// Until when; none while it goes on.
    pub until_us: Option<u64>,
}

/// Who waits for whom, now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waits {
    /// Asks without an answer yet.
    pub edges: Vec<WaitEdge>,
    /// Circles of actors that wait for each other, each once.
    pub cycles: Vec<Vec<ActorId>>,
}

/// An ask without an answer yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitEdge {
    /// Who waits.
    pub from: ActorId,
    /// Its path.
    pub from_path: String,
    /// For whom.
    pub to: ActorId,
    /// Its path.
    pub to_path: String,
    /// The type of the question.
    pub message: String,
    /// For how long.
    pub for_ms: u64,
}

/// Who talks to whom.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Flow {
    /// Over how long, in milliseconds.
    pub window_ms: u64,
    /// By how often.
    pub edges: Vec<FlowEdge>,
}

/// Messages from one actor to another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FlowEdge {
    /// From whom; none from outside.
    pub from: Option<ActorId>,
    /// To whom.
    pub to: ActorId,
    /// Messages a second, estimated from those observed.
    pub per_s: f64,
    /// Half waited no longer, in microseconds.
    pub wait_p50_us: f64,
    /// The types, most frequent first; at most 5.
    pub types: Vec<String>,
    /// The receiver's mailbox is more than half full.
    pub backpressured: bool,
}
