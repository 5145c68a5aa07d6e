//! A stage whose event loops are all blocked.

use std::sync::mpsc::{Receiver, channel};

use palco_actors::{Actor, Context, Handler, Message, SpawnOptions, Status};
use serde_json::json;

use crate::stage::{Stage, until};

/// Blocks its thread, wrongly, until the sender is dropped.
struct Block(Receiver<()>);

impl Message for Block {
    type Reply = ();
}

struct Blocker;

impl Actor for Blocker {}

impl Handler<Block> for Blocker {
    async fn handle(&mut self, Block(until): Block, _: &mut Context<Self>) {
        let _ = until.recv();
    }
}

#[test]
fn the_dashboard_answers_while_all_event_loops_are_stuck() {
    let stage = Stage::start();
    let mut senders = Vec::new();
    // More than there are loops: each loop gets one, and is stuck with it.
    let blockers: Vec<_> = (0..8)
        .map(|number| {
            let options = SpawnOptions::new().name(format!("blocker-{number}").as_str());
            let blocker = stage.system.spawn(options, || Blocker).unwrap();
            palco_threads::block_on(blocker.any().started());
            blocker
        })
        .collect();
    for blocker in &blockers {
        let (sender, receiver) = channel();
        senders.push(sender);
        blocker.try_tell(Block(receiver)).unwrap();
    }
    let busy = || blockers.iter().filter(|it| it.any().snapshot().status == Status::Busy);
    until("both loops are stuck", || busy().count() == 2);

    let actors = stage.get("/api/actors?name=blocker&status=busy");
    assert_eq!(actors["actors"].as_array().unwrap().len(), 2);
    let mut events = stage.ask("GET", "/api/events").events();
    assert_eq!(events.next().unwrap().name, "snapshot");
    let id = busy().next().unwrap().any().id().number();
    let page = stage.get(&format!("/api/actors/{id}?within_ms=1"));
    assert_eq!((&page["status"], &page["freshness"]["mark"]), (&json!("busy"), &json!("unknown")));
    let path = format!("/api/actors/{id}/suspend");
    let done = stage.post(&path).json(&json!({ "within_ms": 1 })).answer().good();
    assert_eq!(done["effect"]["effect"], "pending");
    stage.post(&format!("/api/actors/{id}/resume")).answer();
    drop(senders);
}
