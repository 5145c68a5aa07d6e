//! Why a run could not be made.

use std::io;
use std::time::Duration;

/// Why a run could not be made. None of these says anything about the registers.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The system refuses something.
    #[error("cannot {what}")]
    System {
        /// What was tried.
        what: String,
        /// Why not.
        source: io::Error,
    },
    /// A command failed.
    #[error("`{command}` failed: {said}")]
    Command {
        /// With its arguments.
        command: String,
        /// Its words.
        said: String,
    },
    /// Something that must come true did not.
    #[error("{what} did not come true within {within:?}: {why}")]
    Late {
        /// What.
        what: String,
        /// How long it was waited for.
        within: Duration,
        /// What was seen last.
        why: String,
    },
    /// A node ended that nobody has ended.
    #[error("{node} has ended: {said}")]
    Ended {
        /// Which.
        node: String,
        /// Its last words.
        said: String,
    },
    /// A fault needs something that is not there.
    #[error("fault `{fault}` cannot be made here: {why}")]
    Absent {
        /// Which.
        fault: &'static str,
        /// What is missing, and what to do.
        why: String,
    },
    /// Settings that do not go together.
    #[error("{0}")]
    Settings(String),
}

impl VerifyError {
    /// For `map_err`.
    pub(crate) fn system(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |source| Self::System { what, source }
    }
}
