//! A unit made, finished and reaped.
//!
//! Every unit says that it was there: units inside this process count themselves, processes end with a code that nothing
//! else ends with. A round of which one is missing does not count.
//!
//! | file | what |
//! |---|---|
//! | `fibers.rs` | fibers, with a stack that was used before and with one that was not |
//! | `inside.rs` | memory, tasks, actors, threads |
//! | `processes.rs` | copies of this process, and programs |

mod fibers;
mod inside;
mod processes;

use crate::local::way::{self, Way};
use crate::{Key, Subject};

/// Heap of a process that makes others, where it has one: what a copy of it has to copy the map of.
const HEAP_BYTES: u64 = 256 << 20;

/// The cell with this key, if it is about making a unit. Needs a process of one thread.
#[must_use]
pub fn subject(key: Key) -> Option<Box<dyn Subject>> {
    way::subject(&ways(), key)
}

/// All cells of this kind; those that make processes also with a large heap.
#[must_use]
pub fn keys() -> Vec<Key> {
    let plain = ways().iter().map(Way::key).collect::<Vec<_>>();
    let large = processes::WAYS.iter().map(|way| Key { heap: HEAP_BYTES, ..way.key() });
    plain.into_iter().chain(large).collect()
}

fn ways() -> Vec<Way> {
    inside::ways().into_iter().chain(fibers::WAYS).chain(processes::WAYS).collect()
}
