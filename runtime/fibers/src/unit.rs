//! What can be woken: a suspended fiber, or a future at rest. From anywhere, by anybody, as often as they like.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::Wake;

use crate::lwp::Home;
use crate::name::Name;

/// Suspended or at rest; nobody has woken it.
const IDLE: u8 = 0;
/// Woken, and in exactly one queue.
const QUEUED: u8 = 1;
/// Its LWP runs it.
const RUNNING: u8 = 2;
/// Its LWP runs it, and it has been woken meanwhile.
const NOTIFIED: u8 = 3;
/// It has ended.
const DONE: u8 = 4;

pub(crate) struct Unit {
    state: AtomicU8,
    /// Where its LWP keeps it; nobody else looks.
    pub(crate) slot: usize,
    pub(crate) home: Arc<Home>,
    pub(crate) name: Name,
}

impl Unit {
    /// One that its LWP is running.
    pub(crate) fn running(slot: usize, home: Arc<Home>, name: Name) -> Arc<Self> {
        Arc::new(Self { state: AtomicU8::new(RUNNING), slot, home, name })
    }

    /// Its LWP will run it again. A wake that comes while it runs counts for its next rest.
    pub(crate) fn unpark(self: &Arc<Self>) {
        let woken =
            self.state.fetch_update(Ordering::AcqRel, Ordering::Acquire, |state| match state {
                IDLE => Some(QUEUED),
                RUNNING => Some(NOTIFIED),
                _ => None,
            });
        if woken == Ok(IDLE) {
            self.home.queue(Arc::clone(self));
        }
    }

    /// Its LWP takes it from the queue.
    pub(crate) fn begin(&self) {
        self.state.store(RUNNING, Ordering::Release);
    }

    /// Its LWP has put it away. False: it was woken meanwhile and belongs into the queue, which is up to the caller.
    pub(crate) fn rest(&self) -> bool {
        let rests =
            self.state.compare_exchange(RUNNING, IDLE, Ordering::AcqRel, Ordering::Acquire).is_ok();
        if !rests {
            self.state.store(QUEUED, Ordering::Release);
        }
        rests
    }

    /// A wake since it last began, taken back.
    pub(crate) fn take_notice(&self) -> bool {
        self.state.compare_exchange(NOTIFIED, RUNNING, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    /// Nobody can wake it any more.
    pub(crate) fn end(&self) {
        self.state.store(DONE, Ordering::Release);
    }
}

impl Wake for Unit {
    fn wake(self: Arc<Self>) {
        self.unpark();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.unpark();
    }
}
