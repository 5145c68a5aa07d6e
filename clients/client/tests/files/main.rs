//! Files through the client: real servers of both protocols, real connections that are cut.

#![expect(clippy::unwrap_used, reason = "a test says what is wrong by failing, its support too")]

mod caching;
mod changes;
mod laws;
mod leases;
mod losses;
mod proxy;
mod reads;
mod relay;
mod support;
