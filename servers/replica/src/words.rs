//! What replicas are told and what they say. Everything comes in batches: one message of an actor carries many of the
//! protocol's, and many requests.

use std::time::Duration;

use bytes::Bytes;
use palco_actors::Message;
use palco_rambo::{Command, Key, NodeId, Outcome, Trail};
use serde::{Deserialize, Serialize};

use crate::{Holding, Page, Standing};

/// Requests for a replica. Their answers come in an [`Out`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Requests {
    /// When they must be answered at the latest, from now.
    pub within: Duration,
    /// In any order.
    pub requests: Vec<Request>,
}

/// Something that is wanted.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Request {
    /// Comes back with the answer; the asker's own, each used once.
    pub number: u64,
    /// What.
    pub command: Command,
}

/// Messages of one participant to another, packed: see `pack.rs`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Letters {
    /// Who wrote them.
    pub from: NodeId,
    /// One or more.
    pub packed: Bytes,
}

/// What a replica has to say since it said something last.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Out {
    /// Of which shard.
    pub shard: u16,
    /// Who it is.
    pub node: NodeId,
    /// For other participants.
    pub letters: Vec<Letter>,
    /// For who asked.
    pub answers: Vec<Answer>,
}

/// Messages for one other participant.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Letter {
    /// For whom.
    pub to: NodeId,
    /// One or more messages.
    pub packed: Bytes,
}

/// How a request ended.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Answer {
    /// Of the request.
    pub number: u64,
    /// How.
    pub outcome: Outcome,
    /// Round trips to other participants that it took.
    pub rounds: u32,
    /// Who answered in them, if the request was followed.
    pub trail: Option<Box<Trail>>,
}

/// A request whose rounds are noted. Its answer comes in an [`Out`] like any other.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Follow {
    /// When it must be answered at the latest, from now.
    pub within: Duration,
    /// What is wanted.
    pub request: Request,
}

/// What was sent to this node may never arrive: do not wait for it.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Unreachable {
    /// Which.
    pub node: NodeId,
}

/// How do you stand?
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Look;

/// Which keys do you hold?
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Scan {
    /// 0, or what the page before said.
    pub from: u64,
    /// How many at most.
    pub keys_max: u64,
}

/// What do you hold for these keys?
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Held {
    /// At most [`HELD_KEYS_MAX`](crate::HELD_KEYS_MAX).
    pub keys: Vec<Key>,
}

impl Message for Requests {
    type Reply = ();
}

impl Message for Letters {
    type Reply = ();
}

impl Message for Out {
    type Reply = ();
}

impl Message for Unreachable {
    type Reply = ();
}

impl Message for Look {
    type Reply = Option<Standing>;
}

impl Message for Scan {
    type Reply = Page;
}

impl Message for Follow {
    type Reply = ();
}

impl Message for Held {
    /// In the order of the keys; nothing while it has not begun.
    type Reply = Vec<Holding>;
}
