//! Names and paths.

use futures_util::future::join_all;
use palco_actors::{ActorRef, SpawnError};

use crate::harness::{Stage, background, in_every_place};
use crate::probe::{Log, Probe, act};

in_every_place!(
    real: [
        a_name_is_taken_while_its_actor_lives_and_free_after_the_end,
        a_name_that_is_no_name_is_refused,
        actors_are_found_by_path_and_by_id,
        children_have_their_parents_path_before_their_own_name,
        of_many_who_want_a_name_one_gets_it,
    ],
    simulated: []
);

fn spawn(stage: &Stage, name: &str) -> Result<ActorRef<Probe>, SpawnError> {
    stage.spawn(stage.options().name(name), Probe::lives("named", &Log::default(), &[]))
}

async fn a_name_is_taken_while_its_actor_lives_and_free_after_the_end(stage: &Stage) {
    for _ in 0..50 {
        let actor = spawn(stage, "only").unwrap();
        assert!(
            matches!(spawn(stage, "only"), Err(SpawnError::NameTaken(name)) if &*name == "only")
        );
        assert_eq!(stage.system.find("only").map(|found| found.id()), Some(actor.id()));
        actor.stop();
        actor.exited().await;
        let found = stage.system.find("only").map(|found| found.id());
        assert_eq!(found, None, "who knows of the end can have the name");
    }
    let last = spawn(stage, "only").unwrap();
    assert_eq!(stage.system.find("only").map(|found| found.id()), Some(last.id()));
}

async fn a_name_that_is_no_name_is_refused(stage: &Stage) {
    for name in ["", "a/b", "#1", "a b", "a\n", &"x".repeat(65)] {
        assert!(matches!(spawn(stage, name), Err(SpawnError::NameInvalid(_))), "{name:?}");
    }
    spawn(stage, &"x".repeat(64)).unwrap();
    assert_eq!(stage.system.top().len(), 1, "a refused actor leaves nothing behind");
}

async fn actors_are_found_by_path_and_by_id(stage: &Stage) {
    let named = spawn(stage, "named").unwrap();
    let nameless = stage.probe().actor;
    for (actor, name) in [
        (&named, "named".to_owned()),
        (&named, named.id().to_string()),
        (&nameless, nameless.id().to_string()),
    ] {
        assert_eq!(stage.system.find(&name).map(|found| found.id()), Some(actor.id()), "{name}");
    }
    assert!(stage.system.find("nobody").is_none());
    assert_eq!(nameless.path(), nameless.id().to_string());
}

async fn children_have_their_parents_path_before_their_own_name(stage: &Stage) {
    let parent = spawn(stage, "parent").unwrap();
    let options = stage.options().name("child");
    let make = Probe::lives("child", &Log::default(), &[]);
    let child = parent.ask(act(async move |_, cx| cx.spawn(options, make)), crate::harness::LIMIT);
    let child = child.await.unwrap().unwrap();
    assert_eq!(child.path(), "parent/child");
    assert_eq!(stage.system.find("parent/child").map(|found| found.id()), Some(child.id()));
    spawn(stage, "child").expect("another path");
    let shown: Vec<_> = stage.system.snapshot().into_iter().map(|actor| actor.path).collect();
    assert_eq!(shown, ["parent", "parent/child", "child"]);
}

async fn of_many_who_want_a_name_one_gets_it(stage: &Stage) {
    for _ in 0..20 {
        let wanting = (0..4).map(|_| {
            let (system, options) = (stage.system.clone(), stage.options().name("wanted"));
            background(async move {
                system.spawn(options, Probe::lives("wanted", &Log::default(), &[])).ok()
            })
        });
        let mut got: Vec<_> =
            join_all(wanting.collect::<Vec<_>>()).await.into_iter().flatten().collect();
        assert_eq!(got.len(), 1);
        let winner = got.remove(0);
        winner.stop();
        winner.exited().await;
    }
}
