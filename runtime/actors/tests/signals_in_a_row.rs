//! A signal that comes while the one before is being dealt with is not lost.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::future::pending;
use std::time::Duration;

use palco_actors::{
    Actor, Context, Effect, Handler, Message, PlaceKind, Signal, SpawnOptions, System,
};
use palco_threads::block_on;

struct Sleeper;

impl Actor for Sleeper {}

struct Rest;

impl Message for Rest {
    type Reply = ();
}

impl Handler<Rest> for Sleeper {
    async fn handle(&mut self, _: Rest, cx: &mut Context<Self>) {
        cx.ignore_interrupts();
        pending::<()>().await;
    }
}

fn noticed(place: PlaceKind) {
    let system = System::new().unwrap();
    let actor = system.spawn(SpawnOptions::new().place(place), || Sleeper).unwrap();
    block_on(async {
        actor.tell(Rest).await.unwrap();
        while actor.any().snapshot().message.is_none() {
            std::thread::yield_now();
        }
        for round in 0..20_000 {
            let effect =
                actor.any().signal_within(Signal::Interrupt, Duration::from_secs(30)).await;
            assert_eq!(effect, Effect::Done, "round {round}");
        }
        actor.any().signal(Signal::Kill);
        system.shutdown().await;
    });
}

#[test]
fn an_ignored_interrupt_is_always_noticed() {
    PlaceKind::OF_THIS_PROCESS.into_iter().for_each(noticed);
}
