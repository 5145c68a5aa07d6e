//! What every carrier promises.

use std::thread;

use bytes::Bytes;
use palco_threads::block_on;
use palco_transport::{Event, Lane, NodeKey, Outbox, PushError, Session, memory};

use crate::Test;
use crate::heard::{Heard, push};
use crate::nets::{Net, Node, introduction};

pub(crate) const TESTS: [(&str, Test); 11] = [
    ("each_lane_keeps_its_order_and_loses_nothing", each_lane_keeps_its_order_and_loses_nothing),
    ("a_flood_does_not_delay_what_is_urgent", a_flood_does_not_delay_what_is_urgent),
    ("a_full_lane_says_so_and_then_has_room", a_full_lane_says_so_and_then_has_room),
    ("two_who_seek_each_other_have_one_session", two_who_seek_each_other_have_one_session),
    ("a_closed_session_is_followed_by_another", a_closed_session_is_followed_by_another),
    ("another_cluster_is_refused_on_both_sides", another_cluster_is_refused_on_both_sides),
    ("another_build_is_refused_on_both_sides", another_build_is_refused_on_both_sides),
    ("a_frame_too_large_ends_its_session_alone", a_frame_too_large_ends_its_session_alone),
    ("an_address_of_another_node_is_refused", an_address_of_another_node_is_refused),
    ("a_forgotten_peer_is_there_again_when_sought", a_forgotten_peer_is_there_again_when_sought),
    ("a_node_that_was_started_anew_is_found", a_node_that_was_started_anew_is_found),
];

const COUNT: u32 = 2000;

/// Two nodes that are connected, each with its session and outbox.
fn connected(net: &Net) -> [(Node, Session, Outbox); 2] {
    let [a, b] = net.pair();
    a.seek(&b);
    let (of_a, to_b) = a.heard.connected(b.peer, 0);
    let (of_b, to_a) = b.heard.connected(a.peer, 0);
    [(a, of_a, to_b), (b, of_b, to_a)]
}

/// A frame that tells its number, of a length that depends on it.
fn numbered(number: u32) -> Bytes {
    let mut frame = number.to_le_bytes().to_vec();
    frame.resize(4 + usize::try_from(number % 1500).expect("small"), 0xAB);
    frame.into()
}

fn send_all(outbox: &Outbox, lane: Lane) {
    for number in 0..COUNT {
        push(outbox, lane, numbered(number)).expect("the session lasts");
    }
}

fn assert_all_came(heard: &Heard, session: Session, lane: Lane) {
    let count = usize::try_from(COUNT).expect("small");
    let frames = heard.frames(session, lane, count);
    let sent: Vec<Bytes> = (0..COUNT).map(numbered).collect();
    assert!(frames == sent, "{lane:?}: {} frames came, not those that were sent", frames.len());
}

fn each_lane_keeps_its_order_and_loses_nothing(net: &Net) {
    let [(a, of_a, to_b), (b, of_b, to_a)] = connected(net);
    thread::scope(|scope| {
        for (outbox, lane) in Lane::ALL.into_iter().flat_map(|lane| [(&to_a, lane), (&to_b, lane)])
        {
            scope.spawn(move || send_all(outbox, lane));
        }
    });
    for lane in Lane::ALL {
        assert_all_came(&b.heard, of_b, lane);
        assert_all_came(&a.heard, of_a, lane);
    }
}

fn a_flood_does_not_delay_what_is_urgent(net: &Net) {
    const FLOOD: usize = 64 << 20;
    const FRAME: usize = 64 << 10;
    let net = net.sized(memory::Settings { lane_bytes: 2 * FLOOD, ..memory::Settings::default() });
    let [(_a, _, to_b), (b, of_b, _)] = connected(&net);
    b.heard.hold(Lane::Bulk);
    let flood = Bytes::from(vec![0; FRAME]);
    to_b.try_push(Lane::Bulk, flood.clone()).expect("an empty lane");
    // It has come to the other side, and the rest queues up behind it.
    b.heard.wait_until_held();
    for _ in 1..FLOOD / FRAME {
        to_b.try_push(Lane::Bulk, flood.clone()).expect("room for all");
    }
    to_b.try_push(Lane::Urgent, Bytes::from_static(b"urgent")).expect("a lane of its own");
    b.heard.release();
    assert_eq!(b.heard.frames(of_b, Lane::Bulk, FLOOD / FRAME).len(), FLOOD / FRAME);
    b.heard.frames(of_b, Lane::Urgent, 1);
    let last = |of: Lane| {
        let is_of = |event: &Event| matches!(event, Event::Frames { lane, .. } if *lane == of);
        b.heard.now(|events| events.iter().rposition(is_of))
    };
    assert!(last(Lane::Urgent) < last(Lane::Bulk), "the urgent frame came after the flood");
}

fn a_full_lane_says_so_and_then_has_room(net: &Net) {
    let net = net.sized(memory::Settings { lane_bytes: 1 << 20, ..memory::Settings::default() });
    let [(_a, _, to_b), (b, of_b, _)] = connected(&net);
    b.heard.hold(Lane::Bulk);
    let mut sent = 0_u32;
    let frame = |number: u32| {
        let mut frame = number.to_le_bytes().to_vec();
        frame.resize(64 << 10, 0);
        Bytes::from(frame)
    };
    // Whatever lies between the two fills first.
    let (room, back) = loop {
        let room = to_b.room();
        match to_b.try_push(Lane::Bulk, frame(sent)) {
            Ok(()) => sent += 1,
            // The carrier may have taken all of it just now.
            Err(PushError::Full(back)) => break (room, back),
            Err(PushError::Closed(_)) => panic!("nobody ended it"),
        }
    };
    assert_eq!(back, frame(sent));
    b.heard.release();
    block_on(room);
    push(&to_b, Lane::Bulk, back).expect("the session lasts");
    let came = b.heard.frames(of_b, Lane::Bulk, usize::try_from(sent + 1).expect("small"));
    assert!(came.into_iter().eq((0..=sent).map(frame)), "all came, in order");
}

fn two_who_seek_each_other_have_one_session(net: &Net) {
    for _ in 0..5 {
        let [a, b] = net.pair();
        thread::scope(|scope| {
            scope.spawn(|| a.seek(&b));
            scope.spawn(|| b.seek(&a));
        });
        let (of_a, to_b) = a.heard.connected(b.peer, 0);
        let (of_b, to_a) = b.heard.connected(a.peer, 0);
        for trip in 1..=100 {
            push(&to_b, Lane::Normal, Bytes::from_static(b"there")).expect("the session lasts");
            b.heard.frames(of_b, Lane::Normal, trip);
            push(&to_a, Lane::Normal, Bytes::from_static(b"back")).expect("the session lasts");
            a.heard.frames(of_a, Lane::Normal, trip);
        }
        assert_eq!((a.heard.connections(b.peer), b.heard.connections(a.peer)), (1, 1));
    }
}

fn a_closed_session_is_followed_by_another(net: &Net) {
    let [(a, mut of_a, mut to_b), (b, mut of_b, mut to_a)] = connected(net);
    for nth in 1..4 {
        // Either side may end it.
        if nth % 2 == 0 {
            to_a.close()
        } else {
            to_b.close()
        }
        a.heard.lost(of_a);
        b.heard.lost(of_b);
        assert!(
            to_a.is_closed() && to_b.is_closed(),
            "both outboxes are of the session that ended"
        );
        let before = (of_a, of_b);
        (of_a, to_b) = a.heard.connected(b.peer, nth);
        (of_b, to_a) = b.heard.connected(a.peer, nth);
        assert!(of_a > before.0 && of_b > before.1, "the next session has a larger number");
        push(&to_b, Lane::Urgent, Bytes::from_static(b"again")).expect("a new session");
        assert_eq!(b.heard.frames(of_b, Lane::Urgent, 1), [&b"again"[..]]);
    }
}

/// Both are told, each in its own words, what the two of them do not share.
fn assert_refused(net: &Net, ours: (&str, &str), theirs: (&str, &str), shared_words: &str) {
    let [a, b] = net.pair_of([introduction(ours.0, ours.1), introduction(theirs.0, theirs.1)]);
    a.seek(&b);
    for (node, peer) in [(&a, &b), (&b, &a)] {
        let (who, why) = node.heard.refused();
        assert_eq!(who, Some(peer.peer));
        for words in [shared_words.to_owned(), quoted(ours, theirs), quoted(theirs, ours)] {
            assert!(why.contains(&words), "`{why}` does not say {words}");
        }
        assert_eq!(node.heard.connections(peer.peer), 0);
    }
}

/// What the first has and the second has not.
fn quoted(ours: (&str, &str), theirs: (&str, &str)) -> String {
    format!("`{}`", if ours.0 == theirs.0 { ours.1 } else { ours.0 })
}

fn another_cluster_is_refused_on_both_sides(net: &Net) {
    assert_refused(net, ("red", "1"), ("blue", "1"), "cluster");
}

fn another_build_is_refused_on_both_sides(net: &Net) {
    assert_refused(net, ("red", "old"), ("red", "new"), "build");
}

fn a_frame_too_large_ends_its_session_alone(net: &Net) {
    let sizes = memory::Settings { frame_bytes_max: 100_000, ..memory::Settings::default() };
    let [(a, of_a, to_b), (b, of_b, _)] = connected(&net.sized(sizes));
    let largest = Bytes::from(vec![1; 100_000]);
    push(&to_b, Lane::Normal, largest.clone()).expect("the session lasts");
    assert_eq!(b.heard.frames(of_b, Lane::Normal, 1), [&largest]);
    push(&to_b, Lane::Normal, vec![1; 100_001].into()).expect("the session lasts");
    let why = a.heard.lost(of_a);
    assert!(why.contains("100001 bytes") && why.contains("100000"), "{why}");
    b.heard.lost(of_b);
    let (_, to_b) = a.heard.connected(b.peer, 1);
    let (of_b, _) = b.heard.connected(a.peer, 1);
    push(&to_b, Lane::Normal, largest.clone()).expect("a new session");
    assert_eq!(b.heard.frames(of_b, Lane::Normal, 1), [&largest]);
}

fn an_address_of_another_node_is_refused(net: &Net) {
    let [a, b] = net.pair();
    let sought = NodeKey::generate().peer();
    a.carrier.seek(sought, &b.carrier.addresses()).expect("addresses");
    for (node, found) in [(&a, &b), (&b, &a)] {
        let (who, why) = node.heard.refused();
        assert_eq!(who, Some(found.peer));
        assert!(why.contains(&sought.to_string()) && why.contains(&b.peer.to_string()), "{why}");
    }
    assert_eq!((a.heard.connections(b.peer), a.heard.connections(sought)), (0, 0));
    assert!(
        a.carrier.seek(sought, &["nowhere".to_owned()]).is_err_and(|why| why.contains("`nowhere`"))
    );
}

fn a_forgotten_peer_is_there_again_when_sought(net: &Net) {
    let [(a, of_a, _), (b, of_b, _)] = connected(net);
    a.carrier.forget(b.peer);
    a.heard.lost(of_a);
    b.heard.lost(of_b);
    a.seek(&b);
    a.heard.connected(b.peer, 1);
    b.heard.connected(a.peer, 1);
}

fn a_node_that_was_started_anew_is_found(net: &Net) {
    let mut keys = [NodeKey::generate(), NodeKey::generate()];
    keys.sort_by_key(NodeKey::peer);
    let known = [keys[0].peer(), keys[1].peer()];
    // The one that is started anew is the one that decides, and the one that does not.
    for (stays, goes) in [(0, 1), (1, 0)] {
        let node =
            |which: usize| net.node(keys[which].clone(), introduction("c", "b"), &known, which);
        let (a, b) = (node(stays), node(goes));
        b.seek(&a);
        let (of_a, _) = a.heard.connected(b.peer, 0);
        drop(b);
        a.heard.lost(of_a);
        let b = node(goes);
        b.seek(&a);
        let (_, to_b) = a.heard.connected(b.peer, 1);
        let (of_b, _) = b.heard.connected(a.peer, 0);
        push(&to_b, Lane::Bulk, Bytes::from_static(b"welcome")).expect("a new session");
        assert_eq!(b.heard.frames(of_b, Lane::Bulk, 1), [&b"welcome"[..]]);
    }
}
