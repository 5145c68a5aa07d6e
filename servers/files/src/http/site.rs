//! What is served, and how.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::journal::Journal;
use super::{Refusal, Status};
use crate::{Access, Links, Tree, TreeError};

/// Whether an append needs an idempotency key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Keys {
    /// Yes: without one it is refused.
    #[default]
    Required,
    /// No: without one, an append that is sent again is done again.
    Optional,
}

/// What an [`HttpService`](super::HttpService) is made from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Config {
    /// The directory.
    pub root: PathBuf,
    /// What clients may do. The default is to read.
    pub access: Access,
    /// What becomes of symbolic links. The default is that they are followed beneath the root.
    pub links: Links,
    /// Whether an append needs an idempotency key. The default is that it does.
    pub keys: Keys,
    /// How many keys are remembered; of more, the oldest are forgotten. 10 000 by default.
    pub keys_max: usize,
    /// How long a key is remembered. A day by default.
    pub keys_kept: Duration,
    /// The most bytes of one request's content. 64 GiB by default.
    pub content_bytes_max: u64,
    /// Whether a change is on the disk before it is answered. The default is yes: it survives a loss of power, not only
    /// the end of the server.
    pub durable: bool,
    /// Whether a change of a file that is there must name the version that it means (428 if not). Not by default.
    pub conditions_required: bool,
}

impl Config {
    /// Serves `root` for reading.
    pub fn read_only(root: impl Into<PathBuf>) -> Self {
        Self {
            root: root.into(),
            access: Access::ReadOnly,
            links: Links::default(),
            keys: Keys::default(),
            keys_max: 10_000,
            keys_kept: Duration::from_secs(24 * 60 * 60),
            content_bytes_max: 64 << 30,
            durable: true,
            conditions_required: false,
        }
    }

    /// Serves `root` for reading and writing.
    pub fn read_write(root: impl Into<PathBuf>) -> Self {
        Self { access: Access::ReadWrite, ..Self::read_only(root) }
    }
}

impl From<PathBuf> for Config {
    fn from(root: PathBuf) -> Self {
        Self::read_only(root)
    }
}

/// The directory and what belongs to it.
#[derive(Debug)]
pub(super) struct Site {
    pub(super) tree: Tree,
    pub(super) config: Config,
    /// There is none where nothing can be changed.
    journal: Option<Journal>,
}

impl Site {
    pub(super) fn open(config: Config) -> Result<Self, TreeError> {
        let tree = Tree::open(&config.root, config.links)?;
        let journal = match config.access {
            Access::ReadOnly => None,
            Access::ReadWrite => {
                Some(Journal::open(&tree, config.keys_max, config.keys_kept, config.durable)?)
            }
        };
        Ok(Self { tree, config, journal })
    }

    /// What a change needs.
    pub(super) fn journal(&self) -> Result<&Journal, Refusal> {
        self.journal.as_ref().ok_or_else(|| Status::MethodNotAllowed.into())
    }

    /// The methods that a target has.
    pub(super) fn methods(&self) -> &'static str {
        match self.config.access {
            Access::ReadOnly => "GET, HEAD, OPTIONS",
            Access::ReadWrite => "GET, HEAD, PUT, POST, DELETE, OPTIONS",
        }
    }
}
