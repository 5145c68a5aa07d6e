//! Two nodes with a cable between them: pulled out, and not known before.

use std::sync::mpsc::channel;
use std::time::Duration;

use bytes::Bytes;
use palco_transport::libp2p::{Allowed, Settings};
use palco_transport::mdns::{Found, Mdns};
use palco_transport::{Carrier, Lane, NodeKey};

use crate::cable::{ADDRESSES, Namespaces, ip};
use crate::heard::{Heard, push};
use crate::nets::{introduction, start};

pub(crate) const TESTS: &[(&str, fn())] = &[
    (
        "a_peer_behind_a_pulled_cable_is_lost_and_found_again",
        a_peer_behind_a_pulled_cable_is_lost_and_found_again,
    ),
    (
        "nodes_of_a_cluster_find_each_other_on_the_local_network",
        nodes_of_a_cluster_find_each_other_on_the_local_network,
    ),
];

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

fn nodes_of_a_cluster_find_each_other_on_the_local_network() {
    let namespaces = Namespaces::new();
    let at = |place: usize, port: u16| vec![format!("/ip4/{}/tcp/{port}", ADDRESSES[place])];
    let look = |place: usize, cluster: &'static str, port: u16| {
        let (found, heard) = channel();
        let me = NodeKey::generate().peer();
        let listen = at(place, port);
        let mdns = namespaces.inside(place, move || {
            // Who is told too late has ended.
            Mdns::start(me, cluster, &listen, move |node| drop(found.send(node)))
        });
        (me, mdns.expect("a network"), heard)
    };
    let (_stranger, _announces, _) = look(1, "another", 7009);
    let (a, _announced, heard_of_a) = look(0, "c", 7001);
    let (b, _announced_too, heard_of_b) = look(1, "c", 7002);
    for (heard, peer, addresses) in [(heard_of_a, b, at(1, 7002)), (heard_of_b, a, at(0, 7001))] {
        let found = heard.recv_timeout(Duration::from_secs(60)).expect("it is found");
        assert_eq!(found, Found { peer, addresses });
    }
}
