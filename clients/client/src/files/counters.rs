//! What a client has done, in numbers.

use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;

macro_rules! counters {
    ($($(#[doc = $doc:literal])+ $name:ident,)+) => {
        /// What a client has done since it was made, its helpers included.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
        pub struct FileCounters {
            $($(#[doc = $doc])+ pub $name: u64,)+
        }

        /// Counters that several threads count on.
        #[derive(Debug, Default)]
        pub(super) struct Counting {
            $(pub(super) $name: AtomicU64,)+
        }

        impl Counting {
            /// What they are at now.
            pub(super) fn snapshot(&self) -> FileCounters {
                FileCounters { $($name: self.$name.load(Ordering::Relaxed),)+ }
            }
        }
    };
}

counters! {
    /// Times that the client has sent something and waited for the answer, or for all answers of a pipeline.
    round_trips,
    /// Requests that were sent, each one of a pipeline.
    requests,
    /// Connections that were made.
    connections,
    /// Attempts after the first, because a connection was lost.
    retries,
    /// Bytes sent, with their framing.
    bytes_sent,
    /// Bytes received, with their framing.
    bytes_received,
    /// Blocks that were found in the cache.
    cache_hits,
    /// Blocks that were looked for in the cache and not found.
    cache_misses,
    /// Blocks that were asked for before anybody read them.
    blocks_ahead,
    /// Of these, blocks that were read later.
    blocks_ahead_used,
    /// Leases that the server gave.
    leases_granted,
    /// Leases that the server did not give, because somebody writes or it has just started.
    leases_refused,
    /// Leases that were renewed: one for each lease and renewal.
    leases_renewed,
    /// Leases that the server has asked back.
    leases_revoked,
    /// Leases whose term ended before they were renewed.
    leases_expired,
    /// Leases that were given again by a server that was started again.
    leases_reclaimed,
    /// Handles that were opened again by their path.
    handles_reopened,
}

/// Counts one more.
pub(super) fn one(counter: &AtomicU64) {
    many(counter, 1);
}

/// Counts so many more.
pub(super) fn many(counter: &AtomicU64, count: usize) {
    counter.fetch_add(count as u64, Ordering::Relaxed);
}
