//! Checkpoints in code that is not async: signals act there too, however deep.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use palco_actors::{Context, Effect, ExitReason, PlaceKind, Signal};

use crate::harness::{LIMIT, Stage, in_every_place};
use crate::probe::{Act, Probe, act};

in_every_place!(
    real: [
        a_kill_unwinds_and_is_no_panic,
        an_interrupt_unwinds_and_drops_what_the_call_held,
        an_ignored_interrupt_does_not_unwind,
        a_suspend_rests_where_something_else_can_run,
        a_neighbour_on_the_same_thread_runs_in_between,
    ],
    simulated: []
);

/// Notes that it has been dropped.
struct Held<'a>(&'a Probe);

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.log.push("let go");
    }
}

/// A library that knows nothing of futures, some frames down.
fn deep(depth: u32, probe: &Probe, cx: &Context<Probe>, is_enough: &dyn Fn() -> bool) {
    let _held = (depth == 0).then(|| Held(probe));
    if depth > 0 {
        return deep(depth - 1, probe, cx, is_enough);
    }
    probe.log.push("computing");
    while !is_enough() {
        cx.checkpoint_now();
        thread::yield_now();
    }
    probe.log.push("computed");
}

fn compute(enough: &Arc<AtomicBool>) -> Act<()> {
    let enough = Arc::clone(enough);
    act(async move |probe, cx| deep(5, probe, cx, &|| enough.load(Ordering::SeqCst)))
}

async fn a_kill_unwinds_and_is_no_panic(stage: &Stage) {
    let probe = stage.probe();
    probe.actor.try_tell(compute(&Arc::default())).unwrap();
    probe.log.until("computing", 1).await;
    probe.actor.any().signal(Signal::Kill);
    assert_eq!(probe.actor.exited().await, ExitReason::Killed);
    assert_eq!((probe.log.count("let go"), probe.log.count("computed")), (1, 0));
}

async fn an_interrupt_unwinds_and_drops_what_the_call_held(stage: &Stage) {
    let probe = stage.probe();
    probe.actor.try_tell(compute(&Arc::default())).unwrap();
    probe.log.until("computing", 1).await;
    assert_eq!(probe.actor.any().signal_within(Signal::Interrupt, LIMIT).await, Effect::Done);
    probe.catch_up().await;
    assert_eq!((probe.dropped("interrupted"), probe.log.count("let go")), (1, 1));
    assert_eq!(probe.log.count("computed"), 0);
}

async fn an_ignored_interrupt_does_not_unwind(stage: &Stage) {
    let probe = stage.probe();
    let message = act(async move |probe, cx| {
        cx.ignore_interrupts();
        probe.log.push("ready");
        let turns = Cell::new(0);
        deep(0, probe, cx, &|| turns.replace(turns.get() + 1) == 1_000);
    });
    probe.actor.try_tell(message).unwrap();
    probe.log.until("ready", 1).await;
    probe.actor.any().signal(Signal::Interrupt);
    probe.log.until("computed", 1).await;
}

async fn a_suspend_rests_where_something_else_can_run(stage: &Stage) {
    let probe = stage.probe();
    let enough = Arc::default();
    probe.actor.try_tell(compute(&enough)).unwrap();
    probe.log.until("computing", 1).await;
    if stage.place == PlaceKind::Task {
        // Nothing that is not async can wait on a loop.
        let actor = probe.actor.any();
        let effect = actor.signal_within(Signal::Suspend, Duration::from_millis(30)).await;
        assert!(matches!(effect, Effect::Pending { .. }));
        enough.store(true, Ordering::SeqCst);
    } else {
        assert_eq!(probe.actor.any().signal_within(Signal::Suspend, LIMIT).await, Effect::Done);
        enough.store(true, Ordering::SeqCst);
        stage.probe().catch_up().await;
        assert_eq!(probe.log.count("computed"), 0);
    }
    assert_eq!(probe.actor.any().signal_within(Signal::Resume, LIMIT).await, Effect::Done);
    probe.log.until("computed", 1).await;
}

async fn a_neighbour_on_the_same_thread_runs_in_between(stage: &Stage) {
    let (probe, neighbour) = (stage.probe(), stage.probe());
    let enough = Arc::default();
    probe.actor.try_tell(compute(&enough)).unwrap();
    probe.log.until("computing", 1).await;
    let frees = Arc::clone(&enough);
    neighbour.actor.try_tell(act(async move |_, _| frees.store(true, Ordering::SeqCst))).unwrap();
    if stage.place == PlaceKind::Task {
        enough.store(true, Ordering::SeqCst); // else both would wait for ever
    }
    probe.log.until("computed", 1).await;
}
