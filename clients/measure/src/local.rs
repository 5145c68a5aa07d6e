//! Subjects inside one thread: calls, fibers, tasks and actors, and the floors they stand on.
//!
//! | file | what |
//! |---|---|
//! | `apart.rs`, `way.rs` | a round in a copy of this process, of which nothing is left |
//! | `stand.rs` | one processor, and real time for the measured thread alone |
//! | `meter.rs`, `counted.rs` | samples, and what the kernel counted meanwhile |
//! | `turns.rs` | the word that proves that turns are taken in order |
//! | `floor.rs` | a call, a clock, a system call |
//! | `inline.rs`, `on_fibers.rs`, `on_tokio.rs`, `on_actix.rs`, `on_palco.rs` | what switches |
//!
//! The side that leads makes trips, two hops each, until the round is over; the other side answers. The kernel must have
//! switched the thread at most once in a hundred hops, or the figure is none of user-level switching.

pub(crate) mod apart;
pub(crate) mod counted;
mod floor;
mod inline;
pub(crate) mod meter;
#[cfg(feature = "peers")]
mod on_actix;
pub(crate) mod on_fibers;
mod on_palco;
#[cfg(feature = "peers")]
pub(crate) mod on_tokio;
mod stand;
mod turns;
pub(crate) mod way;

use way::Way;

use crate::{Key, Subject};

/// The cell with this key, if it is one of those that run inside one thread. Needs a process of one thread.
#[must_use]
pub fn subject(key: Key) -> Option<Box<dyn Subject>> {
    way::subject(&ways(), key)
}

/// All cells of this kind, as plain ping-pongs in real time.
#[must_use]
pub fn keys() -> Vec<Key> {
    ways().iter().map(Way::key).collect()
}

fn ways() -> Vec<Way> {
    let mut ways = floor::WAYS.to_vec();
    ways.extend(inline::WAYS.iter().chain(&on_fibers::WAYS));
    #[cfg(feature = "peers")]
    ways.extend(on_tokio::WAYS.iter().chain(&on_actix::WAYS));
    ways.extend(on_palco::WAYS);
    ways
}
