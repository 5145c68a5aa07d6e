//! What happened in a run, for drawing.

mod recorder;

use palco_core::Time;
use palco_rambo::{ConfigurationMap, NodeId, Tag};
use serde::Serialize;

pub(crate) use recorder::{Recorder, Sent};

/// The recorded part of a run, in order of time.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Trace {
    /// Everybody that appears, members to be and those that came back under a new identity, in order of first sight.
    pub nodes: Vec<NodeId>,
    /// What happened.
    pub events: Vec<Traced>,
    /// Events before the first one here that were not kept.
    pub dropped: u64,
}

/// Something that happened.
#[derive(Clone, Debug, Serialize)]
pub struct Traced {
    /// When.
    pub at: Time,
    /// What.
    pub what: Happening,
}

/// What can be drawn.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Happening {
    /// A message left, and came or was lost.
    Message {
        /// From whom.
        from: NodeId,
        /// To whom.
        to: NodeId,
        /// When it came; none if it never did.
        arrived: Option<Time>,
        /// Which kind, as the protocol names it: `query`, `propagated`, `accept` …
        kind: &'static str,
        /// What matters in it: a key and tag, an index and ballot.
        detail: String,
    },
    /// A client asked a node for something.
    Asked {
        /// Which client.
        client: u32,
        /// Of whom.
        node: NodeId,
        /// Which of all requests.
        request: u64,
        /// For example `write x3`.
        what: String,
    },
    /// It was told something.
    Told {
        /// Which client.
        client: u32,
        /// By whom.
        node: NodeId,
        /// Which of all requests.
        request: u64,
        /// For example `7.n2.1.0 in 1 round`.
        what: String,
        /// The tag, where there is one.
        tag: Option<Tag>,
    },
    /// A node holds a larger tag for a key.
    Held {
        /// Who.
        node: NodeId,
        /// The key.
        key: String,
        /// The tag.
        tag: Tag,
    },
    /// A node learned something about the configurations.
    Learned {
        /// Who.
        node: NodeId,
        /// What it knows now.
        map: ConfigurationMap,
    },
    /// Something went wrong with a node or a link, or was mended.
    Fault {
        /// With whom; none if it concerns several.
        node: Option<NodeId>,
        /// For example `crash`, `back`, `partition n1 n2 | n3`.
        what: String,
    },
    /// A check objected.
    Violation {
        /// Which and why.
        what: String,
    },
}
