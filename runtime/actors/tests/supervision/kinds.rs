//! Which ends are followed by another life.

use palco_actors::{ExitReason, Restart, Signal, Strategy};

use crate::family::{Family, patient};
use crate::harness::{LIMIT, Stage, in_every_place, until};
use crate::probe::{Fault, Subject, act, deliberate_panic, hold};

in_every_place!(
    real: [
        never_means_that_every_end_is_the_last,
        on_failure_means_after_a_panic_an_error_and_a_kill_only,
        always_means_after_everything_but_a_stop,
        a_stop_is_final_whatever_the_handler_does_after_it,
        a_stop_is_final_even_if_it_takes_a_kill,
        a_failed_start_is_tried_again,
        a_factory_that_panics_is_tried_again,
        an_interrupted_start_is_tried_again,
    ],
    simulated: []
);

#[derive(Clone, Copy, Debug)]
enum End {
    Finish,
    Fail,
    Panic,
    Kill,
    Stop,
}

async fn end(child: &Subject, how: End) {
    match how {
        End::Finish => child.ask(act(async |_, cx| cx.finish())).await,
        End::Fail => child.ask(act(async |_, cx| cx.fail(palco_actors::Failure::new("no")))).await,
        End::Panic => child.actor.tell(deliberate_panic()).await.unwrap(),
        End::Kill => child.actor.any().signal(Signal::Kill),
        End::Stop => child.actor.stop(),
    }
}

async fn lives_on_after(stage: &Stage, restart: Restart, again: &[End], last: &[End]) {
    let family = Family::new(stage, patient(Strategy::OneForOne), restart).await;
    let child = &family.children[0];
    for (times, how) in (2..).zip(again) {
        end(child, *how).await;
        family.log.until("a started", times).await;
        child.catch_up().await;
    }
    assert_eq!(child.actor.any().snapshot().restarts as usize, again.len());
    for how in last {
        let family = Family::new(stage, patient(Strategy::OneForOne), restart).await;
        end(&family.children[0], *how).await;
        family.children[0].actor.exited().await;
        assert_eq!(family.log.count("a started"), 1, "{how:?}");
    }
}

async fn never_means_that_every_end_is_the_last(stage: &Stage) {
    let last = [End::Finish, End::Fail, End::Panic, End::Kill, End::Stop];
    lives_on_after(stage, Restart::Never, &[], &last).await;
}

async fn on_failure_means_after_a_panic_an_error_and_a_kill_only(stage: &Stage) {
    let again = [End::Fail, End::Panic, End::Kill];
    lives_on_after(stage, Restart::OnFailure, &again, &[End::Finish, End::Stop]).await;
}

async fn always_means_after_everything_but_a_stop(stage: &Stage) {
    let again = [End::Finish, End::Fail, End::Panic, End::Kill];
    lives_on_after(stage, Restart::Always, &again, &[End::Stop]).await;
}

async fn a_stop_is_final_whatever_the_handler_does_after_it(stage: &Stage) {
    let family = Family::new(stage, patient(Strategy::OneForAll), Restart::Always).await;
    let child = &family.children[0];
    let (held, message) = hold();
    let failing = act(async move |_, _| panic!("deliberate, after the stop"));
    child.actor.tell(message).await.unwrap();
    child.log.until("entered", 1).await;
    child.actor.stop();
    let _: Result<(), _> = child.actor.try_tell::<crate::probe::Act<()>>(failing);
    held.release(0);
    assert_eq!(child.actor.exited().await, ExitReason::Stopped);
    let stopping = act(async |_, cx| {
        cx.actor_ref().stop();
        panic!("deliberate, after the stop");
    });
    let child = &family.children[1];
    child.actor.tell::<crate::probe::Act<()>>(stopping).await.unwrap();
    assert!(matches!(child.actor.exited().await, ExitReason::Panicked(_)));
    family.children[2].catch_up().await;
    assert_eq!(family.children[2].actor.any().snapshot().restarts, 0, "no sibling has to suffer");
}

async fn a_stop_is_final_even_if_it_takes_a_kill(stage: &Stage) {
    let family = Family::new(stage, patient(Strategy::OneForAll), Restart::Always).await;
    let child = &family.children[0];
    let (_held, message) = hold();
    child.actor.tell(message).await.unwrap();
    child.log.until("entered", 1).await;
    child.actor.stop();
    child.actor.any().signal(Signal::Kill);
    assert_eq!(child.actor.exited().await, ExitReason::Killed);
    family.children[1].catch_up().await;
    assert_eq!(family.log.count("b started"), 1);
}

async fn a_failed_start_is_tried_again(stage: &Stage) {
    let mut family = Family::new(stage, patient(Strategy::OneForOne), Restart::OnFailure).await;
    let options = stage.options().restart(Restart::OnFailure);
    const FAULTS: [Fault; 3] = [Fault::FailInStart, Fault::PanicInStart, Fault::FailInStart];
    family.add(options, "unlucky", &FAULTS);
    let child = &family.children[3];
    assert!(child.actor.any().started().await);
    child.catch_up().await;
    assert_eq!(family.log.count("unlucky started"), 4);
    let snapshot = child.actor.any().snapshot();
    assert_eq!(snapshot.last_exit, Some(ExitReason::StartFailed("no luck".into())));
    assert_eq!(snapshot.restarts, 3);
}

async fn a_factory_that_panics_is_tried_again(stage: &Stage) {
    let mut family = Family::new(stage, patient(Strategy::OneForOne), Restart::OnFailure).await;
    let options = stage.options().restart(Restart::OnFailure);
    family.add(options, "unmade", &[Fault::PanicInMake, Fault::PanicInMake]);
    family.children[3].catch_up().await;
    assert_eq!(family.log.count("unmade started"), 1);
}

async fn an_interrupted_start_is_tried_again(stage: &Stage) {
    let mut family = Family::new(stage, patient(Strategy::OneForOne), Restart::OnFailure).await;
    let options = stage.options().restart(Restart::OnFailure);
    family.add(options, "slow", &[Fault::HangInStart]);
    let child = &family.children[3];
    child.log.until("slow started", 1).await;
    child.actor.any().signal_within(Signal::Interrupt, LIMIT).await;
    child.catch_up().await;
    until(|| child.actor.any().snapshot().restarts == 1).await;
    let last = child.actor.any().snapshot().last_exit;
    assert_eq!(last, Some(ExitReason::StartFailed("interrupted".into())));
}
