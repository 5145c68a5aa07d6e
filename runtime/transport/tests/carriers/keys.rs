//! Who may talk over libp2p, and what is no way to start.

use std::collections::BTreeSet;
use std::net::TcpListener;

use bytes::Bytes;
use palco_transport::libp2p::{Allowed, Libp2p, Settings, StartError};
use palco_transport::{Carrier, Lane, NodeKey};

use crate::heard::{Heard, push};
use crate::nets::{introduction, start};

pub(crate) const TESTS: &[(&str, fn())] = &[
    (
        "a_key_that_is_not_allowed_is_refused_until_it_is",
        a_key_that_is_not_allowed_is_refused_until_it_is,
    ),
    ("everybody_is_allowed_on_loopback_only", everybody_is_allowed_on_loopback_only),
    ("an_address_that_cannot_be_had_is_named", an_address_that_cannot_be_had_is_named),
    (
        "a_receiver_with_a_smaller_limit_ends_the_session",
        a_receiver_with_a_smaller_limit_ends_the_session,
    ),
    ("nobody_talks_to_itself", nobody_talks_to_itself),
    ("a_name_is_an_address_too", a_name_is_an_address_too),
];

fn settings(allowed: Allowed) -> Settings {
    Settings { allowed, ..Settings::new(NodeKey::generate(), introduction("c", "b")) }
}

fn a_key_that_is_not_allowed_is_refused_until_it_is() {
    let (heard_a, heard_b) = (Heard::new(), Heard::new());
    let a = start(settings(Allowed::Any), heard_a.clone());
    let b = start(settings(Allowed::Keys(BTreeSet::new())), heard_b.clone());
    a.seek(b.me(), &b.addresses()).expect("its addresses");
    let ((who_a, why_a), (who_b, why_b)) = (heard_a.refused(), heard_b.refused());
    assert_eq!((who_a, who_b), (Some(b.me()), Some(a.me())));
    assert_eq!(why_a, why_b, "both have the same words");
    assert!(why_a.contains(&a.me().to_string()) && why_a.contains("allow"), "{why_a}");
    assert_eq!(heard_b.connections(a.me()), 0);

    assert!(b.allow(a.me()) && !b.allow(a.me()) && !a.allow(b.me()));
    let (of_a, _) = heard_a.connected(b.me(), 0);
    let (of_b, _) = heard_b.connected(a.me(), 0);
    assert!(b.disallow(a.me()) && !b.disallow(a.me()));
    assert!(heard_b.lost(of_b).contains("allowed"));
    heard_a.lost(of_a);
}

fn everybody_is_allowed_on_loopback_only() {
    for listen in ["/ip4/0.0.0.0/tcp/0", "/ip6/::/tcp/0"] {
        let open = Settings { listen: vec![listen.to_owned()], ..settings(Allowed::Any) };
        let error = Libp2p::start(open, Heard::new()).expect_err("strangers could come in");
        assert!(matches!(error, StartError::Open(_)));
        assert!(error.to_string().contains("list them"), "{error}");
    }
}

fn an_address_that_cannot_be_had_is_named() {
    let holder = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = holder.local_addr().expect("bound").port();
    let taken = format!("/ip4/127.0.0.1/tcp/{port}");
    for wrong in [taken, "127.0.0.1:7000".to_owned()] {
        let settings = Settings { listen: vec![wrong.clone()], ..settings(Allowed::Any) };
        let error = Libp2p::start(settings, Heard::new()).expect_err("it cannot listen there");
        assert!(error.to_string().contains(&wrong), "{error}");
    }
}

fn a_receiver_with_a_smaller_limit_ends_the_session() {
    let (heard_a, heard_b) = (Heard::new(), Heard::new());
    let a = start(settings(Allowed::Any), heard_a.clone());
    let b = Settings { frame_bytes_max: 1000, ..settings(Allowed::Any) };
    let b = start(b, heard_b.clone());
    a.seek(b.me(), &b.addresses()).expect("its addresses");
    let (of_a, to_b) = heard_a.connected(b.me(), 0);
    let (of_b, _) = heard_b.connected(a.me(), 0);
    push(&to_b, Lane::Bulk, vec![0; 1001].into()).expect("the session lasts");
    let why = heard_b.lost(of_b);
    assert!(why.contains("1001 bytes"), "{why}");
    heard_a.lost(of_a);
    let (of_b, _) = heard_b.connected(a.me(), 1);
    let (_, to_b) = heard_a.connected(b.me(), 1);
    push(&to_b, Lane::Bulk, vec![0; 1000].into()).expect("a new session");
    assert_eq!(heard_b.frames(of_b, Lane::Bulk, 1), [&vec![0; 1000][..]]);
}

fn nobody_talks_to_itself() {
    let heard = Heard::new();
    let a = start(settings(Allowed::Any), heard.clone());
    let sought = NodeKey::generate().peer();
    a.seek(sought, &a.addresses()).expect("its own addresses");
    let (who, why) = heard.refused();
    assert_eq!(who, Some(a.me()));
    assert!(why.contains(&sought.to_string()), "{why}");
}

fn a_name_is_an_address_too() {
    let (heard_a, heard_b) = (Heard::new(), Heard::new());
    let a = start(settings(Allowed::Any), heard_a.clone());
    let b = start(settings(Allowed::Any), heard_b.clone());
    let named = b.addresses()[0].replace("/ip4/127.0.0.1", "/dns4/localhost");
    a.seek(b.me(), &[format!("{named}/p2p/{}", b.me())]).expect("a name is an address");
    let (_, to_b) = heard_a.connected(b.me(), 0);
    let (of_b, _) = heard_b.connected(a.me(), 0);
    push(&to_b, Lane::Normal, Bytes::new()).expect("the session lasts");
    assert_eq!(heard_b.frames(of_b, Lane::Normal, 1), [Bytes::new()], "an empty frame is a frame");
}
