//! The order in which messages are handled.

use futures_util::future::join_all;
use palco_actors::SendError;

use crate::harness::{Stage, background, in_every_place};
use crate::probe::{act, note};

in_every_place!(
    real: [
        messages_of_one_sender_are_handled_in_their_order,
        urgent_messages_overtake_a_full_normal_lane_and_keep_their_order,
        the_urgent_lane_is_bounded_too,
    ],
    simulated: []
);

async fn messages_of_one_sender_are_handled_in_their_order(stage: &Stage) {
    const SENDERS: usize = 4;
    const MESSAGES: usize = 300;
    let probe = stage.probe_with(stage.options().mailbox_messages_max(3), &[]);
    let senders = (0..SENDERS).map(|sender| {
        let actor = probe.actor.clone();
        background(async move {
            for number in 0..MESSAGES {
                actor.tell(note(format!("{sender}:{number}"))).await.unwrap();
            }
        })
    });
    // The senders run from the moment they are made.
    join_all(senders.collect::<Vec<_>>()).await;
    probe.catch_up().await;
    let entries = probe.log.entries();
    for sender in 0..SENDERS {
        let prefix = format!("{sender}:");
        let numbers: Vec<usize> = entries
            .iter()
            .filter_map(|entry| entry.strip_prefix(&prefix))
            .map(|number| number.parse().unwrap())
            .collect();
        assert_eq!(numbers, (0..MESSAGES).collect::<Vec<_>>(), "sender {sender}");
    }
}

async fn urgent_messages_overtake_a_full_normal_lane_and_keep_their_order(stage: &Stage) {
    let probe = stage.probe_with(stage.options().mailbox_messages_max(2), &[]);
    // The capability comes from the actor itself; an address alone has no way to the urgent lane.
    let urgent = probe.ask(act(async |_, cx| cx.urgent_ref())).await;
    let held = probe.hold().await;
    for entry in ["normal 1", "normal 2"] {
        probe.actor.try_tell(note(entry)).unwrap();
    }
    assert!(matches!(probe.actor.try_tell(note("too much")), Err(SendError::Full(_))));
    for entry in ["urgent 1", "urgent 2", "urgent 3"] {
        urgent.try_tell(note(entry)).unwrap();
    }
    held.release(0);
    probe.catch_up().await;
    assert_eq!(
        probe.log.entries()[1..],
        ["entered", "left", "urgent 1", "urgent 2", "urgent 3", "normal 1", "normal 2"]
    );
}

async fn the_urgent_lane_is_bounded_too(stage: &Stage) {
    let probe = stage.probe_with(stage.options().urgent_messages_max(1), &[]);
    let urgent = probe.ask(act(async |_, cx| cx.urgent_ref())).await;
    let held = probe.hold().await;
    urgent.try_tell(note("first")).unwrap();
    assert!(matches!(urgent.try_tell(note("second")), Err(SendError::Full(_))));
    let snapshot = probe.actor.any().snapshot();
    assert_eq!((snapshot.queued, snapshot.urgent), (1, 1));
    held.release(0);
    urgent.tell(note("third")).await.unwrap();
    probe.log.until("third", 1).await;
}
