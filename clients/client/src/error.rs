//! Why a call has no answer, and what to do about it.

use std::io;
use std::time::Duration;

use palco_core::Refusal;

use crate::{Excerpt, Malformed};

/// Why there is no connection, or no answer.
///
/// After a request was sent, [`Timeout`](Self::Timeout), [`Closed`](Self::Closed) and [`Failed`](Self::Failed) leave
/// open whether it was carried out.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address cannot be understood, or its name is not known.
    #[error("no host is found at {address}; write host:port, as in 127.0.0.1:7001")]
    Address {
        /// The address as it was given.
        address: String,
        /// Why it leads nowhere.
        source: io::Error,
    },
    /// The host is there and refuses: no process listens.
    #[error("nothing listens on {address}; `palco ps` shows what runs")]
    Refused {
        /// The address as it was given.
        address: String,
    },
    /// [`Limits::connect_within`](crate::Limits::connect_within) has passed.
    #[error("no connection to {address} within {within:?}; `palco ps` shows what runs, and where")]
    ConnectTimeout {
        /// The address as it was given.
        address: String,
        /// The limit.
        within: Duration,
    },
    /// The system could not connect for another reason.
    #[error("no way to {address}; check the host and the network")]
    Connect {
        /// The address as it was given.
        address: String,
        /// The system's reason.
        source: io::Error,
    },
    /// The request is none, and nothing was sent; the text says why.
    #[error("this request cannot be sent: {0}")]
    Request(&'static str),
    /// [`Limits::answer_within`](crate::Limits::answer_within) has passed.
    #[error(
        "no complete answer from {address} within {within:?} ({came}); what became of the request \
         is unknown; wait longer, or see whether another service listens there"
    )]
    Timeout {
        /// The address as it was given.
        address: String,
        /// The limit.
        within: Duration,
        /// What has come of the answer.
        came: Excerpt,
    },
    /// The server closed the connection before the answer was complete.
    #[error(
        "{address} closed the connection before its answer was complete ({came}); what became of \
         the request is unknown; the server's log may say why"
    )]
    Closed {
        /// The address as it was given.
        address: String,
        /// What has come of the answer.
        came: Excerpt,
        /// How the system put it, if it was more than the end of the stream.
        source: Option<io::Error>,
    },
    /// The connection broke in another way.
    #[error(
        "the connection to {address} broke before the answer was complete ({came}); what became \
         of the request is unknown; check the network"
    )]
    Failed {
        /// The address as it was given.
        address: String,
        /// What has come of the answer.
        came: Excerpt,
        /// The system's reason.
        source: io::Error,
    },
    /// The answer breaks a limit: of its bytes, or of the protocol's parts.
    #[error("the answer of {address} has more than {limit} {what}; ask for less")]
    TooLarge {
        /// The address as it was given.
        address: String,
        /// What there is too much of, in the plural.
        what: &'static str,
        /// How much there may be.
        limit: usize,
    },
    /// The answer breaks the protocol.
    #[error(
        "{address} does not answer as this service does ({came}); `palco ps` shows what runs there"
    )]
    Malformed {
        /// The address as it was given.
        address: String,
        /// What has come of the answer.
        came: Excerpt,
        /// Where it breaks the protocol.
        source: Malformed,
    },
    /// The server was asked for a ticket and answered something else; the connection is as good as before.
    #[error("{address} gives no ticket ({came}); has its server an urgent port?")]
    NoTicket {
        /// The address as it was given.
        address: String,
        /// The answer.
        came: Excerpt,
    },
    /// More came with the last answer than belonged to it, so the next answer could not be told apart.
    #[error("after its last answer {address} sent what nobody asked for ({came}); connect anew")]
    Unasked {
        /// The address as it was given.
        address: String,
        /// What is left over.
        came: Excerpt,
    },
    /// The urgent port did nothing.
    #[error("the urgent port {address} did nothing: {refusal}")]
    Urgent {
        /// The address as it was given.
        address: String,
        /// Why.
        refusal: Refusal,
    },
    /// An earlier call on this connection failed; its answer might still come and be taken for this one's.
    #[error("an earlier call to {address} failed on this connection; connect anew")]
    Spent {
        /// The address as it was given.
        address: String,
    },
}

impl Error {
    /// Whether a request may have been carried out although there is no answer; if not, nothing of it was sent.
    pub(crate) fn is_doubtful(&self) -> bool {
        match self {
            Self::Timeout { .. }
            | Self::Closed { .. }
            | Self::Failed { .. }
            | Self::TooLarge { .. }
            | Self::Malformed { .. } => true,
            Self::Address { .. }
            | Self::Refused { .. }
            | Self::ConnectTimeout { .. }
            | Self::Connect { .. }
            | Self::Request(_)
            | Self::NoTicket { .. }
            | Self::Unasked { .. }
            | Self::Urgent { .. }
            | Self::Spent { .. } => false,
        }
    }
}
