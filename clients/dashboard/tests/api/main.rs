//! The dashboard over real sockets, on a real stage.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod acting;
mod client;
mod errors;
mod events;
mod loads;
mod metrics;
mod reading;
mod registers;
mod reports;
mod requests;
mod security;
mod services;
mod stage;
mod starting;
mod status;
mod stuck;
