//! Who a node is where it was started.

use std::fmt;
use std::path::PathBuf;

use palco_rambo::NodeId;
use palco_transport::Peer;

/// Who a node is where it was started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// Nobody was here: it is somebody new.
    New,
    /// It was here before. How often, its logs say.
    Returned,
    /// What was here cannot be answered for, so it is somebody new: it must join, and who left that behind be
    /// replaced by a reconfiguration (RAMBO.md §6, pitfall 4).
    Foreign {
        /// Where that is now.
        moved_to: PathBuf,
        /// What is wrong with it.
        why: Why,
    },
}

/// Why a directory cannot be used under the identity in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// This file is missing.
    Missing(String),
    /// The key is none.
    Key,
    /// The key is another node's than the description.
    OtherKey {
        /// Whom the key proves.
        key: Peer,
        /// Who is described.
        described: Peer,
    },
    /// The log of this shard is missing: what it promised is forgotten.
    Log(u16),
    /// The log of this shard was written by another node.
    OtherNode {
        /// Of which shard.
        shard: u16,
        /// Who wrote it.
        found: NodeId,
    },
}

impl fmt::Display for Arrival {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::New => f.write_str("began under a new identity"),
            Self::Returned => f.write_str("came back under its identity"),
            Self::Foreign { moved_to, why } => write!(
                f,
                "{why}, so this node begins under a new identity and must be made a member again; \
                 what was here is now in `{}`",
                moved_to.display()
            ),
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(file) => write!(f, "`{file}` is missing"),
            Self::Key => f.write_str("`node.key` holds no key"),
            Self::OtherKey { key, described } => {
                write!(f, "`node.key` is the key of {key}, not of {described}")
            }
            Self::Log(shard) => write!(f, "the log of shard {shard} is missing"),
            Self::OtherNode { shard, found } => {
                write!(f, "the log of shard {shard} was written by another node, {found}")
            }
        }
    }
}
