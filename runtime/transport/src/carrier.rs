//! What a carrier can do, and what it says.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::{Lane, Outbox, Peer};

/// One connection to a peer, from its beginning to its end. The next one has a larger number.
pub type Session = u64;

/// Brings frames to peers, and theirs here. Keeps the connections it was asked for and makes them anew when they break.
///
/// Within one session the frames of a lane arrive in their order, each once, none left out; what a broken session has not
/// delivered is lost. Nothing is promised between lanes, but that a full lane never delays another.
pub trait Carrier: Send + Sync + fmt::Debug + 'static {
    /// Who this node is to others.
    fn me(&self) -> Peer;

    /// Addresses at which others reach this node, each in the carrier's own form.
    fn addresses(&self) -> Vec<String>;

    /// Keeps a connection to a peer from now on, at these addresses and at those that discovery finds; tries again, less
    /// and less often, while there is none. Twice is the same as once, with the addresses of both.
    ///
    /// # Errors
    /// Text that names the address which is none.
    fn seek(&self, peer: Peer, addresses: &[String]) -> Result<(), String>;

    /// Keeps no connection to this peer any more, and ends the one there is.
    fn forget(&self, peer: Peer);
}

/// What a carrier says: in the order in which it happened for one peer.
#[derive(Debug)]
pub enum Event {
    /// There is a connection.
    Connected {
        /// To whom: proved.
        peer: Peer,
        /// Which.
        session: Session,
        /// What it says of itself.
        introduction: Introduction,
        /// For what is to be sent over it.
        outbox: Outbox,
    },
    /// Frames came.
    Frames {
        /// From whom.
        peer: Peer,
        /// Over which connection.
        session: Session,
        /// In which lane.
        lane: Lane,
        /// In their order; at least one.
        frames: Vec<Bytes>,
    },
    /// The connection is over.
    Lost {
        /// To whom it was.
        peer: Peer,
        /// Which.
        session: Session,
        /// Why, for people.
        why: String,
    },
    /// Somebody was turned away, or has turned this node away: another cluster, another build, a key that is not allowed.
    Refused {
        /// Who, if that was proved.
        peer: Option<Peer>,
        /// At what address.
        address: String,
        /// Why, for people.
        why: String,
    },
}

/// Who listens to a carrier.
pub trait Hear: Send + Sync + 'static {
    /// Takes in an event. Called on the carrier's own loop: must not block and must not wait.
    fn hear(&self, event: Event);
}

impl<F: Fn(Event) + Send + Sync + 'static> Hear for F {
    fn hear(&self, event: Event) {
        self(event);
    }
}

impl Hear for Arc<dyn Hear> {
    fn hear(&self, event: Event) {
        (**self).hear(event);
    }
}

/// What a node says of itself when a connection begins. Two nodes that do not agree in cluster and build do not talk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Introduction {
    /// The cluster's name, and what all its nodes must have in common.
    pub cluster: String,
    /// Which program it is, so that both mean the same by the same bytes.
    pub build: String,
    /// What people call it; at most 64 bytes.
    pub name: String,
}

impl Introduction {
    /// Why `other` cannot be talked to; nothing if it can.
    #[must_use]
    pub fn objection(&self, other: &Self) -> Option<String> {
        if self.cluster != other.cluster {
            let text =
                format!("it is of cluster `{}`, this node of `{}`", other.cluster, self.cluster);
            return Some(text);
        }
        (self.build != other.build).then(|| {
            format!("it is another build: it is `{}`, this node is `{}`", other.build, self.build)
        })
    }
}
