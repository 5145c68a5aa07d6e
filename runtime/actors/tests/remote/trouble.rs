//! What a test does to connections.

use bytes::Bytes;
use palco_actors::Net;
use palco_transport::{Event, Lane};

use crate::carrier::{Cuts, Hub};

impl Hub {
    /// From now on connections break at points that follow from `seed`, so often, and are made anew.
    pub(crate) fn break_often(&self, seed: u64, times: u32) {
        *self.0.cuts.lock().unwrap() = Some(Cuts { random: seed, left: times });
    }

    pub(crate) fn breaks_left(&self) -> u32 {
        self.0.cuts.lock().unwrap().as_ref().map_or(0, |cuts| cuts.left)
    }

    /// Ends the connection between two nodes; what it has not delivered is lost.
    pub(crate) fn cut(&self, one: &Net, other: &Net) {
        let link = self.0.links.lock().unwrap().remove(&[one.me(), other.me()]);
        self.cut_link(&link.expect("they are connected"));
    }

    /// Sends bytes as if a node had.
    pub(crate) fn forge(&self, from: &Net, to: &Net, lane: Lane, frame: Bytes) {
        let links = self.0.links.lock().unwrap();
        let link = links.get(&[from.me(), to.me()]).or_else(|| links.get(&[to.me(), from.me()]));
        let session = link.expect("they are connected").session;
        drop(links);
        let peer = from.me();
        self.hear(to.me(), Event::Frames { peer, session, lane, frames: vec![frame] });
    }
}
