//! What the client and the keeper of its leases both use.

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use bytes::Bytes;
use palco_files::sftp::wire::Secret;
use parking_lot::{Mutex, MutexGuard};

use super::Version;
use super::cache::{BlockCache, Found};
use super::counters::{Counting, many, one};
use super::leases::Leases;

/// Blocks and leases, together under one lock: a block is only as good as its lease at the moment when it is taken out.
#[derive(Debug)]
pub(super) struct Shared {
    state: Mutex<State>,
    pub(super) counting: Arc<Counting>,
    /// The client is no more.
    is_closing: AtomicBool,
    /// What ends the keeper's wait, and what it waits for.
    waker: (UnixStream, UnixStream),
}

/// What is behind the lock.
#[derive(Debug)]
pub(super) struct State {
    pub(super) cache: BlockCache,
    pub(super) leases: Leases,
}

/// Why what is in the cache may be believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Belief {
    pub(super) version: Version,
    /// Bytes of the file, if they are known.
    pub(super) size: Option<u64>,
    /// The lease that it holds with.
    pub(super) lease: Option<Secret>,
}

impl State {
    /// Whether it may be believed still.
    fn holds(&self, path: &str, belief: &Belief) -> bool {
        let lease = || self.leases.get(path, Instant::now());
        belief.lease.is_none_or(|id| lease().is_some_and(|lease| lease.id == id))
    }

    /// A lease is to be given back: its blocks are dropped at once.
    pub(super) fn give_back(&mut self, id: Secret) {
        for path in self.leases.give_back(id) {
            self.cache.forget(&path);
        }
    }

    /// Drops leases whose term has ended, and their blocks; how many.
    pub(super) fn expire(&mut self) -> usize {
        let ended = self.leases.expire(Instant::now());
        for path in &ended {
            self.cache.forget(path);
        }
        ended.len()
    }
}

impl Shared {
    pub(super) fn new(cache_bytes_max: usize, counting: Arc<Counting>) -> io::Result<Arc<Self>> {
        let waker = UnixStream::pair()?;
        waker.0.set_nonblocking(true)?;
        waker.1.set_nonblocking(true)?;
        let state = State { cache: BlockCache::new(cache_bytes_max), leases: Leases::default() };
        let (state, is_closing) = (Mutex::new(state), AtomicBool::new(false));
        Ok(Arc::new(Self { state, counting, is_closing, waker }))
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    /// A block that may be believed, if it is there.
    pub(super) fn find(&self, path: &str, belief: &Belief, number: u64) -> Option<Bytes> {
        let mut state = self.state();
        let found =
            state.holds(path, belief).then(|| state.cache.get(path, &belief.version, number));
        let Some(Some(Found { bytes, was_ahead })) = found else {
            one(&self.counting.cache_misses);
            return None;
        };
        one(&self.counting.cache_hits);
        many(&self.counting.blocks_ahead_used, usize::from(was_ahead));
        Some(bytes)
    }

    /// Whether a block that may be believed is there.
    pub(super) fn has(&self, path: &str, belief: &Belief, number: u64) -> bool {
        let state = self.state();
        state.holds(path, belief) && state.cache.has(path, &belief.version, number)
    }

    /// Keeps blocks, by their numbers and with whether they were read ahead, if what was believed when they were asked for
    /// still is.
    pub(super) fn keep(
        &self,
        path: &Arc<str>,
        belief: &Belief,
        blocks: HashMap<u64, (Bytes, bool)>,
    ) {
        let mut state = self.state();
        if !state.holds(path, belief) {
            return;
        }
        for (number, (bytes, is_ahead)) in blocks {
            many(&self.counting.blocks_ahead, usize::from(is_ahead));
            state.cache.insert(path, &belief.version, number, bytes, is_ahead);
        }
    }

    /// Ends the keeper's wait.
    pub(super) fn wake(&self) {
        // If it is full, the keeper wakes anyway.
        let _: io::Result<usize> = (&self.waker.0).write(&[0]);
    }

    /// The client is no more.
    pub(super) fn close(&self) {
        self.is_closing.store(true, Ordering::Release);
        self.wake();
    }

    pub(super) fn is_closing(&self) -> bool {
        self.is_closing.load(Ordering::Acquire)
    }

    /// What becomes readable when the keeper is to wake.
    pub(super) fn wakes(&self) -> &UnixStream {
        &self.waker.1
    }

    /// Forgets that the keeper was to wake.
    pub(super) fn awake(&self) {
        let mut buffer = [0; 64];
        while matches!((&self.waker.1).read(&mut buffer), Ok(count) if count > 0) {}
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::transport::Grant;
    use super::*;

    /// One block under a lease with this term, and why it is believed.
    fn held(term: Duration) -> (Arc<Shared>, Arc<str>, Belief) {
        let (shared, path) = (Shared::new(1 << 20, Arc::default()).unwrap(), Arc::from("a"));
        let grant = Grant { lease: [1; 16], version: 7, term };
        shared.state().leases.take(&path, grant, Instant::now(), None);
        let (version, lease) = (Version::of_number(7), Some([1; 16]));
        let belief = Belief { version, size: None, lease };
        keep(&shared, &path, &belief);
        (shared, path, belief)
    }

    fn keep(shared: &Shared, path: &Arc<str>, belief: &Belief) {
        let block = (Bytes::from_static(b"x"), false);
        shared.keep(path, belief, HashMap::from([(0, block)]));
    }

    #[test]
    fn what_is_given_back_is_dropped_and_nothing_is_kept_that_comes_later() {
        let (shared, path, belief) = held(Duration::from_secs(3600));
        assert!(shared.has(&path, &belief, 0) && shared.find(&path, &belief, 0).is_some());
        shared.state().give_back([1; 16]);
        assert_eq!(shared.state().cache.bytes(), 0);
        // An answer that was on its way.
        keep(&shared, &path, &belief);
        assert_eq!(shared.state().cache.bytes(), 0);
        assert!(!shared.has(&path, &belief, 0) && shared.find(&path, &belief, 0).is_none());
        let counters = shared.counting.snapshot();
        assert_eq!((counters.cache_hits, counters.cache_misses), (1, 1));
    }

    #[test]
    fn a_block_whose_lease_has_ended_is_not_found_even_before_it_is_dropped() {
        let (shared, path, belief) = held(Duration::ZERO);
        let (_, _, without) = held(Duration::from_secs(3600));
        let without = Belief { lease: None, ..without };
        shared.keep(&path, &without, HashMap::from([(0, (Bytes::from_static(b"x"), false))]));
        assert!(shared.state().cache.bytes() > 0);
        assert!(!shared.has(&path, &belief, 0) && shared.find(&path, &belief, 0).is_none());
        assert_eq!(shared.state().expire(), 1);
        assert_eq!(shared.state().cache.bytes(), 0);
    }

    #[test]
    fn another_lease_on_the_path_is_not_the_one_that_a_read_began_with() {
        let (shared, path, belief) = held(Duration::from_secs(3600));
        let grant = Grant { lease: [2; 16], version: 7, term: Duration::from_secs(3600) };
        shared.state().leases.take(&path, grant, Instant::now(), None);
        assert!(!shared.has(&path, &belief, 0));
    }
}
