//! An urgent message is handled before a thousand that were sent earlier; and only who was given the right can send one.
//!
//! `cargo run --example urgent_overtakes_data`
//!
//! The right is a capability, as in Erlang's EEP 76: an `UrgentRef`, which only the actor itself and its parent can make.
//! Here the actor hands it out on request. An address alone sends into the normal lane.

#![forbid(unsafe_code)]

use std::borrow::Cow;
use std::time::Duration;

use anyhow::{Result, anyhow};
use palco_actors::{
    Actor, Context, Failure, Handler, Luggage, Message, MessageTable, Parcel, Place, PlaceKind,
    Portable, Repertoire, Signal, SpawnOptions, System, UrgentRef,
};
use palco_threads::block_on;
use serde::{Deserialize, Serialize};

const PATIENCE: Duration = Duration::from_secs(30);
const CROWD: u64 = 1_000;

/// Counts what it has been brought.
#[derive(Default)]
struct Porter {
    carried: u64,
}

impl Actor for Porter {}

/// A piece of data.
#[derive(Serialize, Deserialize)]
struct Parcels(u64);

impl Message for Parcels {
    type Reply = ();
}

/// How many pieces have been carried so far?
#[derive(Serialize, Deserialize)]
struct HowMany;

impl Message for HowMany {
    type Reply = u64;
}

impl Handler<Parcels> for Porter {
    async fn handle(&mut self, Parcels(count): Parcels, _: &mut Context<Self>) {
        self.carried += count;
    }
}

impl Handler<HowMany> for Porter {
    async fn handle(&mut self, _: HowMany, _: &mut Context<Self>) -> u64 {
        self.carried
    }
}

impl Portable for Porter {
    type Args = ();

    fn kind() -> Cow<'static, str> {
        "porter".into()
    }

    fn messages(table: &mut MessageTable<Self>) {
        table.handles::<Parcels>();
        table.handles::<HowMany>();
    }

    fn make((): (), _: Luggage) -> Result<Self, Failure> {
        Ok(Self::default())
    }
}

/// The porter's parent, which has the right, and uses it.
struct Warden(PlaceKind);

impl Actor for Warden {}

/// Have a crowd of parcels wait, then ask past them. The answers: how many had been carried when the urgent question was
/// handled, and when an ordinary one was.
struct Demonstrate;

impl Message for Demonstrate {
    type Reply = Result<(u64, u64), Failure>;
}

impl Handler<Demonstrate> for Warden {
    async fn handle(
        &mut self,
        _: Demonstrate,
        cx: &mut Context<Self>,
    ) -> Result<(u64, u64), Failure> {
        let options = SpawnOptions::new().place(self.0);
        let porter = cx.spawn_portable::<Porter>(options, || Ok(Parcel::new(())))?;
        let urgent: UrgentRef<Porter> =
            cx.urgent_ref_of(&porter).ok_or_else(|| Failure::new("it is my child"))?;
        // It rests, so that the crowd is really there.
        porter.any().signal_within(Signal::Suspend, PATIENCE).await;
        for _ in 0..CROWD {
            porter.tell(Parcels(1)).await?;
        }
        let asked_urgently = urgent.ask(HowMany, PATIENCE);
        let resumed = async {
            porter.any().signal(Signal::Resume);
        };
        let (overtaking, ()) = futures_util::future::join(asked_urgently, resumed).await;
        let in_line = porter.ask(HowMany, PATIENCE).await?;
        Ok((overtaking?, in_line))
    }
}

fn main() -> Result<()> {
    palco_actors::enter(|| Repertoire::new().with::<Porter>())?;
    let system = System::new()?;
    for place in PlaceKind::OF_THIS_MACHINE {
        let warden =
            system.spawn(SpawnOptions::new().place(Place::SystemLoop), move || Warden(place))?;
        let (overtaking, in_line) =
            block_on(warden.ask(Demonstrate, PATIENCE))?.map_err(|failure| anyhow!("{failure}"))?;
        assert_eq!(overtaking, 0, "before all that were sent earlier");
        assert_eq!(in_line, CROWD, "behind all that were sent earlier");
        eprintln!(
            "{place}: the urgent question found {overtaking} carried, the ordinary one {in_line}"
        );
    }
    block_on(system.shutdown());
    Ok(())
}
