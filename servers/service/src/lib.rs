//! What is served, and nothing about how.
//!
//! A [`Service`] answers requests; a [`Codec`] turns bytes into requests and responses into bytes. Neither sees a
//! socket, a thread, a process or an async runtime, so the same pair runs under every server model.
//!
//! | file | what |
//! |---|---|
//! | `service.rs` | [`Service`], [`Peer`] |
//! | `codec.rs` | [`Codec`], [`Malformed`], [`Farewell`], [`Next`] |
//! | `relaunch.rs` | [`Relaunch`], [`SharedState`]: services that a fresh process can make again |
//! | `call.rs` | [`CallContext`], [`Host`], [`Crash`]: what a running call may ask of the place it runs in |
//! | `services/` | [`echo`](services::echo), [`time`](services::time), [`kv`](services::kv), [`work`](services::work), [`telnet`](services::telnet), [`ftp`](services::ftp), [`basket`](services::basket) |
//!
//! This room must never know tokio, mio, nix or actix, not even through another crate.

#![forbid(unsafe_code)]

pub mod services;

mod call;
mod codec;
mod relaunch;
mod service;

pub use call::{CallContext, Crash, Host, LocalFuture};
pub use codec::{Codec, Farewell, Malformed, Next};
pub use relaunch::{Ask, CannotRelaunch, EXCHANGE_BYTES_MAX, Relaunch, SharedState};
pub use service::{Peer, Remembers, Service};
