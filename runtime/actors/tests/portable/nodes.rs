//! A node beside that of a test, over every carrier.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use palco_actors::{Net, System};
use palco_transport::faulty::{Delays, Faulty, Plan};
use palco_transport::libp2p::{Allowed, Libp2p, Settings};
use palco_transport::memory::Hub;
use palco_transport::{Carrier, Hear, Introduction, Lane, NodeKey};

use crate::cable::{ADDRESSES, Namespaces};
use crate::stage::until;

/// What is between two nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Between {
    /// The memory of this program.
    Memory,
    /// TCP over loopback, encrypted.
    Loopback,
    /// The same with frames that are held up, now and then, in every lane.
    Delays,
    /// The same over a cable between two network namespaces.
    Cable,
}

/// A node that hosts the lives of another's actors.
pub(crate) struct OtherNode {
    pub(crate) system: System,
    pub(crate) net: Net,
    /// Removed last.
    _namespaces: Option<Namespaces>,
}

/// What two carriers are made with.
struct Making {
    between: Between,
    keys: [NodeKey; 2],
    hub: Hub,
    namespaces: Option<Namespaces>,
}

impl OtherNode {
    /// Connected with a node that `system` gets.
    pub(crate) async fn beside(system: &System, between: Between) -> Self {
        let other = System::builder().event_loops(2).build().unwrap();
        let making = Making {
            between,
            keys: [NodeKey::generate(), NodeKey::generate()],
            hub: Hub::new().unwrap(),
            namespaces: (between == Between::Cable).then(Namespaces::new),
        };
        let here = system.join(|hear| making.carrier(0, hear)).unwrap();
        let there = other.join(|hear| making.carrier(1, hear)).unwrap();
        there.host(true);
        here.carrier().seek(there.me(), &there.carrier().addresses()).unwrap();
        let meets = |net: &Net| net.peers().iter().any(|peer| peer.session.is_some());
        until(|| meets(&here) && meets(&there)).await;
        Self { system: other, net: there, _namespaces: making.namespaces }
    }
}

impl Making {
    /// Of the node in place 0 or 1.
    fn carrier(&self, place: usize, hear: Arc<dyn Hear>) -> io::Result<Arc<dyn Carrier>> {
        let introduction = Introduction {
            cluster: "test".to_owned(),
            build: palco_actors::build(),
            name: format!("node {place}"),
        };
        let key = self.keys[place].clone();
        if self.between == Between::Memory {
            return Ok(Arc::new(self.hub.join(key.peer(), introduction, hear)));
        }
        let mut settings = Settings {
            allowed: Allowed::Keys(self.keys.iter().map(NodeKey::peer).collect()),
            ..Settings::new(key, introduction)
        };
        if let Some(namespaces) = &self.namespaces {
            settings.listen = vec![format!("/ip4/{}/tcp/0", ADDRESSES[place])];
            return namespaces.inside(place, move || start(settings, hear).map(shared));
        }
        if self.between == Between::Loopback {
            return start(settings, hear).map(shared);
        }
        let lanes = Lane::ALL.to_vec();
        let delays = Delays { lanes, one_in: 20, longest: Duration::from_millis(2) };
        let plan = Plan { seed: 7, delays: Some(delays), ..Plan::default() };
        Faulty::start(plan, hear, |hear| start(settings, hear)).map(shared)
    }
}

fn start(settings: Settings, hear: Arc<dyn Hear>) -> io::Result<Libp2p> {
    Libp2p::start(settings, hear).map_err(io::Error::other)
}

fn shared(carrier: impl Carrier) -> Arc<dyn Carrier> {
    Arc::new(carrier)
}
