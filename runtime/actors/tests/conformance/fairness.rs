//! Turns: nobody starves a neighbour.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::harness::{Stage, background, in_every_place};
use crate::probe::{Act, act, note};

in_every_place!(
    real: [a_flooded_actor_does_not_starve_its_neighbour, a_flood_does_not_keep_signals_out],
    simulated: []
);

/// Keeps the mailbox full: each message sends the next, whatever comes from outside.
fn flood(enough: &Arc<AtomicBool>) -> Act<()> {
    let enough = Arc::clone(enough);
    act(async move |probe, cx| {
        probe.log.push("flooded");
        if !enough.load(Ordering::SeqCst) {
            let me = cx.actor_ref();
            while me.try_tell(flood(&enough)).is_ok() {}
        }
    })
}

async fn a_flooded_actor_does_not_starve_its_neighbour(stage: &Stage) {
    let flooded = stage.probe_with(stage.options().mailbox_messages_max(100), &[]);
    let neighbour = stage.probe();
    let enough = Arc::default();
    flooded.actor.tell(flood(&enough)).await.unwrap();
    flooded.log.until("flooded", 1_000).await;
    for number in 0..20 {
        assert_eq!(neighbour.ask(act(async move |_, _| number)).await, number);
    }
    enough.store(true, Ordering::SeqCst);
}

async fn a_flood_does_not_keep_signals_out(stage: &Stage) {
    let flooded = stage.probe();
    let enough: Arc<AtomicBool> = Arc::default();
    let sender = background({
        let (actor, enough) = (flooded.actor.clone(), Arc::clone(&enough));
        async move { while !enough.load(Ordering::SeqCst) && actor.tell(note("drop")).await.is_ok() {} }
    });
    flooded.log.until("drop", 100).await;
    let inspection = flooded.actor.any().inspect(crate::harness::LIMIT).await;
    assert_eq!(inspection.freshness, palco_actors::StateMark::Live);
    flooded.actor.stop();
    flooded.actor.exited().await;
    enough.store(true, Ordering::SeqCst);
    sender.await;
}
