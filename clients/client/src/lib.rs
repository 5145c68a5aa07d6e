//! Small blocking clients for every service: what `palco call` does.
//!
//! A [`Connection`] has limits in time and bytes; one call is one request and its answer.
//!
//! | service | call | answer ends |
//! |---|---|---|
//! | echo | [`echo::call`] | after as many bytes as were sent |
//! | time | [`time::read_rfc868`], [`time::read_daytime`] | after 4 bytes; after a line |
//! | kv | [`resp::call`] | where RESP2 says |
//! | registers | [`RegisterClient`], which asks several nodes and knows what may be asked twice | where RESP2 says |
//! | work | [`work::call`] | after a line |
//! | files | [`FileClient`], over HTTP and SFTP, which keeps what it has read | where the protocol says |
//! | http | [`http::get`], [`http::head`] | after `Content-Length`, or where the server closes |
//! | the urgent port | [`urgent::ask`] | after a line |
//!
//! [`work::ticket`], [`resp::ticket`] and [`http::ticket`] ask for the ticket of the next request of a connection, which
//! gives power over it at the urgent port. The requests after that have the numbers that follow.
//!
//! | file | what |
//! |---|---|
//! | `connection.rs`, `exchange.rs` | sockets and deadlines; nothing about any protocol |
//! | `parser.rs` | what a [`Parser`] is; it never sees a socket |
//! | `exactly.rs`, `line.rs` | the two parsers that several services share |
//! | `resp.rs`, `http.rs` | the two protocols with parsers of their own |
//! | `register.rs`, `pauses.rs` | registers: retries that never write twice |
//! | `files.rs` | files over two protocols: a cache, leases, what happens once |
//! | `proxy.rs` | what keeps connections of SFTP clients alive while their server is away |
//! | `ticket.rs` | a ticket from the words of an answer |
//! | `urgent.rs` | commands at the urgent port, and urgent data on a connection |
//! | `error.rs`, `excerpt.rs` | what went wrong, what came, and what to do |
//!
//! Parsers take bytes in pieces of any size, so they are tested without sockets. They hold what has come and never
//! reserve memory for what a length announces.
//!
//! What this crate does not do: retries (but for registers and files), TLS, pipelining (but for SFTP), anything asynchronous.
//! It uses no service and no server, so that a service and its client cannot share a misunderstanding; of palco it has the
//! words of the urgent port, the meaning of urgent bytes, and the packets of SFTP, which other clients check on the server's
//! side.

#![forbid(unsafe_code)]

mod connection;
pub mod echo;
mod error;
mod exactly;
mod excerpt;
mod exchange;
pub mod files;
pub mod http;
mod line;
mod parser;
mod pauses;
#[cfg(test)]
mod pieces;
pub mod proxy;
pub mod register;
pub mod resp;
mod ticket;
pub mod time;
pub mod urgent;
pub mod work;

pub use connection::{Connection, Limits};
pub use error::Error;
pub use exactly::Exactly;
pub use excerpt::{EXCERPT_BYTES_MAX, Excerpt};
pub use files::{Caching, FileClient, FileError, FileOptions, FileProtocol, OpenFile};
pub use line::{LINE_BYTES_MAX, Line, LineEnd};
pub use palco_urgent::{Call, SendUrgentError};
pub use parser::{Malformed, Parser, Step};
pub use register::{RegisterClient, RegisterError, RegisterOptions};
pub use urgent::{Urgency, UrgencyError, UrgentLine};
