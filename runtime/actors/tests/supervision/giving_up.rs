//! Too many failures: a supervisor gives up, and its own supervisor decides.

use std::time::Duration;

use palco_actors::{
    ActorRef, Backoff, ExitReason, Restart, SpawnError, SpawnOptions, Strategy, Supervision,
    Supervisor, System,
};

use crate::family::patient;
use crate::harness::{LIMIT, Stage, in_every_place, in_time, until};
use crate::probe::{Act, Fault, Log, Probe, act, deliberate_panic, note};

in_every_place!(
    real: [
        one_failure_too_many_ends_the_supervisor,
        a_restarted_supervisor_starts_its_children_anew,
        a_child_that_always_fails_is_started_a_bounded_number_of_times,
        a_root_that_gives_up_ends_the_system,
    ],
    simulated: [failures_are_forgotten_after_the_window]
);

fn impatient(restarts_max: u32) -> Supervision {
    patient(Strategy::OneForOne).with_intensity(restarts_max, Duration::from_secs(10))
}

async fn one_failure_too_many_ends_the_supervisor(stage: &Stage) {
    let supervisor =
        stage.system.spawn(SpawnOptions::new(), || Supervisor::new(impatient(2))).unwrap();
    let log = Log::default();
    let options = stage.options().restart(Restart::OnFailure).name("child");
    let child = supervisor.supervise(options, Probe::lives("child", &log, &[])).unwrap();
    let sibling = supervisor.supervise(stage.options(), Probe::lives("sibling", &log, &[]));
    let sibling = sibling.unwrap();
    for _ in 0..3 {
        child.tell(deliberate_panic()).await.unwrap();
    }
    let panic = ExitReason::Panicked("deliberate, in a handler".into());
    let expected =
        ExitReason::Escalated { child: child.path().into(), reason: Box::new(panic.clone()) };
    assert_eq!(supervisor.exited().await, expected);
    assert_eq!(child.exited().await, panic, "its own reason, not that of the supervisor's stop");
    assert_eq!(sibling.exited().await, ExitReason::Stopped);
    assert_eq!(log.count("child started"), 3);
}

async fn failures_are_forgotten_after_the_window(stage: &Stage) {
    let supervisor =
        stage.system.spawn(SpawnOptions::new(), || Supervisor::new(impatient(2))).unwrap();
    let log = Log::default();
    let options = stage.options().restart(Restart::OnFailure);
    let child = supervisor.supervise(options, Probe::lives("child", &log, &[])).unwrap();
    for _ in 0..10 {
        child.tell(deliberate_panic()).await.unwrap();
        stage.system.advance(Duration::from_secs(6)).await;
    }
    assert_eq!(log.count("child started"), 11);
    assert_eq!(supervisor.any().children().len(), 1);
}

/// A supervisor under the root whose policy is `policy`, with a child `init` that its start hook starts.
fn nested(
    stage: &Stage,
    outer: &ActorRef<Supervisor>,
    policy: Supervision,
    log: &Log,
) -> ActorRef<Supervisor> {
    let (log, options) = (log.clone(), stage.options().restart(Restart::OnFailure).name("init"));
    let make = move || {
        let (log, options) = (log.clone(), options.clone());
        Supervisor::with_children(policy, move |cx| {
            cx.supervise(options.clone(), Probe::lives("init", &log, &[]))?;
            Ok(())
        })
    };
    let options = SpawnOptions::new().restart(Restart::OnFailure).name("inner");
    outer.supervise(options, make).unwrap()
}

/// Has the child that bears the name now do something; its address differs from life to life of its supervisor.
async fn find(system: &System, log: &Log, times: usize) -> palco_actors::AnyRef {
    log.until("init started", times).await;
    let mut found = None;
    until(|| {
        found = system.find("outer/inner/init");
        found.is_some()
    })
    .await;
    found.unwrap()
}

async fn a_restarted_supervisor_starts_its_children_anew(stage: &Stage) {
    let log = Log::default();
    let outer = || Supervisor::new(patient(Strategy::OneForOne));
    let outer = stage.system.spawn(SpawnOptions::new().name("outer"), outer).unwrap();
    let inner = nested(stage, &outer, impatient(1), &log);
    let mut before = None;
    for round in 0..3 {
        // Each second kill is one too many for the inner supervisor.
        for kill in 1..=2 {
            let child = find(&stage.system, &log, 2 * round + kill).await;
            assert!(child.started().await);
            if kill == 1 {
                assert_ne!(before.replace(child.id()), Some(child.id()), "a new actor");
                let later = Probe::lives("later", &log, &[]);
                inner.supervise(stage.options().name("later"), later).unwrap();
            } else {
                assert_eq!(before, Some(child.id()), "a new life");
            }
            child.signal_within(palco_actors::Signal::Kill, LIMIT).await;
        }
    }
    find(&stage.system, &log, 7).await;
    until(|| inner.any().snapshot().restarts == 3).await;
    assert!(inner.any().started().await);
    assert!(stage.system.find("outer/inner/later").is_none(), "it was added from outside");
    assert_eq!(inner.any().children().len(), 1);
    assert_eq!(outer.any().children().len(), 1);
}

async fn a_child_that_always_fails_is_started_a_bounded_number_of_times(stage: &Stage) {
    let log = Log::default();
    let supervisor =
        stage.system.spawn(SpawnOptions::new(), || Supervisor::new(impatient(20))).unwrap();
    let options = stage.options().restart(Restart::Always);
    let make = Probe::lives("doomed", &log, &[Fault::FailInStart; 100]);
    let child = supervisor.supervise(options, make).unwrap();
    assert!(matches!(supervisor.exited().await, ExitReason::Escalated { .. }));
    assert_eq!(log.count("doomed started"), 21);
    assert_eq!(child.any().snapshot().restarts, 20);
    assert_eq!(child.exited().await, ExitReason::StartFailed("no luck".into()));
}

async fn a_root_that_gives_up_ends_the_system(stage: &Stage) {
    let system = System::builder()
        .event_loops(1)
        .supervision(impatient(1).with_backoff(Backoff::NONE))
        .build()
        .unwrap();
    let log = Log::default();
    let options = SpawnOptions::new().place(stage.place).restart(Restart::OnFailure);
    let child = system.spawn(options.clone(), Probe::lives("child", &log, &[])).unwrap();
    let bystander = system.spawn(options.clone(), Probe::lives("bystander", &log, &[])).unwrap();
    let three: [Act<()>; 3] = [deliberate_panic(), deliberate_panic(), note("never")];
    for message in three {
        child.tell(message).await.unwrap();
    }
    let reason = in_time("the end of the system", system.ended()).await;
    assert!(matches!(reason, ExitReason::Escalated { .. }), "{reason}");
    assert_eq!(bystander.exited().await, ExitReason::Stopped);
    assert_eq!((log.count("child started"), log.count("never")), (2, 0));
    let refused = system.spawn(options, Probe::lives("late", &log, &[]));
    assert!(matches!(refused, Err(SpawnError::ParentStopping(_))));
    assert!(bystander.tell(act(async |_, _| ())).await.is_err());
    system.shutdown().await;
    assert!(system.ledger().is_balanced());
}
