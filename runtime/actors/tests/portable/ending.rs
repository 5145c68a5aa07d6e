//! How a life ends, and that nothing queued is forgotten.

use palco_actors::{Abandoned, AskError, DropReason, ExitReason, Restart};

use crate::probe::{Do, Fault, Plan, Push};
use crate::stage::{Column, LIMIT, Stage, trials, until};

trials! {
    Column::ALL => [
        a_panic_in_a_handler_is_told_with_its_text,
        a_failure_and_a_finish_are_told,
        a_failed_start_is_its_own_reason,
        what_is_queued_at_the_end_becomes_dead_letters,
        hooks_run_in_order,
    ],
}

async fn a_panic_in_a_handler_is_told_with_its_text(stage: &Stage) {
    let probe = stage.probe();
    let answer = probe.ask(Do::Panic, LIMIT).await;
    assert!(matches!(answer, Err(AskError::Abandoned(Abandoned::Panicked))), "{answer:?}");
    let reason = ExitReason::Panicked("deliberate, in a handler".into());
    assert_eq!(probe.exited().await, reason);
    assert_eq!(probe.any().snapshot().dropped, [("panicked".to_owned(), 1)]);
}

async fn a_failure_and_a_finish_are_told(stage: &Stage) {
    let (failing, finishing) = (stage.probe(), stage.probe());
    assert_eq!(failing.ask(Do::Fail, LIMIT).await.unwrap(), "");
    assert_eq!(failing.exited().await, ExitReason::Failed("deliberate".into()));
    assert_eq!(finishing.ask(Do::Finish, LIMIT).await.unwrap(), "");
    assert_eq!(finishing.exited().await, ExitReason::Finished);
}

async fn a_failed_start_is_its_own_reason(stage: &Stage) {
    let reason = async |fault| {
        let probe = stage.probe_with(stage.options(), Plan { fault, ..Plan::default() });
        assert!(!probe.any().started().await);
        probe.exited().await
    };
    let failed = |text: &str| ExitReason::StartFailed(text.into());
    let panicked = |text: &str| ExitReason::Panicked(text.into());
    assert_eq!(reason(Some(Fault::FailInMake)).await, failed("no luck in make"));
    assert_eq!(reason(Some(Fault::PanicInMake)).await, panicked("deliberate, in make"));
    assert_eq!(reason(Some(Fault::FailInStart)).await, failed("no luck in start"));
    assert_eq!(reason(Some(Fault::PanicInStart)).await, panicked("deliberate, in started"));
    if stage.is_process() {
        assert_eq!(reason(Some(Fault::ExitInStart)).await, ExitReason::Exited(7));
    }
}

async fn what_is_queued_at_the_end_becomes_dead_letters(stage: &Stage) {
    let probe = stage.probe();
    probe.tell(Do::Wait).await.unwrap();
    until(|| probe.any().snapshot().note.is_some()).await;
    for number in 0..20 {
        probe.tell(Push(number)).await.unwrap();
    }
    let mut ask = Box::pin(probe.ask(Push(20), LIMIT));
    let _ = std::future::poll_fn(|task| std::task::Poll::Ready(ask.as_mut().poll(task))).await;
    probe.any().signal(palco_actors::Signal::Kill);
    let answer = ask.await;
    assert!(matches!(answer, Err(AskError::Dropped(DropReason::ActorFailed))), "{answer:?}");
    let mut dropped = probe.any().snapshot().dropped;
    dropped.sort();
    assert_eq!(dropped, [("actor failed".to_owned(), 21), ("killed".to_owned(), 1)]);
}

async fn hooks_run_in_order(stage: &Stage) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("diary");
    let confinement = palco_actors::Confinement {
        file_access: palco_actors::FileAccess::Free,
        ..palco_actors::Confinement::service()
    };
    let options = stage.options().process(stage.process().confinement(confinement));
    let plan = Plan { diary: Some(path.to_str().unwrap().to_owned()), ..Plan::default() };
    let probe = stage.probe_with(options.restart(Restart::OnFailure), plan);
    probe.tell(Do::Panic).await.unwrap();
    assert_eq!(probe.ask(Push(1), LIMIT).await.unwrap(), 1);
    probe.stop();
    assert_eq!(probe.exited().await, ExitReason::Stopped);
    let diary = std::fs::read_to_string(path).unwrap();
    let lines: Vec<_> = diary.lines().collect();
    assert_eq!(
        lines,
        ["started", "stopped: panicked: deliberate, in a handler", "started", "stopped: stopped"]
    );
}
