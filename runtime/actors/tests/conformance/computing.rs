//! Handlers that compute or block: what reaches them, and what they do to their neighbours.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use palco_actors::{Effect, ExitReason, PlaceKind, Signal};

use crate::harness::{LIMIT, Stage, background, in_every_place};
use crate::probe::{Act, act, note};

in_every_place!(
    real: [
        a_hog_without_checkpoints_is_reported_by_the_name_of_its_message,
        a_checkpoint_lets_a_kill_act,
        a_checkpoint_lets_a_suspend_and_a_resume_act,
        a_checkpoint_lets_an_interrupt_act,
        a_checkpoint_lets_neighbours_run,
        blocking_work_leaves_neighbours_alone,
        blocking_work_that_panics_harms_nobody,
    ],
    simulated: []
);

/// Computes until `enough`, with or without checkpoints.
fn compute(enough: &Arc<AtomicBool>, checkpoints: bool) -> Act<()> {
    let enough = Arc::clone(enough);
    act(async move |probe, cx| {
        probe.log.push("computing");
        while !enough.load(Ordering::SeqCst) {
            if checkpoints {
                cx.checkpoint().await;
            }
            thread::yield_now();
        }
        probe.log.push("computed");
    })
}

async fn a_hog_without_checkpoints_is_reported_by_the_name_of_its_message(stage: &Stage) {
    let probe = stage.probe();
    let enough = Arc::default();
    probe.actor.try_tell(compute(&enough, false)).unwrap();
    probe.log.until("computing", 1).await;
    let effect = probe.actor.any().signal_within(Signal::Kill, Duration::from_millis(30)).await;
    let Effect::Pending { message: Some(message), .. } = effect else {
        panic!("it cannot have ended: {effect:?}");
    };
    assert!(message.contains("Act"), "{message}");
    enough.store(true, Ordering::SeqCst);
    assert_eq!(probe.actor.exited().await, ExitReason::Killed, "the signal stays sent");
}

async fn a_checkpoint_lets_a_kill_act(stage: &Stage) {
    let probe = stage.probe();
    probe.actor.try_tell(compute(&Arc::default(), true)).unwrap();
    probe.log.until("computing", 1).await;
    probe.actor.any().signal(Signal::Kill);
    assert_eq!(probe.actor.exited().await, ExitReason::Killed);
    assert_eq!(probe.log.count("computed"), 0);
}

async fn a_checkpoint_lets_a_suspend_and_a_resume_act(stage: &Stage) {
    let probe = stage.probe();
    let enough = Arc::default();
    probe.actor.try_tell(compute(&enough, true)).unwrap();
    probe.log.until("computing", 1).await;
    assert_eq!(probe.actor.any().signal_within(Signal::Suspend, LIMIT).await, Effect::Done);
    enough.store(true, Ordering::SeqCst);
    stage.probe().catch_up().await;
    assert_eq!(probe.log.count("computed"), 0);
    assert_eq!(probe.actor.any().signal_within(Signal::Resume, LIMIT).await, Effect::Done);
    probe.log.until("computed", 1).await;
}

async fn a_checkpoint_lets_an_interrupt_act(stage: &Stage) {
    let probe = stage.probe();
    probe.actor.try_tell(compute(&Arc::default(), true)).unwrap();
    probe.log.until("computing", 1).await;
    assert_eq!(probe.actor.any().signal_within(Signal::Interrupt, LIMIT).await, Effect::Done);
    probe.catch_up().await;
    assert_eq!((probe.dropped("interrupted"), probe.log.count("computed")), (1, 0));
}

async fn a_checkpoint_lets_neighbours_run(stage: &Stage) {
    let (probe, neighbour) = (stage.probe(), stage.probe());
    let enough = Arc::default();
    probe.actor.try_tell(compute(&enough, true)).unwrap();
    probe.log.until("computing", 1).await;
    neighbour.ask(act(async move |_, _| enough.store(true, Ordering::SeqCst))).await;
    probe.log.until("computed", 1).await;
}

async fn blocking_work_leaves_neighbours_alone(stage: &Stage) {
    let (probe, neighbour) = (stage.probe(), stage.probe());
    let (sender, receiver) = mpsc::channel();
    let message = act(async move |probe, cx| {
        probe.log.push("blocking");
        cx.block(move || receiver.recv().unwrap()).await
    });
    let asking = background({
        let actor = probe.actor.clone();
        async move { actor.ask(message, LIMIT).await.unwrap() }
    });
    probe.log.until("blocking", 1).await;
    neighbour.ask(act(async move |_, _| sender.send(11).unwrap())).await;
    assert_eq!(asking.await, Some(11));
    assert_eq!(probe.actor.place(), stage.place);
}

async fn blocking_work_that_panics_harms_nobody(stage: &Stage) {
    let probe = stage.probe();
    let message =
        act(async |_, cx| cx.block(|| panic!("deliberate, in blocking work")).await.is_none());
    assert!(probe.ask(message).await);
    probe.ask(note("lives")).await;
    let thread = probe.actor.any().snapshot().thread;
    assert_eq!(thread.is_some(), stage.place == PlaceKind::Thread);
}
