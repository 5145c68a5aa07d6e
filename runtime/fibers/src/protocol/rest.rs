//! Coming to rest without losing a wake: one byte per activity.
//!
//! The owner decides to rest after it looked at what it waits for; a wake may come between look and rest. So a wake
//! leaves a notice, and rest begins only where there is none. One notice serves every reason to wake: it may be
//! spurious, and each wait looks again at its own condition.

use super::primitives::{AtomicU8, Ordering};

/// At work, and nobody woke it since it last looked.
const EMPTY: u8 = 0;
/// Woken since it last looked.
const NOTIFIED: u8 = 1;
/// At rest.
const RESTING: u8 = 2;

/// The word that an activity and its wakers share.
#[derive(Debug)]
pub(crate) struct Rest(AtomicU8);

impl Rest {
    pub(crate) fn new() -> Self {
        Self(AtomicU8::new(EMPTY))
    }

    /// The owner looks at its condition after this: what was stored before a wake is visible then.
    ///
    /// An exchange and not a store: it must read the notice that it removes, or the condition could still be missed.
    pub(crate) fn look(&self) {
        self.0.swap(EMPTY, Ordering::AcqRel);
    }

    /// True if the owner is at rest now: somebody will be told to resume it. False: it was woken, look again.
    pub(crate) fn try_rest(&self) -> bool {
        self.0.compare_exchange(EMPTY, RESTING, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    /// True if it was at rest: who called resumes it, and nobody else does.
    pub(crate) fn notify(&self) -> bool {
        self.0.swap(NOTIFIED, Ordering::AcqRel) == RESTING
    }
}
