//! Fibers: user-level threads on a few kernel threads, the LWPs.
//!
//! ```
//! use palco_fibers::{Pool, blocking, yield_now};
//!
//! let pool = Pool::builder().lwps(2).build()?;
//! let slow = pool.spawn("slow", || blocking(|| std::fs::read_to_string("/proc/version")))?;
//! let busy = pool.spawn("busy", || (0..100).inspect(|_| yield_now()).sum::<u32>())?;
//! assert_eq!(busy.join().unwrap(), 4950);
//! assert!(slow.join().unwrap()?.contains("Linux"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What moves and what stays
//!
//! Work that has not begun may go to any LWP. **A fiber that has begun, and a future that was polled, never leaves its
//! LWP.** Compiled code may keep the address of a thread-local across a call, and no compiler switch forbids it
//! (rust-lang/unsafe-code-guidelines#602, llvm/llvm-project#98479): a stack that woke up on another thread would be
//! undefined behaviour, in std's own code too. Types need not be `Send` across a suspension for the same reason.
//!
//! # A stack only while it is needed
//!
//! Runners, coroutines with a stack each, take one piece of work after the other. Work that returns costs no switch.
//! Work that suspends in the middle keeps its runner, and the LWP goes on with another one. A future at rest holds no
//! stack.
//!
//! # Blocking
//!
//! A call that blocks its thread blocks all fibers of the LWP. [`blocking`] ships it to another thread. What is not
//! shipped is found by the watchdog, with the name of the fiber and of the system call, and a spare LWP takes the work
//! that can move until it returns. A fiber that computes for long is found too, but nothing can take its place.
//!
//! | file | what |
//! |---|---|
//! | `pool.rs`, `shared.rs`, `error.rs` | [`Pool`], [`Builder`]: settings, spawning, stopping |
//! | `fiber.rs` | what a fiber may call: [`park`], [`sleep`], [`block_on`], [`blocking`] … |
//! | `joined.rs` | [`Joined`]: the outcome of a fiber |
//! | `lwp.rs`, `local.rs` | an LWP: what all see of it, what its thread alone touches |
//! | `run.rs`, `ending.rs` | the loop of an LWP, and its end |
//! | `runner.rs`, `future.rs`, `work.rs` | coroutines, and what they do with a piece of work |
//! | `activity.rs` | what can be woken |
//! | `protocol.rs`, `schedules.rs` | where threads meet, and all schedules of it |
//! | `stack.rs` | slabs of stacks with guard pages |
//! | `reactor.rs`, `source.rs`, `timers.rs` | [`Source`]: descriptors; moments |
//! | `offload.rs` | threads for blocking calls |
//! | `watchdog.rs`, `stall.rs`, `name.rs` | [`Stall`]: what holds an LWP up |
//! | `observer.rs` | [`Observer`]: what ran where, as it happens |
//! | `lab.rs` | the textbook's policies for blocking calls, side by side (feature `lab`) |
//!
//! This room must never know actors or an async runtime.
//!
//! # Unsafe code
//!
//! `stack.rs` maps memory, protects guard pages and promises the coroutines that this is a stack. `runner.rs` reaches
//! the handle by which the running stack suspends, through a pointer that lives on that very stack. `source.rs` promises
//! the poller to take a descriptor out before it closes. Nothing else is unsafe.

#![deny(unsafe_code, unsafe_op_in_unsafe_fn)]
#![cfg_attr(
    test,
    expect(clippy::duplicate_mod, reason = "`schedules.rs` compiles the protocols once more")
)]

mod activity;
mod ending;
mod error;
mod fiber;
mod future;
mod joined;
#[cfg(feature = "lab")]
pub mod lab;
mod local;
mod lwp;
mod name;
mod observer;
mod offload;
mod pool;
mod protocol;
mod reactor;
mod run;
#[expect(unsafe_code, reason = "suspends the stack that runs")]
mod runner;
#[cfg(test)]
mod schedules;
mod shared;
mod source;
#[expect(unsafe_code, reason = "maps memory and promises that it is a stack")]
mod stack;
mod stall;
mod timers;
mod watchdog;
mod work;

pub use error::{BuildError, Limit, SpawnError, StackShortage};
pub use fiber::{Handle, block_on, blocking, current, here, offload, park, sleep, yield_now};
pub use joined::{Joined, Outcome, Stopped};
pub use name::NAME_BYTES_SHOWN;
pub use observer::{Event, Observer, What, Why};
pub use pool::{
    Builder, Carry, HELPERS_MAX_DEFAULT, LwpCensus, Policy, Pool, SPARES_MAX_DEFAULT,
    STACK_BYTES_DEFAULT,
};
pub use shared::PoolId;
pub use source::Source;
pub use stall::{Stall, StallState, SystemCall};
