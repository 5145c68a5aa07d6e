//! The vocabulary that every other room shares.
//!
//! | file | what |
//! |---|---|
//! | `id.rs` | [`ActorId`] |
//! | `time.rs` | [`Time`]: a point on the runtime's own clock, real or virtual |
//! | `exit.rs` | [`ExitReason`]: why an actor ended, in one type for every place |
//!
//! This room must never know an operating system, a clock, a socket or an async runtime.

#![forbid(unsafe_code)]

mod exit;
mod id;
mod time;

pub use exit::ExitReason;
pub use id::ActorId;
pub use time::Time;
