//! A file that is not there yet: it has no name until it is whole, so nothing is left of it if it never is.

use std::fs::{File, Permissions};
use std::io::Write;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, AtFlags, OFlag, openat};
use nix::sys::stat::{Mode, fstatat};
use nix::sys::statvfs::fstatvfs;
use nix::unistd::{UnlinkatFlags, linkat, unlinkat};

use super::{Tree, TreeError};

/// The name that a file has for the moment between its first link and the rename over the old one. Killed there, the
/// server leaves it; the next replacement in the same directory takes it away.
const MOMENTARY: &str = ".palco-replacement";

/// What a new file does with one of the same name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// It takes its place, in one step.
    Replaced,
    /// It is left alone, and the new file is not made.
    Kept,
}

/// A file without a name (`O_TMPFILE`); dropped, it is gone, and so it is when the server is killed.
#[derive(Debug)]
pub struct Staged {
    file: File,
    directory: File,
    name: PathBuf,
    path: PathBuf,
}

impl Tree {
    /// Begins a file that is to become `path`.
    ///
    /// # Errors
    /// [`TreeError`], of kind [`NoParent`](super::TreeErrorKind::NoParent) if there is no directory for it: none is made.
    pub fn stage(&self, path: &Path) -> Result<Staged, TreeError> {
        let (directory, name) = self.parent(path)?;
        Staged::within(directory, name, path)
    }
}

impl Staged {
    pub(crate) fn within(directory: File, name: PathBuf, path: &Path) -> Result<Self, TreeError> {
        let flags = OFlag::O_TMPFILE | OFlag::O_RDWR | OFlag::O_CLOEXEC;
        let file = openat(&directory, ".", flags, Mode::from_bits_truncate(0o666))
            .map_err(|errno| TreeError::of(path, errno))?;
        Ok(Self { file: file.into(), directory, name, path: path.into() })
    }

    /// Appends `bytes`.
    ///
    /// # Errors
    /// [`TreeError`], of kind [`NoSpace`](super::TreeErrorKind::NoSpace) if the disk is full.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), TreeError> {
        self.file.write_all(bytes).map_err(|error| TreeError::io(&self.path, error))
    }

    /// The bytes that the file system has left for it.
    ///
    /// # Errors
    /// [`TreeError`] if it does not say.
    pub fn space(&self) -> Result<u64, TreeError> {
        let of = fstatvfs(&self.directory).map_err(|errno| TreeError::of(&self.path, errno))?;
        Ok(of.blocks_available().saturating_mul(of.fragment_size()))
    }

    /// The file.
    pub(crate) fn file(&self) -> &File {
        &self.file
    }

    /// Gives the file its name. If `is_durable`, both are on the disk before this returns. Nobody else may replace a file
    /// of the same directory meanwhile.
    ///
    /// # Errors
    /// [`TreeError`], of kind [`Exists`](super::TreeErrorKind::Exists) if there is one that is to be kept, or what has
    /// the name is no regular file. The old file is untouched then.
    pub fn publish(self, existing: Existing, is_durable: bool) -> Result<(), TreeError> {
        let failed = |errno| TreeError::of(&self.path, errno);
        let broken = |error| TreeError::io(&self.path, error);
        if existing == Existing::Replaced
            && let Ok(old) = fstatat(&self.directory, &self.name, AtFlags::AT_SYMLINK_NOFOLLOW)
        {
            match old.st_mode & FORMAT {
                REGULAR => {}
                DIRECTORY => return Err(failed(Errno::EISDIR)),
                _ => return Err(failed(Errno::EEXIST)),
            }
            let mode = Permissions::from_mode(old.st_mode & 0o777);
            if self.file.metadata().map_err(broken)?.mode() & 0o777 != old.st_mode & 0o777 {
                self.file.set_permissions(mode).map_err(broken)?;
            }
        }
        if is_durable {
            self.file.sync_all().map_err(broken)?;
        }
        match existing {
            Existing::Kept => self.link(&self.name),
            Existing::Replaced => {
                let momentary = Path::new(MOMENTARY);
                match unlinkat(&self.directory, momentary, UnlinkatFlags::NoRemoveDir) {
                    Ok(()) | Err(Errno::ENOENT) => {}
                    Err(errno) => return Err(failed(errno)),
                }
                self.link(momentary).and_then(|()| {
                    nix::fcntl::renameat(&self.directory, momentary, &self.directory, &self.name)
                })
            }
        }
        .map_err(failed)?;
        if is_durable { self.directory.sync_all().map_err(broken) } else { Ok(()) }
    }

    /// Gives it a name that no other file has.
    pub(crate) fn link(&self, name: &Path) -> nix::Result<()> {
        let own = format!("/proc/self/fd/{}", self.file.as_raw_fd());
        linkat(AT_FDCWD, own.as_str(), &self.directory, name, AtFlags::AT_SYMLINK_FOLLOW)
    }
}

const REGULAR: u32 = 0o100_000;
const DIRECTORY: u32 = 0o040_000;

/// The bits of a mode that say what kind of file it is.
const FORMAT: u32 = 0o170_000;
