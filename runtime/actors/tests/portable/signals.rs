//! Signals reach into a running handler, whatever it does; one that cannot be reached is stopped from outside.

use palco_actors::{
    Abandoned, AskError, Closeness, Effect, ExitReason, Restart, Signal, StateMark, Status,
};
use serde_json::json;

use crate::probe::{Do, Plan, Probe, Push, Pushed};
use crate::stage::{Column, LIMIT, Stage, trials, until};

trials! {
    Column::ALL => [
        an_interrupt_ends_a_wait_and_the_actor_goes_on,
        an_interrupt_ends_a_computation_at_a_checkpoint,
        a_suspended_actor_begins_nothing_and_goes_on_when_resumed,
        a_step_lets_one_message_through,
        a_restart_begins_another_life,
        a_stop_lets_the_handler_end_first,
        a_kill_ends_a_wait,
        the_state_is_written_down_between_two_messages,
    ],
    Column::OF_THIS_MACHINE => [
        what_a_handler_does_is_seen_by_who_looks,
    ],
    Column::WITH_A_THREAD => [
        an_interrupt_ends_a_blocking_call,
    ],
    Column::PROCESSES => [
        a_process_that_reaches_no_checkpoint_is_frozen_and_thawed,
        a_process_that_reaches_no_checkpoint_is_killed,
        signals_before_the_process_is_ready_are_obeyed,
    ],
}

async fn doing(stage: &Stage, what: Do) -> palco_actors::ActorRef<Probe> {
    let probe = stage.probe();
    probe.ask(Push(0), LIMIT).await.unwrap();
    probe.tell(what).await.unwrap();
    until(|| probe.any().snapshot().note.as_deref() == Some("as told")).await;
    probe
}

async fn interrupt_ends(stage: &Stage, what: Do) {
    let probe = doing(stage, what).await;
    assert_eq!(probe.any().signal_within(Signal::Interrupt, LIMIT).await, Effect::Done);
    assert_eq!(probe.ask(Pushed, LIMIT).await.unwrap(), [0]);
    assert_eq!(probe.any().snapshot().dropped, [("interrupted".to_owned(), 1)]);
}

async fn an_interrupt_ends_a_wait_and_the_actor_goes_on(stage: &Stage) {
    interrupt_ends(stage, Do::Wait).await;
    let ask = probe_and_interrupt(stage).await;
    assert!(matches!(ask, Err(AskError::Abandoned(Abandoned::Interrupted))), "{ask:?}");
}

async fn probe_and_interrupt(stage: &Stage) -> Result<String, AskError<Do>> {
    let probe = stage.probe();
    let interrupter = {
        let any = probe.any();
        std::thread::spawn(move || {
            palco_threads::block_on(until(|| any.snapshot().note.is_some()));
            any.signal(Signal::Interrupt);
        })
    };
    let answer = probe.ask(Do::Wait, LIMIT).await;
    interrupter.join().unwrap();
    answer
}

async fn an_interrupt_ends_a_computation_at_a_checkpoint(stage: &Stage) {
    interrupt_ends(stage, Do::Compute).await;
}

async fn an_interrupt_ends_a_blocking_call(stage: &Stage) {
    interrupt_ends(stage, Do::Read).await;
}

async fn a_suspended_actor_begins_nothing_and_goes_on_when_resumed(stage: &Stage) {
    let probe = stage.probe();
    probe.ask(Push(0), LIMIT).await.unwrap();
    assert_eq!(probe.any().signal_within(Signal::Suspend, LIMIT).await, Effect::Done);
    assert_eq!(probe.any().snapshot().status, Status::Suspended);
    probe.tell(Push(1)).await.unwrap();
    assert_eq!(probe.any().snapshot().queued, 1);
    assert_eq!(probe.any().signal_within(Signal::Resume, LIMIT).await, Effect::Done);
    assert_eq!(probe.ask(Pushed, LIMIT).await.unwrap(), [0, 1]);
}

async fn a_stop_lets_the_handler_end_first(stage: &Stage) {
    let probe = stage.probe();
    probe.ask(Push(0), LIMIT).await.unwrap();
    // Another node says from time to time what its handlers do.
    let ms = if stage.is_remote() { 1_000 } else { 30 };
    let ask = probe.ask(Do::Hog(ms), LIMIT);
    let mut ask = std::pin::pin!(ask);
    let _ = std::future::poll_fn(|task| std::task::Poll::Ready(ask.as_mut().poll(task))).await;
    until(|| probe.any().snapshot().note.is_some()).await;
    probe.stop();
    assert_eq!(ask.await.unwrap(), "hogged");
    assert_eq!(probe.exited().await, ExitReason::Stopped);
}

async fn a_kill_ends_a_wait(stage: &Stage) {
    let probe = doing(stage, Do::Wait).await;
    probe.any().signal(Signal::Kill);
    assert_eq!(probe.exited().await, ExitReason::Killed);
    assert_eq!(probe.any().snapshot().dropped, [("killed".to_owned(), 1)]);
}

async fn the_state_is_written_down_between_two_messages(stage: &Stage) {
    let probe = stage.probe();
    probe.tell(Push(4)).await.unwrap();
    probe.ask(Push(5), LIMIT).await.unwrap();
    let inspection = probe.any().inspect(LIMIT).await;
    assert_eq!(inspection.state, json!({ "pushed": [4, 5] }));
    assert_eq!(inspection.freshness, StateMark::Live);
}

async fn a_process_that_reaches_no_checkpoint_is_frozen_and_thawed(stage: &Stage) {
    let probe = doing(stage, Do::Hog(400)).await;
    let pid = probe.any().snapshot().process.unwrap().pid.unwrap();
    assert_eq!(probe.any().signal_within(Signal::Suspend, LIMIT).await, Effect::Done);
    let stat = || std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    until(|| stat().contains(") T ")).await; // stopped by SIGSTOP
    assert_eq!(probe.any().signal_within(Signal::Resume, LIMIT).await, Effect::Done);
    assert_eq!(probe.ask(Pushed, LIMIT).await.unwrap(), [0]);
    assert_eq!(probe.any().snapshot().dropped, [], "it was handled to its end");
}

async fn a_process_that_reaches_no_checkpoint_is_killed(stage: &Stage) {
    let probe = doing(stage, Do::Hog(60_000)).await;
    probe.any().signal(Signal::Kill);
    assert_eq!(probe.exited().await, ExitReason::Killed);
    assert_eq!(probe.any().snapshot().dropped, [("killed".to_owned(), 1)]);
}

async fn signals_before_the_process_is_ready_are_obeyed(stage: &Stage) {
    let stopped = stage.probe();
    stopped.stop();
    assert_eq!(stopped.exited().await, ExitReason::Stopped);
    let killed = stage.probe();
    killed.any().signal(Signal::Kill);
    assert_eq!(killed.exited().await, ExitReason::Killed);
}

async fn a_step_lets_one_message_through(stage: &Stage) {
    let probe = stage.probe();
    probe.ask(Push(0), LIMIT).await.unwrap();
    let any = probe.any();
    assert_eq!(any.signal_within(Signal::Suspend, LIMIT).await, Effect::Done);
    for number in 1..=3 {
        probe.try_tell(Push(number)).unwrap();
    }
    for handled in 2..=3 {
        assert_eq!(any.signal_within(Signal::Step, LIMIT).await, Effect::Done);
        until(|| any.snapshot().handled == handled).await;
        until(|| any.snapshot().status == Status::Suspended).await;
        assert_eq!(any.snapshot().handled, handled);
    }
    assert_eq!(any.signal_within(Signal::Resume, LIMIT).await, Effect::Done);
    assert_eq!(probe.ask(Pushed, LIMIT).await.unwrap(), [0, 1, 2, 3]);
}

async fn a_restart_begins_another_life(stage: &Stage) {
    let probe = stage.probe_with(stage.options().restart(Restart::OnFailure), Plan::default());
    probe.ask(Push(1), LIMIT).await.unwrap();
    probe.any().signal(Signal::Restart);
    until(|| probe.any().snapshot().restarts == 1).await;
    assert!(probe.ask(Pushed, LIMIT).await.unwrap().is_empty());
    assert_eq!(probe.any().snapshot().last_exit, Some(ExitReason::Recycled));
}

async fn what_a_handler_does_is_seen_by_who_looks(stage: &Stage) {
    let probe = stage.probe();
    probe.ask(Push(0), LIMIT).await.unwrap();
    assert!(probe.any().notes().messages.is_empty());
    let _observing = stage.system.observe(Closeness::Attached);
    let _look = probe.any().look();
    probe.ask(Do::Hog(1), LIMIT).await.unwrap();
    until(|| probe.any().notes().messages.len() == 1).await;
    let noted = probe.any().notes();
    assert!(noted.messages[0].ask && noted.messages[0].dropped.is_none());
    assert_eq!(noted.types, [(noted.messages[0].message, 1)]);
    until(|| probe.any().notes().steps.iter().any(|step| step.what.as_deref() == Some("as told")))
        .await;
    let step = &probe.any().notes().steps[0];
    let handled = noted.messages[0].begun..=noted.messages[0].ended.unwrap();
    assert!(handled.contains(&step.at), "{step:?} in {handled:?}");
}
