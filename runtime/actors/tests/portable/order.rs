//! Messages arrive in order, urgent ones first, and no more than there is room for.

use palco_actors::SendError;

use crate::probe::{Carry, Do, Plan, Push, Pushed};
use crate::stage::{Column, LIMIT, Stage, trials, until};

trials! {
    Column::ALL => [
        messages_of_one_sender_are_handled_in_their_order,
        tells_and_asks_keep_their_order,
        urgent_messages_overtake_a_full_lane,
        a_lane_is_full_when_its_capacity_is_reached,
        large_messages_and_replies_arrive_whole,
        many_askers_are_all_answered,
    ],
}

async fn messages_of_one_sender_are_handled_in_their_order(stage: &Stage) {
    let probe = stage.probe();
    for number in 0..5_000 {
        probe.tell(Push(number)).await.unwrap();
    }
    assert_eq!(probe.ask(Pushed, LIMIT).await.unwrap(), (0..5_000).collect::<Vec<_>>());
}

async fn tells_and_asks_keep_their_order(stage: &Stage) {
    let probe = stage.probe();
    for number in (0..300).step_by(3) {
        probe.tell(Push(number)).await.unwrap();
        probe.tell(Push(number + 1)).await.unwrap();
        assert_eq!(probe.ask(Push(number + 2), LIMIT).await.unwrap(), number as usize + 3);
    }
    assert_eq!(probe.ask(Pushed, LIMIT).await.unwrap(), (0..300).collect::<Vec<_>>());
}

async fn urgent_messages_overtake_a_full_lane(stage: &Stage) {
    let probe = stage.probe_with(stage.options().mailbox_messages_max(100), Plan::default());
    let urgent = stage.urgent(&probe);
    probe.any().signal(palco_actors::Signal::Suspend);
    for number in 0..100 {
        probe.tell(Push(number)).await.unwrap();
    }
    for number in [1_000, 1_001, 1_002] {
        urgent.tell(Push(number)).await.unwrap();
    }
    probe.any().signal(palco_actors::Signal::Resume);
    let order = probe.ask(Pushed, LIMIT).await.unwrap();
    assert_eq!(order[..3], [1_000, 1_001, 1_002]);
    assert_eq!(order[3..], (0..100).collect::<Vec<_>>());
}

async fn a_lane_is_full_when_its_capacity_is_reached(stage: &Stage) {
    let probe = stage.probe_with(stage.options().mailbox_messages_max(10), Plan::default());
    probe.tell(Do::Wait).await.unwrap();
    until(|| probe.any().snapshot().message.is_some()).await;
    for number in 0..10 {
        probe.try_tell(Push(number)).unwrap();
    }
    let full = probe.try_tell(Push(10)).unwrap_err();
    assert!(matches!(full, SendError::Full(Push(10))));
    assert_eq!(probe.any().snapshot().queued, 10);
    probe.any().signal(palco_actors::Signal::Interrupt);
    assert_eq!(probe.ask(Pushed, LIMIT).await.unwrap(), (0..10).collect::<Vec<_>>());
}

async fn large_messages_and_replies_arrive_whole(stage: &Stage) {
    let probe = stage.probe();
    for bytes in [0, 1, 63 << 10, 700 << 10] {
        if stage.column == Column::Ring && bytes > 30 << 10 {
            continue; // larger than a frame of this ring
        }
        let load: Vec<u8> = (0..bytes).map(|index: u32| (index % 251) as u8).collect();
        assert_eq!(probe.ask(Carry(load.clone()), LIMIT).await.unwrap(), load);
    }
}

async fn many_askers_are_all_answered(stage: &Stage) {
    let probe = stage.probe();
    let askers = (0..8).map(|asker| {
        let probe = probe.clone();
        std::thread::spawn(move || {
            palco_threads::block_on(async {
                for number in 0..100 {
                    probe.ask(Push(asker * 100 + number), LIMIT).await.unwrap();
                }
            });
        })
    });
    for asker in askers.collect::<Vec<_>>() {
        asker.join().unwrap();
    }
    let mut all = probe.ask(Pushed, LIMIT).await.unwrap();
    all.sort_unstable();
    assert_eq!(all, (0..800).collect::<Vec<_>>());
}
