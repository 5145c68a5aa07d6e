//! The real binary, as a user runs it: stages on free ports, commands against their control sockets.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod activation;
mod bad_input;
mod basket;
#[cfg(feature = "real-clients")]
mod basket_clients;
mod bench;
mod bench_switch;
#[path = "../../../../runtime/transport/tests/carriers/cable.rs"]
mod cable;
mod commands;
mod crew;
mod dashboard;
mod deadlines;
mod discovery;
#[cfg(feature = "real-clients")]
mod file_clients;
mod files;
mod inetd;
mod inetd_urgent;
mod lab;
mod load;
mod lwp;
#[cfg(feature = "real-clients")]
mod mounts;
mod nodes;
mod processes;
#[cfg(feature = "real-clients")]
mod real_clients;
mod registers;
mod restart;
mod settings;
mod shutdown;
mod signals;
mod simulate;
mod status;
mod support;
mod urgent;
mod verify;
