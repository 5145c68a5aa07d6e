//! The stateful service, asked in packets: every answer, every refusal, and what it remembers.

#![expect(clippy::unwrap_used, reason = "a test says what is wrong by failing, its support too")]

mod changes;
mod client;
mod handles;
mod leases;
mod names;
mod packets;
mod reads;
