//! What is known of the other nodes.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use palco_core::Time;
use palco_transport::Peer;
use parking_lot::Mutex;

use super::session::Session;
use crate::Supervisor;
use crate::guard::contained;
use crate::vitals::{AnyCell, Cell};

/// News of a peer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PeerChange {
    /// There is a connection.
    Connected(Peer),
    /// There is none any more.
    Lost(Peer),
}

/// One peer at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PeerView {
    /// Who.
    pub peer: Peer,
    /// What people call it, once it has introduced itself.
    pub name: Option<String>,
    /// The connection's number and since when there is one, by this system's clock.
    pub session: Option<(u64, Time)>,
    /// How many connections there have been.
    pub sessions: u64,
    /// Why the last connection ended, or none came about.
    pub trouble: Option<String>,
    /// Frames and bytes over this connection, to the peer and from it.
    pub sent: (u64, u64),
    /// As [`Self::sent`].
    pub received: (u64, u64),
}

/// As long as it lives, news of peers is told. Made by [`Net::watch`](crate::Net::watch).
#[must_use = "nothing is told any more when it is dropped"]
pub struct Watch {
    watchers: Weak<Watchers>,
    number: u64,
}

type Tell = Arc<dyn Fn(&PeerChange) + Send + Sync>;

/// Who is told of peers.
#[derive(Default)]
pub(super) struct Watchers {
    by_number: Mutex<BTreeMap<u64, Tell>>,
    last: AtomicU64,
}

impl Watchers {
    pub(super) fn add(
        self: &Arc<Self>,
        news: impl Fn(&PeerChange) + Send + Sync + 'static,
    ) -> Watch {
        let number = self.last.fetch_add(1, Ordering::Relaxed);
        self.by_number.lock().insert(number, Arc::new(news));
        Watch { watchers: Arc::downgrade(self), number }
    }

    pub(super) fn tell(&self, change: &PeerChange) {
        let watchers: Vec<_> = self.by_number.lock().values().cloned().collect();
        for watcher in watchers {
            if let Err(text) = contained(|| watcher(change)) {
                tracing::error!(%text, "who was told of a peer panicked");
            }
        }
    }
}

/// What is known of one peer.
#[derive(Default)]
pub(super) struct Known {
    pub(super) session: Option<Arc<Session>>,
    pub(super) name: Option<String>,
    pub(super) sessions: u64,
    pub(super) trouble: Option<String>,
    /// Addresses that want to know when there is a connection, and when not.
    pub(super) relays: Vec<Weak<dyn AnyCell>>,
    pub(super) parent: Option<Weak<Cell<Supervisor>>>,
}

impl Known {
    pub(super) fn living_relays(&mut self) -> Vec<Arc<dyn AnyCell>> {
        self.relays.retain(|relay| relay.strong_count() > 0);
        self.relays.iter().filter_map(Weak::upgrade).collect()
    }

    pub(super) fn view(&self, peer: Peer) -> PeerView {
        let session = self.session.as_ref().filter(|session| !session.is_lost());
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let traffic = session.map(|session| &session.traffic);
        PeerView {
            peer,
            name: self.name.clone(),
            session: session.map(|session| (session.number, session.since)),
            sessions: self.sessions,
            trouble: self.trouble.clone(),
            sent: traffic.map_or((0, 0), |to| (read(&to.frames_sent), read(&to.bytes_sent))),
            received: traffic
                .map_or((0, 0), |from| (read(&from.frames_received), read(&from.bytes_received))),
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if let Some(watchers) = self.watchers.upgrade() {
            watchers.by_number.lock().remove(&self.number);
        }
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").finish_non_exhaustive()
    }
}
