//! Who knows the requests.

use std::future::Future;
use std::pin::Pin;

use palco_core::{Answer, Key, RequestId, Verb};

/// Something that may take a while; it must never block, nor compute for long: it runs with real-time priority.
pub type Soon<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Who knows the requests, and does something about them.
pub trait Desk: Send + Sync + 'static {
    /// Whether `key` was issued for the connection of `request`; compared in constant time. True also after that
    /// connection has ended.
    fn admits(&self, request: &RequestId, key: &Key) -> bool;

    /// Does it, and waits for the effect as long as that is sensible. Dropped early, what was begun stays begun.
    fn act(&self, request: RequestId, verb: Verb) -> Soon<Answer>;

    /// Urgent data has come on the connection that is watched under `token`.
    fn heard(&self, token: u64) -> Soon<()>;
}
