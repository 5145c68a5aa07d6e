//! Who is started again together with a failed child, and in which order.

use std::future;
use std::time::Duration;

use palco_actors::{ExitReason, Restart, Strategy};

use crate::family::{Family, patient};
use crate::harness::{Stage, in_every_place};
use crate::probe::{act, deliberate_panic};

in_every_place!(
    real: [
        one_for_one_starts_the_failed_child_again_alone,
        rest_for_one_takes_along_those_started_later,
        one_for_all_takes_along_everybody,
        a_sibling_that_is_never_restarted_is_stopped_for_good,
        a_sibling_that_has_finished_stays_away,
        children_that_fail_at_the_same_time_all_come_back,
    ],
    simulated: [a_stubborn_sibling_is_killed_and_comes_back]
);

const PANIC: &str = "panicked: deliberate, in a handler";

async fn one_for_one_starts_the_failed_child_again_alone(stage: &Stage) {
    let family = Family::new(stage, patient(Strategy::OneForOne), Restart::OnFailure).await;
    family.fail(1, "b", 1).await;
    let expected = [&format!("b stopped: {PANIC}"), "b dropped", "b started"];
    assert_eq!(family.news(), expected);
}

async fn rest_for_one_takes_along_those_started_later(stage: &Stage) {
    let family = Family::new(stage, patient(Strategy::RestForOne), Restart::OnFailure).await;
    family.fail(1, "b", 1).await;
    family.log.until("c started", 2).await;
    assert_eq!(
        family.news(),
        [
            &format!("b stopped: {PANIC}"),
            "b dropped",
            "c stopped: recycled",
            "c dropped",
            "b started",
            "c started",
        ]
    );
}

async fn one_for_all_takes_along_everybody(stage: &Stage) {
    let family = Family::new(stage, patient(Strategy::OneForAll), Restart::OnFailure).await;
    family.fail(1, "b", 1).await;
    family.log.until("c started", 2).await;
    assert_eq!(
        family.news(),
        [
            &format!("b stopped: {PANIC}"),
            "b dropped",
            "c stopped: recycled",
            "c dropped",
            "a stopped: recycled",
            "a dropped",
            "a started",
            "b started",
            "c started",
        ]
    );
    for child in &family.children {
        assert_eq!(child.actor.any().snapshot().restarts, 1);
    }
}

async fn a_sibling_that_is_never_restarted_is_stopped_for_good(stage: &Stage) {
    let mut family = Family::new(stage, patient(Strategy::RestForOne), Restart::OnFailure).await;
    family.add(stage.options(), "fleeting", &[]);
    family.log.until("fleeting started", 1).await;
    family.fail(2, "c", 1).await;
    assert_eq!(family.children[3].actor.exited().await, ExitReason::Stopped);
    assert_eq!(family.supervisor.any().children().len(), 3);
    assert_eq!(family.log.count("a started") + family.log.count("b started"), 2);
}

async fn a_sibling_that_has_finished_stays_away(stage: &Stage) {
    let family = Family::new(stage, patient(Strategy::OneForAll), Restart::OnFailure).await;
    family.children[0].ask(act(async |_, cx| cx.finish())).await;
    assert_eq!(family.children[0].actor.exited().await, ExitReason::Finished);
    family.fail(1, "b", 1).await;
    family.log.until("c started", 2).await;
    assert_eq!(family.log.count("a started"), 1);
}

async fn children_that_fail_at_the_same_time_all_come_back(stage: &Stage) {
    for strategy in [Strategy::OneForOne, Strategy::RestForOne, Strategy::OneForAll] {
        let family = Family::new(stage, patient(strategy), Restart::OnFailure).await;
        for _ in 0..30 {
            for child in &family.children {
                child.actor.tell(deliberate_panic()).await.unwrap();
            }
        }
        for child in &family.children {
            // Whatever was ahead of it in the queue, in whichever life.
            child.catch_up().await;
        }
        family.supervisor.stop();
        family.supervisor.exited().await;
    }
}

async fn a_stubborn_sibling_is_killed_and_comes_back(stage: &Stage) {
    let mut family = Family::new(stage, patient(Strategy::RestForOne), Restart::OnFailure).await;
    let options = stage.options().restart(Restart::OnFailure);
    family.add(options.stop_within(Duration::from_secs(2)), "stubborn", &[]);
    let stubborn = act(async |probe, _| {
        probe.log.push("entered");
        future::pending::<()>().await;
    });
    family.children[3].actor.tell(stubborn).await.unwrap();
    family.log.until("entered", 1).await;
    family.children[2].actor.tell(deliberate_panic()).await.unwrap();
    stage.system.advance(Duration::from_secs(1)).await;
    assert_eq!(family.log.count("c started"), 1, "it waits for the sibling");
    stage.system.advance(Duration::from_secs(1)).await;
    assert_eq!((family.log.count("c started"), family.log.count("stubborn started")), (2, 2));
    assert_eq!(family.children[3].dropped("killed"), 1);
}
