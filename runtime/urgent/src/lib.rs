//! Out of band: reach a request that is already being served, whatever is queued before and behind it.
//!
//! | file | what |
//! |---|---|
//! | `desk.rs` | [`Desk`]: who knows the requests, and does something about them |
//! | `secret.rs` | [`Secret`]: the keys to them |
//!
//! This room must never know an actor, a server or a protocol: whoever has requests brings a [`Desk`].

#![forbid(unsafe_code)]

mod desk;
mod secret;

pub use desk::{Desk, Soon};
pub use secret::Secret;
