//! What belongs to the tree and is not served.

use std::fs::File;
use std::io;
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::{OFlag, openat};
use nix::sys::stat::{Mode, mkdirat};
use nix::unistd::{UnlinkatFlags, unlinkat};

use super::{Tree, TreeError};

/// The directory in the root, whose name is hidden from clients.
const DIRECTORY: &str = ".palco";

/// The directory `.palco` of a tree: files for the servers of the tree, not for their clients. Everything here may block.
#[derive(Debug)]
pub(crate) struct Private(File);

impl Tree {
    /// Opens it, made if need be.
    pub(crate) fn private(&self) -> Result<Private, TreeError> {
        let path = Path::new(DIRECTORY);
        let failed = |errno| TreeError::of(path, errno);
        match mkdirat(&self.root, path, Mode::S_IRWXU) {
            Ok(()) | Err(Errno::EEXIST) => {}
            Err(errno) => return Err(failed(errno)),
        }
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        Ok(Private(openat(&self.root, path, flags, Mode::empty()).map_err(failed)?.into()))
    }
}

impl Private {
    /// The directory.
    pub(crate) fn directory(&self) -> &File {
        &self.0
    }

    /// Opens one of its files.
    pub(crate) fn file(&self, name: &str, flags: OFlag) -> io::Result<File> {
        let flags = flags | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        Ok(openat(&self.0, name, flags, Mode::S_IRUSR | Mode::S_IWUSR)?.into())
    }

    /// Removes one of its files, if it is there.
    pub(crate) fn remove(&self, name: &str) -> io::Result<()> {
        match unlinkat(&self.0, name, UnlinkatFlags::NoRemoveDir) {
            Ok(()) | Err(Errno::ENOENT) => Ok(()),
            Err(errno) => Err(errno.into()),
        }
    }
}
