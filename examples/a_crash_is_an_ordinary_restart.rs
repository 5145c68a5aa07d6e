//! A process that dies takes nothing with it but the message in its handler: the address stays, what was queued is handled
//! by the next process, and the neighbours never notice.
//!
//! `cargo run --example a_crash_is_an_ordinary_restart`

#![forbid(unsafe_code)]

use std::borrow::Cow;
use std::time::Duration;

use anyhow::Result;
use palco_actors::{
    Actor, Context, Failure, Handler, Luggage, Message, MessageTable, Parcel, Place, Portable,
    Repertoire, Restart, SpawnOptions, System,
};
use palco_threads::block_on;
use serde::{Deserialize, Serialize};

const PATIENCE: Duration = Duration::from_secs(30);

struct Fragile;

impl Actor for Fragile {}

impl Portable for Fragile {
    type Args = ();

    fn kind() -> Cow<'static, str> {
        "fragile".into()
    }

    fn messages(table: &mut MessageTable<Self>) {
        table.handles::<Touch>();
    }

    fn make((): (), _: Luggage) -> Result<Self, Failure> {
        Ok(Self)
    }
}

/// Says which process was touched; a hard touch ends it.
#[derive(Serialize, Deserialize)]
struct Touch {
    hard: bool,
}

impl Message for Touch {
    type Reply = u32;
}

impl Handler<Touch> for Fragile {
    async fn handle(&mut self, touch: Touch, _: &mut Context<Self>) -> u32 {
        if touch.hard {
            std::process::abort();
        }
        std::process::id()
    }
}

fn main() -> Result<()> {
    palco_actors::enter(|| Repertoire::new().with::<Fragile>())?;
    let system = System::new()?;
    let spawn = || {
        let options = SpawnOptions::new().place(Place::Process).restart(Restart::OnFailure);
        system.spawn_portable::<Fragile>(options, || Ok(Parcel::new(())))
    };
    let (fragile, neighbour) = (spawn()?, spawn()?);
    let soft = || Touch { hard: false };
    let (before, next_door, after) = block_on(async {
        let before = fragile.ask(soft(), PATIENCE).await?;
        let next_door = neighbour.ask(soft(), PATIENCE).await?;
        fragile.tell(Touch { hard: true }).await?;
        // Queued behind the crash, and answered by the next process.
        let after = fragile.ask(soft(), PATIENCE).await?;
        assert_eq!(neighbour.ask(soft(), PATIENCE).await?, next_door);
        anyhow::Ok((before, next_door, after))
    })?;
    let exit = fragile.any().snapshot().last_exit.expect("a life has ended");
    eprintln!("process {before} {exit}; process {after} goes on; {next_door} noticed nothing");
    assert_ne!(before, after);
    assert_eq!(exit.code(), 128 + 6);
    block_on(system.shutdown());
    Ok(())
}
