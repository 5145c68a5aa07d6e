//! A handler's panic ends one life of one actor: its supervisor starts it again behind the same address, and what was
//! queued is handled by the next life.
//!
//! `cargo run --example an_address_survives_a_panic`

#![forbid(unsafe_code)]

use std::time::Duration;

use anyhow::Result;
use palco_actors::{
    Abandoned, Actor, AskError, Context, ExitReason, Handler, Message, PlaceKind, Restart,
    SpawnOptions, System,
};
use palco_threads::block_on;

const PATIENCE: Duration = Duration::from_secs(30);

struct Divider;

impl Actor for Divider {}

/// 100 divided by this.
#[derive(PartialEq)]
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
    let system = System::new()?;
    for place in PlaceKind::ALL {
        let options = SpawnOptions::new().place(place).restart(Restart::OnFailure);
        let divider = system.spawn(options, || Divider)?;
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

#[test]
fn holds() -> Result<()> {
    main()
}
