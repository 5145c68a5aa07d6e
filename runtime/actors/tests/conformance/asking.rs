//! Asks: the reply, and what is known when there is none.

use std::time::Duration;

use palco_actors::{AskError, DropReason};

use crate::harness::{LIMIT, Stage, in_every_place, poll_once};
use crate::probe::{act, note};

in_every_place!(
    real: [
        an_ask_is_answered,
        a_recipient_asks_without_knowing_the_actor,
        an_ask_dropped_before_it_is_handled_is_never_handled,
        an_ask_dropped_while_it_is_handled_loses_only_the_reply,
        an_ask_waits_for_room,
        an_ask_dropped_while_it_waits_for_room_leaves_nothing_behind,
    ],
    simulated: [
        an_ask_that_expires_in_the_queue_is_never_handled,
        an_ask_that_expires_in_its_handler_has_an_unknown_outcome,
        an_ask_that_finds_no_room_gives_the_message_back,
        an_ask_that_is_answered_in_time_does_not_expire,
    ]
);

const SECOND: Duration = Duration::from_secs(1);

async fn an_ask_is_answered(stage: &Stage) {
    let probe = stage.probe();
    assert_eq!(probe.actor.ask(act(async |_, _| 42), LIMIT).await.unwrap(), 42);
}

async fn a_recipient_asks_without_knowing_the_actor(stage: &Stage) {
    let probe = stage.probe();
    let recipient = probe.actor.recipient();
    assert_eq!(recipient.ask(act(async |_, _| 42), LIMIT).await.unwrap(), 42);
    recipient
        .try_tell(act(async |probe, _| {
            probe.log.push("told");
            0
        }))
        .unwrap();
    probe.log.until("told", 1).await;
}

async fn an_ask_dropped_before_it_is_handled_is_never_handled(stage: &Stage) {
    let probe = stage.probe();
    let held = probe.hold().await;
    let mut ask = Box::pin(probe.actor.ask(note("cancelled"), LIMIT));
    assert!(poll_once(&mut ask).await.is_pending());
    drop(ask);
    held.release(0);
    probe.catch_up().await;
    assert_eq!(probe.log.count("cancelled"), 0);
    assert_eq!(probe.dropped("asker gone"), 1);
    let letters = stage.system.latest_dead_letters();
    assert!(letters.iter().any(|letter| letter.reason == DropReason::AskerGone), "{letters:?}");
}

async fn an_ask_dropped_while_it_is_handled_loses_only_the_reply(stage: &Stage) {
    let probe = stage.probe();
    let (held, message) = crate::probe::hold();
    let mut ask = Box::pin(probe.actor.ask(message, LIMIT));
    assert!(poll_once(&mut ask).await.is_pending());
    probe.log.until("entered", 1).await;
    drop(ask);
    held.release(0);
    probe.log.until("left", 1).await;
}

async fn an_ask_waits_for_room(stage: &Stage) {
    let probe = stage.probe_with(stage.options().mailbox_messages_max(1), &[]);
    let held = probe.hold().await;
    probe.actor.try_tell(note("queued")).unwrap();
    let mut ask = Box::pin(probe.actor.ask(act(async |_, _| 7), LIMIT));
    assert!(poll_once(&mut ask).await.is_pending());
    held.release(0);
    assert_eq!(ask.await.unwrap(), 7);
}

async fn an_ask_dropped_while_it_waits_for_room_leaves_nothing_behind(stage: &Stage) {
    let probe = stage.probe_with(stage.options().mailbox_messages_max(1), &[]);
    let held = probe.hold().await;
    probe.actor.try_tell(note("queued")).unwrap();
    let mut ask = Box::pin(probe.actor.ask(note("given up"), LIMIT));
    let mut other = Box::pin(probe.actor.tell(note("other")));
    assert!(poll_once(&mut ask).await.is_pending() && poll_once(&mut other).await.is_pending());
    drop(ask);
    held.release(0);
    other.await.unwrap();
    probe.catch_up().await;
    assert_eq!(probe.log.count("given up"), 0);
    assert_eq!(probe.dropped("asker gone"), 0, "it was never accepted");
}

async fn an_ask_that_expires_in_the_queue_is_never_handled(stage: &Stage) {
    let probe = stage.probe();
    let held = probe.hold().await;
    let mut ask = Box::pin(probe.actor.ask(note("late"), SECOND));
    assert!(poll_once(&mut ask).await.is_pending());
    stage.system.advance(SECOND / 2).await;
    assert!(poll_once(&mut ask).await.is_pending());
    stage.system.advance(SECOND).await;
    assert!(matches!(ask.await, Err(AskError::Expired)));
    held.release(0);
    probe.catch_up().await;
    assert_eq!(probe.log.count("late"), 0);
    assert_eq!(probe.dropped("asker gone"), 1);
}

async fn an_ask_that_expires_in_its_handler_has_an_unknown_outcome(stage: &Stage) {
    let probe = stage.probe();
    let (held, message) = crate::probe::hold();
    let mut ask = Box::pin(probe.actor.ask(message, SECOND));
    assert!(poll_once(&mut ask).await.is_pending());
    probe.log.until("entered", 1).await;
    stage.system.advance(2 * SECOND).await;
    assert!(matches!(ask.await, Err(AskError::OutcomeUnknown)));
    held.release(0);
    probe.log.until("left", 1).await;
    probe.catch_up().await;
    assert_eq!(probe.actor.any().snapshot().dropped_total(), 0, "it was handled to its end");
}

async fn an_ask_that_finds_no_room_gives_the_message_back(stage: &Stage) {
    let probe = stage.probe_with(stage.options().mailbox_messages_max(1), &[]);
    let held = probe.hold().await;
    probe.actor.try_tell(note("queued")).unwrap();
    let mut ask = Box::pin(probe.actor.ask(note("returned"), SECOND));
    assert!(poll_once(&mut ask).await.is_pending());
    stage.system.advance(2 * SECOND).await;
    let Err(AskError::Full(message)) = ask.await else { panic!("there was no room") };
    held.release(0);
    probe.ask(message).await;
    assert_eq!(probe.log.count("returned"), 1);
}

async fn an_ask_that_is_answered_in_time_does_not_expire(stage: &Stage) {
    let probe = stage.probe();
    let mut ask = Box::pin(probe.actor.ask(
        act(async |_, cx| {
            cx.sleep(SECOND / 2).await;
            1
        }),
        SECOND,
    ));
    assert!(poll_once(&mut ask).await.is_pending());
    stage.system.advance(2 * SECOND).await;
    assert_eq!(ask.await.unwrap(), 1);
}
