//! How long one life of a worker lasts, in requests.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// How many requests the lives of a server's workers last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Term {
    pub(crate) requests_max: u64,
    /// Up to so many more, so that workers that have begun together do not end together.
    pub(crate) jitter: u64,
    pub(crate) seed: u64,
}

impl Term {
    /// How many requests this life of this worker lasts: the same for the same seed.
    pub(crate) fn of(&self, worker: usize, life: u64) -> u64 {
        let drawn = mixed(mixed(mixed(self.seed) ^ worker as u64) ^ life);
        let more = match self.jitter.checked_add(1) {
            Some(choices) => drawn % choices,
            None => drawn,
        };
        self.requests_max.saturating_add(more)
    }
}

/// The output function of SplitMix64 (Steele, Lea, Flood 2014).
fn mixed(word: u64) -> u64 {
    let word = word.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

/// One life, and how much of it has passed. One connection at a time.
#[derive(Debug)]
pub(crate) struct Stint {
    requests_max: u64,
    served: AtomicU64,
}

impl Stint {
    pub(crate) fn new(requests_max: u64) -> Arc<Self> {
        Arc::new(Self { requests_max, served: AtomicU64::new(0) })
    }

    /// Whether it is over when the connection that is being served has had so many requests.
    pub(crate) fn is_over(&self, requests: u64) -> bool {
        self.served.load(Ordering::Relaxed).saturating_add(requests) >= self.requests_max
    }

    /// A connection has ended after so many requests; one that asked nothing counts as a request. True if the life is over.
    pub(crate) fn add(&self, requests: u64) -> bool {
        self.served.fetch_add(requests.max(1), Ordering::Relaxed);
        self.is_over(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lives_differ_by_no_more_than_the_jitter_and_a_seed_repeats_them() {
        let term = Term { requests_max: 100, jitter: 20, seed: 7 };
        let lives: Vec<u64> =
            (0..8).flat_map(|worker| (0..8).map(move |life| term.of(worker, life))).collect();
        assert!(lives.iter().all(|life| (100..=120).contains(life)), "{lives:?}");
        let mut kinds = lives.clone();
        kinds.sort_unstable();
        kinds.dedup();
        assert!(kinds.len() > 10, "{kinds:?}");
        let other = Term { seed: 8, ..term };
        assert!((0..8).any(|life| other.of(0, life) != term.of(0, life)));
        assert_eq!(term.of(3, 4), Term { ..term }.of(3, 4));
        assert_eq!(Term { jitter: 0, ..term }.of(3, 4), 100);
        assert!(Term { jitter: u64::MAX, ..term }.of(3, 4) >= 100);
    }

    #[test]
    fn a_connection_without_a_request_counts_as_one() {
        let stint = Stint::new(3);
        assert!(!stint.add(0));
        assert!(!stint.is_over(1) && stint.is_over(2));
        assert!(!stint.add(1));
        assert!(stint.add(0));
    }
}
