//! What the program wants of a node, and what the node tells it: between the callers' threads and the node's.

use std::collections::{BTreeMap, BTreeSet};
use std::mem;

use ::libp2p::Multiaddr;
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::Allowed;
use crate::Peer;

/// State, not orders: however often it is changed, it is as large as what is wanted.
#[derive(Debug)]
pub(super) struct Wishes {
    wanted: Mutex<Wanted>,
    changed: Notify,
    listening: Mutex<BTreeSet<Multiaddr>>,
}

/// What is wanted now.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    pub(super) sought: BTreeMap<Peer, Vec<Multiaddr>>,
    /// Whose connections are to end, before those who are sought are looked at.
    pub(super) forgotten: BTreeSet<Peer>,
    pub(super) allowed: Allowed,
}

impl Wishes {
    pub(super) fn new(allowed: Allowed) -> Self {
        let wanted = Wanted { sought: BTreeMap::new(), forgotten: BTreeSet::new(), allowed };
        Self { wanted: Mutex::new(wanted), changed: Notify::new(), listening: Mutex::default() }
    }

    pub(super) fn seek(&self, peer: Peer, addresses: Vec<Multiaddr>) {
        let mut wanted = self.wanted.lock();
        let known = wanted.sought.entry(peer).or_default();
        for address in addresses {
            if !known.contains(&address) {
                known.push(address);
            }
        }
        drop(wanted);
        self.changed.notify_one();
    }

    pub(super) fn forget(&self, peer: Peer) {
        let mut wanted = self.wanted.lock();
        wanted.sought.remove(&peer);
        wanted.forgotten.insert(peer);
        drop(wanted);
        self.changed.notify_one();
    }

    pub(super) fn allows(&self, peer: Peer) -> bool {
        self.wanted.lock().allowed.allows(peer)
    }

    pub(super) fn allow(&self, peer: Peer) -> bool {
        self.change_allowed(|keys| keys.insert(peer))
    }

    pub(super) fn disallow(&self, peer: Peer) -> bool {
        self.change_allowed(|keys| keys.remove(&peer))
    }

    fn change_allowed(&self, change: impl FnOnce(&mut BTreeSet<Peer>) -> bool) -> bool {
        let is_changed = match &mut self.wanted.lock().allowed {
            Allowed::Any => false,
            Allowed::Keys(keys) => change(keys),
        };
        if is_changed {
            self.changed.notify_one();
        }
        is_changed
    }

    /// Waits until something changed since it was last called. Cancel-safe.
    pub(super) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// What is wanted now; those forgotten are told once.
    pub(super) fn take(&self) -> Wanted {
        let mut wanted = self.wanted.lock();
        let forgotten = mem::take(&mut wanted.forgotten);
        Wanted { forgotten, ..wanted.clone() }
    }

    pub(super) fn addresses(&self) -> Vec<String> {
        self.listening.lock().iter().map(Multiaddr::to_string).collect()
    }

    pub(super) fn listens(&self, address: Multiaddr) {
        self.listening.lock().insert(address);
    }

    pub(super) fn listens_no_more(&self, address: &Multiaddr) {
        self.listening.lock().remove(address);
    }
}
