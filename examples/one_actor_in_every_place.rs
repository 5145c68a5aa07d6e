//! One actor, written once, runs on an event loop, on a thread and in a process of its own; who asks
//! it cannot tell.
//!
//! `cargo run --example one_actor_in_every_place`

#![forbid(unsafe_code)]

use std::borrow::Cow;
use std::time::Duration;

use anyhow::Result;
use palco_actors::{
    Actor, Context, Failure, Handler, Luggage, Message, MessageTable, Parcel, PlaceKind, Portable,
    Repertoire, SpawnOptions, System,
};
use palco_threads::block_on;
use serde::{Deserialize, Serialize};

struct Counter(u64);

impl Actor for Counter {}

impl Portable for Counter {
    type Args = ();

    fn kind() -> Cow<'static, str> {
        "counter".into()
    }

    fn messages(table: &mut MessageTable<Self>) {
        table.handles::<Add>();
    }

    fn make((): (), _: Luggage) -> Result<Self, Failure> {
        Ok(Self(0))
    }
}

/// Adds a number; replies with the sum.
#[derive(Serialize, Deserialize)]
struct Add(u64);

impl Message for Add {
    type Reply = u64;
}

impl Handler<Add> for Counter {
    async fn handle(&mut self, Add(number): Add, _: &mut Context<Self>) -> u64 {
        self.0 += number;
        self.0
    }
}

fn main() -> Result<()> {
    palco_actors::enter(|| Repertoire::new().with::<Counter>())?; // the process starts here, too
    let system = System::new()?;
    for place in PlaceKind::OF_THIS_MACHINE {
        let options = SpawnOptions::new().name(place.name()).place(place);
        let counter = system.spawn_portable::<Counter>(options, || Ok(Parcel::new(())))?;
        let sum = block_on(async {
            counter.tell(Add(20)).await?;
            anyhow::Ok(counter.ask(Add(22), Duration::from_secs(5)).await?)
        })?;
        assert_eq!(sum, 42);
        eprintln!("{place}: {sum}");
    }
    block_on(system.shutdown());
    assert!(system.ledger().is_balanced(), "no message was lost");
    Ok(())
}
