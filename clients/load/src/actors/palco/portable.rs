//! The counter from data, so that it can live in a process as well; and whole lives of it in any place.

use std::borrow::Cow;

use palco_actors::{Failure, Luggage, MessageTable, Parcel, Portable, SpawnOptions, System};

use super::super::contest::{Load, Refusal};
use super::{Add, Counter, ask};

impl Portable for Counter {
    type Args = Load;

    fn kind() -> Cow<'static, str> {
        "bench/counter".into()
    }

    fn messages(table: &mut MessageTable<Self>) {
        table.handles::<Add>();
    }

    fn make(load: Load, _: Luggage) -> Result<Self, Failure> {
        Ok(Self(0, load))
    }
}

/// Starts a counter, asks it once, ends it, and waits for the news of its end.
pub(crate) async fn live_anywhere(
    load: Load,
    system: &System,
    options: SpawnOptions,
) -> Result<u64, Refusal> {
    let counter = system
        .spawn_portable::<Counter>(options, move || Ok(Parcel::new(load)))
        .map_err(Refusal::failed)?;
    let count = ask(&counter, 1).await?;
    counter.stop();
    counter.exited().await;
    Ok(count)
}
