//! The system around the actors: settling, shutting down, and what is left after that.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use palco_actors::{Abandoned, AskError, ExitReason, Place, Signal, SpawnError, SpawnOptions};

use crate::harness::{LIMIT, Stage, in_every_place, poll_once};
use crate::probe::{Act, Log, Probe, Subject, act, hold, note};

in_every_place!(
    real: [
        a_shutdown_ends_everything_and_can_be_repeated,
        systems_do_not_know_each_other,
        a_hog_left_behind_by_the_shutdown_is_killed_at_its_next_await,
        what_a_closing_loop_takes_down_is_accounted_for,
    ],
    simulated: [settling_waits_for_every_chain_of_messages]
);

async fn a_shutdown_ends_everything_and_can_be_repeated(stage: &Stage) {
    let probe = stage.probe();
    let _held = {
        let idle = stage.probe();
        idle.catch_up().await;
        idle
    };
    assert_eq!(stage.system.shutdown().await, ExitReason::Stopped);
    assert_eq!(probe.actor.exited().await, ExitReason::Stopped);
    assert_eq!(stage.system.ended().await, ExitReason::Stopped);
    assert_eq!(stage.system.shutdown().await, ExitReason::Stopped);
    assert!(stage.system.top().is_empty() && stage.system.snapshot().is_empty());
    let late = stage.spawn(stage.options(), Probe::lives("late", &Log::default(), &[]));
    assert!(matches!(late, Err(SpawnError::ParentStopping(_))));
}

async fn systems_do_not_know_each_other(stage: &Stage) {
    let other = palco_actors::System::builder().event_loops(1).build().unwrap();
    let options = SpawnOptions::new().name("same");
    let log = Log::default();
    let there = other.spawn(options.clone(), Probe::lives("there", &log, &[])).unwrap();
    let here = stage.probe_with(stage.options().name("same"), &[]);
    let through = act(async move |_, cx| {
        // Started from a loop of this system, it gets a loop of its own system all the same.
        let nested = other.spawn(SpawnOptions::new(), Probe::lives("nested", &log, &[])).unwrap();
        assert!(cx.system().find(&nested.id().to_string()).is_none_or(|a| a.id() != cx.id()));
        nested.ask(note("nested works"), LIMIT).await.unwrap();
        other.shutdown().await
    });
    assert_eq!(here.ask(through).await, ExitReason::Stopped);
    assert_eq!(there.exited().await, ExitReason::Stopped);
}

/// Keeps its thread until `enough`, whatever signals come, and then rests for ever.
fn stubborn(enough: &Arc<AtomicBool>) -> Act<()> {
    let enough = Arc::clone(enough);
    act(async move |probe, _| {
        probe.log.push("stubborn");
        while !enough.load(Ordering::SeqCst) {
            thread::yield_now();
        }
        std::future::pending::<()>().await;
    })
}

async fn a_hog_left_behind_by_the_shutdown_is_killed_at_its_next_await(stage: &Stage) {
    let options = stage.options().stop_within(Duration::from_millis(10));
    let probe = stage.probe_with(options, &[]);
    let enough = Arc::default();
    probe.actor.try_tell(stubborn(&enough)).unwrap();
    probe.log.until("stubborn", 1).await;
    probe.actor.try_tell(note("queued")).unwrap();
    stage.system.shutdown().await;
    assert_eq!(probe.log.count("probe dropped"), 0, "left behind");
    enough.store(true, Ordering::SeqCst);
    assert_eq!(probe.actor.exited().await, ExitReason::Killed);
    assert_eq!((probe.dropped("killed"), probe.dropped("actor failed")), (1, 1));
}

async fn what_a_closing_loop_takes_down_is_accounted_for(stage: &Stage) {
    let parent = stage.probe_with(stage.options().stop_within(Duration::from_millis(10)), &[]);
    let log = Log::default();
    let make = Probe::lives("child", &log, &[]);
    let elsewhere = SpawnOptions::new().place(Place::Loop(1));
    let spawning = act(async move |_, cx| cx.spawn(elsewhere, make).unwrap());
    let child = Subject { actor: parent.ask(spawning).await, log };
    let (_held, message) = hold();
    let mut ask = Box::pin(child.actor.ask(message, LIMIT));
    assert!(poll_once(&mut ask).await.is_pending());
    child.log.until("entered", 1).await;
    child.actor.try_tell(note("queued")).unwrap();
    // The parent is stuck, so nobody passes the stop on to the child: its loop goes away under it.
    let enough = Arc::default();
    parent.actor.try_tell(stubborn(&enough)).unwrap();
    parent.log.until("stubborn", 1).await;
    stage.system.shutdown().await;
    assert_eq!(child.actor.exited().await, ExitReason::Killed);
    let answer = ask.await;
    assert!(matches!(answer, Err(AskError::Abandoned(Abandoned::Killed))), "{answer:?}");
    assert_eq!((child.dropped("killed"), child.dropped("actor failed")), (1, 1));
    assert_eq!(child.actor.any().snapshot().in_flight(), 0);
    enough.store(true, Ordering::SeqCst);
    parent.actor.exited().await;
}

async fn settling_waits_for_every_chain_of_messages(stage: &Stage) {
    fn pass(left: u32) -> Act<()> {
        act(async move |probe, cx| {
            if left == 0 {
                probe.log.push("arrived");
            } else {
                cx.actor_ref().try_tell(pass(left - 1)).unwrap();
                cx.checkpoint().await;
            }
        })
    }
    let probes: Vec<_> = (0..4).map(|_| stage.probe()).collect();
    for round in 1..=20 {
        for probe in &probes {
            probe.actor.try_tell(pass(50)).unwrap();
        }
        stage.system.settle().await;
        for probe in &probes {
            assert_eq!(probe.log.count("arrived"), round);
        }
    }
    probes[0].actor.any().signal_within(Signal::Suspend, LIMIT).await;
    probes[0].actor.try_tell(note("waits")).unwrap();
    stage.system.settle().await;
}
