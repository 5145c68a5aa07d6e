//! Networks of two or more nodes, of every kind.

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use palco_transport::faulty::{Delays, Faulty, Plan};
use palco_transport::libp2p::{Allowed, Libp2p, Settings};
use palco_transport::memory::{self, Hub};
use palco_transport::{Carrier, Introduction, Lane, NodeKey, Peer};

use crate::cable::{ADDRESSES, Namespaces};
use crate::heard::Heard;

/// Which carrier, and between what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Memory,
    /// In one program, over loopback.
    Libp2p,
    /// In one program, but each node's thread in a network namespace of its own, with a cable between.
    Namespaces,
    /// Delays, over memory.
    FaultyMemory,
    /// Delays, over loopback.
    FaultyLibp2p,
}

/// A network of one kind.
pub(crate) struct Net {
    kind: Kind,
    sizes: memory::Settings,
    hub: Option<Hub>,
    namespaces: Option<Namespaces>,
}

/// A node in it.
pub(crate) struct Node {
    pub(crate) carrier: Box<dyn Carrier>,
    pub(crate) heard: Arc<Heard>,
    pub(crate) peer: Peer,
}

impl Kind {
    pub(crate) const ALL: [Self; 5] =
        [Self::Memory, Self::Libp2p, Self::Namespaces, Self::FaultyMemory, Self::FaultyLibp2p];
}

impl Net {
    pub(crate) fn new(kind: Kind) -> Self {
        Self::with(kind, memory::Settings::default())
    }

    /// The same kind of network, with other sizes.
    pub(crate) fn sized(&self, sizes: memory::Settings) -> Self {
        Self::with(self.kind, sizes)
    }

    fn with(kind: Kind, sizes: memory::Settings) -> Self {
        let (hub, namespaces) = match kind {
            Kind::Memory | Kind::FaultyMemory => (Some(Hub::with(sizes).expect("a thread")), None),
            Kind::Namespaces => (None, Some(Namespaces::new())),
            Kind::Libp2p | Kind::FaultyLibp2p => (None, None),
        };
        Self { kind, sizes, hub, namespaces }
    }

    /// Two nodes that know each other's keys and have nothing against each other; the first has the lesser key.
    pub(crate) fn pair(&self) -> [Node; 2] {
        self.pair_of([introduction("c", "b"), introduction("c", "b")])
    }

    pub(crate) fn pair_of(&self, introductions: [Introduction; 2]) -> [Node; 2] {
        let mut keys = [NodeKey::generate(), NodeKey::generate()];
        keys.sort_by_key(NodeKey::peer);
        let known: Vec<Peer> = keys.iter().map(NodeKey::peer).collect();
        let mut nodes = keys.into_iter().zip(introductions).enumerate();
        let mut node = || {
            let (place, (key, introduction)) = nodes.next().expect("two");
            self.node(key, introduction, &known, place)
        };
        [node(), node()]
    }

    /// A node in place 0 or 1, who allows those it knows.
    pub(crate) fn node(
        &self,
        key: NodeKey,
        introduction: Introduction,
        known: &[Peer],
        place: usize,
    ) -> Node {
        let (heard, peer) = (Heard::new(), key.peer());
        let hear = Arc::clone(&heard);
        let carrier: Box<dyn Carrier> = match self.kind {
            Kind::Memory => Box::new(self.hub().join(peer, introduction, hear)),
            Kind::Libp2p => Box::new(start(self.settings(key, introduction, known), hear)),
            Kind::Namespaces => {
                let mut settings = self.settings(key, introduction, known);
                settings.listen = vec![format!("/ip4/{}/tcp/0", ADDRESSES[place])];
                let namespaces = self.namespaces.as_ref().expect("made for this kind");
                Box::new(namespaces.inside(place, move || start(settings, hear)))
            }
            Kind::FaultyMemory => {
                let make = |hear| io::Result::Ok(self.hub().join(peer, introduction, hear));
                Box::new(Faulty::start(self.plan(), hear, make).expect("a thread"))
            }
            Kind::FaultyLibp2p => {
                let settings = self.settings(key, introduction, known);
                let make = |hear| Libp2p::start(settings, hear).map_err(io::Error::other);
                Box::new(Faulty::start(self.plan(), hear, make).expect("a free port"))
            }
        };
        Node { carrier, heard, peer }
    }

    fn hub(&self) -> &Hub {
        self.hub.as_ref().expect("made for this kind")
    }

    fn plan(&self) -> Plan {
        let delays =
            Delays { lanes: Lane::ALL.to_vec(), one_in: 50, longest: Duration::from_millis(3) };
        Plan { seed: 7, delays: Some(delays), lane_bytes: self.sizes.lane_bytes, ..Plan::default() }
    }

    fn settings(&self, key: NodeKey, introduction: Introduction, known: &[Peer]) -> Settings {
        Settings {
            allowed: Allowed::Keys(BTreeSet::from_iter(known.iter().copied())),
            lane_bytes: self.sizes.lane_bytes,
            frame_bytes_max: self.sizes.frame_bytes_max,
            ..Settings::new(key, introduction)
        }
    }
}

pub(crate) fn start(settings: Settings, hear: Arc<Heard>) -> Libp2p {
    Libp2p::start(settings, hear).expect("a free port")
}

impl Node {
    pub(crate) fn seek(&self, other: &Self) {
        let addresses = other.carrier.addresses();
        assert!(!addresses.is_empty(), "it listens when it has started");
        self.carrier.seek(other.peer, &addresses).expect("its own addresses");
    }
}

pub(crate) fn introduction(cluster: &str, build: &str) -> Introduction {
    Introduction { cluster: cluster.to_owned(), build: build.to_owned(), name: "n".to_owned() }
}
