//! Handles that outlive the server: each is a file in `.palco` that says what it means.
//!
//! Whoever serves a handle holds its file (`flock`), so that a killed server holds none, and nobody gets at a handle of a
//! connection that is alive. A client that shows a handle nobody holds has it again, on whatever connection and from
//! whatever process: 128 bits that nobody can guess are what proves that it is its own.
//!
//! The file is written by one `write(2)`, before the client is told the handle; it survives the end of the server, not a
//! loss of power. Everything here may block.

use std::fs::{File, Metadata, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use nix::dir::Dir;
use nix::fcntl::{OFlag, openat};
use nix::sys::stat::Mode;
use serde::{Deserialize, Serialize};

use super::refused::Refused;
use super::wire::Secret;
use crate::tree::{FileId, Private};

const PREFIX: &str = "handle-";
/// How long a handle is kept that nobody holds.
const KEPT: Duration = Duration::from_secs(60 * 60);
/// The most handles, of all connections and of those that are gone.
const HANDLES_MAX: usize = 65_536;
/// After how many opened files handles are looked for that nobody holds.
const SWEEP_EVERY: u64 = 256;
/// The most bytes of a record.
const RECORD_BYTES_MAX: u64 = 64 << 10;

/// The handles of a tree.
#[derive(Debug)]
pub(super) struct Keeper {
    private: Private,
    opened: AtomicU64,
}

/// What a handle means.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    pub(super) path: Vec<u8>,
    /// As [`OpenFlags::bits`](super::wire::OpenFlags::bits).
    pub(super) flags: u32,
    pub(super) file: FileId,
    /// When the file was made, in nanoseconds since 1970, where the file system says so: numbers of files are given again.
    pub(super) born: Option<u128>,
}

impl Record {
    /// Of a file that is open.
    pub(super) fn of(path: &Path, flags: u32, metadata: &Metadata) -> Self {
        let born = metadata.created().ok().and_then(|made| made.duration_since(UNIX_EPOCH).ok());
        Self {
            path: path.as_os_str().as_bytes().to_vec(),
            flags,
            file: FileId::of(metadata),
            born: born.map(|since| since.as_nanos()),
        }
    }
}

/// The right to a handle. Dropped, the handle is there for whoever shows it.
#[derive(Debug)]
pub(super) struct Kept {
    keeper: Arc<Keeper>,
    name: String,
    _lock: File,
}

impl Keeper {
    pub(super) fn new(private: Private) -> io::Result<Arc<Self>> {
        let keeper = Self { private, opened: AtomicU64::new(0) };
        keeper.sweep()?;
        Ok(Arc::new(keeper))
    }

    /// Writes down what `handle` means, and holds it.
    pub(super) fn keep(self: &Arc<Self>, handle: Secret, record: &Record) -> Result<Kept, Refused> {
        if self.opened.fetch_add(1, Ordering::Relaxed) % SWEEP_EVERY == SWEEP_EVERY - 1
            && self.sweep()? >= HANDLES_MAX
        {
            let text = format!("{HANDLES_MAX} handles are kept already: close some");
            return Err(Refused::failure(text));
        }
        let name = name(handle);
        let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL;
        let mut file = self.private.file(&name, flags)?;
        file.lock()?;
        let text = serde_json::to_vec(record).map_err(io::Error::from)?;
        file.write_all(&text)?;
        Ok(Kept { keeper: Arc::clone(self), name, _lock: file })
    }

    /// What `handle` means, which is held from now on; `None` if there is none.
    ///
    /// # Errors
    /// [`Refused`] if another connection has it.
    pub(super) fn adopt(
        self: &Arc<Self>,
        handle: Secret,
    ) -> Result<Option<(Record, Kept)>, Refused> {
        let name = name(handle);
        let file = match self.private.file(&name, OFlag::O_RDONLY) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Refused::failure("another connection has this handle"));
            }
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
        // Who had it may have closed it between our opening and our locking.
        if file.metadata()?.nlink() == 0 {
            return Ok(None);
        }
        let mut text = Vec::new();
        (&file).take(RECORD_BYTES_MAX).read_to_end(&mut text)?;
        let Ok(record) = serde_json::from_slice(&text) else { return Ok(None) };
        Ok(Some((record, Kept { keeper: Arc::clone(self), name, _lock: file })))
    }

    /// Removes handles that nobody has held for long, and says how many are left.
    fn sweep(&self) -> io::Result<usize> {
        let flags = OFlag::O_RDONLY | OFlag::O_CLOEXEC;
        let again = openat(self.private.directory(), ".", flags, Mode::empty())?;
        let mut left = 0;
        for entry in Dir::from_fd(again)?.iter() {
            let entry = entry?;
            let Ok(name) = entry.file_name().to_str() else { continue };
            if !name.starts_with(PREFIX) {
                continue;
            }
            // It may be gone meanwhile.
            let Ok(file) = self.private.file(name, OFlag::O_RDONLY) else { continue };
            let age = file.metadata()?.modified()?.elapsed().unwrap_or_default();
            if age > KEPT && file.try_lock().is_ok() {
                self.private.remove(name)?;
            } else {
                left += 1;
            }
        }
        Ok(left)
    }
}

impl Kept {
    /// The handle is closed.
    pub(super) fn forget(&self) -> io::Result<()> {
        self.keeper.private.remove(&self.name)
    }
}

fn name(handle: Secret) -> String {
    format!("{PREFIX}{:032x}", u128::from_be_bytes(handle))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Links, Tree};

    fn keeper(root: &Path) -> Arc<Keeper> {
        Keeper::new(Tree::open(root, Links::Refuse).unwrap().private().unwrap()).unwrap()
    }

    #[test]
    fn a_handle_is_held_by_one_and_outlives_it() {
        let root = tempfile::tempdir().unwrap();
        let record = Record::of(Path::new("a/b"), 3, &root.path().metadata().unwrap());
        let (first, second) = (keeper(root.path()), keeper(root.path()));
        let kept = first.keep([7; 16], &record).unwrap();
        assert!(second.adopt([7; 16]).is_err(), "it is held");
        assert!(second.adopt([8; 16]).unwrap().is_none(), "it is forged");
        drop(kept);
        let (found, kept) = second.adopt([7; 16]).unwrap().unwrap();
        assert_eq!(found, record);
        kept.forget().unwrap();
        drop(kept);
        assert!(first.adopt([7; 16]).unwrap().is_none(), "it is closed");
    }

    #[test]
    fn a_handle_that_nobody_has_held_for_an_hour_is_removed() {
        let root = tempfile::tempdir().unwrap();
        let record = Record::of(Path::new("a"), 3, &root.path().metadata().unwrap());
        let first = keeper(root.path());
        let held = first.keep([7; 16], &record).unwrap();
        for handle in [[8; 16], [9; 16]] {
            drop(first.keep(handle, &record).unwrap());
        }
        let long_ago = std::time::SystemTime::now() - 2 * KEPT;
        for handle in [[7; 16], [8; 16]] {
            let path = root.path().join(".palco").join(name(handle));
            File::options().write(true).open(path).unwrap().set_modified(long_ago).unwrap();
        }
        let second = keeper(root.path());
        drop(held);
        assert!(second.adopt([7; 16]).unwrap().is_some(), "it was held");
        assert!(second.adopt([8; 16]).unwrap().is_none(), "it is old");
        assert!(second.adopt([9; 16]).unwrap().is_some(), "it is young");
    }

    #[test]
    fn a_record_that_was_cut_off_means_nothing() {
        let root = tempfile::tempdir().unwrap();
        let keeper = keeper(root.path());
        std::fs::write(root.path().join(".palco").join(name([7; 16])), "{\"path\":[97").unwrap();
        assert!(keeper.adopt([7; 16]).unwrap().is_none());
    }
}
