//! Resident memory of idle units.
//!
//! Weighed in a copy of this process: every page that a unit touches becomes the copy's own there, also where the
//! allocator gives it memory that somebody has used and freed before, which a look at all resident memory would not see.
//! What counts is what the kernel calls private in `smaps_rollup`. One sample is one portion of the units.
//!
//! The kernel's own memory is not in it: stacks of threads, tables of pages, open files. Of a thread the kernel's stack
//! is told (`kernel-stack`), from the machine's sum of them; what else it keeps for a thread or a process it does not tell
//! apart from what it keeps for others.
//!
//! | file | what |
//! |---|---|
//! | `scale.rs` | how much memory is this process's own, and the portions |
//! | `kernel_units.rs` | threads and processes |
//! | `tasks.rs` | tasks and actors |
//! | `fibers.rs` | futures and fibers on a pool |

mod fibers;
mod kernel_units;
mod scale;
mod tasks;

use crate::local::way::{self, Way};
use crate::{Key, Subject};

/// The cell with this key, if it is about memory. Needs a process of one thread.
#[must_use]
pub fn subject(key: Key) -> Option<Box<dyn Subject>> {
    way::subject(&ways(), key)
}

/// All cells of this kind.
#[must_use]
pub fn keys() -> Vec<Key> {
    ways().iter().map(Way::key).collect()
}

fn ways() -> Vec<Way> {
    tasks::ways().into_iter().chain(fibers::WAYS).chain(kernel_units::WAYS).collect()
}
