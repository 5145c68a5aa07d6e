//! Nodes that are found on the local network: sought if their keys are allowed, now or later.

use std::collections::BTreeMap;
use std::sync::Arc;

use palco_actors::SpawnError;
use palco_transport::mdns::{Found, Mdns, MdnsError};
use palco_transport::{Carrier, Peer};
use parking_lot::Mutex;

use crate::NODES_MAX;
use crate::clerk::Office;

/// Who was found, and where. Looks for more as long as this is kept.
#[derive(Debug)]
pub(crate) struct Neighbours {
    found: Arc<Mutex<BTreeMap<Peer, Vec<String>>>>,
    _mdns: Mdns,
}

impl Neighbours {
    /// Announces this node to those of the same cluster, and looks for them.
    pub(crate) fn look(office: &Office, cluster: &str) -> Result<Self, MdnsError> {
        let found: Arc<Mutex<BTreeMap<Peer, Vec<String>>>> = Arc::default();
        let (known, of_office) = (Arc::clone(&found), office.clone());
        let on_found = move |Found { peer, addresses }: Found| {
            let mut known = known.lock();
            // Whoever is on the network can say that he is many.
            if known.len() >= NODES_MAX && !known.contains_key(&peer) {
                return;
            }
            known.insert(peer, addresses.clone());
            drop(known);
            if of_office.carrier.allows(peer)
                && let Err(error) = of_office.open(peer, &addresses)
            {
                tracing::warn!(%peer, %error, "there is no way to it");
            }
        };
        let mdns = Mdns::start(office.me, cluster, &office.carrier.addresses(), on_found)?;
        Ok(Self { found, _mdns: mdns })
    }

    /// Seeks a node that was let in just now, if it was found before.
    pub(crate) fn open(&self, office: &Office, peer: Peer) -> Result<(), SpawnError> {
        let addresses = self.found.lock().get(&peer).cloned();
        addresses.map_or(Ok(()), |addresses| office.open(peer, &addresses))
    }
}
