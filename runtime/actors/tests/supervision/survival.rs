//! What outlasts a restart, and what does not.

use std::time::Duration;

use palco_actors::{Effect, Restart, Signal, Status, Strategy};

use crate::family::{Family, patient};
use crate::harness::{LIMIT, Stage, background, in_every_place, poll_once};
use crate::probe::{Subject, act, deliberate_panic, hold, note};

in_every_place!(
    real: [
        the_address_and_what_is_queued_survive,
        an_ask_that_is_queued_is_answered_by_the_next_life,
        a_name_and_an_id_survive,
        a_watcher_is_told_of_the_last_end_only,
        a_suspend_outlasts_a_restart,
        settings_of_a_life_end_with_it,
        what_was_sent_from_all_sides_during_restarts_is_handled_or_accounted_for,
    ],
    simulated: [a_timer_ends_with_its_life]
);

async fn family(stage: &Stage) -> Family {
    Family::new(stage, patient(Strategy::OneForOne), Restart::OnFailure).await
}

async fn the_address_and_what_is_queued_survive(stage: &Stage) {
    let family = family(stage).await;
    let child = &family.children[0];
    let held = child.hold().await;
    child.actor.try_tell(deliberate_panic()).unwrap();
    for number in 0..5 {
        child.actor.try_tell(note(number.to_string())).unwrap();
    }
    held.release(0);
    child.log.until("4", 1).await;
    let entries = family.log.entries();
    let (_, after) = entries.split_at(entries.iter().rposition(|e| e == "a started").unwrap());
    assert_eq!(after, ["a started", "0", "1", "2", "3", "4"]);
}

async fn an_ask_that_is_queued_is_answered_by_the_next_life(stage: &Stage) {
    let family = family(stage).await;
    let child = &family.children[0];
    let held = child.hold().await;
    child.actor.try_tell(deliberate_panic()).unwrap();
    let mut ask = Box::pin(child.actor.ask(act(async |_, _| 8), LIMIT));
    assert!(poll_once(&mut ask).await.is_pending());
    held.release(0);
    assert_eq!(ask.await.unwrap(), 8);
}

async fn a_name_and_an_id_survive(stage: &Stage) {
    let mut family = family(stage).await;
    let options = stage.options().restart(Restart::OnFailure).name("named");
    family.add(options, "named", &[]);
    family.log.until("named started", 1).await;
    let path = family.children[3].actor.path();
    for times in 1..5 {
        family.fail(3, "named", times).await;
        let found = stage.system.find(&path).map(|found| found.id());
        assert_eq!(found, Some(family.children[3].actor.id()));
    }
}

async fn a_watcher_is_told_of_the_last_end_only(stage: &Stage) {
    let family = family(stage).await;
    let (watcher, watched) = (stage.probe(), family.children[0].actor.clone());
    let news = move |exited: palco_actors::Exited| note(exited.reason.to_string());
    watcher.ask(act(async move |_, cx| cx.watch(&watched, news))).await;
    family.fail(0, "a", 1).await;
    family.children[0].actor.stop();
    watcher.log.until("stopped", 1).await;
    assert_eq!(watcher.log.entries(), ["probe started", "stopped"]);
}

async fn a_suspend_outlasts_a_restart(stage: &Stage) {
    let family = family(stage).await;
    let child = family.children[0].actor.any();
    assert_eq!(child.signal_within(Signal::Suspend, LIMIT).await, Effect::Done);
    child.signal(Signal::Kill);
    family.log.until("a dropped", 1).await;
    // Held before it starts: whoever suspended the actor finds it as quiet as before.
    assert_eq!(child.signal_within(Signal::Suspend, LIMIT).await, Effect::Done);
    family.children[1].catch_up().await;
    assert_eq!(family.log.count("a started"), 1);
    assert_eq!(child.signal_within(Signal::Resume, LIMIT).await, Effect::Done);
    family.log.until("a started", 2).await;
    family.children[0].catch_up().await;
    assert_ne!(child.snapshot().status, Status::Suspended);
}

async fn settings_of_a_life_end_with_it(stage: &Stage) {
    let family = family(stage).await;
    let child = &family.children[0];
    child.ask(act(async |_, cx| cx.ignore_interrupts())).await;
    family.fail(0, "a", 1).await;
    let (_held, message) = hold();
    child.actor.tell(message).await.unwrap();
    child.log.until("entered", 1).await;
    child.actor.any().signal_within(Signal::Interrupt, LIMIT).await;
    child.catch_up().await;
    assert_eq!(child.dropped("interrupted"), 1);
}

async fn a_timer_ends_with_its_life(stage: &Stage) {
    let family = family(stage).await;
    let child = &family.children[0];
    let delay = Duration::from_secs(1);
    child.ask(act(async move |_, cx| cx.tell_after(delay, note("from the first life")))).await;
    family.fail(0, "a", 1).await;
    child.ask(act(async move |_, cx| cx.tell_after(2 * delay, note("from the second life")))).await;
    stage.system.advance(delay * 5).await;
    assert_eq!(child.log.count("from the first life"), 0);
    assert_eq!(child.log.count("from the second life"), 1);
}

async fn what_was_sent_from_all_sides_during_restarts_is_handled_or_accounted_for(stage: &Stage) {
    const MESSAGES: u64 = 500;
    let family = family(stage).await;
    let Subject { actor, log } = &family.children[0];
    let sending: Vec<_> = (0..3)
        .map(|_| {
            let actor = actor.clone();
            background(async move {
                for number in 0..MESSAGES {
                    actor.tell(note("handled")).await.unwrap();
                    if number % 50 == 0 {
                        actor.tell(deliberate_panic()).await.unwrap();
                    }
                }
            })
        })
        .collect();
    futures_util::future::join_all(sending).await;
    log.until("handled", 3 * MESSAGES as usize).await;
    family.children[0].catch_up().await;
    let books = actor.any().snapshot();
    assert_eq!((books.dropped_total(), books.restarts), (30, 30));
}
