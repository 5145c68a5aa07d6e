//! Who a node is, and where it keeps what it promises: in a directory, or nowhere beyond its life.

use std::path::PathBuf;

use palco_actors::Restart;
use palco_rambo::NodeId;
use palco_transport::{NodeKey, Peer};

use crate::storage::{Arrival, Home, HomeError};
use crate::{Keep, node_of};

/// What a node knows of others is kept under this name in its directory.
const BOOK: &str = "book.json";

/// Where a node keeps what it promises.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Keeping {
    /// In this directory, which is for it alone; it comes back as the same.
    Directory(PathBuf),
    /// In memory: each start is somebody new, and the others keep the registers meanwhile. Once more than a minority of the
    /// members has ended, what they held is gone.
    Memory,
}

/// Who a node is.
#[derive(Debug)]
pub(crate) enum Identity {
    /// Whoever its directory says.
    Kept(Home),
    /// Somebody new.
    Fleeting { key: NodeKey, shards: u16 },
}

impl Identity {
    pub(crate) fn open(keeping: &Keeping, cluster: &str, shards: u16) -> Result<Self, HomeError> {
        Ok(match keeping {
            Keeping::Directory(path) => Self::Kept(Home::open(path, cluster, shards)?),
            Keeping::Memory => Self::Fleeting { key: NodeKey::generate(), shards },
        })
    }

    pub(crate) fn key(&self) -> &NodeKey {
        match self {
            Self::Kept(home) => home.key(),
            Self::Fleeting { key, .. } => key,
        }
    }

    pub(crate) fn peer(&self) -> Peer {
        self.key().peer()
    }

    pub(crate) fn node(&self) -> NodeId {
        node_of(self.peer())
    }

    pub(crate) fn shards(&self) -> u16 {
        match self {
            Self::Kept(home) => home.shards(),
            Self::Fleeting { shards, .. } => *shards,
        }
    }

    pub(crate) fn arrival(&self) -> &Arrival {
        match self {
            Self::Kept(home) => home.arrival(),
            Self::Fleeting { .. } => &Arrival::New,
        }
    }

    /// Where a shard keeps what it promises.
    pub(crate) fn keep(&self, shard: u16) -> Result<Keep, HomeError> {
        Ok(match self {
            Self::Kept(home) => Keep::Directory(home.medium(shard)?.path().to_owned()),
            Self::Fleeting { .. } => Keep::Memory,
        })
    }

    /// Whether a replica that has failed begins again: not if it would come back as the same without its promises.
    pub(crate) fn restart(&self) -> Restart {
        match self {
            Self::Kept(_) => Restart::Always,
            Self::Fleeting { .. } => Restart::Never,
        }
    }

    /// Where the book of the cluster is kept, if it is.
    pub(crate) fn book(&self) -> Option<PathBuf> {
        match self {
            Self::Kept(home) => Some(home.path().join(BOOK)),
            Self::Fleeting { .. } => None,
        }
    }
}
