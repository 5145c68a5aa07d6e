//! The HTTP gateway over real sockets. Every answer that comes is compared with the description the gateway serves.

mod bounds;
mod client;
mod conditions;
#[cfg(feature = "real-clients")]
mod curl;
mod described;
mod ending;
mod gateway;
mod idempotency;
mod outcomes;
mod reconfiguring;
mod registers;
mod scanning;
mod security;
mod watching;
