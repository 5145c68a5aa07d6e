//! How a replica begins, and what keeps what it promises.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use palco_actors::{ActorRef, Failure};
use palco_rambo::{
    Barrier, Configuration, ConfigurationError, Effect, Participant, Record, RestoreError,
    Settings, Storage,
};
use palco_threads::block_on;

use crate::replica::{Begin, Keep, Kept, Replica, ReplicaArgs};
use crate::storage::{Directory, Limits, Log, OpenError, Owner, Writer};

/// How long a query waits for the members that it asks first: far longer than any answer takes that is on its way, and far
/// shorter than who waits for it would notice.
const PATIENCE: Duration = Duration::from_millis(10);

/// Keeps records, or needs none.
#[derive(Debug)]
pub(crate) enum Keeper {
    /// A thread that writes them.
    Disk(Writer),
    /// Nothing: who ends comes back as somebody else.
    Memory,
}

/// A participant that has begun, and what it wants done first.
#[derive(Debug)]
pub(crate) struct Begun {
    pub(crate) participant: Participant,
    pub(crate) effects: Vec<Effect>,
    /// None in memory.
    pub(crate) log: Option<Log>,
    /// Bytes of a batch that was being written when the last life ended; nobody was told that it is stored.
    pub(crate) cut_bytes: u64,
}

/// Why a replica cannot begin.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BeginError {
    #[error("`{}` cannot be used", directory.display())]
    Directory {
        directory: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("the log in `{}` cannot be read", directory.display())]
    Log {
        directory: PathBuf,
        #[source]
        source: OpenError,
    },
    #[error("the log in `{}` makes no participant", directory.display())]
    Restore {
        directory: PathBuf,
        #[source]
        source: RestoreError,
    },
    #[error("the first configuration cannot be")]
    Configuration(#[from] ConfigurationError),
}

/// The participant that the log makes, if there is one, else one that begins. Reads the whole log.
pub(crate) fn begin(args: &ReplicaArgs) -> Result<Begun, BeginError> {
    let settings = |storage| Settings {
        storage,
        seeds: args.seeds.clone(),
        patience: Some(PATIENCE),
        ..Settings::new(args.node)
    };
    let mut effects = Vec::new();
    let Keep::Directory(directory) = &args.keep else {
        let participant = fresh(args, settings(Storage::Memory), &mut effects)?;
        return Ok(Begun { participant, effects, log: None, cut_bytes: 0 });
    };
    let medium = Directory::open(directory.clone())
        .map_err(|source| BeginError::Directory { directory: directory.clone(), source })?;
    let owner = Owner { node: args.node, shard: args.shard };
    let unread = |source| BeginError::Log { directory: directory.clone(), source };
    let mut reading = Log::open(Arc::new(medium), owner, Limits::default()).map_err(unread)?;
    let mut records = reading.by_ref().peekable();
    let has_lived = records.peek().is_some();
    let restored =
        has_lived.then(|| Participant::restore(settings(Storage::Disk), records, &mut effects));
    // A damaged log ends early: that is said before what was made of it is used.
    let (log, recovered) = reading.finish().map_err(unread)?;
    let participant = match restored {
        Some(restored) => restored
            .map_err(|source| BeginError::Restore { directory: directory.clone(), source })?,
        None => fresh(args, settings(Storage::Disk), &mut effects)?,
    };
    Ok(Begun { participant, effects, log: Some(log), cut_bytes: recovered.cut_bytes })
}

fn fresh(
    args: &ReplicaArgs,
    settings: Settings,
    effects: &mut Vec<Effect>,
) -> Result<Participant, ConfigurationError> {
    match &args.begin {
        Begin::Found { members, quorums } => {
            let proposer = members.first().map_or(args.node, |member| member.node);
            let first = Configuration::new(0, members.clone(), quorums.clone(), proposer)?;
            Ok(Participant::found(settings, first, effects))
        }
        Begin::Join => Ok(Participant::join(settings, effects)),
    }
}

impl Keeper {
    /// Of a replica that is told when its records are on disk.
    pub(crate) fn start(log: Option<Log>, replica: ActorRef<Replica>) -> Result<Self, Failure> {
        let Some(log) = log else { return Ok(Self::Memory) };
        let writer = Writer::start(log, move |kept| {
            let kept = kept.map_err(|error| Failure::from(error).to_string());
            // Waits for room: the log's thread has nothing else to do. Closed: nobody waits for it any more.
            drop(block_on(replica.tell(Kept(kept))));
        })?;
        Ok(Self::Disk(writer))
    }

    pub(crate) fn keep(&self, records: Vec<(Barrier, Record)>) {
        match self {
            Self::Disk(writer) if !records.is_empty() => writer.append(records),
            Self::Disk(_) | Self::Memory => {}
        }
    }
}
