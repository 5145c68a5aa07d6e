//! Who is asking.

use std::sync::Arc;

use palco_rambo::OperationId;
use palco_service::Peer;
use parking_lot::Mutex;

use super::Protocol;

/// What the gateway remembers about one connection.
#[derive(Clone, Debug)]
pub struct Session(pub(super) Arc<Mutex<Client>>);

#[derive(Debug)]
pub(super) struct Client {
    /// Counted by the gateway.
    pub(super) id: u64,
    pub(super) peer: Peer,
    pub(super) name: String,
    pub(super) library_name: String,
    pub(super) library_version: String,
    pub(super) protocol: Protocol,
    /// Whether it has said the password, or there is none.
    pub(super) is_known: bool,
    pub(super) replies: Replies,
    /// Which client the registers see: nobody else has this number. None if the system gave no randomness.
    identity: Option<u64>,
    /// Changes so far.
    changes: u64,
}

/// Whether the client wants to be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Replies {
    On,
    /// Not the next command.
    Skip,
    Off,
}

impl Client {
    pub(super) fn new(id: u64, peer: &Peer, is_known: bool) -> Self {
        Self {
            id,
            peer: peer.clone(),
            name: String::new(),
            library_name: String::new(),
            library_version: String::new(),
            protocol: Protocol::default(),
            is_known,
            replies: Replies::On,
            identity: getrandom::u64().ok(),
            changes: 0,
        }
    }

    /// As on the first day, but for its identity.
    pub(super) fn reset(&mut self, is_known: bool) {
        self.name.clear();
        self.protocol = Protocol::default();
        self.is_known = is_known;
        self.replies = Replies::On;
    }

    pub(super) fn can_change(&self) -> bool {
        self.identity.is_some()
    }

    /// The name of its next change.
    pub(super) fn next_change(&mut self) -> OperationId {
        self.changes += 1;
        OperationId { client: self.identity.unwrap_or_default(), number: self.changes }
    }
}
