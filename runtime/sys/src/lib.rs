//! The unsafe corner: kernel mechanisms that std offers no safe way to, each behind a safe function.
//!
//! | file | mechanism |
//! |---|---|
//! | `interrupt.rs` | [`Interrupter`]: end a blocking system call of another thread with `EINTR` |
//! | `shared_words.rs` | [`SharedWords`]: atomics in memory that two processes share |
//!
//! Every `unsafe` block of the workspace is here, each with a `SAFETY` note and a test. One file per mechanism.

#![allow(unsafe_code)]
#![deny(unsafe_op_in_unsafe_fn)]

mod interrupt;
mod shared_words;

pub use interrupt::{Interrupter, Registration};
pub use shared_words::SharedWords;
