//! Monitors: the news of an end.

use std::sync::mpsc;

use palco_actors::{ExitReason, Exited};

use crate::harness::{Stage, in_every_place};
use crate::probe::{Act, Subject, act, deliberate_panic, note};

in_every_place!(
    real: [
        a_watcher_is_told_once_and_why,
        a_watcher_of_an_actor_that_has_ended_is_told_at_once,
        all_watchers_are_told_even_if_the_news_of_one_panics,
        a_watcher_that_has_ended_is_no_trouble,
        the_news_gets_through_to_a_full_mailbox,
    ],
    simulated: []
);

fn news(exited: &Exited) -> Act<()> {
    note(format!("{} {}", exited.id, exited.reason))
}

async fn watch(watcher: &Subject, watched: &Subject) {
    let watched = watched.actor.clone();
    watcher.ask(act(async move |_, cx| cx.watch(&watched, |exited| news(&exited)))).await;
}

async fn a_watcher_is_told_once_and_why(stage: &Stage) {
    let (watcher, watched) = (stage.probe(), stage.probe());
    watch(&watcher, &watched).await;
    watched.actor.tell(deliberate_panic()).await.unwrap();
    let expected = format!("{} panicked: deliberate, in a handler", watched.actor.id());
    watcher.log.until(&expected, 1).await;
    watcher.catch_up().await;
    assert_eq!(watcher.log.count(&expected), 1);
}

async fn a_watcher_of_an_actor_that_has_ended_is_told_at_once(stage: &Stage) {
    let (watcher, watched) = (stage.probe(), stage.probe());
    watched.actor.stop();
    watched.actor.exited().await;
    watch(&watcher, &watched).await;
    watcher.log.until(&format!("{} stopped", watched.actor.id()), 1).await;
}

async fn all_watchers_are_told_even_if_the_news_of_one_panics(stage: &Stage) {
    let (first, second, watched) = (stage.probe(), stage.probe(), stage.probe());
    let target = watched.actor.clone();
    first
        .ask(act(async move |_, cx| {
            cx.watch(&target, |_| -> Act<()> { panic!("deliberate, in the news") });
        }))
        .await;
    watch(&second, &watched).await;
    watched.actor.stop();
    second.log.until(&format!("{} stopped", watched.actor.id()), 1).await;
    first.catch_up().await;
    assert_eq!(watched.actor.exited().await, ExitReason::Stopped);
}

async fn a_watcher_that_has_ended_is_no_trouble(stage: &Stage) {
    let (watcher, other, watched) = (stage.probe(), stage.probe(), stage.probe());
    watch(&watcher, &watched).await;
    watch(&other, &watched).await;
    watcher.actor.stop();
    watcher.actor.exited().await;
    watched.actor.stop();
    other.log.until(&format!("{} stopped", watched.actor.id()), 1).await;
}

async fn the_news_gets_through_to_a_full_mailbox(stage: &Stage) {
    let watcher = stage.probe_with(stage.options().mailbox_messages_max(1), &[]);
    let watched = stage.probe();
    watch(&watcher, &watched).await;
    let held = watcher.hold().await;
    watcher.actor.try_tell(note("fills it")).unwrap();
    let (sender, receiver) = mpsc::channel();
    watched.ask(act(async move |_, cx| sender.send(cx.id()).unwrap())).await;
    watched.actor.stop();
    watched.actor.exited().await;
    held.release(0);
    watcher.log.until(&format!("{} stopped", receiver.recv().unwrap()), 1).await;
}
