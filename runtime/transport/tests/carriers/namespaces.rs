//! Two nodes between which a cable is pulled.

use std::time::Duration;

use bytes::Bytes;
use palco_transport::libp2p::{Allowed, Settings};
use palco_transport::{Carrier, Lane, NodeKey};

use crate::cable::{ADDRESSES, Namespaces, ip};
use crate::heard::{Heard, push};
use crate::nets::{introduction, start};

pub(crate) const TESTS: &[(&str, fn())] = &[(
    "a_peer_behind_a_pulled_cable_is_lost_and_found_again",
    a_peer_behind_a_pulled_cable_is_lost_and_found_again,
)];

impl Namespaces {
    fn set_cable(&self, state: &str) {
        ip(&["-n", &self.names[0], "link", "set", "cable", state]).expect("the cable is there");
    }
}

fn a_peer_behind_a_pulled_cable_is_lost_and_found_again() {
    let namespaces = Namespaces::new();
    let keys = [NodeKey::generate(), NodeKey::generate()];
    let known = keys.each_ref().map(NodeKey::peer);
    let heard = [Heard::new(), Heard::new()];
    let [a, b] = [0, 1].map(|place: usize| {
        let settings = Settings {
            listen: vec![format!("/ip4/{}/tcp/0", ADDRESSES[place])],
            allowed: Allowed::Keys(known.into()),
            lost_after: Duration::from_secs(1),
            ..Settings::new(keys[place].clone(), introduction("c", "b"))
        };
        namespaces.inside(place, || start(settings, heard[place].clone()))
    });
    a.seek(b.me(), &b.addresses()).expect("its addresses");
    let (of_a, _) = heard[0].connected(b.me(), 0);
    let (of_b, _) = heard[1].connected(a.me(), 0);
    // Nothing is sent, and no packet says that it is over.
    namespaces.set_cable("down");
    heard[0].lost(of_a);
    heard[1].lost(of_b);
    namespaces.set_cable("up");
    let (_, to_b) = heard[0].connected(b.me(), 1);
    let (of_b, _) = heard[1].connected(a.me(), 1);
    push(&to_b, Lane::Normal, Bytes::from_static(b"again")).expect("a new session");
    assert_eq!(heard[1].frames(of_b, Lane::Normal, 1), [&b"again"[..]]);
}
