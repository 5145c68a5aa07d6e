//! What happens to a participant.

use bytes::Bytes;
use palco_core::Time;
use serde::{Deserialize, Serialize};

use crate::effect::Barrier;
use crate::quorum::{Member, Quorums};
use crate::{Index, Key, Message, NodeId, Value};

/// One thing that happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A message came. May be late, twice, out of order, or from who is no longer there.
    Received {
        /// Who sent it, as the transport knows.
        from: NodeId,
        /// What it says.
        message: Message,
    },
    /// Somebody wants something.
    Asked {
        /// Comes back with the answer; the driver's own, each used once.
        request: u64,
        /// When to answer whatever is known by then.
        deadline: Time,
        /// What.
        command: Command,
    },
    /// Everything up to this barrier would survive a crash.
    Persisted(Barrier),
    /// What is on its way to this node may never arrive: a hint, which may be wrong, that saves waiting.
    Unreachable(NodeId),
    /// The time asked for has come.
    Timer,
}

/// What somebody wants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Command {
    /// Read a key of either class.
    Read(Key),
    /// Write a register; nothing deletes.
    Write(Key, Value),
    /// Change a key of class cas. A client's changes of a key come one after the other, with ascending numbers.
    Change(Key, Change, OperationId),
    /// Try a change again that may have been applied. The number is a version that the key had reached when it was
    /// first asked for: should the key have forgotten the client since, the answer is that nobody knows.
    Repeat(Key, Change, OperationId, u64),
    /// Install another configuration.
    Reconfigure(Target),
    /// May this participant go?
    Leave,
}

/// Names a change, so that it is applied once however often it is tried (RAMBO.md §2).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct OperationId {
    /// Who wants it: unique among all that ever ask.
    pub client: u64,
    /// Which of its changes.
    pub number: u64,
}

/// A function of what a key of class cas holds.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Change {
    /// This value, whatever is there; nothing deletes.
    Set(Value),
    /// This value, if the version is still this one.
    CompareAndSwap {
        /// What the asker saw; 0 for never changed.
        expected: u64,
        /// What shall be there.
        value: Value,
    },
    /// These bytes behind what is there.
    Append(Bytes),
    /// This much more than the decimal number that is there; nothing counts as 0.
    Add(i64),
}

/// A configuration that is wanted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// The index of the newest configuration as the asker knows it: what it wants is a change of that one, and of no
    /// other (pitfall 23).
    pub expected: Index,
    /// Who shall keep the registers.
    pub members: Vec<Member>,
    /// Which sets of them shall speak for all.
    pub quorums: Quorums,
}

impl Target {
    /// Majorities of these.
    #[must_use]
    pub fn majority(expected: Index, nodes: impl IntoIterator<Item = NodeId>) -> Self {
        let members = nodes.into_iter().map(|node| Member { node, weight: 1 }).collect();
        Self { expected, members, quorums: Quorums::Majority }
    }
}
