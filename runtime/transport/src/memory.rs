//! A network inside one program.
//!
//! All events of a hub happen on one thread, one after the other. Nothing here looks at a clock: a connection is made when
//! somebody seeks it and nothing stands in the way, and after every change that may have removed what did.

mod links;
mod pump;

use std::fmt;
use std::io;
use std::sync::Arc;

use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use crate::event_loop::EventLoop;
use crate::{Carrier, FRAME_BYTES_MAX_DEFAULT, Hear, Introduction, LANE_BYTES_DEFAULT, Peer};
use links::{Command, Links};

/// What addresses of this carrier begin with; the peer follows.
const SCHEME: &str = "memory:";

/// A network in this program. Cheap to clone; ends with the last clone and the last carrier of it.
#[derive(Clone, Debug)]
pub struct Hub(Arc<Shared>);

/// Sizes of a [`Hub`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Bytes that may wait in each lane of a connection; by default [`LANE_BYTES_DEFAULT`].
    pub lane_bytes: usize,
    /// Bytes of the largest frame; a larger one ends its session. By default [`FRAME_BYTES_MAX_DEFAULT`].
    pub frame_bytes_max: usize,
}

/// One node's carrier in a [`Hub`]. Dropping it ends its connections.
pub struct Memory {
    hub: Hub,
    me: Peer,
    node: u64,
}

struct Shared {
    // Commands come from the program itself, not from a network: their number is that of its calls.
    commands: UnboundedSender<Command>,
    _event_loop: EventLoop,
}

impl Default for Settings {
    fn default() -> Self {
        Self { lane_bytes: LANE_BYTES_DEFAULT, frame_bytes_max: FRAME_BYTES_MAX_DEFAULT }
    }
}

impl Hub {
    /// An empty network.
    ///
    /// # Errors
    /// The kernel's, when its thread cannot be had.
    pub fn new() -> io::Result<Self> {
        Self::with(Settings::default())
    }

    /// As [`Self::new`], with sizes.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn with(settings: Settings) -> io::Result<Self> {
        let (commands, orders) = unbounded_channel();
        let own = commands.downgrade();
        let event_loop = EventLoop::start("memory hub", move |stop| {
            Links::new(settings, own).run(orders, stop)
        })?;
        Ok(Self(Arc::new(Shared { commands, _event_loop: event_loop })))
    }

    /// A carrier for this node. A node that joins while it is there takes its own place: it was started anew.
    #[must_use]
    pub fn join(&self, me: Peer, introduction: Introduction, hear: Arc<dyn Hear>) -> Memory {
        let node = links::node_number();
        self.tell(Command::Join { me, node, introduction, hear });
        Memory { hub: self.clone(), me, node }
    }

    /// Breaks the connection between two nodes, and lets none be made until [`Self::mend`].
    pub fn cut(&self, a: Peer, b: Peer) {
        self.tell(Command::Cut(a, b));
    }

    /// Lets connections between two nodes be made again.
    pub fn mend(&self, a: Peer, b: Peer) {
        self.tell(Command::Mend(a, b));
    }

    fn tell(&self, command: Command) {
        // The loop ends after the last hub alone.
        let _ = self.0.commands.send(command);
    }
}

impl Carrier for Memory {
    fn me(&self) -> Peer {
        self.me
    }

    /// One: `memory:` and the peer.
    fn addresses(&self) -> Vec<String> {
        vec![format!("{SCHEME}{}", self.me)]
    }

    /// A hub knows where all its nodes are: addresses are not needed.
    fn seek(&self, peer: Peer, addresses: &[String]) -> Result<(), String> {
        let at = addresses.iter().map(|address| parse(address)).collect::<Result<_, _>>()?;
        self.hub.tell(Command::Seek { node: self.node, me: self.me, peer, at });
        Ok(())
    }

    fn forget(&self, peer: Peer) {
        self.hub.tell(Command::Forget { node: self.node, me: self.me, peer });
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        self.hub.tell(Command::Leave { node: self.node, me: self.me });
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory").field("me", &self.me).finish_non_exhaustive()
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

fn parse(address: &str) -> Result<Peer, String> {
    let peer = address.strip_prefix(SCHEME).and_then(|peer| peer.parse().ok());
    peer.ok_or_else(|| {
        format!("`{address}` is no address of this carrier: expected `{SCHEME}` and a peer id")
    })
}
