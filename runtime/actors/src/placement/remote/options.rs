//! How to talk to an actor on another node; every setting has a default.

use std::time::Duration;

use super::wire::{AHEAD_BYTES_MAX, AHEAD_MESSAGES_MAX, FRAME_BYTES_MAX};
use crate::placement::PlaceKind;
use crate::placement::window::{Ahead, Asks};

/// What becomes of messages to a [stand-in](crate::Net::find) while there is no connection to its node, or nobody has the
/// name there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Disconnected {
    /// They wait in its mailbox, as many as there is room for.
    #[default]
    Queue,
    /// They are dropped at once ([`DropReason::NodeLost`](crate::DropReason::NodeLost)): better lost than late.
    Drop,
}

/// How to talk to an actor on another node.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct RemoteOptions {
    pub(super) disconnected: Disconnected,
    pub(super) frame_bytes_max: usize,
    pub(super) ahead_messages_max: usize,
    pub(super) ahead_bytes_max: usize,
    pub(super) place_there: PlaceKind,
    pub(super) connect_within: Duration,
}

impl Default for RemoteOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl RemoteOptions {
    /// Queues while disconnected; messages and replies of at most 1 MiB; 1024 messages and 1 MiB ahead in each lane; a
    /// life there is a task, and has failed to start when there is no connection within 10 s.
    pub fn new() -> Self {
        Self {
            disconnected: Disconnected::Queue,
            frame_bytes_max: 1 << 20,
            ahead_messages_max: AHEAD_MESSAGES_MAX,
            ahead_bytes_max: AHEAD_BYTES_MAX,
            place_there: PlaceKind::Task,
            connect_within: Duration::from_secs(10),
        }
    }

    /// For a stand-in: what becomes of messages while there is no connection.
    pub fn disconnected(self, disconnected: Disconnected) -> Self {
        Self { disconnected, ..self }
    }

    /// With messages and arguments of at most so many bytes; at most 4 MiB less what a frame needs beside them.
    pub fn frame_bytes_max(self, bytes: usize) -> Self {
        Self { frame_bytes_max: bytes, ..self }
    }

    /// With so many messages in each lane that the other node has been handed and has not dealt with; 1 to 1024.
    pub fn ahead_messages_max(self, messages: usize) -> Self {
        Self { ahead_messages_max: messages.clamp(1, AHEAD_MESSAGES_MAX), ..self }
    }

    /// With so many bytes of them; at most 1 MiB. One message alone may be larger.
    pub fn ahead_bytes_max(self, bytes: usize) -> Self {
        Self { ahead_bytes_max: bytes.clamp(1, AHEAD_BYTES_MAX), ..self }
    }

    /// For a life there: in which kind of place of that node; any but a process and another node.
    pub fn place_there(self, place: PlaceKind) -> Self {
        Self { place_there: place, ..self }
    }

    /// For a life there: how long to wait for a connection before it has failed to start.
    pub fn connect_within(self, limit: Duration) -> Self {
        Self { connect_within: limit, ..self }
    }

    /// What may be ahead of the other node.
    pub(super) fn ahead(&self, asks: Asks) -> Ahead {
        Ahead {
            messages_max: self.ahead_messages_max,
            bytes_max: self.ahead_bytes_max,
            asks,
            descriptors: false,
        }
    }

    /// How large the body of a frame may be.
    pub(super) fn body_bytes_max(&self) -> usize {
        /// What a frame needs beside its body.
        const HEAD_BYTES_MAX: usize = 64;
        self.frame_bytes_max.min(FRAME_BYTES_MAX - HEAD_BYTES_MAX)
    }
}
