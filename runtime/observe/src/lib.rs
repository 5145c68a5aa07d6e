//! Look at a running system, and find out why it does not do what it should.
//!
//! | file | what |
//! |---|---|
//! | `model.rs`, `model/` | what is shown: snapshots, changes, histograms, traces, waits |
//! | `observer.rs`, `ticker.rs` | [`Observer`]: attached to a system; [`Subscription`]: what has changed, four times a second |
//! | `picture.rs`, `log.rs` | the stage as it was last seen, what differs from that, what happened in between |
//! | `page.rs` | everything about one actor |
//! | `capture.rs`, `flow.rs`, `waits.rs` | who sent what to whom, who talks to whom, who waits for whom |
//! | `lints.rs` | what looks wrong, and what can be done |
//!
//! Nothing is computed while nobody looks.

#![forbid(unsafe_code)]

mod capture;
mod flow;
mod lints;
mod log;
pub mod model;
mod observer;
mod page;
mod picture;
mod ticker;
mod waits;

pub use observer::{Observer, Subscription};
