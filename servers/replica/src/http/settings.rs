//! How a gateway behaves, and its limits.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use super::Token;
use crate::Domain;

/// Where a gateway listens unless told otherwise: only this machine reaches it.
pub const ADDRESS_DEFAULT: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 7480);

/// How a gateway behaves. Every limit has a default.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Who shows this may reconfigure; nobody may without it. Default: none.
    pub token: Option<Token>,
    /// Whether whatever is asked needs the token, under any name: for gateways that other machines reach. Default: no.
    pub is_private: bool,
    /// Through what all shards are reconfigured, one after the other. Without it, registers of one shard can be
    /// reconfigured. Default: none.
    pub domain: Option<Domain>,
    /// Names, without a port, under which a browser may ask, beside `localhost` and all addresses. Default: none.
    pub also_called: Vec<String>,
    /// Threads that answer, at least one. Default: 1.
    pub workers: usize,
    /// Connections at once; more wait in the kernel's backlog. Each may hold one body. Default: 512.
    pub connections_max: usize,
    /// How long a read or change may take. Default: 5 s.
    pub answer_within: Duration,
    /// How long a reconfiguration may take, for each shard. Default: 60 s.
    pub reconfigure_within: Duration,
    /// A request's body must come within this. Default: 10 s.
    pub body_within: Duration,
    /// The longest wait that a watcher may ask for. Default: 60 s.
    pub watch_within_max: Duration,
    /// Watchers at once, those of a stream and those that wait for one answer. Default: 256.
    pub watchers_max: usize,
    /// Keys that are watched at once; each is read again and again. Default: 128.
    pub watched_keys_max: usize,
    /// A client whose socket takes no bytes for so long is dropped. Default: 30 s.
    pub stalled_after: Duration,
    /// How long requests under way are waited for when the gateway stops. Default: 5 s.
    pub end_within: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            token: None,
            is_private: false,
            domain: None,
            also_called: Vec::new(),
            workers: 1,
            connections_max: 512,
            answer_within: Duration::from_secs(5),
            reconfigure_within: Duration::from_secs(60),
            body_within: Duration::from_secs(10),
            watch_within_max: Duration::from_secs(60),
            watchers_max: 256,
            watched_keys_max: 128,
            stalled_after: Duration::from_secs(30),
            end_within: Duration::from_secs(5),
        }
    }
}
