//! The directory that is served, and that nothing outside it is found.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use super::Status;

/// Why a directory cannot be served.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HttpRootError {
    /// The path cannot be resolved.
    #[error("cannot serve {}", path.display())]
    Unreadable {
        /// The path as it was given.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The path is something else than a directory.
    #[error("cannot serve {}: it is not a directory", path.display())]
    NotADirectory {
        /// The path as it was given.
        path: PathBuf,
    },
}

/// A canonical directory.
#[derive(Debug)]
pub(super) struct Root {
    path: PathBuf,
}

impl Root {
    pub(super) fn new(path: &Path) -> Result<Self, HttpRootError> {
        let unreadable = |source| HttpRootError::Unreadable { path: path.to_path_buf(), source };
        let canonical = path.canonicalize().map_err(unreadable)?;
        if !canonical.metadata().map_err(unreadable)?.is_dir() {
            return Err(HttpRootError::NotADirectory { path: path.to_path_buf() });
        }
        Ok(Self { path: canonical })
    }

    /// The canonical path and kind of what is at `relative`.
    pub(super) fn find(&self, relative: &Path) -> Result<(PathBuf, Metadata), Status> {
        let path = self.path.join(relative).canonicalize().map_err(|error| match error.kind() {
            io::ErrorKind::PermissionDenied => Status::Forbidden,
            // Missing, too long, not a directory, a loop of links: no file has that name.
            _ => Status::NotFound,
        })?;
        if !self.shows(&path) {
            return Err(Status::NotFound);
        }
        let metadata = fs::metadata(&path).map_err(|error| status(&error))?;
        Ok((path, metadata))
    }

    /// What a link in a listing leads to, if that may be shown.
    pub(super) fn follow(&self, link: &Path) -> Option<Metadata> {
        let path = link.canonicalize().ok()?;
        if self.shows(&path) { fs::metadata(path).ok() } else { None }
    }

    /// Whether a canonical path is below the root and nothing on the way is hidden.
    fn shows(&self, path: &Path) -> bool {
        path.strip_prefix(&self.path).is_ok_and(|below| {
            below.components().all(|component| match component {
                Component::Normal(name) => !name.as_bytes().starts_with(b"."),
                Component::Prefix(_)
                | Component::RootDir
                | Component::CurDir
                | Component::ParentDir => false,
            })
        })
    }
}

/// The status for a file that exists and cannot be used.
pub(super) fn status(error: &io::Error) -> Status {
    match error.kind() {
        io::ErrorKind::NotFound => Status::NotFound,
        io::ErrorKind::PermissionDenied => Status::Forbidden,
        _ => Status::InternalServerError,
    }
}
