//! The directory of a node: who it is, and where its logs are.
//!
//! ```text
//! lock                    held by the process that uses the directory; its id is written in it
//! data/node.toml          the cluster, the number of shards, the peer id
//! data/node.key           the secret, for its owner alone
//! data/shard-00000/…      a log for each shard
//! new/                    a directory that is being filled, to become data/ when it is whole
//! foreign-<time>/         what was data/, and could not be used under its identity
//! ```

mod arrival;
mod files;

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use palco_rambo::NodeId;
use palco_transport::{NodeKey, Peer};

use crate::node_of;

pub use arrival::{Arrival, Why};

use super::directory::Directory;
use super::log::{Limits, Log};
use super::segment::Owner;
use files::{Description, sync_directory};

/// Shards of a node, at most.
pub const SHARDS_MAX: u16 = 1024;

/// A node's directory, for as long as this value lives: other processes are refused.
#[derive(Debug)]
pub struct Home {
    path: PathBuf,
    key: NodeKey,
    description: Description,
    arrival: Arrival,
    /// Closed, the lock is free.
    _lock: File,
}

/// Why a directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum HomeError {
    /// Another process uses it.
    #[error("`{}` is in use by {holder}: stop that, or use another directory", path.display())]
    Held {
        /// The directory.
        path: PathBuf,
        /// Who uses it.
        holder: String,
    },
    /// It belongs to another cluster.
    #[error("`{}` belongs to the cluster `{found}`, not to `{wanted}`", path.display())]
    Cluster {
        /// The directory.
        path: PathBuf,
        /// Whose it is.
        found: String,
        /// Whose it should be.
        wanted: String,
    },
    /// It was made for another number of shards, by which keys are spread.
    #[error(
        "`{}` was made for {found} shards, and {wanted} are wanted: a node keeps the number it began with",
        path.display()
    )]
    Shards {
        /// The directory.
        path: PathBuf,
        /// As it was made.
        found: u16,
        /// As it should be.
        wanted: u16,
    },
    /// No such number of shards can be.
    #[error("a node has 1 to {SHARDS_MAX} shards, not {0}")]
    Count(u16),
    /// What describes it cannot be understood.
    #[error("`{}` cannot be understood: restore it", path.display())]
    Description {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Box<toml::de::Error>,
    },
    /// The system's error.
    #[error("cannot use `{}`", path.display())]
    File {
        /// The file or directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The logs of a fresh directory cannot be begun.
    #[error("cannot begin a log in `{}`", path.display())]
    Log {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: super::StorageError,
    },
}

impl Home {
    /// Takes a directory, which is made if there is none. What is in it decides who this node is: [`Home::arrival`].
    ///
    /// A fresh identity is either there with all that belongs to it, or not at all, whenever the machine stops.
    ///
    /// # Errors
    /// It is in use, or was made for another cluster or number of shards, or the system's error.
    pub fn open(path: &Path, cluster: &str, shards: u16) -> Result<Self, HomeError> {
        if shards == 0 || shards > SHARDS_MAX {
            return Err(HomeError::Count(shards));
        }
        fs::create_dir_all(path).map_err(at(path))?;
        let lock = lock(path)?;
        let data = path.join("data");
        let wanted = || Description { cluster: cluster.to_owned(), shards, peer: None };
        let found =
            if data.try_exists().map_err(at(&data))? { Some(files::look(&data)?) } else { None };
        let (key, description, arrival) = match found {
            None => {
                let (key, description) = make(path, wanted())?;
                (key, description, Arrival::New)
            }
            Some(Ok((key, description))) => {
                description.is_for(path, cluster, shards)?;
                (key, description, Arrival::Returned)
            }
            Some(Err(why)) => {
                let moved_to = move_aside(path, &data)?;
                let (key, description) = make(path, wanted())?;
                (key, description, Arrival::Foreign { moved_to, why })
            }
        };
        Ok(Self { path: path.to_owned(), key, description, arrival, _lock: lock })
    }

    /// Who the node is here, and since when.
    #[must_use]
    pub fn arrival(&self) -> &Arrival {
        &self.arrival
    }

    /// By which it proves who it is.
    #[must_use]
    pub fn key(&self) -> &NodeKey {
        &self.key
    }

    /// As others know it.
    #[must_use]
    pub fn peer(&self) -> Peer {
        self.key.peer()
    }

    /// As the protocol knows it.
    #[must_use]
    pub fn node(&self) -> NodeId {
        node_of(self.peer())
    }

    /// The name of the cluster.
    #[must_use]
    pub fn cluster(&self) -> &str {
        &self.description.cluster
    }

    /// How many shards it has.
    #[must_use]
    pub fn shards(&self) -> u16 {
        self.description.shards
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whose log a shard's is.
    #[must_use]
    pub fn owner(&self, shard: u16) -> Owner {
        Owner { node: self.node(), shard }
    }

    /// Where the log of a shard is: give it to [`Log::open`]. It was begun when the directory was made; without
    /// records, no life has begun in it yet.
    ///
    /// # Errors
    /// The system's.
    pub fn medium(&self, shard: u16) -> Result<Arc<Directory>, HomeError> {
        let path = files::shard(&self.path.join("data"), shard);
        Directory::open(&path).map(Arc::new).map_err(at(&path))
    }
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> HomeError {
    move |source| HomeError::File { path: path.to_owned(), source }
}

fn lock(path: &Path) -> Result<File, HomeError> {
    let file = path.join("lock");
    let options = OpenOptions::new().read(true).write(true).create(true).truncate(false).to_owned();
    let mut lock = options.open(&file).map_err(at(&file))?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            // Who holds it may not have written its id yet.
            drop(lock.take(64).read_to_string(&mut holder));
            let holder = match holder.trim() {
                "" => "another process".to_owned(),
                id => format!("process {id}"),
            };
            return Err(HomeError::Held { path: path.to_owned(), holder });
        }
        Err(TryLockError::Error(error)) => return Err(at(&file)(error)),
    }
    let id = format!("{}\n", std::process::id());
    lock.set_len(0)
        .and_then(|()| lock.rewind())
        .and_then(|()| lock.write_all(id.as_bytes()))
        .map_err(at(&file))?;
    Ok(lock)
}

/// A fresh identity: all of it is filled into a directory of another name, which is then given the right one.
fn make(path: &Path, wanted: Description) -> Result<(NodeKey, Description), HomeError> {
    let new = path.join("new");
    if new.try_exists().map_err(at(&new))? {
        // Never finished, so never used.
        fs::remove_dir_all(&new).map_err(at(&new))?;
    }
    let key = NodeKey::generate();
    let description = Description { peer: Some(key.peer()), ..wanted };
    files::fill(&new, &key, &description)?;
    let node = node_of(key.peer());
    for shard in 0..description.shards {
        let directory = files::shard(&new, shard);
        files::create_directory(&directory)?;
        let medium = Directory::open(&directory).map_err(at(&directory))?;
        Log::create(Arc::new(medium), Owner { node, shard }, Limits::default())
            .map_err(|source| HomeError::Log { path: directory, source })?;
    }
    sync_directory(&new)?;
    fs::rename(&new, path.join("data")).map_err(at(&new))?;
    sync_directory(path)?;
    Ok((key, description))
}

fn move_aside(path: &Path, data: &Path) -> Result<PathBuf, HomeError> {
    let time = humantime::format_rfc3339_seconds(SystemTime::now()).to_string().replace(':', "-");
    let mut to = path.join(format!("foreign-{time}"));
    let mut another = 1;
    while to.try_exists().map_err(at(&to))? {
        another += 1;
        to = path.join(format!("foreign-{time}-{another}"));
    }
    fs::rename(data, &to).map_err(at(data))?;
    sync_directory(path)?;
    Ok(to)
}

#[cfg(test)]
mod tests;
