//! What makes an append and its idempotency key durable in one step.
//!
//! An append is first written down as an intent: where its bytes go, and a second name for the file they are in. The
//! intent's rename to `append` is the moment from which the append has happened: whoever finds it there does it again, by
//! its offset, which changes nothing if it was done. Then a rename of that very file to `key-…` is the record of the key.
//! So at no moment is there an append without its key, or a key without its append.
//!
//! | name in `.palco` | what |
//! |---|---|
//! | `lock` | held (`flock`) by who changes anything: one change at a time in a tree, whatever process does it |
//! | `append.data`, `append` | the append that is being done |
//! | `key-…` | an append that is done, under the digest of its key |
//! | `busy-…` | a request with this key is being received; held, so that a killed server holds none |
//!
//! Everything here may block.

mod record;

use std::fs::{File, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use nix::dir::Dir;
use nix::fcntl::{AtFlags, OFlag, openat, renameat};
use nix::sys::stat::{Mode, fstatat};
use nix::unistd::{UnlinkatFlags, unlinkat};

pub(super) use record::Record;

use crate::tree::Private;
use crate::{Staged, Tree, TreeError};

const LOCK: &str = "lock";
const INTENT: &str = "append";
const INTENT_NEW: &str = "append.new";
const DATA: &str = "append.data";
const KEY: &str = "key-";
const BUSY: &str = "busy-";

/// After how many appends old keys are looked for. So much more than the limit there may be, per process.
const SWEEP_EVERY: u64 = 256;

/// Bytes copied at a time: 64 KiB.
const COPY_BYTES: usize = 64 * 1024;

/// The directory `.palco` of a tree.
#[derive(Debug)]
pub(super) struct Journal {
    private: Private,
    keys_max: usize,
    keys_kept: Duration,
    is_durable: bool,
    appends: AtomicU64,
}

impl Journal {
    /// Opens it, made if need be, and completes what a killed server has left.
    pub(super) fn open(
        tree: &Tree,
        keys_max: usize,
        keys_kept: Duration,
        is_durable: bool,
    ) -> Result<Self, TreeError> {
        let private = tree.private()?;
        let failed = |error| TreeError::io(Path::new(".palco"), error);
        let journal = Self { private, keys_max, keys_kept, is_durable, appends: AtomicU64::new(0) };
        let locked = journal.lock(tree).map_err(failed)?;
        locked.sweep().map_err(failed)?;
        drop(locked);
        Ok(journal)
    }

    /// A file for content that is to be appended to `path`.
    pub(super) fn stage(&self, path: &Path) -> Result<Staged, TreeError> {
        let directory = self.directory().try_clone().map_err(|error| TreeError::io(path, error))?;
        Staged::within(directory, PathBuf::from(DATA), path)
    }

    /// Waits until nobody else changes anything, and completes what was left half done.
    pub(super) fn lock<'a>(&'a self, tree: &'a Tree) -> io::Result<Locked<'a>> {
        let lock = self.file(LOCK, OFlag::O_RDWR | OFlag::O_CREAT)?;
        lock.lock()?;
        let locked = Locked { journal: self, tree, _lock: lock };
        locked.recover()?;
        Ok(locked)
    }

    /// Takes the key of this digest for one request; `None` if another has it.
    pub(super) fn reserve(&self, digest: &str) -> io::Result<Option<Reservation>> {
        let name = format!("{BUSY}{digest}");
        loop {
            let file = self.file(&name, OFlag::O_RDWR | OFlag::O_CREAT)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(error)) => return Err(error),
            }
            let directory = self.directory().try_clone()?;
            // Who had it may have taken the name away between our opening and our locking.
            let inode = file.metadata()?.ino();
            let there = fstatat(&directory, name.as_str(), AtFlags::AT_SYMLINK_NOFOLLOW);
            if there.is_ok_and(|there| there.st_ino == inode) {
                let digest = digest.into();
                return Ok(Some(Reservation { digest, directory, name, _file: file }));
            }
        }
    }

    fn directory(&self) -> &File {
        self.private.directory()
    }

    fn file(&self, name: &str, flags: OFlag) -> io::Result<File> {
        self.private.file(name, flags)
    }

    fn read(&self, name: &str) -> io::Result<Option<Record>> {
        let mut text = String::new();
        match self.file(name, OFlag::O_RDONLY) {
            Ok(mut file) => file.read_to_string(&mut text)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        Ok(Record::parse(&text))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.private.remove(name)
    }

    fn sync(&self) -> io::Result<()> {
        if self.is_durable { self.directory().sync_all() } else { Ok(()) }
    }
}

/// A key in use by one request; free again when this is dropped.
#[derive(Debug)]
pub(super) struct Reservation {
    pub(super) digest: Box<str>,
    directory: File,
    name: String,
    _file: File,
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let _ = unlinkat(&self.directory, self.name.as_str(), UnlinkatFlags::NoRemoveDir);
    }
}

/// The right to change something.
#[derive(Debug)]
pub(super) struct Locked<'a> {
    journal: &'a Journal,
    tree: &'a Tree,
    _lock: File,
}

impl Locked<'_> {
    /// The append that was done under the key of this digest, unless that is too long ago.
    pub(super) fn done(&self, digest: &str) -> io::Result<Option<Record>> {
        let name = format!("{KEY}{digest}");
        let Some(record) = self.journal.read(&name)? else { return Ok(None) };
        let age = self.journal.file(&name, OFlag::O_RDONLY)?.metadata()?.modified()?.elapsed();
        if age.is_ok_and(|age| age > self.journal.keys_kept) {
            self.journal.remove(&name)?;
            return Ok(None);
        }
        Ok(Some(record))
    }

    /// Appends what is staged to `target`, as `record` says.
    pub(super) fn append(&self, record: &Record, staged: &Staged, target: &File) -> io::Result<()> {
        self.intend(record, staged)?;
        let applied = self.apply(record, staged.file(), target);
        if applied.is_err() {
            // As if it had never been: the client may try again with the same key.
            target.set_len(record.offset)?;
            self.journal.remove(INTENT)?;
            self.journal.remove(DATA)?;
            self.journal.sync()?;
            return applied;
        }
        self.conclude(record)?;
        if self.journal.appends.fetch_add(1, Ordering::Relaxed) % SWEEP_EVERY == SWEEP_EVERY - 1 {
            self.sweep()?;
        }
        Ok(())
    }

    fn intend(&self, record: &Record, staged: &Staged) -> io::Result<()> {
        let journal = self.journal;
        journal.remove(DATA)?;
        if journal.is_durable {
            staged.file().sync_all()?;
        }
        staged.link(Path::new(DATA))?;
        let mut intent =
            journal.file(INTENT_NEW, OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_TRUNC)?;
        intent.write_all(record.text().as_bytes())?;
        if journal.is_durable {
            intent.sync_all()?;
        }
        renameat(journal.directory(), INTENT_NEW, journal.directory(), INTENT)?;
        journal.sync()
    }

    fn apply(&self, record: &Record, data: &File, target: &File) -> io::Result<()> {
        let mut buffer = vec![0; COPY_BYTES];
        let mut copied = 0;
        while copied < record.length {
            let rest =
                usize::try_from(record.length - copied).unwrap_or(COPY_BYTES).min(COPY_BYTES);
            data.read_exact_at(&mut buffer[..rest], copied)?;
            target.write_all_at(&buffer[..rest], record.offset + copied)?;
            copied += rest as u64;
        }
        if self.journal.is_durable { target.sync_all() } else { Ok(()) }
    }

    fn conclude(&self, record: &Record) -> io::Result<()> {
        let directory = self.journal.directory();
        match &record.digest {
            Some(digest) => {
                renameat(directory, INTENT, directory, format!("{KEY}{digest}").as_str())?;
            }
            None => self.journal.remove(INTENT)?,
        }
        self.journal.remove(DATA)
    }

    /// Does what was intended and not concluded.
    fn recover(&self) -> io::Result<()> {
        let journal = self.journal;
        let Some(record) = journal.read(INTENT)? else { return journal.remove(INTENT) };
        let end = record.offset + record.length;
        let target = self.tree.write(&record.path()).ok().filter(|(_, metadata)| {
            // Somebody else has replaced or changed it since: what was intended for the old file is not for this one.
            record.is_of(metadata) && (record.offset..=end).contains(&metadata.len())
        });
        let Some((target, metadata)) = target else {
            journal.remove(INTENT)?;
            return journal.remove(DATA);
        };
        match journal.file(DATA, OFlag::O_RDONLY) {
            Ok(data) => self.apply(&record, &data, &target)?,
            // Only what is done has its data taken away.
            Err(error) if error.kind() == io::ErrorKind::NotFound && metadata.len() == end => {}
            // Somebody else has, or has cut the file: there is nothing to do it with.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return journal.remove(INTENT),
            Err(error) => return Err(error),
        }
        self.conclude(&record)
    }

    /// Forgets the keys that are too old or too many, and what killed servers have held.
    fn sweep(&self) -> io::Result<()> {
        let journal = self.journal;
        let mut keys = Vec::new();
        let again =
            openat(journal.directory(), ".", OFlag::O_RDONLY | OFlag::O_CLOEXEC, Mode::empty())?;
        for entry in Dir::from_fd(again)?.iter() {
            let entry = entry?;
            let Ok(name) = entry.file_name().to_str() else { continue };
            if name.starts_with(KEY) {
                let changed = journal.file(name, OFlag::O_RDONLY)?.metadata()?.modified()?;
                if changed.elapsed().is_ok_and(|age| age > journal.keys_kept) {
                    journal.remove(name)?;
                } else {
                    keys.push((changed, name.to_owned()));
                }
            } else if name.starts_with(BUSY)
                && let Ok(file) = journal.file(name, OFlag::O_RDONLY)
                && file.try_lock().is_ok()
            {
                journal.remove(name)?;
            }
        }
        keys.sort_unstable();
        let too_many = keys.len().saturating_sub(journal.keys_max);
        keys[..too_many].iter().try_for_each(|(_, name)| journal.remove(name))
    }
}
#[cfg(test)]
mod tests;
