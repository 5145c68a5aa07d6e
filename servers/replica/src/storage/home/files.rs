//! The files that say who a node is.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use palco_transport::{NodeKey, Peer};
use serde::{Deserialize, Serialize};

use super::{HomeError, Why, at, node_of};
use crate::storage::medium::read_full;
use crate::storage::segment::{HEADER_BYTES, Header, Segment};

const KEY: &str = "node.key";
const DESCRIPTION: &str = "node.toml";

/// More than this is no description.
const DESCRIPTION_BYTES_MAX: u64 = 64 << 10;

/// What `node.toml` says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Description {
    pub(super) cluster: String,
    pub(super) shards: u16,
    pub(super) peer: Option<Peer>,
}

impl Description {
    pub(super) fn is_for(&self, path: &Path, cluster: &str, shards: u16) -> Result<(), HomeError> {
        let path = path.to_owned();
        if self.cluster != cluster {
            let (found, wanted) = (self.cluster.clone(), cluster.to_owned());
            return Err(HomeError::Cluster { path, found, wanted });
        }
        if self.shards != shards {
            return Err(HomeError::Shards { path, found: self.shards, wanted: shards });
        }
        Ok(())
    }
}

/// Who this directory makes a node, or why nobody. Looks at the beginnings of the logs only.
pub(super) fn look(data: &Path) -> Result<Result<(NodeKey, Description), Why>, HomeError> {
    let (Some(text), Some(secret)) =
        (read(&data.join(DESCRIPTION), DESCRIPTION_BYTES_MAX)?, read(&data.join(KEY), 33)?)
    else {
        let key = data.join(KEY);
        let missing = if key.try_exists().map_err(at(&key))? { DESCRIPTION } else { KEY };
        return Ok(Err(Why::Missing(missing.to_owned())));
    };
    let description: Description =
        toml::from_str(&String::from_utf8_lossy(&text)).map_err(|source| {
            HomeError::Description { path: data.join(DESCRIPTION), source: Box::new(source) }
        })?;
    let mut secret = secret;
    let Ok(key) = NodeKey::from_secret(&mut secret) else { return Ok(Err(Why::Key)) };
    if let Some(described) = description.peer.filter(|described| *described != key.peer()) {
        return Ok(Err(Why::OtherKey { key: key.peer(), described }));
    }
    for number in 0..description.shards {
        if let Some(why) = look_at_log(data, number, &key.peer())? {
            return Ok(Err(why));
        }
    }
    Ok(Ok((key, description)))
}

/// What is wrong with a shard's log, as far as its first file shows.
fn look_at_log(data: &Path, number: u16, peer: &Peer) -> Result<Option<Why>, HomeError> {
    let path = shard(data, number);
    let entries = match fs::read_dir(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Some(Why::Log(number))),
        entries => entries.map_err(at(&path))?,
    };
    let mut first: Option<Segment> = None;
    for entry in entries {
        let name = entry.map_err(at(&path))?.file_name();
        if let Some(segment) = name.to_str().and_then(|name| Segment::of(name, 0))
            && first.as_ref().is_none_or(|first| segment.first < first.first)
        {
            first = Some(segment);
        }
    }
    let Some(first) = first else { return Ok(Some(Why::Log(number))) };
    let file = path.join(first.file());
    let mut header = [0; HEADER_BYTES];
    File::open(&file).and_then(|mut file| read_full(&mut file, &mut header)).map_err(at(&file))?;
    // Whether it is damaged is for who opens the log to say.
    let owner = Header::decode(&header).ok().map(|header| header.owner.node);
    let other = owner.filter(|found| *found != node_of(*peer));
    Ok(other.map(|found| Why::OtherNode { shard: number, found }))
}

/// A directory with who the node is, flushed.
pub(super) fn fill(
    directory: &Path,
    key: &NodeKey,
    description: &Description,
) -> Result<(), HomeError> {
    create_directory(directory)?;
    write(&directory.join(KEY), &key.secret())?;
    let text = toml::to_string(description).expect("texts and a number can be written");
    write(&directory.join(DESCRIPTION), text.as_bytes())?;
    sync_directory(directory)
}

/// The directory of a shard's log.
pub(super) fn shard(data: &Path, shard: u16) -> PathBuf {
    data.join(format!("shard-{shard:05}"))
}

/// For its owner alone.
pub(super) fn create_directory(path: &Path) -> Result<(), HomeError> {
    DirBuilder::new().mode(0o700).create(path).map_err(at(path))
}

/// Makes the names in it durable.
pub(super) fn sync_directory(path: &Path) -> Result<(), HomeError> {
    File::open(path).and_then(|directory| directory.sync_all()).map_err(at(path))
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), HomeError> {
    let mut options = OpenOptions::new();
    let file = options.write(true).create_new(true).mode(0o600).open(path);
    file.and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all())).map_err(at(path))
}

/// At most so many bytes of a file, if there is one.
fn read(path: &Path, bytes_max: u64) -> Result<Option<Vec<u8>>, HomeError> {
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file.map_err(at(path))?,
    };
    let mut bytes = Vec::new();
    file.take(bytes_max).read_to_end(&mut bytes).map_err(at(path))?;
    Ok(Some(bytes))
}
