//! Kernel threads.
//!
//! | file | what |
//! |---|---|
//! | `parker.rs` | [`Parker`]: sleep until woken, after a spin that is bounded and only done when it pays |
//! | `block_on.rs` | [`block_on`]: drive one future on the current thread |
//! | `named.rs` | [`spawn_named`]: a thread with a name the kernel shows and a chosen stack |
//! | `recycled.rs` | [`run_recycled`]: on a thread that has done something else before, if one is resting |
//!
//! This room must never know actors, sockets or an async runtime.

#![forbid(unsafe_code)]

mod block_on;
mod named;
mod parker;
mod recycled;

pub use block_on::block_on;
pub use named::{STACK_BYTES_DEFAULT, set_name, spawn_named};
pub use parker::Parker;
pub use recycled::{keep_apart, name_here, run_recycled};
