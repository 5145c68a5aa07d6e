//! The three places where threads meet, apart from the rest so that every schedule of them can be tried.
//!
//! | file | between whom |
//! |---|---|
//! | `rest.rs` | an activity that comes to rest, and whoever wakes it |
//! | `inbox.rs` | an LWP, and whoever has something for it |
//! | `idle.rs` | LWPs that go to sleep, and whoever brings work |
//!
//! They import atomics and locks from `super::primitives`. `schedules.rs` compiles the same files with the
//! primitives of a model checker in that place.

pub(crate) mod idle;
pub(crate) mod inbox;
mod primitives;
pub(crate) mod rest;
