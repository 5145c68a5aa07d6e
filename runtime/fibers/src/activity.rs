//! What can be woken: a fiber that waits, or a future.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::Wake;

use crate::local;
use crate::lwp::{Letter, Lwp};
use crate::protocol::rest::Rest;

/// The shared side of a fiber or a polled future; the stack or the future itself stays with its LWP.
///
/// A future that waits in the middle of a poll (see [`crate::blocking`]) is waited for in two ways at a time, so there
/// are two words: a wake of the one is never taken for a wake of the other.
#[derive(Debug)]
pub(crate) struct Activity {
    pub(crate) name: Arc<str>,
    home: Arc<Lwp>,
    /// The stack is suspended until a condition holds.
    pub(crate) inside: Rest,
    /// The future is at rest between two polls.
    pub(crate) between: Rest,
    /// The token of `park` and `unpark`.
    token: AtomicBool,
    /// Where its LWP keeps it while it waits. Only that LWP reads and writes it.
    slot: AtomicUsize,
}

impl Activity {
    pub(crate) fn new(name: Arc<str>, home: Arc<Lwp>) -> Arc<Self> {
        Arc::new(Self {
            name,
            home,
            inside: Rest::new(),
            between: Rest::new(),
            token: AtomicBool::new(false),
            slot: AtomicUsize::new(usize::MAX),
        })
    }

    pub(crate) fn slot(&self) -> usize {
        self.slot.load(Ordering::Relaxed)
    }

    pub(crate) fn set_slot(&self, slot: usize) {
        self.slot.store(slot, Ordering::Relaxed);
    }

    /// Gives the token of `park` and ends a park.
    pub(crate) fn unpark(self: &Arc<Self>) {
        self.token.store(true, Ordering::Release);
        self.look_again();
    }

    /// An exchange, so that all that was done before any of the merged `unpark`s is visible.
    pub(crate) fn take_token(&self) -> bool {
        self.token.load(Ordering::Relaxed) && self.token.swap(false, Ordering::AcqRel)
    }

    /// What the fiber waits for may have changed.
    pub(crate) fn look_again(self: &Arc<Self>) {
        if self.inside.notify() {
            self.resume();
        }
    }

    /// It was at rest, and only this caller was told so.
    fn resume(self: &Arc<Self>) {
        if local::make_ready_here(self, &self.home) {
            return;
        }
        if self.home.inbox.push(Letter::Wake(Arc::clone(self))).is_ok() {
            self.home.ring();
        }
    }
}

impl Wake for Activity {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.between.notify() {
            self.resume();
        }
    }
}
