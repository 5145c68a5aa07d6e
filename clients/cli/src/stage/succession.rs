//! A stage takes over from another, over the control socket. Both accept from the same sockets for a moment, so nobody waits.
//!
//! ```text
//! new → old  take-over
//! old → new  offered: servers and the urgent port, with their sockets; or refused, with the reason
//! new → old  open: where the new one serves                    (both accept)
//! old → new  released                                          (control socket and dashboard can be had)
//! ```
//!
//! If the new one goes away before it is open, nothing has changed; if the old one goes away, the new one goes on. If it is
//! only tired of waiting, it goes on, and the new one leaves.

mod new;
mod old;
mod successor;

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

pub(super) use new::Succession;
pub(crate) use old::hand_over;
pub(super) use successor::Successor;

/// The stage after this one.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) enum Heir {
    #[default]
    Nobody,
    /// One has the sockets, and may yet fail.
    ComingUp,
    /// One has taken over: this one finishes what it serves.
    Serves,
}

/// What the old one has, in the order of the sockets that follow; the urgent port's is the last.
#[derive(Debug, Serialize, Deserialize)]
enum Offer {
    Made { servers: Vec<Offered>, urgent: Option<SocketAddr> },
    Refused(String),
}

/// A server of the old one.
#[derive(Debug, Serialize, Deserialize)]
struct Offered {
    name: String,
    address: SocketAddr,
}

/// The new one serves at these addresses.
#[derive(Debug, Serialize, Deserialize)]
struct Open {
    pid: u32,
    taken: Vec<SocketAddr>,
}
