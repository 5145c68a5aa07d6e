//! What survives the end of a life: the address, what is queued, the account of messages.

use palco_actors::{
    ActorRef, Backoff, ExitReason, Parcel, Recycle, Restart, SpawnOptions, Strategy, Supervision,
    Supervisor,
};

use crate::probe::{Do, Pid, Plan, Probe, Push, Pushed};
use crate::stage::{Column, LIMIT, Stage, trials, until};

trials! {
    Column::ALL => [
        what_is_queued_survives_a_panic_in_its_order,
        siblings_are_started_again_together,
        the_right_to_urgent_messages_is_the_parents,
        a_supervisor_gives_up_on_a_child_that_fails_too_often,
    ],
    Column::PROCESSES => [
        what_is_queued_survives_a_crash_in_its_order,
        a_process_is_replaced_after_so_many_messages_and_that_is_no_failure,
        a_process_is_replaced_when_it_has_grown_too_large,
        a_life_that_ends_itself_is_no_failure_and_loses_nothing,
    ],
}

async fn survives(stage: &Stage, end: Do) {
    let options = stage.options().restart(Restart::OnFailure);
    let probe = stage.probe_with(options, Plan::default());
    probe.tell(Push(0)).await.unwrap();
    probe.tell(end).await.unwrap();
    for number in 1..=200 {
        probe.tell(Push(number)).await.unwrap();
    }
    assert_eq!(probe.ask(Pushed, LIMIT).await.unwrap(), (1..=200).collect::<Vec<_>>());
    assert_eq!(probe.any().snapshot().restarts, 1);
    until(|| probe.any().snapshot().handled == 202).await; // counted just after the answer
    assert_eq!(probe.any().snapshot().dropped_total(), 1);
}

async fn what_is_queued_survives_a_panic_in_its_order(stage: &Stage) {
    survives(stage, Do::Panic).await;
}

async fn what_is_queued_survives_a_crash_in_its_order(stage: &Stage) {
    survives(stage, Do::Segv).await;
    survives(stage, Do::Exit(3)).await;
}

fn family(stage: &Stage, policy: Supervision) -> (ActorRef<Supervisor>, Vec<ActorRef<Probe>>) {
    let supervisor =
        stage.system.spawn(SpawnOptions::new(), move || Supervisor::new(policy)).unwrap();
    let child = |name: &str| {
        let options = stage.options().name(name).restart(Restart::Always);
        supervisor.supervise_portable(options, || Ok(Parcel::new(Plan::default()))).unwrap()
    };
    let children = ["a", "b", "c"].map(child).into();
    (supervisor, children)
}

async fn siblings_are_started_again_together(stage: &Stage) {
    let policy = Supervision::default().with_backoff(Backoff::NONE);
    for (strategy, expected) in [
        (Strategy::OneForOne, [1, 0, 1]),
        (Strategy::RestForOne, [1, 0, 0]),
        (Strategy::OneForAll, [0, 0, 0]),
    ] {
        let (supervisor, children) = family(stage, policy.with_strategy(strategy));
        for child in &children {
            child.ask(Push(1), LIMIT).await.unwrap();
        }
        let end = if stage.is_process() { Do::Abort } else { Do::Panic };
        children[1].tell(end).await.unwrap();
        until(|| children[1].any().snapshot().last_exit.is_some()).await;
        let lost = expected.iter().filter(|kept| **kept == 0).count();
        until(|| {
            children.iter().filter(|child| child.any().snapshot().restarts == 1).count() == lost
        })
        .await;
        for (child, kept) in children.iter().zip(expected) {
            assert_eq!(child.ask(Pushed, LIMIT).await.unwrap().len(), kept, "{strategy:?}");
        }
        supervisor.stop();
        supervisor.exited().await;
    }
}

/// The system is the parent of those at the top of its tree, and of no others.
async fn the_right_to_urgent_messages_is_the_parents(stage: &Stage) {
    let (_supervisor, children) = family(stage, Supervision::default());
    assert!(stage.system.urgent_ref(&children[0]).is_none());
    let urgent = stage.system.urgent_ref(&stage.probe()).unwrap();
    assert_eq!(urgent.ask(Push(1), LIMIT).await.unwrap(), 1);
}

async fn a_supervisor_gives_up_on_a_child_that_fails_too_often(stage: &Stage) {
    let policy = Supervision::default()
        .with_backoff(Backoff::NONE)
        .with_intensity(2, std::time::Duration::from_secs(60));
    let (supervisor, children) = family(stage, policy);
    for _ in 0..3 {
        let _ = children[0].tell(Do::Panic).await;
    }
    let reason = supervisor.exited().await;
    assert!(matches!(reason, ExitReason::Escalated { .. }), "{reason:?}");
}

async fn a_process_is_replaced_after_so_many_messages_and_that_is_no_failure(stage: &Stage) {
    let recycle = Recycle { messages: Some(20), ..Recycle::default() };
    let options = stage.options().process(stage.process().recycle(recycle));
    let probe = stage.probe_with(options, Plan::default());
    let mut pids = std::collections::HashSet::new();
    for number in 0..100 {
        probe.tell(Push(number)).await.unwrap();
        pids.insert(probe.ask(Pid, LIMIT).await.unwrap());
    }
    assert!((7..=12).contains(&pids.len()), "{} processes", pids.len());
    let snapshot = probe.any().snapshot();
    assert_eq!(snapshot.process.unwrap().recycled as usize, pids.len() - 1);
    assert_eq!((snapshot.restarts, snapshot.dropped), (0, vec![]));
    until(|| probe.any().snapshot().handled == 200).await;
}

async fn a_process_is_replaced_when_it_has_grown_too_large(stage: &Stage) {
    let recycle = Recycle { rss_bytes: Some(1), ..Recycle::default() };
    let options = stage.options().process(stage.process().recycle(recycle));
    let probe = stage.probe_with(options, Plan::default());
    let first = probe.ask(Pid, LIMIT).await.unwrap();
    until(|| probe.any().snapshot().process.is_some_and(|process| process.recycled > 0)).await;
    assert_ne!(probe.ask(Pid, LIMIT).await.unwrap(), first);
}

async fn a_life_that_ends_itself_is_no_failure_and_loses_nothing(stage: &Stage) {
    let policy = Supervision::default().with_intensity(0, std::time::Duration::from_secs(60));
    let (_supervisor, children) = family(stage, policy);
    let probe = &children[0];
    let first = probe.ask(Pid, LIMIT).await.unwrap();
    probe.tell(Push(0)).await.unwrap();
    probe.tell(Do::Renew).await.unwrap();
    for number in 1..=200 {
        probe.tell(Push(number)).await.unwrap();
    }
    assert_eq!(probe.ask(Pushed, LIMIT).await.unwrap(), (1..=200).collect::<Vec<_>>());
    assert_ne!(probe.ask(Pid, LIMIT).await.unwrap(), first);
    let snapshot = probe.any().snapshot();
    assert_eq!((snapshot.restarts, snapshot.dropped_total()), (0, 0));
    assert_eq!(snapshot.process.map(|process| process.recycled), Some(1));
}
