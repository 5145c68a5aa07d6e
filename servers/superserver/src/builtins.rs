//! What the superserver serves itself.
//!
//! | service | stream | datagram |
//! |---|---|---|
//! | echo (RFC 862) | every byte comes back | the datagram comes back |
//! | discard (RFC 863) | bytes are thrown away | no answer |
//! | chargen (RFC 864) | lines of 72 characters until the client is gone | 0 to 512 characters |
//! | daytime (RFC 867) | a line, in UTC | the line |
//! | time (RFC 868) | 4 bytes, big-endian: seconds since 1900 | the 4 bytes |
//! | redirect | connected to another address, both ways | – |
//! | tcpmux (RFC 1078) | [`mux`]: a line names the service, which the engine starts | – |
//!
//! | file | what |
//! |---|---|
//! | `builtins/stream.rs` | [`Builtin::serve_stream`](crate::Builtin::serve_stream) |
//! | `builtins/pace.rs` | reading and writing that give up when nothing moves |
//! | `builtins/redirect.rs` | bytes both ways |
//! | `builtins/datagram.rs` | [`Builtin::answer`](crate::Builtin::answer), [`is_loop`] |
//! | `builtins/chargen.rs`, `builtins/clock.rs` | what chargen, daytime and time say |
//! | `builtins/mux.rs` | the first line of tcpmux |
//!
//! Nothing here is spawned: who serves polls these futures, on an event loop of tokio with a timer.

mod chargen;
mod clock;
mod datagram;
pub mod mux;
mod pace;
mod redirect;
mod stream;

pub use datagram::is_loop;
pub use stream::Traffic;
