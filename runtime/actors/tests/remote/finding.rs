//! Exported by name, found by name, and nothing else is reached.

use palco_actors::{
    AskError, DropReason, ExitReason, Parcel, Place, SpawnError, SpawnOptions, System,
};
use palco_threads::block_on;

use crate::stage::{
    Carry, Hold, Keeper, LIMIT, Other, Push, Pushed, Secret, holds, keeper, on_two_nodes, until,
};

#[test]
fn an_exported_actor_is_told_and_asked_through_its_stand_in() {
    on_two_nodes(async |stage| {
        let keeper = stage.exported("kept");
        stage.connect();
        let stand_in = stage.find("kept");
        for number in 0..3_000 {
            stand_in.tell(Push(number)).await.unwrap();
        }
        let all: Vec<_> = (0..3_000).collect();
        assert_eq!(stand_in.ask(Pushed, LIMIT).await.unwrap(), all);
        assert_eq!(keeper.ask(Pushed, LIMIT).await.unwrap(), all);
        let load: Vec<u8> = (0..700 << 10).map(|index| (index % 251) as u8).collect();
        assert_eq!(stand_in.ask(Carry(load.clone()), LIMIT).await.unwrap(), load);
        until(|| stand_in.any().snapshot().handled == 3_002).await;
    });
}

#[test]
fn a_stand_in_is_an_address_in_the_tree_and_the_same_when_asked_for_again() {
    on_two_nodes(async |stage| {
        stage.exported("kept");
        stage.connect();
        let stand_in = stage.find("kept");
        assert_eq!(stage.find("kept").id(), stand_in.id());
        assert_eq!(stand_in.path(), format!("remote/{}/kept", stage.far.me()));
        assert!(stage.here.find(&stand_in.path()).is_some());
        stand_in.ask(Push(1), LIMIT).await.unwrap();
        let snapshot = stand_in.any().snapshot();
        assert_eq!(snapshot.place.name(), "remote");
        let node = snapshot.node.unwrap();
        assert_eq!((node.peer, node.is_connected), (stage.far.me(), true));
        stand_in.stop();
        assert_eq!(stand_in.exited().await, ExitReason::Stopped);
        assert_ne!(stage.find("kept").id(), stand_in.id(), "another, since that one has ended");
    });
}

#[test]
fn who_is_not_yet_known_is_waited_for() {
    on_two_nodes(async |stage| {
        stage.connect();
        let stand_in = stage.find("late");
        for number in 0..10 {
            stand_in.tell(Push(number)).await.unwrap();
        }
        let expired = stand_in.ask(Pushed, std::time::Duration::from_millis(20)).await;
        assert!(matches!(expired, Err(AskError::Expired)), "it had no effect: {expired:?}");
        assert!(!stand_in.any().snapshot().node.unwrap().is_connected);
        stage.exported("late");
        assert_eq!(stand_in.ask(Pushed, LIMIT).await.unwrap(), (0..10).collect::<Vec<_>>());
    });
}

#[test]
fn an_actor_that_is_not_exported_is_not_reached() {
    on_two_nodes(async |stage| {
        let hidden = keeper(&stage.there, SpawnOptions::new().name("hidden"));
        let withdrawn = stage.exported("withdrawn");
        stage.far.withdraw("withdrawn");
        stage.connect();
        for name in ["hidden", "withdrawn"] {
            stage.find(name).tell(Push(1)).await.unwrap();
        }
        stage.exported("marker");
        stage.find("marker").ask(Push(1), LIMIT).await.unwrap();
        for keeper in [hidden, withdrawn] {
            assert!(keeper.ask(Pushed, LIMIT).await.unwrap().is_empty());
        }
    });
}

#[test]
fn another_kind_under_the_name_ends_the_stand_in() {
    on_two_nodes(async |stage| {
        let other =
            stage.there.spawn_portable(SpawnOptions::new(), || Ok(Parcel::<Other>::new(())));
        stage.far.export("other", &other.unwrap()).unwrap();
        stage.connect();
        let stand_in = stage.find("other");
        let ExitReason::StartFailed(text) = stand_in.exited().await else { panic!() };
        assert_eq!(&*text, "it is of kind `other`, not `keeper`");
    });
}

#[test]
fn a_name_is_exported_once_until_its_actor_has_ended() {
    on_two_nodes(async |stage| {
        let first = stage.exported("kept");
        stage.far.export("kept", &first).unwrap();
        let second = keeper(&stage.there, SpawnOptions::new());
        let taken = stage.far.export("kept", &second).unwrap_err();
        assert!(matches!(taken, SpawnError::NameTaken(_)), "{taken:?}");
        stage.connect();
        let stand_in = stage.find("kept");
        stand_in.ask(Push(1), LIMIT).await.unwrap();
        first.stop();
        first.exited().await;
        stage.far.export("kept", &second).unwrap();
        // What it is sent until it knows of the end is dropped with the actor it was meant for.
        while stand_in.ask(Push(2), LIMIT).await.is_err() {}
        assert_eq!(second.ask(Pushed, LIMIT).await.unwrap(), [2]);
    });
}

#[test]
fn what_cannot_be_sent_is_dropped_and_nothing_else_suffers() {
    on_two_nodes(async |stage| {
        stage.exported("kept");
        stage.connect();
        let stand_in = stage.find("kept");
        let answer = stand_in.ask(Secret, LIMIT).await;
        assert!(matches!(answer, Err(AskError::Dropped(DropReason::NotPortable))), "{answer:?}");
        let answer = stand_in.ask(Carry(vec![0; 2 << 20]), LIMIT).await;
        assert!(matches!(answer, Err(AskError::Dropped(DropReason::TooLarge))), "{answer:?}");
        assert_eq!(stand_in.ask(Push(1), LIMIT).await.unwrap(), 1);
    });
}

#[test]
fn urgent_messages_overtake_where_that_was_exported() {
    on_two_nodes(async |stage| {
        stage.exported("plain");
        let kept = keeper(&stage.there, SpawnOptions::new());
        stage.far.export_urgent("urgent", &stage.there.urgent_ref(&kept).unwrap()).unwrap();
        stage.connect();
        let stand_in = stage.find("urgent");
        let urgent = stage.net.urgent_ref(&stand_in).unwrap();
        stand_in.tell(Hold).await.unwrap();
        until(|| holds(&kept.any())).await;
        for number in 0..50 {
            stand_in.tell(Push(number)).await.unwrap();
        }
        until(|| kept.any().snapshot().queued == 50).await;
        urgent.tell(Push(99)).await.unwrap();
        until(|| kept.any().snapshot().urgent == 1).await;
        kept.any().signal(palco_actors::Signal::Interrupt);
        let all = stand_in.ask(Pushed, LIMIT).await.unwrap();
        assert_eq!((all[0], all.len()), (99, 51));

        let plain = stage.net.urgent_ref(&stage.find("plain")).unwrap();
        let answer = plain.ask(Push(1), LIMIT).await;
        assert!(matches!(answer, Err(AskError::Dropped(DropReason::NotPortable))), "{answer:?}");
        assert!(stage.net.urgent_ref(&keeper(&stage.here, SpawnOptions::new())).is_none());
    });
}

#[test]
fn another_build_is_refused() {
    let [here, there] = [(); 2].map(|()| System::builder().event_loops(1).build().unwrap());
    let hub = crate::carrier::Hub::default();
    let (net, far) = (hub.join(&here), hub.join_as(&there, "something else".into()));
    hub.connect(&net, &far);
    let view = net.peer(far.me()).unwrap();
    assert_eq!(view.session, None);
    let trouble = view.trouble.unwrap();
    assert!(trouble.contains("`something else`"), "{trouble}");
    block_on(async {
        here.shutdown().await;
        there.shutdown().await;
    });
}

#[test]
fn what_names_no_other_node_is_an_error() {
    on_two_nodes(async |stage| {
        let own = stage.net.find::<Keeper>(stage.net.me(), "kept").unwrap_err();
        assert!(matches!(own, SpawnError::NoNode(_)), "{own:?}");
        let bad = stage.net.find::<Keeper>(stage.far.me(), "a/b").unwrap_err();
        assert!(matches!(bad, SpawnError::NameInvalid(_)), "{bad:?}");
        let spawn = |place: Place| {
            let options = SpawnOptions::new().place(place);
            stage.here.spawn_portable(options, || Ok(Parcel::<Keeper>::new(())))
        };
        for place in [palco_actors::PlaceKind::Remote.into(), Place::Remote(stage.net.me())] {
            let error = spawn(place).unwrap_err();
            assert!(matches!(error, SpawnError::NoNode(_)), "{error:?}");
        }
    });
}

#[test]
fn channels_that_are_opened_at_the_same_time_are_all_opened() {
    on_two_nodes(async |stage| {
        for number in 0..200 {
            stage.exported(&format!("kept-{number}"));
        }
        // Both event loops open theirs at the moment of the connection.
        let stand_ins: Vec<_> =
            (0..200).map(|number| stage.find(&format!("kept-{number}"))).collect();
        stage.connect();
        for stand_in in &stand_ins {
            stand_in.ask(Push(1), LIMIT).await.unwrap();
        }
        assert_eq!(stage.net.peer(stage.far.me()).unwrap().sessions, 1);
        assert!(stage.net.peer(stage.far.me()).unwrap().session.is_some());
    });
}
