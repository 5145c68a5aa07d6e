//! A handler's panic ends one life of one actor: its supervisor starts it again behind the same address, and what was
//! queued is handled by the next life.
//!
//! `cargo run --example an_address_survives_a_panic`

#![forbid(unsafe_code)]

use std::borrow::Cow;
use std::time::Duration;

use anyhow::Result;
use palco_actors::{
    Abandoned, Actor, AskError, Context, ExitReason, Failure, Handler, Luggage, Message,
    MessageTable, Parcel, PlaceKind, Portable, Repertoire, Restart, SpawnOptions, System,
};
use palco_threads::block_on;
use serde::{Deserialize, Serialize};

const PATIENCE: Duration = Duration::from_secs(30);

struct Divider;

impl Actor for Divider {}

impl Portable for Divider {
    type Args = ();

    fn kind() -> Cow<'static, str> {
        "divider".into()
    }

    fn messages(table: &mut MessageTable<Self>) {
        table.handles::<Divide>();
    }

    fn make((): (), _: Luggage) -> Result<Self, Failure> {
        Ok(Self)
    }
}

/// 100 divided by this.
#[derive(PartialEq, Serialize, Deserialize)]
struct Divide(u32);

impl Message for Divide {
    type Reply = u32;
}

impl Handler<Divide> for Divider {
    async fn handle(&mut self, Divide(by): Divide, _: &mut Context<Self>) -> u32 {
        100 / by
    }
}

fn main() -> Result<()> {
    palco_actors::enter(|| Repertoire::new().with::<Divider>())?;
    let system = System::new()?;
    for place in PlaceKind::OF_THIS_MACHINE {
        let options = SpawnOptions::new().place(place).restart(Restart::OnFailure);
        let divider = system.spawn_portable::<Divider>(options, || Ok(Parcel::new(())))?;
        let (failed, answered) = block_on(async {
            let failed = divider.ask(Divide(0), PATIENCE).await;
            (failed, divider.ask(Divide(5), PATIENCE).await)
        });
        assert_eq!(failed, Err(AskError::Abandoned(Abandoned::Panicked)));
        assert_eq!(answered, Ok(20));
        let after = divider.any().snapshot();
        assert_eq!(after.restarts, 1);
        assert!(matches!(&after.last_exit, Some(ExitReason::Panicked(_))));
        eprintln!("{place}: restarted {} time, then 100 / 5 = 20", after.restarts);
    }
    block_on(system.shutdown());
    Ok(())
}
