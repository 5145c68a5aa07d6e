//! What supervisors do, with children in every place.
//!
//! | file | theme |
//! |---|---|
//! | `strategies.rs` | who is started again together, in which order |
//! | `kinds.rs` | which ends are followed by another life |
//! | `giving_up.rs` | intensity, escalation, nested supervisors, the root |
//! | `backoff.rs` | the time between two lives, and what may happen in it |
//! | `survival.rs` | what outlasts a restart: address, queue, name, watchers, suspension |

#![cfg(test)]

mod backoff;
mod family;
mod giving_up;
#[path = "../stage/harness.rs"]
mod harness;
mod kinds;
#[path = "../stage/probe.rs"]
mod probe;
mod strategies;
mod survival;
