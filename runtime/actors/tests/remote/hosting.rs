//! Lives on another node. What every place promises is tested in `tests/portable`; here is what nodes add.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use palco_actors::{
    AskError, DropReason, Effect, ExitReason, Grant, Parcel, Place, RemoteOptions, Restart, Signal,
    SpawnOptions, Status,
};

use crate::stage::{
    HOG_MAY_END, Hog, Hold, Keeper, LIMIT, Push, PushElsewhere, Pushed, Stage, holds, keeper,
    on_two_nodes, until,
};

fn options(stage: &Stage) -> SpawnOptions {
    SpawnOptions::new().place(Place::Remote(stage.far.me()))
}

#[test]
fn a_life_takes_place_on_the_other_node() {
    on_two_nodes(async |stage| {
        stage.far.host(true);
        stage.connect();
        let actor = keeper(&stage.here, options(stage).name("kept"));
        assert_eq!(actor.ask(Push(1), LIMIT).await.unwrap(), 1);
        assert_eq!(actor.path(), "kept");
        let above = format!("remote/{}", stage.net.me());
        let parent = stage.there.find(&above).unwrap();
        let child = parent.children().pop().unwrap();
        assert!(child.path().starts_with(&format!("{above}/kept-")), "{}", child.path());
        until(|| child.snapshot().handled == 1).await; // counted just after the answer
        actor.stop();
        assert_eq!(actor.exited().await, ExitReason::Stopped);
        until(|| parent.children().is_empty()).await;
    });
}

#[test]
fn a_node_hosts_no_lives_unless_it_is_told_to() {
    on_two_nodes(async |stage| {
        stage.connect();
        let actor = keeper(&stage.here, options(stage));
        let reason = actor.exited().await;
        let expected = ExitReason::StartFailed("that node hosts no lives of others".into());
        assert_eq!(reason, expected);
    });
}

#[test]
fn without_a_connection_a_life_has_failed_to_start() {
    on_two_nodes(async |stage| {
        let remote = RemoteOptions::new().connect_within(std::time::Duration::from_millis(20));
        let actor = keeper(&stage.here, options(stage).remote(remote));
        let reason = actor.exited().await;
        let text = format!("no connection to {} came about", stage.far.me());
        assert_eq!(reason, ExitReason::StartFailed(text.into()));
    });
}

#[test]
fn a_lost_node_ends_the_life_on_both_sides_and_another_begins() {
    on_two_nodes(async |stage| {
        stage.far.host(true);
        stage.connect();
        let actor = keeper(&stage.here, options(stage).restart(Restart::OnFailure));
        actor.ask(Push(1), LIMIT).await.unwrap();
        let parent = stage.there.find(&format!("remote/{}", stage.net.me())).unwrap();
        let first = parent.children().pop().unwrap();
        let ask = async {
            let answer = actor.ask(Hold, LIMIT).await;
            assert!(matches!(answer, Err(AskError::OutcomeUnknown)), "{answer:?}");
        };
        let cut = async {
            until(|| holds(&first)).await;
            for number in 2..=5 {
                actor.tell(Push(number)).await.unwrap();
            }
            stage.cut();
            stage.connect();
        };
        futures_util::future::join(ask, cut).await;
        // The next life begins when the first has ended: its handler held, so it was killed.
        let kept = actor.ask(Pushed, LIMIT).await.unwrap();
        assert!(kept.is_sorted() && kept.iter().all(|number| (2..=5).contains(number)), "{kept:?}");
        assert_eq!(first.exited().await, ExitReason::Killed);
        let snapshot = actor.any().snapshot();
        assert_eq!((snapshot.restarts, &snapshot.last_exit), (1, &Some(ExitReason::NodeLost)));
        assert_eq!(snapshot.dropped_total() as usize + kept.len(), 5);
        assert_eq!(snapshot.dropped[0].0, "node lost");
    });
}

#[test]
fn what_was_not_handed_over_goes_to_the_next_life() {
    on_two_nodes(async |stage| {
        stage.far.host(true);
        stage.connect();
        let actor = keeper(&stage.here, options(stage).restart(Restart::OnFailure));
        actor.ask(Push(0), LIMIT).await.unwrap();
        actor.any().signal_within(Signal::Suspend, LIMIT).await;
        for number in 1..=100 {
            actor.tell(Push(number)).await.unwrap();
        }
        stage.cut();
        until(|| actor.any().snapshot().last_exit.is_some()).await;
        actor.any().signal(Signal::Resume);
        stage.connect();
        assert_eq!(actor.ask(Pushed, LIMIT).await.unwrap(), (1..=100).collect::<Vec<_>>());
        assert_eq!(actor.any().snapshot().dropped, []);
    });
}

#[test]
fn a_life_talks_to_who_was_granted_over_the_connection() {
    on_two_nodes(async |stage| {
        stage.far.host(true);
        stage.connect();
        let home = keeper(&stage.here, SpawnOptions::new());
        let granted = home.clone();
        let pack = move || Ok(Parcel::new(()).with_grant(Grant::of::<Push>(granted.recipient())));
        let actor = stage.here.spawn_portable::<Keeper>(options(stage), pack).unwrap();
        for number in 0..20 {
            let pushed = actor.ask(PushElsewhere(number), LIMIT).await.unwrap();
            assert_eq!(pushed, Ok(number as usize + 1));
        }
        assert_eq!(home.ask(Pushed, LIMIT).await.unwrap().len(), 20);
    });
}

#[test]
fn a_signal_that_has_not_taken_hold_in_time_is_pending() {
    on_two_nodes(async |stage| {
        stage.far.host(true);
        stage.connect();
        let actor = keeper(&stage.here, options(stage));
        actor.tell(Hog).await.unwrap();
        until(|| actor.any().snapshot().note.as_deref() == Some("hogging")).await;
        let within = std::time::Duration::from_millis(10);
        let effect = actor.any().signal_within(Signal::Suspend, within).await;
        assert!(matches!(&effect, Effect::Pending { message: Some(_), .. }), "{effect:?}");
        assert_eq!(actor.any().snapshot().status, Status::Suspending);
        HOG_MAY_END.store(true, Ordering::SeqCst);
        assert_eq!(actor.any().signal_within(Signal::Suspend, LIMIT).await, Effect::Done);
        assert_eq!(actor.any().signal_within(Signal::Resume, LIMIT).await, Effect::Done);
    });
}

#[test]
fn open_files_stay_on_their_node() {
    on_two_nodes(async |stage| {
        stage.far.host(true);
        stage.connect();
        let pack = || Ok(Parcel::new(()).with_descriptor(std::io::pipe()?.0));
        let actor = stage.here.spawn_portable::<Keeper>(options(stage), pack).unwrap();
        let ExitReason::StartFailed(text) = actor.exited().await else { panic!() };
        assert!(text.contains("not portable"), "{text}");
    });
}

#[test]
fn a_node_that_shuts_down_takes_its_lives_along() {
    on_two_nodes(async |stage| {
        stage.far.host(true);
        stage.connect();
        let actor = keeper(&stage.here, options(stage));
        actor.ask(Push(1), LIMIT).await.unwrap();
        stage.there.shutdown().await;
        assert_eq!(actor.exited().await, ExitReason::NodeLost);
        let answer = actor.ask(Push(1), LIMIT).await;
        assert!(matches!(answer, Err(AskError::Closed(_))), "{answer:?}");
    });
}

#[test]
fn what_is_queued_when_a_node_is_lost_for_good_becomes_dead_letters() {
    on_two_nodes(async |stage| {
        stage.far.host(true);
        stage.connect();
        let actor = keeper(&stage.here, options(stage));
        actor.ask(Push(0), LIMIT).await.unwrap();
        actor.any().signal_within(Signal::Suspend, LIMIT).await;
        let ask = async {
            let answer = actor.ask(Push(1), LIMIT).await;
            let failed = DropReason::ActorFailed;
            assert!(matches!(answer, Err(AskError::Dropped(it)) if it == failed), "{answer:?}");
        };
        let cut = async {
            until(|| actor.any().snapshot().queued == 1).await;
            stage.cut();
        };
        futures_util::future::join(ask, cut).await;
        assert_eq!(actor.exited().await, ExitReason::NodeLost);
    });
}

#[test]
fn nothing_is_left_of_nodes_that_were_shut_down() {
    let mut left = Vec::new();
    on_two_nodes(async |stage| {
        stage.far.host(true);
        stage.exported("kept");
        let stand_in = stage.find("kept");
        stage.connect();
        stand_in.ask(Push(1), LIMIT).await.unwrap();
        keeper(&stage.here, options(stage)).ask(Push(1), LIMIT).await.unwrap();
        left.extend([&stage.net, &stage.far].map(|net| Arc::downgrade(net.carrier())));
    });
    // Freed with their systems, whose places let go of them just after the end.
    while left.iter().any(|carrier| carrier.strong_count() > 0) {
        std::thread::yield_now();
    }
}
