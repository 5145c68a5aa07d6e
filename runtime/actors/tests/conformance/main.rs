//! What an actor may rely on, in every place: each promise is written once and tested in all of them.
//!
//! | file | theme |
//! |---|---|
//! | `order.rs`, `backpressure.rs`, `asking.rs` | delivery |
//! | `ending.rs`, `panics.rs`, `family.rs`, `watching.rs` | ends, and who is told |
//! | `signals.rs`, `computing.rs`, `direct.rs`, `blocking_calls.rs` | reaching into a running handler |
//! | `timers.rs`, `fairness.rs` | time and turns |
//! | `names.rs`, `inspection.rs`, `systems.rs`, `conservation.rs` | the view from outside, and the books |

#![cfg(test)]

mod asking;
mod backpressure;
mod blocking_calls;
mod computing;
mod conservation;
mod direct;
mod ending;
mod fairness;
mod family;
#[path = "../stage/harness.rs"]
mod harness;
mod inspection;
mod names;
mod order;
mod panics;
#[path = "../stage/probe.rs"]
mod probe;
mod signals;
mod systems;
mod timers;
mod watching;
