//! Changes in place: files that are opened to be written, names that come, go and move.

use std::fs::{File, Metadata};

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{OFlag, RenameFlags, openat, readlinkat, renameat2};
use nix::sys::stat::{Mode, mkdirat};
use nix::unistd::{UnlinkatFlags, unlinkat};
use serde::{Deserialize, Serialize};

use super::{Existing, PLAIN, Tree, TreeError};

/// How a regular file is opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "they are independent, as those of open(2)")]
pub struct Opening {
    /// To be read.
    pub read: bool,
    /// To be written.
    pub write: bool,
    /// Whatever is written goes to its end.
    pub append: bool,
    /// With these permissions, less the umask, if it is not there; `None` makes none.
    pub create: Option<u32>,
    /// It must not be there.
    pub exclusive: bool,
}

impl Opening {
    fn flags(self) -> OFlag {
        let access = match (self.read, self.write) {
            (true, true) => OFlag::O_RDWR,
            (false, true) => OFlag::O_WRONLY,
            (_, false) => OFlag::O_RDONLY,
        };
        if self.append { access | OFlag::O_APPEND } else { access }
    }
}

impl Tree {
    /// Opens the regular file at `path`, made if that is wanted. True if it has been made. Nothing is made behind a link.
    ///
    /// # Errors
    /// [`TreeError`], of kind [`Directory`](super::TreeErrorKind::Directory) for a directory.
    pub fn open_file(&self, path: &Path, how: Opening) -> Result<(File, bool), TreeError> {
        let Some(mode) = how.create else { return self.open_existing(path, how) };
        // Somebody may make it or take it away between the two looks; not again and again.
        for _ in 0..OPENING_TRIES {
            if !how.exclusive {
                match self.open_existing(path, how) {
                    Err(error) if error.errno() == Some(Errno::ENOENT) => {}
                    other => return other,
                }
            }
            let (parent, name) = self.changing(path)?;
            let flags = PLAIN | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NOFOLLOW | how.flags();
            match openat(&parent, &name, flags, Mode::from_bits_truncate(mode & 0o777)) {
                Ok(file) => return Ok((file.into(), true)),
                Err(Errno::EEXIST) if !how.exclusive => {}
                Err(errno) => return Err(TreeError::of(path, errno)),
            }
        }
        Err(TreeError::of(path, Errno::EEXIST))
    }

    fn open_existing(&self, path: &Path, how: Opening) -> Result<(File, bool), TreeError> {
        // Looked at before it is opened: a device may do something when it is.
        if self.look(path)?.is_dir() {
            return Err(TreeError::of(path, Errno::EISDIR));
        }
        let file = self.resolve(path, how.flags())?;
        let metadata = file.metadata().map_err(|error| TreeError::io(path, error))?;
        if metadata.is_file() { Ok((file, false)) } else { Err(TreeError::of(path, Errno::EISDIR)) }
    }

    /// What is known of what is at `path` itself: of the link, if it is one that is followed.
    ///
    /// # Errors
    /// As [`look`](Self::look).
    pub fn look_link(&self, path: &Path) -> Result<Metadata, TreeError> {
        let found = self.resolve(path, OFlag::O_PATH | OFlag::O_NOFOLLOW)?;
        let metadata = found.metadata().map_err(|error| TreeError::io(path, error))?;
        if metadata.is_symlink() {
            self.look(path)?;
            return Ok(metadata);
        }
        let is_served = metadata.is_file() || metadata.is_dir();
        if is_served { Ok(metadata) } else { Err(TreeError::of(path, Errno::ENOENT)) }
    }

    /// Where the link at `path` leads; only links that are followed are there.
    ///
    /// # Errors
    /// [`TreeError`], also for what is no link.
    pub fn read_link(&self, path: &Path) -> Result<PathBuf, TreeError> {
        if !self.look_link(path)?.is_symlink() {
            return Err(TreeError::of(path, Errno::EINVAL));
        }
        let (parent, name) = self.parent(path)?;
        readlinkat(&parent, &name).map(PathBuf::from).map_err(|errno| TreeError::of(path, errno))
    }

    /// Gives what is at `from` the name `to`.
    ///
    /// # Errors
    /// [`TreeError`]; nothing has changed then.
    pub fn rename(&self, from: &Path, to: &Path, existing: Existing) -> Result<(), TreeError> {
        self.look_link(from)?;
        let (from_parent, from_name) = self.changing(from)?;
        let (to_parent, to_name) = self.changing(to)?;
        let flags = match existing {
            Existing::Kept => RenameFlags::RENAME_NOREPLACE,
            Existing::Replaced => RenameFlags::empty(),
        };
        renameat2(&from_parent, &from_name, &to_parent, &to_name, flags)
            .map_err(|errno| TreeError::of(to, errno))
    }

    /// Makes a directory, with these permissions less the umask.
    ///
    /// # Errors
    /// [`TreeError`].
    pub fn make_directory(&self, path: &Path, mode: u32) -> Result<(), TreeError> {
        let (parent, name) = self.changing(path)?;
        mkdirat(&parent, &name, Mode::from_bits_truncate(mode & 0o777))
            .map_err(|errno| TreeError::of(path, errno))
    }

    /// Removes a directory that is empty.
    ///
    /// # Errors
    /// [`TreeError`].
    pub fn remove_directory(&self, path: &Path) -> Result<(), TreeError> {
        let (parent, name) = self.changing(path)?;
        unlinkat(&parent, &name, UnlinkatFlags::RemoveDir)
            .map_err(|errno| TreeError::of(path, errno))
    }

    /// Removes a regular file, or a link that is followed.
    ///
    /// # Errors
    /// [`TreeError`].
    pub fn remove(&self, path: &Path) -> Result<(), TreeError> {
        if self.look_link(path)?.is_dir() {
            return Err(TreeError::of(path, Errno::EISDIR));
        }
        let (parent, name) = self.changing(path)?;
        unlinkat(&parent, &name, UnlinkatFlags::NoRemoveDir)
            .map_err(|errno| TreeError::of(path, errno))
    }

    /// As [`parent`](Self::parent), of a name that may be made, moved or taken away.
    fn changing(&self, path: &Path) -> Result<(File, PathBuf), TreeError> {
        if self.is_plain(path) {
            self.parent(path)
        } else {
            Err(TreeError::of(path, Errno::EACCES))
        }
    }
}

/// How often opening looks again when names come and go meanwhile.
const OPENING_TRIES: u32 = 8;

/// A file, whatever its names are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct FileId {
    device: u64,
    inode: u64,
}

impl FileId {
    pub(crate) fn of(metadata: &Metadata) -> Self {
        Self { device: metadata.dev(), inode: metadata.ino() }
    }
}
