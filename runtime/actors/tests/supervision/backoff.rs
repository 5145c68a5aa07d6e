//! The time between two lives, and what may happen in it.

use std::time::Duration;

use palco_actors::{
    Backoff, Effect, ExitReason, Restart, Signal, SpawnError, Status, Strategy, Supervision,
};

use crate::family::{Family, patient};
use crate::harness::{Stage, in_every_place};
use crate::probe::{Fault, Log, Probe, deliberate_panic, note};

in_every_place!(
    real: [],
    simulated: [
        the_wait_doubles_with_every_failure,
        a_stop_during_the_wait_is_final,
        a_kill_during_the_wait_has_nothing_to_end,
        a_shutdown_does_not_wait_for_the_end_of_the_wait,
        messages_sent_during_the_wait_are_handled_in_the_next_life,
        a_child_that_hangs_in_its_start_does_not_keep_the_others_from_starting,
        a_supervisor_can_be_given_children_while_others_wait,
    ]
);

const SECOND: Duration = Duration::from_secs(1);

fn slow() -> Supervision {
    patient(Strategy::OneForOne).with_backoff(Backoff { first_ms: 1_000, max_ms: 4_000 })
}

/// A family whose first child has failed and waits.
async fn waiting(stage: &Stage) -> Family {
    let family = Family::new(stage, slow(), Restart::OnFailure).await;
    family.children[0].actor.tell(deliberate_panic()).await.unwrap();
    stage.system.settle().await;
    assert_eq!(family.children[0].actor.any().snapshot().status, Status::Restarting);
    family
}

async fn the_wait_doubles_with_every_failure(stage: &Stage) {
    let family = Family::new(stage, slow(), Restart::OnFailure).await;
    for (lives, longest) in [(1, 1), (2, 2), (3, 4), (4, 4)] {
        family.children[0].actor.tell(deliberate_panic()).await.unwrap();
        stage.system.advance(SECOND * longest / 2 - Duration::from_millis(1)).await;
        assert_eq!(family.log.count("a started"), lives, "too early");
        stage.system.advance(SECOND * longest / 2 + Duration::from_millis(1)).await;
        assert_eq!(family.log.count("a started"), lives + 1, "too late");
    }
}

async fn a_stop_during_the_wait_is_final(stage: &Stage) {
    let family = waiting(stage).await;
    family.children[0].actor.try_tell(note("queued")).unwrap();
    family.children[0].actor.stop();
    assert_eq!(family.children[0].actor.exited().await, ExitReason::Stopped);
    stage.system.advance(SECOND * 10).await;
    assert_eq!(family.log.count("a started"), 1);
    assert_eq!(family.children[0].dropped("actor stopped"), 1);
}

async fn a_kill_during_the_wait_has_nothing_to_end(stage: &Stage) {
    let family = waiting(stage).await;
    let child = family.children[0].actor.any();
    assert_eq!(child.signal_within(Signal::Kill, SECOND).await, Effect::Done);
    stage.system.advance(SECOND * 10).await;
    assert_eq!(family.log.count("a started"), 2);
    family.children[0].catch_up().await;
    assert_eq!(child.snapshot().restarts, 1, "the next life is not killed either");
}

async fn a_shutdown_does_not_wait_for_the_end_of_the_wait(stage: &Stage) {
    let family = waiting(stage).await;
    stage.system.shutdown().await;
    assert_eq!(family.children[0].actor.exited().await, ExitReason::Stopped);
}

async fn messages_sent_during_the_wait_are_handled_in_the_next_life(stage: &Stage) {
    let family = waiting(stage).await;
    for number in 0..10 {
        family.children[0].actor.try_tell(note(number.to_string())).unwrap();
    }
    stage.system.advance(SECOND).await;
    let numbers: Vec<String> = (0..10).map(|number| number.to_string()).collect();
    assert!(family.news().ends_with(&numbers), "{:?}", family.news());
}

async fn a_child_that_hangs_in_its_start_does_not_keep_the_others_from_starting(stage: &Stage) {
    let policy = patient(Strategy::OneForAll);
    let mut family = Family::new(stage, policy, Restart::OnFailure).await;
    let options = stage.options().restart(Restart::OnFailure);
    family.add(options.clone(), "hangs", &[Fault::None, Fault::HangInStart]);
    family.add(options, "later", &[]);
    family.log.until("later started", 1).await;
    family.children[0].actor.tell(deliberate_panic()).await.unwrap();
    stage.system.settle().await;
    assert_eq!((family.log.count("hangs started"), family.log.count("later started")), (2, 1));
    stage.system.advance(SECOND * 10).await;
    assert_eq!(family.log.count("later started"), 2);
    family.supervisor.stop();
    stage.system.advance(SECOND * 10).await;
    assert_eq!(family.supervisor.exited().await, ExitReason::Stopped);
    assert_eq!(family.children[3].actor.exited().await, ExitReason::Killed);
}

async fn a_supervisor_can_be_given_children_while_others_wait(stage: &Stage) {
    let mut family = waiting(stage).await;
    family.add(stage.options().name("new"), "new", &[]);
    family.log.until("new started", 1).await;
    let again = family
        .supervisor
        .supervise(stage.options().name("new"), Probe::lives("new", &Log::default(), &[]));
    assert!(matches!(again, Err(SpawnError::NameTaken(_))));
    stage.system.advance(SECOND).await;
    assert_eq!(family.log.count("a started"), 2);
}
