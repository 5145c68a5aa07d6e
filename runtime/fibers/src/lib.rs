//! Fibers: user-level threads on a few kernel threads, the LWPs (lightweight processes, as Solaris called them).
//!
//! | file | what |
//! |---|---|
//! | `pool.rs` | [`Pool`]: starts LWPs and what runs on them |
//! | `fiber.rs` | [`sleep`], [`park`], [`yield_now`], [`block_on`], [`blocking`]: waiting in code that is not async |
//! | `source.rs`, `reactor.rs` | [`Source`]: waiting for a socket |
//! | `joined.rs` | [`Joined`]: a fiber's result |
//! | `lwp.rs`, `lwp/` | one LWP: what it takes next, on which stack it runs, what others see of it |
//! | `unit.rs`, `work.rs`, `name.rs` | what can be woken, what waits to begin, what it is called |
//! | `stack.rs` | stacks in slabs, with guards, used again |
//! | `helpers.rs` | threads for blocking calls |
//! | `watchdog.rs` | [`Stall`]: who holds up an LWP |
//! | `lab.rs` | the textbook's policies side by side (feature `lab`) |
//!
//! **A stack only while it is needed.** Work runs on the stack of a runner, which takes one piece after the other. Only what
//! waits in the middle keeps it, and another runner goes on. So a future at rest has no stack, and a function that never
//! waits costs no switch.
//!
//! **What has begun never moves to another LWP.** It would be undefined behaviour in Rust today: the compiler assumes that
//! the address of a thread-local does not change within a function (rust-lang/unsafe-code-guidelines#602,
//! llvm-project#98479). That is also why corosensei's coroutines are not [`Send`]. What moves is what has not begun.
//!
//! This room must never know actors or sockets. `unsafe` stands here for stacks and their switching alone, each time with
//! its reason.

#![allow(unsafe_code)]
#![deny(unsafe_op_in_unsafe_fn)]

mod fiber;
mod helpers;
mod joined;
#[cfg(feature = "lab")]
pub mod lab;
mod lwp;
mod name;
mod pool;
mod reactor;
mod shared;
mod source;
mod stack;
mod unit;
mod watchdog;
mod work;

pub use fiber::{Handle, block_on, blocking, current, offload, park, sleep, yield_now};
pub use joined::{JoinError, Joined};
pub use pool::{Builder, Census, LwpCensus, Policy, Pool, SpawnError};
pub use shared::Carry;
pub use source::Source;
pub use stack::NoStack;
pub use watchdog::{Stall, Standstill};
