//! Between machines: TCP, noise and yamux of libp2p, and a stream of our own for each lane.
//!
//! | file | what |
//! |---|---|
//! | `node.rs`, `node/` | what a node knows and does, on a thread of its own: connections, sessions, dialing, wishes |
//! | `lanes.rs` | a stream for each lane of every connection |
//! | `greeting.rs` | how a connection begins, and which of two is kept |
//! | `stream.rs`, `frames.rs` | frames to bytes and back, everything that waits in one write |
//! | `sought.rs`, `address.rs` | whom it seeks, where, and when it dials again |

mod address;
mod frames;
mod greeting;
mod lanes;
mod node;
mod sought;
mod stream;
mod wishes;

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use ::libp2p::Multiaddr;

use crate::event_loop::EventLoop;
use crate::{
    Carrier, FRAME_BYTES_MAX_DEFAULT, Hear, Host, Introduction, LANE_BYTES_DEFAULT, NodeKey, Peer,
};
use wishes::Wishes;

/// How long a connection may be silent before its peer counts as lost, unless told otherwise.
pub const LOST_AFTER_DEFAULT: Duration = Duration::from_secs(5);

/// What a node is to be.
#[derive(Clone, Debug)]
pub struct Settings {
    /// By which it proves who it is.
    pub key: NodeKey,
    /// What it says of itself.
    pub introduction: Introduction,
    /// Where it listens, as `/ip4/127.0.0.1/tcp/0`; port 0 is any that is free. Without any, it can only dial.
    pub listen: Vec<String>,
    /// Who may talk to it, whoever dialed.
    pub allowed: Allowed,
    /// Bytes that may wait in each lane of a connection; by default [`LANE_BYTES_DEFAULT`].
    pub lane_bytes: usize,
    /// Bytes of the largest frame, in both directions; a larger one ends its session. By default
    /// [`FRAME_BYTES_MAX_DEFAULT`]; all nodes of a cluster should have the same.
    pub frame_bytes_max: usize,
    /// How long a peer may be silent before it is lost; by default [`LOST_AFTER_DEFAULT`]. A peer that lives says so four
    /// times in *its* time, so all nodes of a cluster should have the same.
    pub lost_after: Duration,
}

/// Whose keys are let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Allowed {
    /// Everybody's: for nodes that only this machine reaches.
    Any,
    /// Those of these nodes.
    Keys(BTreeSet<Peer>),
}

/// Why a node cannot be.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A text that is no address.
    #[error("{0}")]
    Address(String),
    /// Strangers could come in.
    #[error(
        "{0} is reached from other machines, so the keys that are allowed must be listed: list them, or listen at /ip4/127.0.0.1 alone"
    )]
    Open(String),
    /// The address cannot be had.
    #[error("cannot listen at {address}: {why}")]
    Listen {
        /// Which.
        address: String,
        /// What the system says.
        why: String,
    },
    /// The kernel has no thread for it, or the loop has ended that was to take it in.
    #[error("no event loop for the carrier")]
    Thread(#[source] io::Error),
    /// What libp2p needs could not be made: randomness, or a proof by the key.
    #[error("the carrier cannot be set up: {0}")]
    SetUp(String),
}

/// A node among others, on other machines too. Dropping it ends its connections.
#[derive(Debug)]
pub struct Libp2p {
    me: Peer,
    wishes: Arc<Wishes>,
    _event_loop: EventLoop,
}

impl Settings {
    /// A node that listens at a free port of loopback, lets nobody in yet, and has the default sizes.
    #[must_use]
    pub fn new(key: NodeKey, introduction: Introduction) -> Self {
        Self {
            key,
            introduction,
            listen: vec!["/ip4/127.0.0.1/tcp/0".to_owned()],
            allowed: Allowed::Keys(BTreeSet::new()),
            lane_bytes: LANE_BYTES_DEFAULT,
            frame_bytes_max: FRAME_BYTES_MAX_DEFAULT,
            lost_after: LOST_AFTER_DEFAULT,
        }
    }

    fn listen_addresses(&self) -> Result<Vec<Multiaddr>, StartError> {
        let parsed = self.listen.iter().map(|text| address::to_listen(text));
        let addresses: Vec<_> = parsed.collect::<Result<_, _>>().map_err(StartError::Address)?;
        let open = addresses.iter().find(|address| !address::is_loopback(address));
        match (open, &self.allowed) {
            (Some(open), Allowed::Any) => Err(StartError::Open(open.to_string())),
            (None, _) | (_, Allowed::Keys(_)) => Ok(addresses),
        }
    }
}

impl Allowed {
    /// Whether this node may talk.
    #[must_use]
    pub fn allows(&self, peer: Peer) -> bool {
        match self {
            Self::Any => true,
            Self::Keys(keys) => keys.contains(&peer),
        }
    }
}

impl Libp2p {
    /// Starts a node on a thread of its own; it listens when this returns. `hear` is called on that thread, maybe before this
    /// returns.
    ///
    /// # Errors
    /// [`StartError`] when the node cannot be as it was to be.
    pub fn start(settings: Settings, hear: Arc<dyn Hear>) -> Result<Self, StartError> {
        Self::begin(settings, hear, None)
    }

    /// As [`Self::start`], on an event loop that is shared with others: no thread is woken when those and the network have to
    /// do with each other. What holds up that loop holds up the node; for longer than [`Settings::lost_after`], and its peers
    /// count it as lost. Waits for that loop, so it must not be called there.
    ///
    /// # Errors
    /// As [`Self::start`], and that the loop has ended.
    pub fn start_on(
        host: &dyn Host,
        settings: Settings,
        hear: Arc<dyn Hear>,
    ) -> Result<Self, StartError> {
        Self::begin(settings, hear, Some(host))
    }

    fn begin(
        settings: Settings,
        hear: Arc<dyn Hear>,
        host: Option<&dyn Host>,
    ) -> Result<Self, StartError> {
        let listen = settings.listen_addresses()?;
        let me = settings.key.peer();
        let wishes = Arc::new(Wishes::new(settings.allowed.clone()));
        let (ready, started) = sync_channel(1);
        let of_node = Arc::clone(&wishes);
        let live = move |stop| async move {
            match node::Node::begin(settings, listen, hear, of_node).await {
                Ok(node) => {
                    let _ = ready.send(Ok(()));
                    node.run(stop).await;
                }
                Err(error) => drop(ready.send(Err(error))),
            }
        };
        let event_loop = match host {
            Some(host) => EventLoop::start_on(host, live),
            None => EventLoop::start("libp2p", live),
        };
        let event_loop = event_loop.map_err(StartError::Thread)?;
        let died = |_| StartError::SetUp("its thread ended".to_owned());
        started.recv().map_err(died)??;
        Ok(Self { me, wishes, _event_loop: event_loop })
    }

    /// Whether this node is let in now.
    #[must_use]
    pub fn allows(&self, peer: Peer) -> bool {
        self.wishes.allows(peer)
    }

    /// Lets a node in from now on; says whether that is new. Where everybody is allowed, it is not.
    pub fn allow(&self, peer: Peer) -> bool {
        self.wishes.allow(peer)
    }

    /// Lets a node in no more, and ends the connection to it; says whether it was listed. Where everybody is allowed, nobody
    /// is.
    pub fn disallow(&self, peer: Peer) -> bool {
        self.wishes.disallow(peer)
    }
}

impl Carrier for Libp2p {
    fn me(&self) -> Peer {
        self.me
    }

    /// Those it listens at, with their real ports, and of `0.0.0.0` those of every interface.
    fn addresses(&self) -> Vec<String> {
        self.wishes.addresses()
    }

    /// Addresses are as `/ip4/192.0.2.1/tcp/7000` or `/dns/node-1/tcp/7000`; names are looked up for every attempt.
    fn seek(&self, peer: Peer, addresses: &[String]) -> Result<(), String> {
        let parsed = addresses.iter().map(|text| address::to_dial(text, peer));
        self.wishes.seek(peer, parsed.collect::<Result<Vec<_>, _>>()?);
        Ok(())
    }

    fn forget(&self, peer: Peer) {
        self.wishes.forget(peer);
    }
}
