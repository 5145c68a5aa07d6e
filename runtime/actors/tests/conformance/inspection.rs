//! What an observer sees.

use std::time::Duration;

use futures_util::future::join;
use palco_actors::{ExitReason, StateMark, Status};
use serde_json::Value;

use crate::harness::{LIMIT, Stage, in_every_place, until};
use crate::probe::note;

in_every_place!(
    real: [
        an_idle_actor_shows_its_state_live,
        a_suspended_actor_shows_its_state_live,
        an_actor_that_has_ended_shows_its_last_state_or_none,
        a_snapshot_says_what_the_actor_does,
    ],
    simulated: [a_busy_actor_shows_an_old_state]
);

async fn an_idle_actor_shows_its_state_live(stage: &Stage) {
    let probe = stage.probe();
    for entries in 1..4 {
        let inspection = probe.actor.any().inspect(LIMIT).await;
        assert_eq!(inspection.freshness, StateMark::Live);
        assert_eq!(inspection.state["entries"], entries);
        probe.ask(note("one more")).await;
    }
}

async fn a_suspended_actor_shows_its_state_live(stage: &Stage) {
    let probe = stage.probe();
    probe.catch_up().await;
    probe.actor.any().signal_within(palco_actors::Signal::Suspend, LIMIT).await;
    assert_eq!(probe.actor.any().inspect(LIMIT).await.freshness, StateMark::Live);
    assert_eq!(probe.actor.any().snapshot().status, Status::Suspended, "still");
}

async fn a_busy_actor_shows_an_old_state(stage: &Stage) {
    let probe = stage.probe();
    let inspect = async |within| {
        let actor = probe.actor.any();
        join(actor.inspect(within), stage.system.advance(within)).await.0
    };
    let first = probe.hold().await;
    let never = inspect(Duration::from_secs(1)).await;
    assert_eq!((never.freshness, never.state), (StateMark::Unknown, Value::Null));
    first.release(0);
    probe.catch_up().await;
    assert_eq!(probe.actor.any().inspect(LIMIT).await.freshness, StateMark::Live);
    stage.system.advance(Duration::from_secs(2)).await;
    let second = probe.hold().await;
    let old = inspect(Duration::from_secs(1)).await;
    assert_eq!(old.freshness, StateMark::Stale { age_ms: 3_000 });
    assert_eq!(old.state["entries"], 3);
    second.release(0);
}

async fn an_actor_that_has_ended_shows_its_last_state_or_none(stage: &Stage) {
    let (seen, unseen) = (stage.probe(), stage.probe());
    seen.actor.any().inspect(LIMIT).await;
    for probe in [&seen, &unseen] {
        probe.actor.stop();
        probe.actor.exited().await;
    }
    let inspection = seen.actor.any().inspect(LIMIT).await;
    assert_eq!(
        (inspection.freshness, inspection.state["entries"].as_u64()),
        (StateMark::PostMortem, Some(1))
    );
    assert_eq!(inspection.actor.last_exit, Some(ExitReason::Stopped));
    assert_eq!(unseen.actor.any().inspect(LIMIT).await.freshness, StateMark::Unknown);
}

async fn a_snapshot_says_what_the_actor_does(stage: &Stage) {
    let probe = stage.probe_with(stage.options().name("seen").mailbox_messages_max(8), &[]);
    let held = probe.hold().await;
    probe.actor.try_tell(note("queued")).unwrap();
    let busy = probe.actor.any().snapshot();
    assert_eq!((busy.path.as_str(), busy.actor_type.as_str()), ("seen", "Probe"));
    assert_eq!((busy.status, busy.queued, busy.capacity), (Status::Busy, 1, 8));
    assert_eq!((busy.sent, busy.handled, busy.in_flight()), (2, 0, 1));
    assert!(busy.message.is_some_and(|message| message.contains("Act<u32>")));
    held.release(0);
    probe.catch_up().await;
    until(|| probe.actor.any().snapshot().status == Status::Idle).await;
    let idle = probe.actor.any().snapshot();
    assert_eq!((idle.sent, idle.handled, idle.in_flight()), (3, 3, 0));
}
