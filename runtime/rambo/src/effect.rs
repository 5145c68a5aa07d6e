//! What a step asks of who drives the participant, as data.

use std::fmt;

use palco_core::Time;
use serde::{Deserialize, Serialize};

use crate::{
    Ballot, Boot, Configuration, ConfigurationMap, Index, Key, Message, NodeId, Tag, Tagged, Value,
};

/// A point in what a participant asked to be stored; 0 is before everything. Storing is in order: a barrier that is
/// reached is one behind which everything is on disk.
pub type Barrier = u64;

/// Something to do. In the order given; nothing here may be left undone but sending, for messages may be lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Send, once everything up to the barrier `after` is on disk, and not before: an answer that outlives a crash says
    /// what the disk says. Never to the participant itself.
    Send {
        /// To whom.
        to: NodeId,
        /// What must be on disk first; 0 for nothing.
        after: Barrier,
        /// What.
        message: Message,
    },
    /// Append to the log, and say [`Event::Persisted`](crate::Event::Persisted) when it would survive a crash. Many may
    /// share one flush. If storing fails the participant must not be used any more (pitfall 29).
    Persist {
        /// One more than the last.
        barrier: Barrier,
        /// What.
        record: Record,
    },
    /// Answer whoever gave the request this number.
    Reply {
        /// The number.
        request: u64,
        /// The answer.
        outcome: Outcome,
        /// Round trips to other participants that it took.
        rounds: u32,
    },
    /// Say [`Event::Timer`](crate::Event::Timer) at this time or later; replaces what was asked before.
    SetTimer {
        /// When.
        at: Time,
    },
}

/// One entry of a participant's log. Read back in order it makes the participant that wrote it
/// ([`Participant::restore`](crate::Participant::restore)); later entries win.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Record {
    /// Whose log this is, and a life that began.
    Began {
        /// Must be who reads it back (pitfall 4).
        node: NodeId,
        /// 1 for the first.
        boot: Boot,
    },
    /// What is known of the configurations.
    Learned(ConfigurationMap),
    /// A register changed.
    Stored(Key, Tagged),
    /// A promise for a key of class cas.
    CasPromised(Key, Tag),
    /// A promise for the configuration of this index.
    Promised(Index, Ballot),
    /// An acceptance; the configuration's index says for which.
    Accepted(Ballot, Configuration),
    /// Round 0 of the configuration's index is used up, with this configuration.
    RoundZero(Configuration),
}

/// How a request ended.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Outcome {
    /// The value of a register.
    Read(Tagged),
    /// Written under this tag.
    Written(Tag),
    /// A key of class cas was read or changed; this is what it holds now.
    Cas(Versioned),
    /// A change of a key of class cas had been applied before, and was not again.
    Repeated {
        /// The version it made then.
        version: u64,
        /// The number that [`Change::Add`](crate::Change::Add) made, the length that
        /// [`Change::Append`](crate::Change::Append) made, else 0.
        result: i64,
    },
    /// A comparison failed; this is what the key holds.
    Mismatch(Versioned),
    /// The change was understood but cannot be applied to what the key holds: nothing happened.
    Inapplicable(Versioned),
    /// This configuration was installed, and all before it removed or left to be.
    Reconfigured(Reconfigured),
    /// Another configuration than the one expected, or proposed, is the newest: look at it and ask again.
    Superseded(Configuration),
    /// May leave: no active configuration that is known contains it.
    Left,
    /// Time ran out after others may have taken it up: it may have happened, and may still.
    Unknown {
        /// Under which tag it will have, if it is a write.
        tag: Option<Tag>,
    },
    /// Did not happen, and will not.
    Failed(Failure),
}

/// What a key of class cas holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Versioned {
    /// How many changes it took; 0 for none.
    pub version: u64,
    /// Nothing when never set, or deleted.
    pub value: Value,
}

/// What a reconfiguration took.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Reconfigured {
    /// What was installed.
    pub configuration: Configuration,
    /// Round trips of its phases, those of consensus and of the upgrade.
    pub phases: u32,
    /// Until it was decided.
    pub decided: std::time::Duration,
    /// Until all before it were removed (in [`Mode::Rambo3`](crate::Mode::Rambo3): until it was decided).
    pub installed: std::time::Duration,
}

/// What of a request is too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Part {
    /// The key's name.
    Key,
    /// The value.
    Value,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Key => "key",
            Self::Value => "value",
        })
    }
}

/// Why something did not happen.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, thiserror::Error)]
pub enum Failure {
    /// No seed has told it the configurations yet.
    #[error("this participant has not joined: no seed has answered yet, ask again")]
    NotJoined,
    /// More operations than it takes on.
    #[error("{limit} operations are under way, at most that many can be: ask again")]
    Busy {
        /// Operations at once.
        limit: usize,
    },
    /// Time ran out before anybody was told of a new value.
    #[error("no quorum answered in time; nothing was changed")]
    Timeout,
    /// The operation is for keys of the other class.
    #[error("{0} is of the other class: read and write registers, change keys of class cas")]
    Class(Key),
    /// In [`Mode::Rambo3`](crate::Mode::Rambo3) there is one register.
    #[error("{0} is not the one register of this domain")]
    OtherKey(Key),
    /// A key or value too long.
    #[error("a {what} of {bytes} bytes, at most {limit} can be")]
    Oversized {
        /// Key or value.
        what: Part,
        /// Its length.
        bytes: usize,
        /// The most.
        limit: usize,
    },
    /// One reconfiguration at a time and participant.
    #[error("this participant is driving a reconfiguration already: wait for it, or ask another")]
    Driving,
    /// The new configuration cannot be.
    #[error("the configuration asked for cannot be")]
    Configuration(#[from] crate::ConfigurationError),
    /// A quorum of the new configuration does not answer: installing it would stop everything for good (pitfall 9).
    #[error("too few members of {configuration} answered or could be copied to: no answer from {}", silent.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))]
    Dead {
        /// What was asked for.
        configuration: Configuration,
        /// Who did not answer.
        silent: Vec<NodeId>,
    },
    /// Leaving would be a failure, and is not left unsaid.
    #[error("{node} is a member of {configuration}: reconfigure without it first")]
    Member {
        /// Who.
        node: NodeId,
        /// Where.
        configuration: Configuration,
    },
}
