//! A signal reaches into a handler that is already running: it rests where it is, and later completes with the same
//! result.
//!
//! `cargo run --example a_suspended_handler_finishes_when_resumed`

#![forbid(unsafe_code)]

use std::borrow::Cow;
use std::time::Duration;

use anyhow::Result;
use palco_actors::{
    Actor, Context, Effect, Failure, Handler, Luggage, Message, MessageTable, Parcel, PlaceKind,
    Portable, Repertoire, Signal, SpawnOptions, Status, System,
};
use palco_threads::block_on;
use serde::{Deserialize, Serialize};

const PATIENCE: Duration = Duration::from_secs(30);

struct Worker;

impl Actor for Worker {}

impl Portable for Worker {
    type Args = ();

    fn kind() -> Cow<'static, str> {
        "worker".into()
    }

    fn messages(table: &mut MessageTable<Self>) {
        table.handles::<SumBelow>();
    }

    fn make((): (), _: Luggage) -> Result<Self, Failure> {
        Ok(Self)
    }
}

/// Adds up all numbers below this one, with a checkpoint every thousand.
#[derive(Serialize, Deserialize)]
struct SumBelow(u64);

impl Message for SumBelow {
    type Reply = u64;
}

impl Handler<SumBelow> for Worker {
    async fn handle(&mut self, SumBelow(end): SumBelow, cx: &mut Context<Self>) -> u64 {
        let mut sum = 0;
        for number in 0..end {
            if number % 1_000 == 0 {
                cx.checkpoint().await;
            }
            sum += number;
        }
        sum
    }
}

fn main() -> Result<()> {
    palco_actors::enter(|| Repertoire::new().with::<Worker>())?;
    let system = System::new()?;
    for place in PlaceKind::OF_THIS_MACHINE {
        let worker = system
            .spawn_portable::<Worker>(SpawnOptions::new().place(place), || Ok(Parcel::new(())))?;
        let end = 20_000_000;
        let asking = worker.clone();
        let asked = std::thread::spawn(move || block_on(asking.ask(SumBelow(end), PATIENCE)));
        while worker.any().snapshot().status != Status::Busy {
            std::thread::yield_now();
        }
        let effect = block_on(worker.any().signal_within(Signal::Suspend, PATIENCE));
        assert_eq!(effect, Effect::Done);
        let held = worker.any().snapshot();
        assert_eq!(held.status, Status::Suspended);
        eprintln!("{place}: suspended with {:?} in progress", held.message.unwrap_or_default());
        worker.any().signal(Signal::Resume);
        let sum = asked.join().expect("the asking thread does not panic")?;
        assert_eq!(sum, end * (end - 1) / 2);
        eprintln!("{place}: resumed, the sum is {sum}");
    }
    block_on(system.shutdown());
    Ok(())
}
