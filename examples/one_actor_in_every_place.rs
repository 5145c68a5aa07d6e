//! One actor, written once, runs on an event loop and on a thread of its own; who asks it cannot tell.
//!
//! `cargo run --example one_actor_in_every_place`

#![forbid(unsafe_code)]

use std::time::Duration;

use anyhow::Result;
use palco_actors::{Actor, Context, Handler, Message, PlaceKind, SpawnOptions, System};
use palco_threads::block_on;

struct Counter(u64);

impl Actor for Counter {}

/// Adds a number; replies with the sum.
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
    let system = System::new()?;
    for place in PlaceKind::ALL {
        let options = SpawnOptions::new().name(place.name()).place(place);
        let counter = system.spawn(options, || Counter(0))?;
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

#[test]
fn holds() -> Result<()> {
    main()
}
