//! Suspend, resume and interrupt, on an actor at rest and on a running handler.

use std::future;

use palco_actors::{Abandoned, AskError, Effect, ExitReason, Restart, Signal, Status};

use crate::harness::{LIMIT, Stage, background, in_every_place, poll_once, until};
use crate::probe::{Subject, act, hold, note};

in_every_place!(
    real: [
        a_suspended_handler_makes_no_progress_and_completes_after_the_resume,
        a_suspended_idle_actor_begins_nothing,
        a_suspended_actor_can_be_killed,
        a_suspended_idle_actor_can_be_stopped,
        a_suspend_before_the_start_holds_the_start,
        an_interrupt_abandons_the_handler_and_the_actor_lives,
        an_interrupt_of_an_idle_actor_leaves_the_next_handler_alone,
        a_caught_interrupt_leaves_the_handler_running,
        a_caught_interrupt_that_comes_too_late_abandons_as_usual,
        an_ignored_interrupt_is_over_at_once,
        an_interrupt_reaches_a_suspended_handler,
        a_step_lets_one_message_through_and_the_actor_rests_again,
        a_step_finishes_the_handler_that_rests,
        a_step_does_nothing_to_who_is_not_suspended,
        a_restart_is_another_life_and_no_failure,
    ],
    simulated: []
);

async fn send(probe: &Subject, signal: Signal) {
    let effect = probe.actor.any().signal_within(signal, LIMIT).await;
    assert_eq!(effect, Effect::Done, "{signal:?}");
}

fn status(probe: &Subject) -> Status {
    probe.actor.any().snapshot().status
}

async fn a_suspended_handler_makes_no_progress_and_completes_after_the_resume(stage: &Stage) {
    let (probe, neighbour) = (stage.probe(), stage.probe());
    let (held, message) = hold();
    let mut ask = Box::pin(probe.actor.ask(message, LIMIT));
    assert!(poll_once(&mut ask).await.is_pending());
    probe.log.until("entered", 1).await;
    send(&probe, Signal::Suspend).await;
    held.release(9);
    // Turns of the same loop in which the handler could have gone on.
    for _ in 0..100 {
        neighbour.catch_up().await;
    }
    assert_eq!((probe.log.count("left"), status(&probe)), (0, Status::Suspended));
    send(&probe, Signal::Resume).await;
    assert_eq!(ask.await.unwrap(), 9);
}

async fn a_suspended_idle_actor_begins_nothing(stage: &Stage) {
    let (probe, neighbour) = (stage.probe(), stage.probe());
    probe.catch_up().await;
    send(&probe, Signal::Suspend).await;
    probe.actor.try_tell(note("after the resume")).unwrap();
    for _ in 0..100 {
        neighbour.catch_up().await;
    }
    assert_eq!(probe.log.count("after the resume"), 0);
    assert_eq!((status(&probe), probe.actor.any().snapshot().queued), (Status::Suspended, 1));
    send(&probe, Signal::Resume).await;
    probe.log.until("after the resume", 1).await;
}

async fn a_suspended_actor_can_be_killed(stage: &Stage) {
    let (idle, busy) = (stage.probe(), stage.probe());
    idle.catch_up().await;
    let _held = busy.hold().await;
    for probe in [&idle, &busy] {
        send(probe, Signal::Suspend).await;
        probe.actor.any().signal(Signal::Kill);
        assert_eq!(probe.actor.exited().await, ExitReason::Killed);
    }
}

async fn a_suspended_idle_actor_can_be_stopped(stage: &Stage) {
    let probe = stage.probe();
    probe.catch_up().await;
    send(&probe, Signal::Suspend).await;
    probe.actor.stop();
    assert_eq!(probe.actor.exited().await, ExitReason::Stopped);
    assert_eq!(probe.log.count("probe stopped: stopped"), 1, "the stop hook is not held");
}

async fn a_suspend_before_the_start_holds_the_start(stage: &Stage) {
    let parent = stage.probe();
    let options = stage.options();
    let (log, actor) = parent
        .ask(act(async move |_, cx| {
            let log = crate::probe::Log::default();
            let child = cx.spawn(options, crate::probe::Probe::lives("child", &log, &[])).unwrap();
            child.any().signal(Signal::Suspend);
            (log, child)
        }))
        .await;
    let child = Subject { actor, log };
    // On its own thread the child may have been quicker than the signal; it is held in any case.
    until(|| child.actor.any().snapshot().status != Status::Suspending).await;
    send(&child, Signal::Suspend).await;
    child.actor.try_tell(note("handled")).unwrap();
    parent.catch_up().await;
    assert_eq!(child.log.count("handled"), 0);
    send(&child, Signal::Resume).await;
    assert!(child.actor.any().started().await);
    child.log.until("handled", 1).await;
}

async fn an_interrupt_abandons_the_handler_and_the_actor_lives(stage: &Stage) {
    let probe = stage.probe();
    let (_held, message) = hold();
    let mut ask = Box::pin(probe.actor.ask(message, LIMIT));
    assert!(poll_once(&mut ask).await.is_pending());
    probe.log.until("entered", 1).await;
    send(&probe, Signal::Interrupt).await;
    let answer = ask.await;
    assert!(matches!(answer, Err(AskError::Abandoned(Abandoned::Interrupted))), "{answer:?}");
    assert_eq!(probe.ask(act(async |_, _| 1)).await, 1);
    assert_eq!((probe.dropped("interrupted"), probe.log.count("left")), (1, 0));
}

async fn an_interrupt_of_an_idle_actor_leaves_the_next_handler_alone(stage: &Stage) {
    let probe = stage.probe();
    probe.catch_up().await;
    send(&probe, Signal::Interrupt).await;
    let held = probe.hold().await;
    held.release(0);
    probe.log.until("left", 1).await;
}

async fn a_caught_interrupt_leaves_the_handler_running(stage: &Stage) {
    let probe = stage.probe();
    let message = act(async |probe, cx| {
        probe.log.push("catching");
        let caught = cx.catch_interrupt(future::pending::<()>()).await.is_none();
        let passed = cx.catch_interrupt(future::ready(4)).await;
        (caught, passed)
    });
    let asking = background({
        let actor = probe.actor.clone();
        async move { actor.ask(message, LIMIT).await.ok() }
    });
    probe.log.until("catching", 1).await;
    send(&probe, Signal::Interrupt).await;
    assert_eq!(asking.await, Some((true, Some(4))));
}

async fn a_caught_interrupt_that_comes_too_late_abandons_as_usual(stage: &Stage) {
    let probe = stage.probe();
    let message = act(async |probe, cx| {
        cx.catch_interrupt(future::ready(())).await;
        probe.log.push("no longer catching");
        future::pending::<()>().await;
    });
    let mut ask = Box::pin(probe.actor.ask(message, LIMIT));
    assert!(poll_once(&mut ask).await.is_pending());
    probe.log.until("no longer catching", 1).await;
    send(&probe, Signal::Interrupt).await;
    assert!(matches!(ask.await, Err(AskError::Abandoned(Abandoned::Interrupted))));
}

async fn an_ignored_interrupt_is_over_at_once(stage: &Stage) {
    let probe = stage.probe();
    probe.ask(act(async |_, cx| cx.ignore_interrupts())).await;
    let (held, message) = hold();
    let mut ask = Box::pin(probe.actor.ask(message, LIMIT));
    assert!(poll_once(&mut ask).await.is_pending());
    probe.log.until("entered", 1).await;
    send(&probe, Signal::Interrupt).await;
    held.release(2);
    assert_eq!(ask.await.unwrap(), 2);
    let message = act(async |probe, cx| {
        probe.log.push("catching");
        cx.catch_interrupt(future::pending::<()>()).await.is_none()
    });
    let mut ask = Box::pin(probe.actor.ask(message, LIMIT));
    assert!(poll_once(&mut ask).await.is_pending());
    probe.log.until("catching", 1).await;
    send(&probe, Signal::Interrupt).await;
    assert!(ask.await.unwrap(), "what catches interrupts still does");
}

async fn an_interrupt_reaches_a_suspended_handler(stage: &Stage) {
    let probe = stage.probe();
    let _held = probe.hold().await;
    send(&probe, Signal::Suspend).await;
    send(&probe, Signal::Interrupt).await;
    until(|| probe.dropped("interrupted") == 1).await;
    send(&probe, Signal::Resume).await;
    probe.catch_up().await;
}

async fn a_step_lets_one_message_through_and_the_actor_rests_again(stage: &Stage) {
    let (probe, neighbour) = (stage.probe(), stage.probe());
    probe.catch_up().await;
    send(&probe, Signal::Suspend).await;
    for line in ["one", "two", "three"] {
        probe.actor.try_tell(note(line)).unwrap();
    }
    for (line, next) in [("one", "two"), ("two", "three")] {
        send(&probe, Signal::Step).await;
        probe.log.until(line, 1).await;
        for _ in 0..100 {
            neighbour.catch_up().await;
        }
        assert_eq!(probe.log.count(next), 0);
        until(|| status(&probe) == Status::Suspended).await;
    }
    send(&probe, Signal::Resume).await;
    probe.log.until("three", 1).await;
}

async fn a_step_finishes_the_handler_that_rests(stage: &Stage) {
    let probe = stage.probe();
    let held = probe.hold().await;
    send(&probe, Signal::Suspend).await;
    probe.actor.try_tell(note("after it")).unwrap();
    held.release(1);
    send(&probe, Signal::Step).await;
    assert_eq!((probe.log.count("left"), probe.log.count("after it")), (1, 0));
    send(&probe, Signal::Resume).await;
    probe.log.until("after it", 1).await;
}

async fn a_step_does_nothing_to_who_is_not_suspended(stage: &Stage) {
    let probe = stage.probe();
    send(&probe, Signal::Step).await;
    send(&probe, Signal::Suspend).await;
    assert_eq!(status(&probe), Status::Suspended);
    send(&probe, Signal::Resume).await;
    probe.catch_up().await;
}

async fn a_restart_is_another_life_and_no_failure(stage: &Stage) {
    let probe = stage.probe_with(stage.options().restart(Restart::OnFailure), &[]);
    probe.catch_up().await;
    let held = probe.hold().await;
    probe.actor.try_tell(note("in the next life")).unwrap();
    probe.actor.any().signal(Signal::Restart);
    held.release(1);
    probe.log.until("in the next life", 1).await;
    let seen = probe.actor.any().snapshot();
    assert_eq!((seen.restarts, seen.last_exit), (1, Some(ExitReason::Recycled)));
    assert!(!stage.probe().actor.any().can_be_restarted(), "nobody would start it again");
}
