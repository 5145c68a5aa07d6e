//! Why a request is not done, in SFTP's words.

use std::io;

use nix::errno::Errno;

use super::wire::{Code, Reply};
use crate::{TreeError, TreeErrorKind};

/// The text of `NO_SUCH_FILE` where not the file is missing but the directory that a name is to be in.
pub const NO_PARENT: &str = "there is no directory for it";

/// A status that is not good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refused {
    pub(super) code: Code,
    pub(super) text: String,
}

impl Refused {
    pub(super) fn new(code: Code, text: impl Into<String>) -> Self {
        Self { code, text: text.into() }
    }

    pub(super) fn failure(text: impl Into<String>) -> Self {
        Self::new(Code::Failure, text)
    }

    pub(super) fn read_only() -> Self {
        Self::new(Code::PermissionDenied, "this server lets nobody change anything")
    }

    /// The work on it panicked.
    pub(super) fn broken() -> Self {
        Self::failure("the server failed at this request")
    }

    pub(super) fn reply(self) -> Reply {
        Reply::Status { code: self.code, text: self.text }
    }
}

impl From<Errno> for Refused {
    /// The codes are those that OpenSSH gives.
    fn from(errno: Errno) -> Self {
        let code = match errno {
            Errno::ENOENT | Errno::ENOTDIR | Errno::ELOOP => Code::NoSuchFile,
            Errno::EACCES | Errno::EPERM | Errno::EROFS => Code::PermissionDenied,
            Errno::ENAMETOOLONG | Errno::EINVAL => Code::BadMessage,
            Errno::ENOSYS | Errno::EOPNOTSUPP => Code::OperationUnsupported,
            _ => Code::Failure,
        };
        Self::new(code, errno.desc())
    }
}

impl From<io::Error> for Refused {
    fn from(error: io::Error) -> Self {
        match error.raw_os_error() {
            Some(code) => Errno::from_raw(code).into(),
            None => Self::failure(error.to_string()),
        }
    }
}

impl From<TreeError> for Refused {
    fn from(error: TreeError) -> Self {
        match (error.kind(), error.errno()) {
            (TreeErrorKind::NotFound, _) => Self::new(Code::NoSuchFile, "there is no such file"),
            (TreeErrorKind::NoParent, _) => Self::new(Code::NoSuchFile, NO_PARENT),
            (_, Some(errno)) => errno.into(),
            (_, None) => Self::failure("the file system failed"),
        }
    }
}
