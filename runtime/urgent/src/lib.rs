//! Out of band: reach a request that is already being served, whatever is queued before and behind it.
//!
//! | file | what |
//! |---|---|
//! | `data.rs` | [`take_urgent`], [`send_urgent`]: TCP urgent data, and what its bytes mean |
//! | `breath.rs` | a pause in a flood |
//! | `desk.rs` | [`Desk`]: who knows the requests, and does something about them |
//! | `policy.rs` | [`Policy`]: how the urgent thread gets before the others, and [`Obtained`]: what it got |
//! | `port.rs` | [`Bound`]: commands about requests, a line each |
//! | `secret.rs` | [`Secret`]: the keys to requests |
//! | `thread.rs` | [`UrgentThread`]: hears the watch and serves the port |
//! | `watch.rs` | [`Watch`]: hear urgent data on any number of connections, of other processes too |
//!
//! This room must never know an actor, a server or a protocol: whoever has requests brings a [`Desk`].
//!
//! Clients need the data alone, without the feature `port`.

#![forbid(unsafe_code)]

#[cfg(feature = "port")]
mod breath;
mod data;
#[cfg(feature = "port")]
mod desk;
#[cfg(feature = "port")]
mod policy;
#[cfg(feature = "port")]
mod port;
#[cfg(feature = "port")]
mod secret;
#[cfg(feature = "port")]
mod thread;
#[cfg(feature = "port")]
mod watch;

pub use data::{
    ANNOUNCED_PAST_MAX, Call, SendUrgentError, Urgent, acknowledgement, of_acknowledgement,
    send_urgent, take_urgent,
};
#[cfg(feature = "port")]
pub use desk::{Desk, Soon};
pub use palco_sys::is_at_mark;
#[cfg(feature = "port")]
pub use policy::{Obtained, Policy};
#[cfg(feature = "port")]
pub use port::{Bound, Command, HELP, LINE_BYTES_MAX, Line, PortCounts, PortSettings, parse_line};
#[cfg(feature = "port")]
pub use secret::Secret;
#[cfg(feature = "port")]
pub use thread::{StartError, ThreadCounts, ThreadSettings, UrgentThread};
#[cfg(feature = "port")]
pub use watch::{Rest, Watch};
