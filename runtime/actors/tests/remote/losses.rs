//! What a lost connection loses, and what it does not.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use palco_actors::{
    AskError, Disconnected, DropReason, PeerChange, RemoteOptions, SendError, Signal, SpawnOptions,
};

use crate::stage::{Hold, LIMIT, Push, Pushed, holds, on_two_nodes, until};

#[test]
fn who_asks_when_the_node_is_lost_learns_that_nobody_knows() {
    on_two_nodes(async |stage| {
        let keeper = stage.exported("kept");
        stage.connect();
        let stand_in = stage.find("kept");
        stand_in.ask(Push(1), LIMIT).await.unwrap();
        let ask = async {
            let answer = stand_in.ask(Hold, LIMIT).await;
            assert!(matches!(answer, Err(AskError::OutcomeUnknown)), "{answer:?}");
        };
        let cut = async {
            until(|| holds(&keeper.any())).await;
            stage.cut();
        };
        futures_util::future::join(ask, cut).await;
        assert_eq!(stand_in.any().snapshot().dropped, [("node lost".to_owned(), 1)]);
        assert!(!stand_in.any().snapshot().node.unwrap().is_connected);
        keeper.any().signal(Signal::Interrupt);
        stage.connect();
        assert_eq!(stand_in.ask(Pushed, LIMIT).await.unwrap(), [1]);
    });
}

#[test]
fn what_is_queued_goes_with_the_next_connection_in_its_order() {
    on_two_nodes(async |stage| {
        stage.exported("kept");
        let stand_in = stage.find("kept");
        for number in 0..500 {
            stand_in.tell(Push(number)).await.unwrap();
        }
        stage.connect();
        assert_eq!(stand_in.ask(Pushed, LIMIT).await.unwrap().len(), 500);
        stage.cut();
        for number in 500..1_000 {
            stand_in.tell(Push(number)).await.unwrap();
        }
        stage.connect();
        let all = stand_in.ask(Pushed, LIMIT).await.unwrap();
        assert_eq!(all, (0..1_000).collect::<Vec<_>>());
        until(|| stand_in.any().snapshot().handled == 1_002).await;
        assert_eq!(stand_in.any().snapshot().dropped, []);
    });
}

#[test]
fn the_mailbox_of_a_stand_in_is_full_when_its_capacity_is_reached() {
    on_two_nodes(async |stage| {
        stage.exported("kept");
        let options = SpawnOptions::new().mailbox_messages_max(10);
        let stand_in =
            stage.net.find_with::<crate::stage::Keeper>(stage.far.me(), "kept", options).unwrap();
        for number in 0..10 {
            stand_in.try_tell(Push(number)).unwrap();
        }
        assert!(matches!(stand_in.try_tell(Push(10)), Err(SendError::Full(Push(10)))));
        stage.connect();
        assert_eq!(stand_in.ask(Pushed, LIMIT).await.unwrap().len(), 10);
    });
}

#[test]
fn what_is_better_lost_than_late_is_dropped_while_there_is_no_connection() {
    on_two_nodes(async |stage| {
        stage.exported("kept");
        let remote = RemoteOptions::new().disconnected(Disconnected::Drop);
        let options = SpawnOptions::new().remote(remote);
        let stand_in =
            stage.net.find_with::<crate::stage::Keeper>(stage.far.me(), "kept", options).unwrap();
        for number in 0..100 {
            stand_in.tell(Push(number)).await.unwrap();
        }
        let answer = stand_in.ask(Push(100), LIMIT).await;
        assert!(matches!(answer, Err(AskError::Dropped(DropReason::NodeLost))), "{answer:?}");
        assert_eq!(stand_in.any().snapshot().dropped, [("node lost".to_owned(), 101)]);
        stage.connect();
        until(|| stand_in.any().snapshot().node.unwrap().is_connected).await;
        assert_eq!(stand_in.ask(Push(7), LIMIT).await.unwrap(), 1);
    });
}

#[test]
fn a_stop_waits_for_what_was_handed_over() {
    on_two_nodes(async |stage| {
        let keeper = stage.exported("kept");
        stage.connect();
        let stand_in = stage.find("kept");
        let ask = async {
            let answer = stand_in.ask(Hold, LIMIT).await;
            let interrupted = palco_actors::Abandoned::Interrupted;
            assert!(
                matches!(answer, Err(AskError::Abandoned(it)) if it == interrupted),
                "{answer:?}"
            );
        };
        let stop = async {
            until(|| holds(&keeper.any())).await;
            stand_in.stop();
            until(|| stand_in.any().snapshot().status == palco_actors::Status::Stopping).await;
            keeper.any().signal(Signal::Interrupt);
        };
        futures_util::future::join(ask, stop).await;
        stand_in.exited().await;
    });
}

#[test]
fn who_watches_is_told_of_connections_and_their_ends() {
    on_two_nodes(async |stage| {
        let counts = Arc::new([AtomicU32::new(0), AtomicU32::new(0)]);
        let (seen, far) = (Arc::clone(&counts), stage.far.me());
        let watch = stage.net.watch(move |change| {
            let index = match change {
                PeerChange::Connected(peer) if *peer == far => 0,
                PeerChange::Lost(peer) if *peer == far => 1,
                other => panic!("{other:?}"),
            };
            seen[index].fetch_add(1, Ordering::SeqCst);
        });
        stage.connect();
        stage.cut();
        stage.connect();
        let counted = || [0, 1].map(|index| counts[index].load(Ordering::SeqCst));
        assert_eq!(counted(), [2, 1]);
        drop(watch);
        stage.cut();
        assert_eq!(counted(), [2, 1]);
        let view = stage.net.peer(stage.far.me()).unwrap();
        assert_eq!((view.session, view.sessions), (None, 2));
        assert_eq!((view.trouble.as_deref(), view.name.as_deref()), (Some("cut"), Some("node")));
        assert_eq!(stage.net.peers(), [view]);
    });
}

#[test]
fn a_restart_of_the_exported_actor_goes_unnoticed() {
    on_two_nodes(async |stage| {
        let options = SpawnOptions::new().restart(palco_actors::Restart::OnFailure);
        let keeper = crate::stage::keeper(&stage.there, options);
        stage.far.export("kept", &keeper).unwrap();
        stage.connect();
        let stand_in = stage.find("kept");
        stand_in.ask(Push(1), LIMIT).await.unwrap();
        keeper.any().signal(Signal::Restart);
        until(|| keeper.any().snapshot().restarts == 1).await;
        assert_eq!(stand_in.ask(Push(2), LIMIT).await.unwrap(), 1);
    });
}
