//! Parents and children.

use std::future;
use std::time::Duration;

use palco_actors::{
    ActorRef, Effect, ExitReason, Place, PlaceKind, Restart, Signal, SpawnError, SpawnOptions,
    Supervision, Supervisor,
};

use crate::harness::{LIMIT, Stage, in_every_place};
use crate::probe::{Act, Log, Probe, Subject, act};

in_every_place!(
    real: [
        children_end_before_their_parent,
        supervised_children_stop_last_started_first,
        a_parent_that_is_stopping_gets_no_more_children,
        an_actor_may_have_children_from_its_start_hook_on,
        only_a_supervisor_restarts,
        a_child_that_ends_leaves_its_parent_alone,
        a_parent_has_the_right_to_urgent_messages_to_its_children_alone,
    ],
    simulated: [a_child_that_does_not_stop_in_time_is_killed]
);

fn with_child(options: SpawnOptions, name: &'static str, log: &Log) -> Act<ActorRef<Probe>> {
    let make = Probe::lives(name, log, &[]);
    act(async move |_, cx| cx.spawn(options, make).unwrap())
}

async fn children_end_before_their_parent(stage: &Stage) {
    let parent = stage.probe();
    let child = parent.ask(with_child(stage.options(), "child", &parent.log)).await;
    assert_eq!(child.place(), stage.place);
    let grandchild =
        child.ask(with_child(stage.options(), "grandchild", &parent.log), LIMIT).await.unwrap();
    grandchild.ask(crate::probe::note("all are up"), LIMIT).await.unwrap();
    assert_eq!(parent.actor.any().children().len(), 1);
    parent.actor.stop();
    parent.actor.exited().await;
    assert_eq!(
        parent.log.entries()[4..],
        [
            "grandchild stopped: stopped",
            "grandchild dropped",
            "child stopped: stopped",
            "child dropped",
            "probe stopped: stopped",
            "probe dropped",
        ]
    );
    assert_eq!(child.exited().await, ExitReason::Stopped);
    assert!(parent.actor.any().children().is_empty());
}

async fn a_parent_has_the_right_to_urgent_messages_to_its_children_alone(stage: &Stage) {
    let parent = stage.probe();
    let child = parent.ask(with_child(stage.options(), "child", &parent.log)).await;
    let grandchild =
        child.ask(with_child(stage.options(), "grandchild", &parent.log), LIMIT).await.unwrap();
    let rights = act(async move |_, cx| {
        [&child, &grandchild].map(|other| cx.urgent_ref_of(other).is_some())
    });
    assert_eq!(parent.ask(rights).await, [true, false]);
}

async fn supervised_children_stop_last_started_first(stage: &Stage) {
    let log = Log::default();
    let supervisor = || Supervisor::new(Supervision::default());
    let supervisor = stage.system.spawn(SpawnOptions::new(), supervisor).unwrap();
    for name in ["a", "b", "c"] {
        let options = stage.options().restart(Restart::OnFailure);
        let child = supervisor.supervise(options, Probe::lives(name, &log, &[])).unwrap();
        assert!(child.any().started().await);
    }
    supervisor.stop();
    supervisor.exited().await;
    let entries = log.entries();
    let stops: Vec<_> = entries.iter().filter(|entry| entry.ends_with(": stopped")).collect();
    assert_eq!(stops, ["c stopped: stopped", "b stopped: stopped", "a stopped: stopped"]);
}

async fn a_parent_that_is_stopping_gets_no_more_children(stage: &Stage) {
    let log = Log::default();
    let supervisor = || Supervisor::new(Supervision::default());
    let supervisor = stage.system.spawn(SpawnOptions::new(), supervisor).unwrap();
    let lasting = stage.options().restart(Restart::OnFailure);
    let actor = supervisor.supervise(lasting, Probe::lives("slow", &log, &[])).unwrap();
    let held = Subject { actor, log: log.clone() }.hold().await;
    supervisor.stop();
    // The supervisor stops while its child holds it up; from then on it takes no more.
    let refused = loop {
        match supervisor.supervise(stage.options(), Probe::lives("late", &log, &[])) {
            Ok(child) => child.stop(),
            Err(error) => break error,
        }
    };
    assert!(matches!(refused, SpawnError::ParentStopping(_)), "{refused}");
    held.release(0);
    supervisor.exited().await;
    let refused = supervisor.supervise(stage.options(), Probe::lives("late", &log, &[]));
    assert!(matches!(refused, Err(SpawnError::ParentStopping(_))));
}

/// Has a child before its first message.
struct Prepared(Log, SpawnOptions);

impl palco_actors::Actor for Prepared {
    async fn started(
        &mut self,
        cx: &mut palco_actors::Context<Self>,
    ) -> Result<(), palco_actors::Failure> {
        cx.spawn(self.1.clone(), Probe::lives("child", &self.0, &[]))?;
        Ok(())
    }
}

async fn an_actor_may_have_children_from_its_start_hook_on(stage: &Stage) {
    let (log, options) = (Log::default(), stage.options());
    let make = {
        let log = log.clone();
        move || Prepared(log.clone(), options.clone())
    };
    let parent = stage.spawn(stage.options(), make).unwrap();
    log.until("child started", 1).await;
    parent.stop();
    parent.exited().await;
    assert_eq!(log.count("child stopped: stopped"), 1);
}

async fn only_a_supervisor_restarts(stage: &Stage) {
    let parent = stage.probe();
    let options = stage.options().restart(Restart::Always);
    let make = Probe::lives("child", &parent.log, &[]);
    let refused = parent.ask(act(async move |_, cx| cx.spawn(options, make).err())).await;
    assert!(matches!(refused, Some(SpawnError::NotSupervised(_))), "{refused:?}");
    let refused = stage
        .system
        .spawn(SpawnOptions::new().place(Place::Loop(2)), Probe::lives("child", &parent.log, &[]));
    assert!(matches!(refused, Err(SpawnError::NoSuchLoop { asked: 2, available: 2 })));
    assert_eq!(parent.log.count("child started"), 0);
}

async fn a_child_that_ends_leaves_its_parent_alone(stage: &Stage) {
    let parent = stage.probe();
    let child = parent.ask(with_child(stage.options(), "child", &parent.log)).await;
    child.any().signal(Signal::Kill);
    assert_eq!(child.exited().await, ExitReason::Killed);
    parent.catch_up().await;
    assert!(parent.actor.any().children().is_empty(), "who has ended is listed no more");
}

async fn a_child_that_does_not_stop_in_time_is_killed(stage: &Stage) {
    let parent = stage.probe();
    let options = stage.options().stop_within(Duration::from_secs(2));
    let child = parent.ask(with_child(options, "child", &parent.log)).await;
    let stubborn = act(async |probe, _| {
        probe.log.push("stubborn");
        future::pending::<()>().await;
    });
    child.tell(stubborn).await.unwrap();
    parent.log.until("stubborn", 1).await;
    parent.actor.stop();
    stage.system.advance(Duration::from_secs(1)).await;
    let effect = child.any().signal_within(Signal::Inspect, Duration::ZERO).await;
    assert!(matches!(effect, Effect::Pending { .. }), "still at it");
    stage.system.advance(Duration::from_secs(1)).await;
    assert_eq!(child.exited().await, ExitReason::Killed);
    assert_eq!(parent.actor.exited().await, ExitReason::Stopped);
    assert!(PlaceKind::ALL.contains(&stage.place));
}
