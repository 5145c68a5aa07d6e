//! One directory, beneath which lies everything that is served.
//!
//! Every path is opened with `openat2(2)` relative to one descriptor of the root, `RESOLVE_BENEATH` and
//! `RESOLVE_NO_MAGICLINKS`: the kernel itself refuses to leave, also when somebody swaps a component meanwhile. Absolute
//! links are refused with the rest, even those that lead back beneath the root. Names that start with a dot are hidden,
//! also behind a link. Mounts and hard links beneath the root count as its contents.
//!
//! Everything here may block.

mod change;
mod error;
mod private;
mod staged;

use std::ffi::OsStr;
use std::fs::{self, File, Metadata};
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{OFlag, OpenHow, ResolveFlag, open, openat2};
use nix::sys::stat::Mode;
use serde::{Deserialize, Serialize};

pub(crate) use change::FileId;
pub use change::Opening;
pub use error::{TreeError, TreeErrorKind};
pub(crate) use private::Private;
pub use staged::{Existing, Staged};

/// What becomes of symbolic links.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Links {
    /// They are followed as long as they stay beneath the root and lead to nothing hidden.
    #[default]
    Beneath,
    /// None is followed.
    Refuse,
}

/// What clients may do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Access {
    /// Read.
    #[default]
    ReadOnly,
    /// Read, make, replace, append and remove.
    ReadWrite,
}

/// What becomes of names that start with a dot. Those that start with `.palco` are never there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Dots {
    /// They are not there.
    #[default]
    Hidden,
    /// They are names like others.
    Shown,
}

/// A directory that is open.
#[derive(Debug)]
pub struct Tree {
    root: OwnedFd,
    links: Links,
    dots: Dots,
}

/// Most flags of everything that is opened: no waiting for the other end of a pipe, no terminal taken.
const NO_LINKS: ResolveFlag = ResolveFlag::RESOLVE_NO_SYMLINKS;

/// Only by what the kernel has in memory (`openat2(2)`, since Linux 5.12; nix has no name for it).
const RESOLVE_CACHED: ResolveFlag = ResolveFlag::from_bits_retain(0x20);

const PLAIN: OFlag = OFlag::O_CLOEXEC.union(OFlag::O_NONBLOCK).union(OFlag::O_NOCTTY);

impl Tree {
    /// Opens the directory `path` itself: if a component of the path changes later, the old directory is still meant.
    ///
    /// # Errors
    /// [`TreeError`] if there is no such directory, or it cannot be read.
    pub fn open(path: &Path, links: Links) -> Result<Self, TreeError> {
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        let root = open(path, flags, Mode::empty()).map_err(|errno| TreeError::of(path, errno))?;
        Ok(Self { root, links, dots: Dots::Hidden })
    }

    /// The same, with other names that start with a dot.
    #[must_use]
    pub fn with_dots(self, dots: Dots) -> Self {
        Self { dots, ..self }
    }

    /// Opens the regular file or directory at `path` for reading; `path` is relative, and empty for the root.
    ///
    /// # Errors
    /// [`TreeError`]; whatever else is at `path` is not found.
    pub fn read(&self, path: &Path) -> Result<(File, Metadata), TreeError> {
        // Looked at before it is opened: a device may do something when it is.
        self.look(path)?;
        let file = self.resolve(path, OFlag::O_RDONLY)?;
        let metadata = file.metadata().map_err(|error| TreeError::io(path, error))?;
        let is_served = metadata.is_file() || metadata.is_dir();
        if is_served { Ok((file, metadata)) } else { Err(TreeError::of(path, Errno::ENOENT)) }
    }

    /// As [`read`](Self::read) for a regular file whose path the kernel has in memory: no disk is waited for. `None` where
    /// it would have to be, for anything else, and where `read` fails.
    pub fn read_at_once(&self, path: &Path) -> Option<(File, Metadata)> {
        let cached = |flags| self.open_beneath(path, flags, NO_LINKS | RESOLVE_CACHED).ok();
        // As in `read`: a device may do something when it is opened.
        let looked_at = cached(OFlag::O_PATH)?.metadata().ok()?;
        let file = if looked_at.is_file() { cached(OFlag::O_RDONLY)? } else { return None };
        let metadata = file.metadata().ok()?;
        metadata.is_file().then_some((file, metadata))
    }

    /// What is known of the regular file or directory at `path`, which is not opened.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn look(&self, path: &Path) -> Result<Metadata, TreeError> {
        let found = self.resolve(path, OFlag::O_PATH)?;
        let metadata = found.metadata().map_err(|error| TreeError::io(path, error))?;
        let is_served = metadata.is_file() || metadata.is_dir();
        if is_served { Ok(metadata) } else { Err(TreeError::of(path, Errno::ENOENT)) }
    }

    /// Opens the regular file at `path` for writing; it is neither made nor truncated.
    ///
    /// # Errors
    /// [`TreeError`], of kind [`Directory`](TreeErrorKind::Directory) for a directory.
    pub fn write(&self, path: &Path) -> Result<(File, Metadata), TreeError> {
        if self.look(path)?.is_dir() {
            return Err(TreeError::of(path, Errno::EISDIR));
        }
        let file = self.resolve(path, OFlag::O_RDWR)?;
        let metadata = file.metadata().map_err(|error| TreeError::io(path, error))?;
        if metadata.is_file() {
            Ok((file, metadata))
        } else {
            Err(TreeError::of(path, Errno::EISDIR))
        }
    }

    /// The open directory in which the last component of `path` is, or would be, and that component.
    ///
    /// # Errors
    /// [`TreeError`], of kind [`NoParent`](TreeErrorKind::NoParent) if that is no directory.
    pub(crate) fn parent(&self, path: &Path) -> Result<(File, PathBuf), TreeError> {
        let directory = path.parent().unwrap_or(Path::new(""));
        let Some(name) = path.file_name() else { return Err(TreeError::of(path, Errno::EISDIR)) };
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY;
        let parent = self.resolve(directory, flags).map_err(TreeError::of_parent)?;
        if name.len() > NAME_BYTES_MAX {
            return Err(TreeError::of(path, Errno::ENAMETOOLONG));
        }
        Ok((parent, name.into()))
    }

    fn resolve(&self, path: &Path, flags: OFlag) -> Result<File, TreeError> {
        let open = |how| self.open_beneath(path, flags, how);
        match (open(NO_LINKS), self.links) {
            (Ok(file), _) => Ok(file),
            (Err(Errno::ELOOP), Links::Beneath) => {
                let file =
                    open(ResolveFlag::empty()).map_err(|errno| TreeError::of(path, errno))?;
                if self.shows(&file) { Ok(file) } else { Err(TreeError::of(path, Errno::ENOENT)) }
            }
            (Err(errno), _) => Err(TreeError::of(path, errno)),
        }
    }

    fn open_beneath(&self, path: &Path, flags: OFlag, how: ResolveFlag) -> Result<File, Errno> {
        if !self.is_plain(path) {
            return Err(Errno::ENOENT);
        }
        let name = if path.as_os_str().is_empty() { Path::new(".") } else { path };
        let flags =
            if flags.contains(OFlag::O_PATH) { flags | OFlag::O_CLOEXEC } else { flags | PLAIN };
        let how = ResolveFlag::RESOLVE_BENEATH | ResolveFlag::RESOLVE_NO_MAGICLINKS | how;
        openat2(&self.root, name, OpenHow::new().flags(flags).resolve(how)).map(File::from)
    }

    /// Whether nothing on the way to what has been opened is hidden, where the way is the one without links.
    fn shows(&self, file: &File) -> bool {
        let (Ok(root), Ok(path)) = (way(&self.root), way(file)) else { return false };
        path.strip_prefix(root).is_ok_and(|path| self.is_plain(path))
    }

    /// Whether a path consists of names only, none of them hidden or with a NUL.
    fn is_plain(&self, path: &Path) -> bool {
        path.components().all(|component| match component {
            Component::Normal(name) => self.is_shown(name),
            Component::Prefix(_)
            | Component::RootDir
            | Component::CurDir
            | Component::ParentDir => false,
        })
    }

    /// Whether there can be such a name.
    pub(crate) fn is_shown(&self, name: &OsStr) -> bool {
        let name = name.as_bytes();
        let hidden: &[u8] = if self.dots == Dots::Hidden { b"." } else { b".palco" };
        !name.starts_with(hidden) && !name.contains(&0)
    }
}

/// The longest name of a file: 255 bytes, as all file systems of Linux have it.
const NAME_BYTES_MAX: usize = 255;

fn way(file: &impl AsFd) -> io::Result<PathBuf> {
    fs::read_link(format!("/proc/self/fd/{}", file.as_fd().as_raw_fd()))
}

#[cfg(test)]
mod tests;
