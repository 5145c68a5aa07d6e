//! Why a file was not read or changed, and what to do about it.

use std::time::Duration;

use super::FileProtocol;
use crate::Error;

/// Why a file was not read or changed.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The request or an option is none, and nothing was sent; the text says why.
    #[error("this cannot be asked for: {0}")]
    Request(&'static str),
    /// The protocol has no words for this, and nothing was sent.
    #[error("{what} is not possible over {}; {instead}", protocol.name())]
    Unsupported {
        /// What was to be done.
        what: &'static str,
        /// The protocol.
        protocol: FileProtocol,
        /// What to do instead.
        instead: &'static str,
    },
    /// There is no such file, or the server shows none.
    #[error("there is no {path}")]
    NotFound {
        /// As it was asked for.
        path: String,
    },
    /// The server may not, or does not let its clients.
    #[error("{path} is not allowed: {text}")]
    Denied {
        /// As it was asked for.
        path: String,
        /// The server's words.
        text: String,
    },
    /// The server says no, for another reason. Nothing was changed.
    #[error("the server refuses {what} of {path}: {text}")]
    Refused {
        /// What was to be done.
        what: &'static str,
        /// As it was asked for.
        path: String,
        /// The server's words.
        text: String,
    },
    /// The server does not know what is open any more: it was started again, or the handle has expired.
    #[error(
        "the server does not know the handle of {path} any more ({text}); open it again, or set `reopen`"
    )]
    HandleLost {
        /// The file.
        path: String,
        /// The server's words.
        text: String,
    },
    /// More than [`FileOptions::file_bytes_max`](super::FileOptions::file_bytes_max).
    #[error("{path} has more than {limit} bytes; read it in parts, or raise `file_bytes_max`")]
    TooLarge {
        /// The file.
        path: String,
        /// The limit.
        limit: usize,
    },
    /// The request was sent, the answer was lost, and sent again it might happen twice.
    #[error(
        "nobody knows whether {what} of {path} happened: {why}; look at the file before doing it again"
    )]
    Unknown {
        /// What was to be done.
        what: &'static str,
        /// The file.
        path: String,
        /// What went wrong.
        why: String,
        /// If it was the connection.
        #[source]
        source: Option<Box<Error>>,
    },
    /// The server could not be asked, or did not answer. A change that is complete in itself may have happened.
    #[error("no answer about {path} within {within:?}, last: {source}")]
    Unavailable {
        /// The file.
        path: String,
        /// [`FileOptions::within`](super::FileOptions::within).
        within: Duration,
        /// What went wrong last.
        source: Box<Error>,
    },
    /// The server does not answer as this protocol says.
    #[error("the answer about {path} is none: {why}; does a palco file server listen there?")]
    Unexpected {
        /// The file.
        path: String,
        /// What is wrong with it.
        why: String,
    },
}

impl FileError {
    pub(super) fn unexpected(path: &str, why: impl Into<String>) -> Self {
        Self::Unexpected { path: path.to_owned(), why: why.into() }
    }
}
