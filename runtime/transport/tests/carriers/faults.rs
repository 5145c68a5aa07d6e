//! What the decorator breaks, and what it leaves whole.

use std::io;

use bytes::Bytes;
use palco_transport::faulty::{Faulty, Plan};
use palco_transport::memory::Hub;
use palco_transport::{Carrier, Event, Lane, NodeKey};

use crate::heard::{Heard, frames, push};
use crate::nets::introduction;

pub(crate) const TESTS: &[(&str, fn())] = &[
    (
        "a_cut_session_has_delivered_a_beginning_of_each_lane",
        a_cut_session_has_delivered_a_beginning_of_each_lane,
    ),
    ("a_hub_cuts_and_mends", a_hub_cuts_and_mends),
];

fn a_cut_session_has_delivered_a_beginning_of_each_lane() {
    const SESSIONS: usize = 20;
    let (hub, heard_a, heard_b) = (Hub::new().expect("a thread"), Heard::new(), Heard::new());
    let (key_a, key_b) = (NodeKey::generate().peer(), NodeKey::generate().peer());
    let plan = Plan { seed: 3, cut_after: Some(10..=300), ..Plan::default() };
    let make = |hear| io::Result::Ok(hub.join(key_a, introduction("c", "b"), hear));
    let a = Faulty::start(plan, heard_a.clone(), make).expect("a thread");
    let _b = hub.join(key_b, introduction("c", "b"), heard_b.clone());
    a.seek(key_b, &[]).expect("no address is needed");
    for nth in 0..SESSIONS {
        let (session, outbox) = heard_a.connected(key_b, nth);
        let mut number = 0_u32;
        // One of them meets the cut.
        while Lane::ALL.iter().all(|lane| push(&outbox, *lane, frame(number)).is_ok()) {
            number += 1;
        }
        heard_a.lost(session);
        heard_b.lost(session);
        let mut delivered = 0;
        for lane in Lane::ALL {
            let came = heard_b.now(|events| frames(events, session, lane));
            delivered += came.len();
            assert!(
                came.into_iter().eq((0..).map(frame).take(delivered_in(&heard_b, session, lane)))
            );
        }
        assert!(delivered <= 300, "{delivered} frames came of a session that is cut before");
    }
}

fn delivered_in(heard: &Heard, session: u64, lane: Lane) -> usize {
    heard.now(|events| frames(events, session, lane).len())
}

fn frame(number: u32) -> Bytes {
    Bytes::copy_from_slice(&number.to_le_bytes())
}

fn a_hub_cuts_and_mends() {
    let (hub, heard_a, heard_b) = (Hub::new().expect("a thread"), Heard::new(), Heard::new());
    let (a, b) = (NodeKey::generate().peer(), NodeKey::generate().peer());
    let carrier_a = hub.join(a, introduction("c", "b"), heard_a.clone());
    let _carrier_b = hub.join(b, introduction("c", "b"), heard_b.clone());
    carrier_a.seek(b, &[]).expect("no address is needed");
    let (of_a, to_b) = heard_a.connected(b, 0);
    hub.cut(b, a);
    heard_a.lost(of_a);
    assert!(push(&to_b, Lane::Normal, frame(1)).is_err());
    // Sought again, it stays cut: what came of it would come before what the mending brings.
    carrier_a.seek(b, &[]).expect("no address is needed");
    hub.mend(a, b);
    let (of_a, _) = heard_a.connected(b, 1);
    let order = |event: &Event| match event {
        Event::Connected { session, .. } | Event::Frames { session, .. } => Some((true, *session)),
        Event::Lost { session, .. } => Some((false, *session)),
        Event::Refused { .. } => None,
    };
    let seen = heard_a.now(|events| events.iter().filter_map(order).collect::<Vec<_>>());
    assert_eq!(seen, [(true, of_a - 1), (false, of_a - 1), (true, of_a)]);
}
