//! A panic ends one life and nothing else.

use std::future::{self, Future};

use palco_actors::{
    Abandoned, Actor, AskError, Context, ExitReason, Failure, Handler, Message, Signal,
};

use crate::harness::{LIMIT, Stage, in_every_place, poll_once};
use crate::probe::{Fault, act, deliberate_panic, note};

in_every_place!(
    real: [
        a_panic_in_a_handler_ends_this_actor_alone,
        a_panic_in_the_factory_ends_the_actor,
        a_panic_in_the_start_hook_ends_the_actor,
        a_panic_in_the_stop_hook_is_the_reason_of_an_orderly_end,
        a_second_panic_in_the_stop_hook_leaves_the_first_as_the_reason,
        a_panic_while_the_actor_is_dropped_is_contained,
        a_panic_while_a_killed_handler_is_dropped_is_contained,
        a_panic_while_a_message_is_dropped_is_contained,
        a_hook_that_panics_before_it_returns_a_future_is_contained,
        a_failed_start_is_its_own_reason,
    ],
    simulated: []
);

fn panicked(text: &str) -> ExitReason {
    ExitReason::Panicked(text.into())
}

async fn a_panic_in_a_handler_ends_this_actor_alone(stage: &Stage) {
    let (probe, neighbour) = (stage.probe(), stage.probe());
    let answer = probe.actor.ask(deliberate_panic(), LIMIT).await;
    assert!(matches!(answer, Err(AskError::Abandoned(Abandoned::Panicked))), "{answer:?}");
    assert_eq!(probe.actor.exited().await, panicked("deliberate, in a handler"));
    assert_eq!(probe.dropped("panicked"), 1);
    assert_eq!(neighbour.ask(act(async |_, _| 1)).await, 1);
    let hooks = probe.log.entries();
    assert_eq!(
        hooks,
        ["probe started", "probe stopped: panicked: deliberate, in a handler", "probe dropped"]
    );
}

async fn a_panic_in_the_factory_ends_the_actor(stage: &Stage) {
    let probe = stage.probe_with(stage.options(), &[Fault::PanicInMake]);
    assert_eq!(probe.actor.exited().await, panicked("deliberate, in make"));
    assert!(!probe.actor.any().started().await);
}

async fn a_panic_in_the_start_hook_ends_the_actor(stage: &Stage) {
    let probe = stage.probe_with(stage.options(), &[Fault::PanicInStart]);
    assert!(!probe.actor.any().started().await);
    assert_eq!(probe.actor.exited().await, panicked("deliberate, in started"));
}

async fn a_failed_start_is_its_own_reason(stage: &Stage) {
    let probe = stage.probe_with(stage.options(), &[Fault::FailInStart]);
    assert!(!probe.actor.any().started().await);
    assert_eq!(probe.actor.exited().await, ExitReason::StartFailed("no luck".into()));
}

async fn a_panic_in_the_stop_hook_is_the_reason_of_an_orderly_end(stage: &Stage) {
    let probe = stage.probe_with(stage.options(), &[Fault::PanicInStop]);
    probe.actor.stop();
    assert_eq!(probe.actor.exited().await, panicked("deliberate, in stopped"));
    assert_eq!(probe.log.count("probe dropped"), 1);
}

async fn a_second_panic_in_the_stop_hook_leaves_the_first_as_the_reason(stage: &Stage) {
    let probe = stage.probe_with(stage.options(), &[Fault::PanicInStop]);
    probe.actor.tell(deliberate_panic()).await.unwrap();
    assert_eq!(probe.actor.exited().await, panicked("deliberate, in a handler"));
}

async fn a_panic_while_the_actor_is_dropped_is_contained(stage: &Stage) {
    let neighbour = stage.probe();
    let probe = stage.probe_with(stage.options(), &[Fault::PanicInDrop]);
    probe.actor.stop();
    assert_eq!(probe.actor.exited().await, panicked("deliberate, in drop"));
    neighbour.catch_up().await;
}

/// Panics when dropped.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("deliberate, in a drop");
    }
}

async fn a_panic_while_a_killed_handler_is_dropped_is_contained(stage: &Stage) {
    let (probe, neighbour) = (stage.probe(), stage.probe());
    let message = act(async |probe, _| {
        let _bomb = Bomb;
        probe.log.push("armed");
        future::pending::<()>().await;
    });
    probe.actor.tell(message).await.unwrap();
    probe.log.until("armed", 1).await;
    probe.actor.any().signal(Signal::Kill);
    assert_eq!(probe.actor.exited().await, panicked("deliberate, in a drop"));
    neighbour.catch_up().await;
}

async fn a_panic_while_a_message_is_dropped_is_contained(stage: &Stage) {
    let probe = stage.probe();
    let bomb = || {
        let bomb = Bomb;
        act(async move |_, _| drop(bomb))
    };
    let held = probe.hold().await;
    let mut ask = Box::pin(probe.actor.ask(bomb(), LIMIT));
    assert!(poll_once(&mut ask).await.is_pending());
    drop(ask);
    held.release(0);
    probe.catch_up().await;
    assert_eq!(probe.dropped("asker gone"), 1);

    let held = probe.hold().await;
    probe.actor.try_tell(bomb()).unwrap();
    probe.actor.try_tell(note("behind it")).unwrap();
    probe.actor.stop();
    held.release(0);
    assert_eq!(probe.actor.exited().await, ExitReason::Stopped);
    assert_eq!(probe.dropped("actor stopped"), 2);
}

/// Its hooks are no `async fn`: they panic when they are called, not when they are polled.
struct Rash {
    in_start: bool,
}

impl Actor for Rash {
    fn started(&mut self, _: &mut Context<Self>) -> impl Future<Output = Result<(), Failure>> {
        assert!(!self.in_start, "deliberate, before the future");
        future::ready(Ok(()))
    }

    fn stopped(&mut self, _: &ExitReason, _: &mut Context<Self>) -> impl Future<Output = ()> {
        assert!(self.in_start, "deliberate, before the future");
        future::ready(())
    }
}

struct Ping;

impl Message for Ping {
    type Reply = ();
}

impl Handler<Ping> for Rash {
    fn handle(&mut self, _: Ping, _: &mut Context<Self>) -> impl Future<Output = ()> {
        if !self.in_start {
            panic!("deliberate, before the future");
        }
        future::ready(())
    }
}

async fn a_hook_that_panics_before_it_returns_a_future_is_contained(stage: &Stage) {
    let expected = panicked("deliberate, before the future");
    let starting = stage.spawn(stage.options(), || Rash { in_start: true }).unwrap();
    assert_eq!(starting.exited().await, expected);
    let stopping = stage.spawn(stage.options(), || Rash { in_start: false }).unwrap();
    stopping.stop();
    assert_eq!(stopping.exited().await, expected);
    let handling = stage.spawn(stage.options(), || Rash { in_start: false }).unwrap();
    let answer = handling.ask(Ping, LIMIT).await;
    assert!(matches!(answer, Err(AskError::Abandoned(Abandoned::Panicked))), "{answer:?}");
    assert_eq!(handling.exited().await, expected);
}
