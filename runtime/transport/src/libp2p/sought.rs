//! Whom a node seeks, and when it dials again.

use std::time::Duration;

use ::libp2p::Multiaddr;
use tokio::time::Instant;

use super::greeting::Decided;

/// The first time that is waited before dialing again, and the longest.
const WAIT_FIRST: Duration = Duration::from_millis(50);
const WAIT_MAX: Duration = Duration::from_secs(5);

/// A peer that is sought.
#[derive(Debug)]
pub(super) struct Sought {
    pub(super) addresses: Vec<Multiaddr>,
    /// When to dial, unless there is a session or it is being dialed.
    pub(super) due: Instant,
    /// Whether names among the addresses are being looked up.
    pub(super) is_resolving: bool,
    /// The last session with it that is over.
    pub(super) over: Option<Decided>,
    failures: u32,
}

impl Sought {
    /// To be dialed at once.
    pub(super) fn new(now: Instant) -> Self {
        Self { addresses: Vec::new(), due: now, is_resolving: false, over: None, failures: 0 }
    }

    /// No attempt has led to a session, or one has ended: waits, longer every time. `lot` makes those who failed together
    /// not come together again.
    pub(super) fn failed(&mut self, now: Instant, lot: u64) {
        self.due = now + wait(self.failures, lot);
        self.failures = self.failures.saturating_add(1);
    }

    /// A session has ended that lasted so long: one that ended at once is no better than none.
    pub(super) fn ended(&mut self, lasted: Duration, now: Instant, lot: u64) {
        if lasted >= WAIT_MAX {
            self.failures = 0;
        }
        self.failed(now, lot);
    }
}

/// Exponential, between a half and the whole of what the number of failures asks for.
fn wait(failures: u32, lot: u64) -> Duration {
    let whole = WAIT_FIRST.saturating_mul(1 << failures.min(10)).min(WAIT_MAX);
    let part = u32::try_from(lot % 1000).expect("a rest of 1000 is small");
    whole / 2 + whole / 2 * part / 1000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_limit_and_are_scattered() {
        assert!(wait(0, 0) >= WAIT_FIRST / 2 && wait(0, 999) <= WAIT_FIRST);
        for failures in [7, 20, u32::MAX] {
            assert_eq!(wait(failures, 0), WAIT_MAX / 2);
            assert!(wait(failures, 999) > WAIT_MAX * 9 / 10 && wait(failures, 999) <= WAIT_MAX);
        }
    }

    #[test]
    fn a_session_that_lasted_ends_the_growth() {
        let now = Instant::now();
        let mut sought = Sought::new(now);
        for _ in 0..10 {
            sought.ended(Duration::from_millis(1), now, 999);
        }
        assert!(sought.due > now + WAIT_MAX / 2);
        sought.ended(WAIT_MAX, now, 999);
        assert!(sought.due <= now + WAIT_FIRST);
    }
}
