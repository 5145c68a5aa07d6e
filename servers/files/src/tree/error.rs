//! What can be wrong with a path beneath the root.

use std::io;
use std::path::{Path, PathBuf};

use nix::errno::Errno;

/// A path that cannot be used, as it was given: relative to the root, except where the root itself is opened.
#[derive(Debug, thiserror::Error)]
#[error("cannot use `{}`", path.display())]
pub struct TreeError {
    kind: TreeErrorKind,
    path: PathBuf,
    source: io::Error,
}

/// Kinds of [`TreeError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TreeErrorKind {
    /// There is nothing that is served: missing, hidden, outside, behind a loop of links, no file.
    NotFound,
    /// The directory that should contain it is none.
    NoParent,
    /// It is a directory, and something else is needed.
    Directory,
    /// It is there already.
    Exists,
    /// Its name is too long.
    NameTooLong,
    /// The system denies it to the server.
    Denied,
    /// The disk is full, or a quota is.
    NoSpace,
    /// Something else.
    Failed,
}

impl TreeError {
    pub(crate) fn of(path: &Path, errno: Errno) -> Self {
        let kind = match errno {
            Errno::ENOENT | Errno::ENOTDIR | Errno::ELOOP | Errno::EXDEV | Errno::ENXIO => {
                TreeErrorKind::NotFound
            }
            Errno::EISDIR => TreeErrorKind::Directory,
            Errno::EEXIST => TreeErrorKind::Exists,
            Errno::ENAMETOOLONG => TreeErrorKind::NameTooLong,
            Errno::EACCES | Errno::EPERM | Errno::EROFS => TreeErrorKind::Denied,
            Errno::ENOSPC | Errno::EDQUOT | Errno::EFBIG => TreeErrorKind::NoSpace,
            _ => TreeErrorKind::Failed,
        };
        Self { kind, path: path.into(), source: errno.into() }
    }

    pub(crate) fn io(path: &Path, error: io::Error) -> Self {
        match error.raw_os_error() {
            Some(code) => Self::of(path, Errno::from_raw(code)),
            None => Self { kind: TreeErrorKind::Failed, path: path.into(), source: error },
        }
    }

    /// The same of the directory that should contain something.
    pub(crate) fn of_parent(self) -> Self {
        let kind = match self.kind {
            TreeErrorKind::NotFound => TreeErrorKind::NoParent,
            other => other,
        };
        Self { kind, ..self }
    }

    /// The system's word for it.
    pub(crate) fn errno(&self) -> Option<Errno> {
        self.source.raw_os_error().map(Errno::from_raw)
    }

    /// What is wrong.
    #[must_use]
    pub fn kind(&self) -> TreeErrorKind {
        self.kind
    }
}
