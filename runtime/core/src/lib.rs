//! The vocabulary that every other room shares.
//!
//! | file | what |
//! |---|---|
//! | `id.rs` | [`ActorId`] |
//! | `time.rs` | [`Time`]: a point on the runtime's own clock, real or virtual |
//! | `exit.rs` | [`ExitReason`]: why an actor ended, in one type for every place |
//! | `request.rs` | [`RequestId`], [`Key`], [`Ticket`]: a request that is being served, and the power over it |
//! | `urgent.rs` | [`Verb`], [`RequestState`], [`Answer`], [`Refusal`]: what can be asked about it |
//!
//! This room must never know an operating system, a clock, a socket or an async runtime.

#![forbid(unsafe_code)]

mod exit;
mod id;
mod request;
mod time;
mod urgent;

pub use exit::ExitReason;
pub use id::ActorId;
pub use request::{Key, NoRequest, REQUEST_BYTES_MAX, RequestId, Ticket, parse_claim};
pub use time::Time;
pub use urgent::{Answer, Nice, Refusal, Remark, RequestState, Verb};
