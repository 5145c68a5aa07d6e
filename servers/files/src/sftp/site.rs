//! What is served, and how.

use std::fs;
use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use nix::fcntl::OFlag;
use serde::{Deserialize, Serialize};

use super::kept::Keeper;
use super::leases::Leases;
use super::shared::SharedFiles;
use crate::tree::Private;
use crate::{Access, Dots, Links, Tree, TreeError};

/// What becomes of handles when their connection, or the server, is gone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Handles {
    /// They are gone too.
    #[default]
    Volatile,
    /// They are kept for an hour, for whoever shows them. Nothing is written behind then.
    Journalled,
}

/// What an [`SftpService`](super::SftpService) is made from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Config {
    /// The directory.
    pub root: PathBuf,
    /// What clients may do. The default is to read.
    pub access: Access,
    /// What becomes of symbolic links. The default is that they are followed beneath the root.
    pub links: Links,
    /// What becomes of names that start with a dot. The default is that they are served: a mount needs them.
    pub dots: Dots,
    /// What becomes of handles. The default is that they are volatile.
    pub handles: Handles,
    /// The most handles of one connection. 1024 by default.
    pub handles_max: usize,
    /// The most bytes that the server remembers for one connection. 4 MiB by default; beyond it nothing is read ahead or
    /// written behind.
    pub state_bytes_max: usize,
    /// The most bytes that are read ahead for one handle. 256 KiB by default; 0 reads nothing ahead.
    pub ahead_bytes_max: usize,
    /// The most bytes of a file that are written behind. 256 KiB by default; 0 writes at once.
    pub behind_bytes_max: usize,
    /// For how long leases are given. None by default: there are none. They bind only who is served by the same process.
    pub lease_term: Option<Duration>,
}

impl Config {
    /// Serves `root` for reading.
    pub fn read_only(root: impl Into<PathBuf>) -> Self {
        Self {
            root: root.into(),
            access: Access::ReadOnly,
            links: Links::default(),
            dots: Dots::Shown,
            handles: Handles::default(),
            handles_max: 1024,
            state_bytes_max: 4 << 20,
            ahead_bytes_max: 256 << 10,
            behind_bytes_max: 256 << 10,
            lease_term: None,
        }
    }

    /// Serves `root` for reading and writing.
    pub fn read_write(root: impl Into<PathBuf>) -> Self {
        Self { access: Access::ReadWrite, ..Self::read_only(root) }
    }
}

/// The directory and what belongs to it.
#[derive(Debug)]
pub(super) struct Site {
    pub(super) tree: Tree,
    pub(super) config: Config,
    pub(super) files: SharedFiles,
    pub(super) keeper: Option<Arc<Keeper>>,
    pub(super) leases: Option<Arc<Leases>>,
    granted: Option<Granted>,
}

/// That leases have been given is written down, so that the next server waits until they have ended.
#[derive(Debug)]
struct Granted {
    private: Private,
    floor: Duration,
    is_written: AtomicBool,
}

/// Holds the term of the leases that were given, in milliseconds.
const GRANTED: &str = "leases";
/// No server waits longer, whatever is written there.
const GRACE_MAX: Duration = Duration::from_secs(60 * 60);

impl Site {
    pub(super) fn open(config: Config) -> Result<Self, TreeError> {
        let tree = Tree::open(&config.root, config.links)?.with_dots(config.dots);
        let failed = |error| TreeError::io(&config.root, error);
        let keeper = match config.handles {
            Handles::Volatile => None,
            Handles::Journalled => Some(Keeper::new(tree.private()?).map_err(failed)?),
        };
        // Where nothing can be written, nothing is to be remembered.
        let granted = match (config.lease_term, config.access) {
            (Some(_), Access::ReadWrite) => {
                let floor = Duration::ZERO;
                Some(Granted {
                    private: tree.private()?,
                    floor,
                    is_written: AtomicBool::new(false),
                })
            }
            _ => None,
        };
        let grace = match &granted {
            Some(granted) => granted.grace().map_err(failed)?,
            None => None,
        };
        // A lease of the server before last may last longer than those of the last.
        let granted =
            granted.map(|granted| Granted { floor: grace.unwrap_or_default(), ..granted });
        let leases = config.lease_term.map(|term| Leases::new(term, grace));
        let files = SharedFiles::default();
        Ok(Self { tree, files, keeper, leases, granted, config })
    }

    /// How many bytes of a file may be late.
    pub(super) fn behind_bytes_max(&self) -> usize {
        // A client whose handle survives the server would not learn that what was late has not.
        match self.config.handles {
            Handles::Volatile => self.config.behind_bytes_max,
            Handles::Journalled => 0,
        }
    }

    /// A lease is going to be given. Blocks the first time.
    pub(super) fn note_grant(&self) -> io::Result<()> {
        match (&self.granted, self.config.lease_term) {
            (Some(granted), Some(term)) => granted.note(term),
            _ => Ok(()),
        }
    }
}

impl Granted {
    /// How long the leases of an earlier server may last.
    fn grace(&self) -> io::Result<Option<Duration>> {
        let mut text = String::new();
        match self.private.file(GRANTED, OFlag::O_RDONLY) {
            Ok(file) => file.take(32).read_to_string(&mut text)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let term = text.trim().parse().map_or(GRACE_MAX, Duration::from_millis);
        Ok(Some(term.min(GRACE_MAX)))
    }

    fn note(&self, term: Duration) -> io::Result<()> {
        if self.is_written.swap(true, Ordering::AcqRel) {
            return Ok(());
        }
        let new = "leases.new";
        let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_TRUNC;
        let written = (|| {
            let mut file: fs::File = self.private.file(new, flags)?;
            file.write_all(format!("{}\n", term.max(self.floor).as_millis()).as_bytes())?;
            file.sync_all()?;
            let directory = self.private.directory();
            nix::fcntl::renameat(directory, new, directory, GRANTED)?;
            Ok(())
        })();
        if written.is_err() {
            self.is_written.store(false, Ordering::Release);
        }
        written
    }
}
