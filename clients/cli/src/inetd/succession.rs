//! One process takes the sockets over from another, over the control socket; clients wait in the kernel meanwhile.
//!
//! ```text
//! new → old  take-over
//! old → new  offered: addresses, with the sockets       (the old one still accepts)
//! new → old  ready                                      (everything is bound)
//! old → new  withdrawn: programs that still run         (clients wait)
//! new → old  open                                       (the new one accepts)
//! old → new  released                                   (the control socket can be taken)
//! ```
//!
//! If the new one goes away before it is open, the old one resumes; if the old one goes away, the new one goes on.

mod new;
mod old;

use palco_superserver::Heir;
use serde::{Deserialize, Serialize};

pub(crate) use new::Succession;
pub(crate) use old::hand_over;

/// What the old one has.
#[derive(Debug, Serialize, Deserialize)]
struct Offered {
    pid: u32,
    addresses: Vec<String>,
}

/// The new one has bound everything.
#[derive(Debug, Serialize, Deserialize)]
struct Ready;

/// The old one accepts no more.
#[derive(Debug, Serialize, Deserialize)]
struct Withdrawn {
    heirs: Vec<Heir>,
}

/// The new one accepts.
#[derive(Debug, Serialize, Deserialize)]
struct Open;
