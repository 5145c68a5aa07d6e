//! Whom a node dials, and when.

use ::libp2p::Multiaddr;
use ::libp2p::swarm::dial_opts::DialOpts;
use ::libp2p::swarm::{ConnectionId, DialError};
use tokio::time::Instant;

use super::super::address::resolve;
use super::super::sought::Sought;
use super::{Node, Told};
use crate::{Peer, other_key};

impl Node {
    /// Takes in what the program wants now.
    pub(super) fn on_wishes(&mut self) {
        let wanted = self.wishes.take();
        let before = std::mem::replace(&mut self.allowed, wanted.allowed);
        for peer in wanted.forgotten {
            self.sought.remove(&peer);
            self.close_all(peer, "this node wants it no more");
        }
        let here = self.sessions.keys().copied();
        let coming = self.connections.values().map(|connection| connection.peer);
        let gone: Vec<Peer> = here
            .chain(coming)
            .filter(|peer| before.allows(*peer) && !self.allowed.allows(*peer))
            .collect();
        for peer in gone {
            self.close_all(peer, "its key is allowed no more");
        }
        let now = Instant::now();
        for (peer, addresses) in wanted.sought {
            let sought = self.sought.entry(peer).or_insert_with(|| Sought::new(now));
            let is_let_in = self.allowed.allows(peer) && !before.allows(peer);
            if sought.addresses != addresses || is_let_in {
                sought.due = now;
            }
            sought.addresses = addresses;
        }
    }

    fn is_idle(&self, peer: Peer, sought: &Sought) -> bool {
        !sought.is_resolving
            && !sought.addresses.is_empty()
            && !self.sessions.contains_key(&peer)
            && !self.dials.values().any(|dialed| *dialed == peer)
    }

    /// When to dial next.
    pub(super) fn dial_next(&self) -> Option<Instant> {
        let idle = self.sought.iter().filter(|(peer, sought)| self.is_idle(**peer, sought));
        idle.map(|(_, sought)| sought.due).min()
    }

    pub(super) fn dial_those_due(&mut self) {
        let now = Instant::now();
        let idle = self.sought.iter().filter(|(peer, sought)| self.is_idle(**peer, sought));
        let due: Vec<Peer> =
            idle.filter(|(_, sought)| sought.due <= now).map(|(peer, _)| *peer).collect();
        for peer in due {
            let Some(sought) = self.sought.get_mut(&peer) else { continue };
            sought.is_resolving = true;
            let addresses = sought.addresses.clone();
            self.tasks.spawn(async move {
                let addresses = resolve(addresses).await;
                Told::Resolved { peer, addresses }
            });
        }
    }

    /// Dials all addresses at once: the first session is kept, by the same rule as when both dial.
    pub(super) fn on_resolved(&mut self, peer: Peer, addresses: Vec<Multiaddr>) {
        let Some(sought) = self.sought.get_mut(&peer) else { return };
        sought.is_resolving = false;
        if self.sessions.contains_key(&peer) {
            return;
        }
        for address in addresses {
            // Without the peer, so that another who answers there is told why nobody talks to it. From a port of its own:
            // two who dial each other from the ports at which they listen can get one connection that both have dialed.
            let dial =
                DialOpts::unknown_peer_id().address(address.clone()).allocate_new_port().build();
            let id = dial.connection_id();
            self.dials.insert(id, peer);
            if let Err(error) = self.swarm.dial(dial) {
                // The swarm leaves out where it listens itself.
                let error = match error {
                    DialError::NoAddresses => DialError::LocalPeerId { address },
                    other => other,
                };
                self.on_dial_failed(id, &error);
            }
        }
        if !self.dials.values().any(|dialed| *dialed == peer) {
            self.failed(peer);
        }
    }

    pub(super) fn on_dial_failed(&mut self, id: ConnectionId, error: &DialError) {
        if let Some(sought) = self.dials.get(&id) {
            tracing::debug!(peer = %sought, %error, "a node was not reached");
            if let DialError::LocalPeerId { address } = error {
                self.refused(self.me, &address.to_string(), &other_key(*sought, self.me));
            }
        }
        self.dialed_in_vain(id);
    }

    /// A dial has come to nothing. With the last one, the next is put off.
    pub(super) fn dialed_in_vain(&mut self, id: ConnectionId) {
        let Some(peer) = self.dials.remove(&id) else { return };
        let is_sought =
            self.sessions.contains_key(&peer) || self.dials.values().any(|dialed| *dialed == peer);
        if !is_sought {
            self.failed(peer);
        }
    }

    fn failed(&mut self, peer: Peer) {
        let lot = self.lots.draw();
        if let Some(sought) = self.sought.get_mut(&peer) {
            sought.failed(Instant::now(), lot);
        }
    }
}
