//! What a client needs of a protocol.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::{FileError, FileProtocol, Listing, Metadata};
use palco_files::sftp::wire::Secret;

/// What is open, as the server calls it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Handle {
    /// What the server has given.
    pub(super) name: Bytes,
    /// On which of the client's connections, counted from 1.
    pub(super) connection: u64,
}

/// How a file is to be opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Opening {
    /// To be read.
    #[default]
    Read,
    /// To be read and written; it must be there. SFTP only.
    Write,
    /// The same; it is made if it is not there. SFTP only.
    Create,
}

/// A file, by its path, and by what the server calls it if it is open there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Target<'a> {
    pub(super) path: &'a Arc<str>,
    pub(super) handle: Option<&'a Handle>,
}

/// What is to be read at once.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    /// Where it begins.
    pub(super) offset: u64,
    /// Its bytes; more than none.
    pub(super) length: usize,
    /// What is known of the file is wanted as well, at the cost of a further request of a pipeline.
    pub(super) metadata: bool,
}

/// What was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Chunk {
    /// At most as many as were asked for.
    pub(super) bytes: Bytes,
    /// The file ends after them. Otherwise there may be fewer than were asked for, but not none.
    pub(super) is_end: bool,
    /// What was known of the file before they were read.
    pub(super) metadata: Option<Metadata>,
}

/// A lease that a server gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Grant {
    pub(super) lease: Secret,
    pub(super) version: u64,
    /// From before it was asked for.
    pub(super) term: Duration,
}

/// What a server says to a wish for a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LeaseAnswer {
    Granted(Grant),
    /// Not now; when to ask again.
    NotNow(Duration),
}

/// One way to get at files: requests and answers, sent again where that does no harm. Nothing is kept but connections.
pub(super) trait Transport: Debug + Send + Sync {
    fn protocol(&self) -> FileProtocol;

    /// Whether this server gives leases.
    ///
    /// # Errors
    /// [`FileError::Unsupported`] if not.
    fn check_leases(&mut self) -> Result<(), FileError> {
        Err(unsupported("a lease", self.protocol(), "take a TTL"))
    }

    /// Opens a file; nothing if the protocol has no handles, and what the server said of the file.
    fn open(
        &mut self,
        path: &Arc<str>,
        opening: Opening,
    ) -> Result<(Option<Handle>, Option<Metadata>), FileError>;

    fn close(&mut self, target: Target<'_>) -> Result<(), FileError>;

    fn look(&mut self, target: Target<'_>) -> Result<Metadata, FileError>;

    fn read(&mut self, target: Target<'_>, span: Span) -> Result<Chunk, FileError>;

    /// The whole file, at most so many bytes, in as few round trips as there can be.
    fn read_whole(&mut self, path: &Arc<str>, bytes_max: usize) -> Result<Chunk, FileError>;

    fn write(&mut self, target: Target<'_>, offset: u64, bytes: &[u8]) -> Result<(), FileError> {
        let _ = (target, offset, bytes);
        Err(unsupported("writing in place", self.protocol(), "put the whole file, or append to it"))
    }

    /// What was written is on the disk.
    fn sync(&mut self, target: Target<'_>) -> Result<(), FileError> {
        let _ = target;
        Err(unsupported("sync", self.protocol(), "what was put or appended is on the disk already"))
    }

    fn put(&mut self, path: &Arc<str>, bytes: &[u8]) -> Result<(), FileError>;

    /// Where the bytes are. `key` is the same for every attempt.
    fn append(&mut self, path: &Arc<str>, bytes: &[u8], key: &str) -> Result<u64, FileError>;

    fn list(&mut self, path: &Arc<str>) -> Result<Listing, FileError>;

    fn remove(&mut self, path: &Arc<str>) -> Result<(), FileError>;

    fn rename(&mut self, from: &Arc<str>, to: &Arc<str>) -> Result<(), FileError> {
        let _ = (from, to);
        Err(unsupported("a new name", self.protocol(), "put the file anew and remove the old one"))
    }

    fn make_directory(&mut self, path: &Arc<str>) -> Result<(), FileError> {
        let _ = path;
        let instead = "make it on the server's side, or use SFTP";
        Err(unsupported("a new directory", self.protocol(), instead))
    }

    fn lease(&mut self, target: Target<'_>, wanted: Duration) -> Result<LeaseAnswer, FileError> {
        let _ = (target, wanted);
        Err(unsupported("a lease", self.protocol(), "take a TTL"))
    }

    /// Gives a lease back.
    fn release(&mut self, path: &Arc<str>, lease: Secret) -> Result<(), FileError> {
        let _ = (path, lease);
        Err(unsupported("a lease", self.protocol(), "take a TTL"))
    }

    /// How many connections there were; another number, another connection.
    fn connections(&self) -> u64;
}

fn unsupported(what: &'static str, protocol: FileProtocol, instead: &'static str) -> FileError {
    FileError::Unsupported { what, protocol, instead }
}
