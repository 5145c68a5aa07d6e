//! What participants tell each other. Requests go to the members of the configurations that an operation uses, answers
//! to who asked (rule O4): there is no gossip to everybody.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{
    Ballot, Boot, Configuration, ConfigurationMap, Index, Key, Tag, Tagged, Value, Version,
};

mod wire;

pub use wire::{MESSAGE_BYTES_MAX, Malformed};

/// One message: what its sender knows of the configurations, and what it says.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Message {
    /// How much of the sequence the sender knows (rule R0).
    pub version: Version,
    /// The sender's map, only where the receiver is known or likely to know less.
    pub map: Option<Arc<Knowledge>>,
    /// What it is about.
    pub body: Body,
}

/// A configuration map on its way.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Knowledge {
    /// What the sender knows.
    pub map: ConfigurationMap,
    /// In [`Mode::Rambo3`](crate::Mode::Rambo3) alone: the register itself, which that mode's safety hangs on
    /// (RAMBO.md §1.4, row C).
    pub register: Option<Tagged>,
}

/// Which phase of which operation a message belongs to. An answer counts only for the very phase that asked
/// (RAMBO.md §6, pitfall 7).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Phase {
    /// The asker's life.
    pub boot: Boot,
    /// Where the asker keeps the operation.
    pub slot: u32,
    /// Never used twice in one life.
    pub number: u64,
}

/// What a message says. `phase` is the asker's and comes back unchanged.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Body {
    /// What do you hold for this key?
    Query {
        /// Of the asker.
        phase: Phase,
        /// Of either class.
        key: Key,
        /// Writers need the tag alone.
        want: Want,
    },
    /// This.
    Queried {
        /// Of the asker.
        phase: Phase,
        /// The largest this replica has seen.
        tag: Tag,
        /// None when it was not wanted.
        value: Option<Value>,
        /// Whether the tag would survive a crash of this replica now.
        durable: bool,
        /// Whether this tag is known to be with a write quorum of every configuration (rule O2).
        confirmed: bool,
    },
    /// Hold at least this.
    Propagate {
        /// Of the asker.
        phase: Phase,
        /// Of class register.
        key: Key,
        /// What to hold.
        tagged: Tagged,
    },
    /// Held, and durably.
    Propagated {
        /// Of the asker.
        phase: Phase,
    },
    /// Promise to accept nothing below this ballot for this key.
    CasPrepare {
        /// Of the asker.
        phase: Phase,
        /// Of class cas.
        key: Key,
        /// A key's ballots are tags.
        ballot: Tag,
    },
    /// Promised, durably.
    CasPromised {
        /// Of the asker.
        phase: Phase,
        /// The last state accepted or handed over, and under which ballot.
        accepted: Tagged,
        /// Whether it was accepted by vote: what was handed over from an older configuration is no vote.
        voted: bool,
    },
    /// Accept this state under this ballot.
    CasAccept {
        /// Of the asker.
        phase: Phase,
        /// Of class cas.
        key: Key,
        /// State and ballot.
        accept: Tagged,
    },
    /// Accepted, durably.
    CasAccepted {
        /// Of the asker.
        phase: Phase,
    },
    /// Not promised or not accepted: a higher ballot is about.
    CasRefused {
        /// Of the asker.
        phase: Phase,
        /// That one.
        promised: Tag,
    },
    /// Promise to accept nothing below this ballot for the configuration `index`.
    Prepare {
        /// Of the asker.
        phase: Phase,
        /// Decided by the members of the one before.
        index: Index,
        /// Above round 0.
        ballot: Ballot,
    },
    /// Promised, durably.
    Promised {
        /// Of the asker.
        phase: Phase,
        /// The last configuration accepted for this index, if any.
        accepted: Option<(Ballot, Arc<Configuration>)>,
    },
    /// Accept this configuration; its index says which is decided.
    Accept {
        /// Of the asker.
        phase: Phase,
        /// Of the attempt.
        ballot: Ballot,
        /// To become the next.
        configuration: Arc<Configuration>,
    },
    /// Accepted, durably.
    Accepted {
        /// Of the asker.
        phase: Phase,
    },
    /// Not promised or not accepted: a higher ballot is about.
    Refused {
        /// Of the asker.
        phase: Phase,
        /// That one.
        promised: Ballot,
    },
    /// Know the configurations up to `target`, so that no operation passes you without hearing of it (U1).
    Inform {
        /// Of the driver.
        phase: Phase,
        /// The configuration that will hold all.
        target: Index,
    },
    /// Known, durably. In [`Mode::Rambo3`](crate::Mode::Rambo3) the map that comes along carries the register.
    Informed {
        /// Of the driver.
        phase: Phase,
    },
    /// Member of `target`: fetch all that the configurations before it hold (U2). A target that is not known yet is one
    /// that will be proposed: then copy ahead (rule O6), and it proves nothing.
    Collect {
        /// Of the driver.
        phase: Phase,
        /// The configuration that will hold all.
        target: Index,
    },
    /// Fetched, durably.
    Collected {
        /// Of the driver.
        phase: Phase,
    },
    /// Send me what changed, from this place on.
    Pull {
        /// Of who fetches.
        phase: Phase,
        /// Where to go on.
        from: Cursor,
    },
    /// A part of it.
    Pulled {
        /// Of who fetches.
        phase: Phase,
        /// Where this part began: a part that comes twice is used once.
        from: Cursor,
        /// At most [`PULL_BYTES_MAX`] bytes, but at least one register.
        registers: Vec<(Key, Tagged)>,
        /// Where to go on.
        then: Cursor,
        /// Whether that was all.
        last: bool,
    },
    /// I am here, and fetching.
    Collecting {
        /// Of the driver.
        phase: Phase,
    },
    /// What are the configurations? From who just came, or sees that it knows less.
    AskMap,
    /// The map is in the message; without one it says only how much the sender knows, and who knows more tells it.
    TellMap,
}

/// What an asker needs of a replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Want {
    /// The tag alone.
    Tag,
    /// Tag and value.
    Value,
}

/// A place in a replica's registers while they are fetched. Registers never go away, so their order stays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Cursor {
    /// The source's life: what it changed in another cannot be told from what was fetched.
    pub boot: Boot,
    /// Only registers that changed after this change of that life; 0 for all.
    pub since: u64,
    /// The change at which this fetching began: from where the next one may go on.
    pub until: u64,
    /// Position among the registers.
    pub position: u64,
}

/// Bytes of keys and values in one [`Body::Pulled`], at most, unless one register alone is larger: 64 KiB.
pub const PULL_BYTES_MAX: usize = 64 << 10;
