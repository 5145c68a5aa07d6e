//! Files of a server, over HTTP or SFTP, with a cache that knows how long it may be believed.
//!
//! A [`FileClient`] does the same over both protocols, as far as they go:
//!
//! | | HTTP: the server keeps nothing | SFTP: the server keeps what is open |
//! |---|---|---|
//! | [`open`](FileClient::open) | asks whether it is there | gets a handle |
//! | [`read_at`](FileClient::read_at) | one request with a range | requests with the handle, in a pipeline |
//! | [`write_at`](FileClient::write_at), [`rename`](FileClient::rename), [`make_directory`](FileClient::make_directory) | [`FileError::Unsupported`] | yes |
//! | [`put`](FileClient::put) | the old file or the new one | emptied, then written: others see it on the way |
//! | [`append`](FileClient::append) | once, by its key, however often it is sent | [`FileError::Unknown`] if the answer is lost |
//! | after a lost connection | sent again | sent again with the same handle; [`FileError::HandleLost`] if the server does not know it |
//! | [`Caching::Ttl`] | entity tags tell versions apart | time and length do, as good as they can |
//! | [`Caching::Leases`] | no | no read is older than a write that is done |
//!
//! Blocks that are read in a row are read ahead: each time that one is missing, twice as many are asked for as before, over
//! HTTP by one range, over SFTP by requests in a pipeline.
//!
//! Under a lease, a read that is answered from the cache costs no message: of an open file from the second on, of a whole file
//! by its path from the third on, for the second asks whether the path still leads to the same file. The server waits with a
//! write until the lease is given back or has ended. A client that writes gives its own lease back first, and asks whether it
//! has one if it cannot know, because a file may have several paths. Limit: if another client gives a directory another name, the files in it
//! are still known by their old paths.
//!
//! ```no_run
//! use std::time::Duration;
//!
//! use palco_client::{Caching, FileClient, FileError, FileOptions, FileProtocol};
//!
//! # fn main() -> Result<(), FileError> {
//! let options = FileOptions::new(FileProtocol::Http).caching(Caching::Ttl(Duration::from_secs(3)));
//! let mut client = FileClient::new("127.0.0.1:7010", options)?;
//! let mut file = client.open("report.pdf")?;
//! let mut buffer = [0; 4096];
//! let _count = client.read_at(&mut file, &mut buffer, 0)?;
//! client.close(file)?;
//! client.append("log", b"one line\n")?;
//! assert_eq!(client.counters().cache_misses, 1);
//! # Ok(())
//! # }
//! ```
//!
//! | file | what |
//! |---|---|
//! | `options.rs`, `error.rs`, `counters.rs`, `metadata.rs` | what goes in and comes out |
//! | `reading.rs`, `believing.rs` | reads through the cache; why what is in it may be believed |
//! | `changes.rs` | everything that changes files |
//! | `cache.rs`, `read_ahead.rs`, `trusted.rs`, `leases.rs` | what is kept, how much is asked for, how long it is believed; no sockets |
//! | `shared.rs`, `leases/keeper.rs` | what the client and the thread that keeps its leases share; that thread |
//! | `transport.rs`, `http.rs`, `sftp.rs` | the two protocols |
//! | `attempts.rs` | when something is asked again |
//! | `fetch.rs` | many files at once |

mod attempts;
mod believing;
mod cache;
mod changes;
mod counters;
mod error;
mod fetch;
mod http;
mod leases;
mod metadata;
mod options;
mod path;
mod read_ahead;
mod reading;
mod sftp;
mod shared;
mod transport;
mod trusted;

use std::sync::Arc;
use std::time::{Duration, Instant};

use palco_files::sftp::wire::Secret;

use attempts::Attempts;
use counters::{Counting, one};
use leases::keeper::Keeper;
use read_ahead::ReadAhead;
use shared::Shared;
use transport::{Handle, Target, Transport};
use trusted::Trusted;

pub use counters::FileCounters;
pub use error::FileError;
pub use fetch::PARALLEL_MAX;
pub use metadata::{ENTRIES_MAX, Entry, FileKind, Listing, Metadata, Version};
pub use options::{
    BLOCK_BYTES_MAX, BLOCK_BYTES_MIN, Caching, FileOptions, FileProtocol, READ_AHEAD_BLOCKS_MAX,
};
pub use path::PATH_BYTES_MAX;
pub use transport::Opening;

/// A client of one file server. Blocking; one thing at a time.
///
/// Dropped with leases, it gives them back, which takes at most the time of one answer.
#[derive(Debug)]
pub struct FileClient {
    address: String,
    options: FileOptions,
    transport: Box<dyn Transport>,
    shared: Arc<Shared>,
    trusted: Trusted,
    /// How many connections there had been when it was asked last.
    connections: u64,
    keeper: Option<Keeper>,
}

/// A file that is open. It belongs to the client that has opened it.
#[derive(Debug)]
pub struct OpenFile {
    path: Arc<str>,
    opening: Opening,
    handle: Option<Handle>,
    ahead: ReadAhead,
    /// The lease that the path had just before it was opened.
    opened_under: Option<Secret>,
    /// The lease that the server has given for it.
    lease: Option<Secret>,
    /// It was written to when so many leases had been taken, and has had none of them.
    written_after: Option<u64>,
    /// Bytes were written that may not be on the disk.
    is_unsynced: bool,
}

impl OpenFile {
    /// As the server knows it: names with a slash before each.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    fn target(&self) -> Target<'_> {
        Target { path: &self.path, handle: self.handle.as_ref() }
    }
}

impl FileClient {
    /// For the server at `address`: `127.0.0.1:7010` or `host:port`. Connects when it is first asked for something, with
    /// leases at once.
    ///
    /// # Errors
    /// [`FileError::Request`] for options that cannot be; with leases [`FileError::Unsupported`] if the server gives none, and
    /// [`FileError::Unavailable`] if it cannot be asked.
    pub fn new(address: impl Into<String>, options: FileOptions) -> Result<Self, FileError> {
        Self::counted(address.into(), options, Arc::default())
    }

    fn counted(
        address: String,
        options: FileOptions,
        counting: Arc<Counting>,
    ) -> Result<Self, FileError> {
        options.check().map_err(FileError::Request)?;
        let client = random()?;
        let (to, of) = (address.clone(), options.clone());
        let transport: Box<dyn Transport> = match options.protocol {
            FileProtocol::Http => Box::new(http::HttpTransport::new(to, of, Arc::clone(&counting))),
            FileProtocol::Sftp => {
                Box::new(sftp::SftpTransport::new(to, of, client, Arc::clone(&counting)))
            }
        };
        Self::over(transport, address, options, client, counting)
    }

    fn over(
        mut transport: Box<dyn Transport>,
        address: String,
        options: FileOptions,
        client: Secret,
        counting: Arc<Counting>,
    ) -> Result<Self, FileError> {
        let no_thread = |_| FileError::Request("the system has no thread or socket for leases");
        let shared = Shared::new(options.cache_bytes_max, counting).map_err(no_thread)?;
        let (mut ttl, mut keeper) = (Duration::ZERO, None);
        match options.caching {
            Caching::None => {}
            Caching::Ttl(believed) => ttl = believed,
            Caching::Leases { wanted } => {
                transport.check_leases()?;
                let (to, of) = (address.clone(), options.clone());
                let started = Keeper::start(to, of, client, wanted, &shared);
                keeper = Some(started.map_err(no_thread)?);
            }
        }
        let connections = transport.connections();
        let trusted = Trusted::new(ttl);
        Ok(Self { address, options, transport, shared, trusted, connections, keeper })
    }

    /// The address as it was given.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The options as they were given.
    #[must_use]
    pub fn options(&self) -> &FileOptions {
        &self.options
    }

    /// What it has done up to now.
    #[must_use]
    pub fn counters(&self) -> FileCounters {
        self.shared.counting.snapshot()
    }

    /// Bytes that the cache takes now.
    #[must_use]
    pub fn cache_bytes(&self) -> usize {
        self.shared.state().cache.bytes()
    }

    /// Opens a file to be read. `path` has slashes between its names; one before them changes nothing.
    ///
    /// # Errors
    /// [`FileError`]; [`FileError::NotFound`] if it is not there.
    pub fn open(&mut self, path: &str) -> Result<OpenFile, FileError> {
        self.open_with(path, Opening::Read)
    }

    /// Opens a file to be written too.
    ///
    /// # Errors
    /// As [`open`](Self::open); [`FileError::Unsupported`] over HTTP if it is to be written.
    pub fn open_with(&mut self, path: &str, opening: Opening) -> Result<OpenFile, FileError> {
        let path = path::checked(path)?;
        let is_known = self.options.protocol == FileProtocol::Http
            && opening == Opening::Read
            && self.believed_kind(&path) == Some(FileKind::File);
        let opened_under = self.shared.state().leases.held(&path);
        let mut handle = None;
        if !is_known {
            let asked_at = Instant::now();
            let (opened, metadata) = self.transport.open(&path, opening)?;
            self.note_connections();
            handle = opened;
            if let Some(metadata) = metadata {
                self.believe(&path, metadata, asked_at);
            }
        }
        Ok(OpenFile {
            path,
            opening,
            handle,
            ahead: ReadAhead::default(),
            opened_under,
            lease: None,
            written_after: None,
            is_unsynced: false,
        })
    }

    /// Closes a file. Dropping it instead leaves the handle with the server until the connection ends.
    ///
    /// # Errors
    /// [`FileError::HandleLost`] if it was written to, and the server does not know it any more: nobody knows then what became
    /// of bytes that the server had not yet written. Other [`FileError`]s as they come.
    pub fn close(&mut self, file: OpenFile) -> Result<(), FileError> {
        let closed = self.transport.close(file.target());
        self.note_connections();
        match closed {
            Err(FileError::HandleLost { .. }) if !file.is_unsynced => Ok(()),
            other => other,
        }
    }

    /// What is known of a file or directory.
    ///
    /// # Errors
    /// [`FileError`]
    pub fn metadata(&mut self, path: &str) -> Result<Metadata, FileError> {
        let path = path::checked(path)?;
        if let Some(known) = self.trusted.get(&path, Instant::now()) {
            return Ok(known.clone());
        }
        let asked_at = Instant::now();
        let metadata = self.transport.look(Target { path: &path, handle: None });
        self.note_connections();
        let metadata = metadata?;
        self.believe(&path, metadata.clone(), asked_at);
        Ok(metadata)
    }

    /// What is in a directory.
    ///
    /// # Errors
    /// [`FileError`]; [`FileError::Refused`] over HTTP where the server shows an `index.html` in its place.
    pub fn list(&mut self, path: &str) -> Result<Listing, FileError> {
        let listed = self.transport.list(&path::checked(path)?);
        self.note_connections();
        listed
    }

    /// Does something with what is open; opens it again if that is wanted and the server has lost it.
    fn on_open<T>(
        &mut self,
        file: &mut OpenFile,
        mut act: impl FnMut(&mut dyn Transport, Target<'_>) -> Result<T, FileError>,
    ) -> Result<T, FileError> {
        let mut attempts = Attempts::new(&self.options);
        loop {
            let done = act(&mut *self.transport, file.target());
            self.note_connections();
            match done {
                // What was written and is not on the disk may be lost, which must be told.
                Err(FileError::HandleLost { .. })
                    if self.options.reopen
                        && !file.is_unsynced
                        && attempts.pause(Duration::ZERO) =>
                {
                    self.forget(&file.path);
                    one(&self.shared.counting.handles_reopened);
                    (file.opened_under, file.lease, file.written_after) = (None, None, None);
                    file.handle = self.transport.open(&file.path, file.opening)?.0;
                    self.note_connections();
                }
                other => return other,
            }
        }
    }
}

/// What nobody can guess.
fn random() -> Result<Secret, FileError> {
    let mut bytes = Secret::default();
    let none = |_| FileError::Request("the system has no random bytes");
    getrandom::fill(&mut bytes).map_err(none)?;
    Ok(bytes)
}
