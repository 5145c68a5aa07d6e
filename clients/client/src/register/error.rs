//! Why a command on registers has no answer, and what is known of its effect.

use std::time::Duration;

use crate::Error;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum RegisterError {
    /// It may have happened, and may still.
    #[error(
        "nobody knows whether {command} happened: {why}; it may have happened, and may still{}; read \
         the key before writing again", tag.as_ref().map(|tag| format!(", under the tag {tag}")).unwrap_or_default()
    )]
    Unknown {
        /// The name of the command.
        command: String,
        /// What went wrong.
        why: String,
        /// The tag that the write has then, if the node has said it.
        tag: Option<String>,
        /// If it was the connection.
        #[source]
        source: Option<Box<Error>>,
    },
    /// No node could carry it out in time. It did not happen, and will not.
    #[error(
        "no node could carry out {command} within {within:?}, last: {why}; nothing was changed"
    )]
    Unavailable {
        /// The name of the command.
        command: String,
        /// [`RegisterOptions::within`](super::RegisterOptions::within).
        within: Duration,
        /// What went wrong last.
        why: String,
        /// If it was the connection.
        #[source]
        source: Option<Box<Error>>,
    },
    /// A node refuses it, and so would every other. It did not happen.
    #[error("{address} refuses {command}: {text}")]
    Refused {
        /// The node.
        address: String,
        /// The name of the command.
        command: String,
        /// Its words.
        text: String,
    },
    /// A node answers a read with something that is no answer to it.
    #[error("{address} does not answer {command} as registers do: {answer}")]
    Unexpected {
        /// The node.
        address: String,
        /// The name of the command.
        command: String,
        /// Its beginning, as `redis-cli` shows it.
        answer: String,
    },
    /// There is nobody to ask.
    #[error("no address was given: name at least one node")]
    NoNodes,
}

/// What is known of the effect of a command that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It did not happen, and will not.
    Nothing,
    /// It may have happened, and may still.
    Unknown,
}

impl RegisterError {
    /// What is known of the effect.
    #[must_use]
    pub fn effect(&self) -> Effect {
        match self {
            Self::Unknown { .. } => Effect::Unknown,
            Self::Unavailable { .. }
            | Self::Refused { .. }
            | Self::Unexpected { .. }
            | Self::NoNodes => Effect::Nothing,
        }
    }
}
