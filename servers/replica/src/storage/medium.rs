//! What a log asks of a disk, so that a disk that breaks can take the place of one that works.

use std::fmt;
use std::io::{self, Read};

/// Zeros behind what was written, at most, between two calls of [`Tail::trim`]: 4 MiB.
pub const RESERVE_BYTES: u64 = 4 << 20;

/// Flat, named files that are only ever appended to. What is said of durability holds when a call has returned, not
/// before, and not when it failed.
pub trait Medium: fmt::Debug + Send + Sync + 'static {
    /// An empty file of this name, whose name would survive a crash.
    ///
    /// # Errors
    /// There is one already, or the system's error.
    fn create(&self, file: &str) -> io::Result<Box<dyn Tail>>;

    /// All files, in no order.
    ///
    /// # Errors
    /// The system's.
    fn list(&self) -> io::Result<Vec<Listed>>;

    /// From its beginning.
    ///
    /// # Errors
    /// There is none, or the system's error.
    fn read(&self, file: &str) -> io::Result<Box<dyn Read + Send>>;

    /// Gives a file another name, in the place of the file that had it. Durable, and atomic: a crash leaves the one or
    /// the other.
    ///
    /// # Errors
    /// The system's; then it may have happened or not.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Durable too.
    ///
    /// # Errors
    /// The system's; then it may have happened or not.
    fn remove(&self, file: &str) -> io::Result<()>;

    /// How much could be written.
    ///
    /// # Errors
    /// The system's.
    fn space(&self) -> io::Result<Space>;
}

/// The end of a file, where it is written.
pub trait Tail: fmt::Debug + Send {
    /// Appends some of these bytes, at least one; says how many. A crash may take them, keep them, or keep any part.
    ///
    /// # Errors
    /// The system's; then nobody knows how many.
    fn append(&mut self, bytes: &[u8]) -> io::Result<usize>;

    /// What was appended would survive a crash. After an error nobody knows what would, and asking again does not help:
    /// the system may have dropped the pages and counts them as written (RAMBO.md §6, pitfall 29).
    ///
    /// # Errors
    /// The system's.
    fn sync(&mut self) -> io::Result<()>;

    /// Takes back zeros that were put behind what was written to make room ahead ([`RESERVE_BYTES`] at most, never before
    /// the first flush); puts none there any more. By default there are none.
    ///
    /// # Errors
    /// The system's.
    fn trim(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its name.
    pub file: String,
    /// Its length.
    pub bytes: u64,
}

/// Room on a disk, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Space {
    /// What this program may still write.
    pub free: u64,
    /// All of it.
    pub total: u64,
}

/// Something a medium does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// [`Medium::create`].
    Create,
    /// [`Tail::append`].
    Append,
    /// [`Tail::sync`].
    Sync,
    /// [`Medium::list`].
    List,
    /// [`Medium::read`], and reading on.
    Read,
    /// [`Medium::rename`].
    Rename,
    /// [`Medium::remove`].
    Remove,
    /// [`Medium::space`].
    Space,
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Create => "creating",
            Self::Append => "writing to",
            Self::Sync => "flushing",
            Self::List => "listing",
            Self::Read => "reading",
            Self::Rename => "renaming",
            Self::Remove => "removing",
            Self::Space => "asking for the room beside",
        })
    }
}

/// What a medium did not do.
#[derive(Debug, thiserror::Error)]
#[error("{operation} `{file}` failed")]
pub struct MediumError {
    /// What.
    pub operation: Operation,
    /// To which file; `.` for all of them.
    pub file: String,
    /// Why.
    pub source: io::Error,
}

impl MediumError {
    /// For `map_err`.
    pub(super) fn of(operation: Operation, file: &str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self { operation, file: file.to_owned(), source }
    }
}

/// Appends all of it, however few bytes are taken at a time.
pub(super) fn append_all(tail: &mut dyn Tail, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match tail.append(bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => bytes = &bytes[count..],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Reads until `bytes` is full or the file ends; says how many it was.
pub(super) fn read_full(file: &mut dyn Read, bytes: &mut [u8]) -> io::Result<usize> {
    let mut full = 0;
    while full < bytes.len() {
        match file.read(&mut bytes[full..]) {
            Ok(0) => break,
            Ok(count) => full += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(full)
}
