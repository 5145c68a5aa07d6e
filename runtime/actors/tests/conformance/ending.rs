//! Stop, kill, finish, fail: what happens to the running handler, to what is queued, and to who asks.

use std::future;

use palco_actors::{
    Abandoned, AskError, DropReason, Effect, ExitReason, Failure, SendError, Signal,
};

use crate::harness::{LIMIT, Stage, background, in_every_place, until};
use crate::probe::{Fault, act, hold, note};

in_every_place!(
    real: [
        a_stop_lets_the_handler_finish_and_drops_what_is_queued,
        a_stop_before_the_start_still_runs_both_hooks,
        a_kill_drops_the_handler_at_its_await,
        a_kill_skips_the_stop_hook,
        a_kill_ends_a_start_hook_that_hangs,
        an_actor_ends_itself_after_the_handler,
        an_actor_fails_in_its_own_words,
        an_actor_may_finish_in_its_start_hook,
        signals_to_an_actor_that_has_ended_say_so,
        a_handler_can_give_up_when_it_is_to_stop,
    ],
    simulated: []
);

async fn a_stop_lets_the_handler_finish_and_drops_what_is_queued(stage: &Stage) {
    let probe = stage.probe();
    let (held, message) = hold();
    let running = background({
        let actor = probe.actor.clone();
        async move { actor.ask(message, LIMIT).await.ok() }
    });
    probe.log.until("entered", 1).await;
    probe.actor.try_tell(note("queued")).unwrap();
    let asking = background({
        let actor = probe.actor.clone();
        async move { actor.ask(note("asked"), LIMIT).await }
    });
    until(|| probe.actor.any().snapshot().queued == 2).await;
    probe.actor.stop();
    held.release(5);
    assert_eq!(running.await, Some(5), "the running handler finishes and answers");
    assert_eq!(probe.actor.exited().await, ExitReason::Stopped);
    let answer = asking.await;
    assert!(matches!(answer, Err(AskError::Dropped(DropReason::ActorStopped))), "{answer:?}");
    assert_eq!(probe.dropped("actor stopped"), 2);
    assert_eq!((probe.log.count("queued"), probe.log.count("asked")), (0, 0));
    let path = probe.actor.path();
    let letters = stage.system.latest_dead_letters();
    let mine = letters.iter().filter(|letter| *letter.to == *path);
    let reasons: Vec<_> = mine.map(|letter| letter.reason).collect();
    assert_eq!(reasons, [DropReason::ActorStopped; 2]);
}

async fn a_stop_before_the_start_still_runs_both_hooks(stage: &Stage) {
    let probe = stage.probe();
    probe.actor.stop();
    assert_eq!(probe.actor.exited().await, ExitReason::Stopped);
    let hooks = ["probe started", "probe stopped: stopped", "probe dropped"];
    assert_eq!(probe.log.entries(), hooks);
}

async fn a_kill_drops_the_handler_at_its_await(stage: &Stage) {
    let probe = stage.probe();
    let (_held, message) = hold();
    let asking = background({
        let actor = probe.actor.clone();
        async move { actor.ask(message, LIMIT).await }
    });
    probe.log.until("entered", 1).await;
    probe.actor.try_tell(note("queued")).unwrap();
    let effect = probe.actor.any().signal_within(Signal::Kill, LIMIT).await;
    assert!(matches!(effect, Effect::Done | Effect::Ended), "{effect:?}");
    assert_eq!(probe.actor.exited().await, ExitReason::Killed);
    let answer = asking.await;
    assert!(matches!(answer, Err(AskError::Abandoned(Abandoned::Killed))), "{answer:?}");
    assert_eq!(probe.log.count("left"), 0);
    assert_eq!((probe.dropped("killed"), probe.dropped("actor failed")), (1, 1));
}

async fn a_kill_skips_the_stop_hook(stage: &Stage) {
    let probe = stage.probe();
    probe.catch_up().await;
    probe.actor.any().signal(Signal::Kill);
    assert_eq!(probe.actor.exited().await, ExitReason::Killed);
    assert_eq!(probe.log.entries(), ["probe started", "probe dropped"]);
}

async fn a_kill_ends_a_start_hook_that_hangs(stage: &Stage) {
    let probe = stage.probe_with(stage.options(), &[Fault::HangInStart]);
    probe.log.until("probe started", 1).await;
    probe.actor.try_tell(note("queued")).unwrap();
    probe.actor.any().signal(Signal::Kill);
    assert!(!probe.actor.any().started().await);
    assert_eq!(probe.actor.exited().await, ExitReason::Killed);
    assert_eq!(probe.dropped("actor failed"), 1);
}

async fn an_actor_ends_itself_after_the_handler(stage: &Stage) {
    let probe = stage.probe();
    let message = act(async |probe, cx| {
        cx.finish();
        probe.log.push("still here");
        3
    });
    assert_eq!(probe.ask(message).await, 3);
    assert_eq!(probe.actor.exited().await, ExitReason::Finished);
    assert_eq!(probe.log.count("still here"), 1);
}

async fn an_actor_fails_in_its_own_words(stage: &Stage) {
    let probe = stage.probe();
    probe.ask(act(async |_, cx| cx.fail(Failure::new("out of paper")))).await;
    assert_eq!(probe.actor.exited().await, ExitReason::Failed("out of paper".into()));
}

/// Has nothing to do.
struct Brief;

impl palco_actors::Actor for Brief {
    async fn started(&mut self, cx: &mut palco_actors::Context<Self>) -> Result<(), Failure> {
        cx.finish();
        Ok(())
    }
}

async fn an_actor_may_finish_in_its_start_hook(stage: &Stage) {
    let brief = stage.spawn(stage.options(), || Brief).unwrap();
    assert_eq!(brief.exited().await, ExitReason::Finished);
}

async fn signals_to_an_actor_that_has_ended_say_so(stage: &Stage) {
    let probe = stage.probe();
    probe.actor.stop();
    probe.actor.exited().await;
    for signal in [Signal::Stop, Signal::Kill, Signal::Suspend, Signal::Resume, Signal::Inspect] {
        let effect = probe.actor.any().signal_within(signal, LIMIT).await;
        assert_eq!(effect, Effect::Ended, "{signal:?}");
    }
    assert!(matches!(probe.actor.try_tell(note("")), Err(SendError::Closed(_))));
}

async fn a_handler_can_give_up_when_it_is_to_stop(stage: &Stage) {
    let probe = stage.probe();
    let message = act(async |probe, cx| {
        probe.log.push("waits");
        let outcome = cx.unless_stopped(future::pending::<()>()).await;
        (outcome.is_none(), cx.is_stopping())
    });
    let asking = background({
        let actor = probe.actor.clone();
        async move { actor.ask(message, LIMIT).await.ok() }
    });
    probe.log.until("waits", 1).await;
    probe.actor.stop();
    assert_eq!(asking.await, Some((true, true)));
    assert_eq!(probe.actor.exited().await, ExitReason::Stopped);
}
