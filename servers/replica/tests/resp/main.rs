//! The gateway in the Redis protocol, through its codec and without a socket; with real clients behind a feature.

mod conditions;
mod connections;
mod failures;
mod information;
mod keys;
mod pages;
mod pipelines;
#[cfg(feature = "real-clients")]
mod real_clients;
mod support;
