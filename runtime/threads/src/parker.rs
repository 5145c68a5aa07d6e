//! Sleep until woken, after a spin that is bounded and only done when it pays.
//!
//! Waking a thread that sleeps on another core costs about ten microseconds here, finding it spinning a fraction of
//! one; but a spinner on a busy core keeps the very thread waiting that it waits for. So a parker spins only while
//! fewer threads of this room are at work than there are cores, and each parker learns: a spin that was rewarded
//! doubles the next one's length, one in vain halves it (as adaptive mutexes do, e.g. Solaris' since 1992).

use std::hint;
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, AtomicU32, AtomicUsize, Ordering};
use std::task::Wake;
use std::thread::{self, Thread};

use crossbeam::utils::CachePadded;

/// Longest spin, in pauses of the processor (20 to 40 ns each): some twenty microseconds, twice what a wake-up costs.
/// Less would never be rewarded while the other side sleeps, since its wake-up alone takes ten.
const SPIN_PAUSES_MAX: u32 = 1_000;
/// The shortest spin that is worth while; below it there is none.
const SPIN_PAUSES_MIN: u32 = 32;
/// A parker whose spins were in vain tries the longest after so many sleeps, to notice better times; after twice as many
/// if that was in vain too, and so on.
const PROBE_AFTER_MIN: u32 = 16;
const PROBE_AFTER_MAX: u32 = 4_096;

const EMPTY: u8 = 0;
const NOTIFIED: u8 = 1;
const PARKED: u8 = 2;

/// How many threads are inside [`Working`] and not asleep.
static AWAKE: CachePadded<AtomicUsize> = CachePadded::new(AtomicUsize::new(0));

/// Puts one thread to sleep until [`Wake::wake`]; a wake that comes first makes the next sleep end at once.
#[derive(Debug)]
pub struct Parker {
    state: AtomicU8,
    thread: Thread,
    /// Length of the next spin in pauses; written by the owner only.
    spin: AtomicU32,
    /// Sleeps until the next probe, and from one probe to the next; written by the owner only.
    probe_in: AtomicU32,
    probe_after: AtomicU32,
}

/// While this lives its thread counts as at work.
#[derive(Debug)]
pub(crate) struct Working<'a>(&'a Parker);

impl Default for Parker {
    fn default() -> Self {
        Self::new()
    }
}

impl Parker {
    /// A parker for the calling thread.
    #[must_use]
    pub fn new() -> Self {
        cores(); // counted now: a thread that is confined to one core later would count only that one, for all
        Self {
            state: AtomicU8::new(EMPTY),
            thread: thread::current(),
            spin: AtomicU32::new(SPIN_PAUSES_MAX),
            probe_in: AtomicU32::new(PROBE_AFTER_MIN),
            probe_after: AtomicU32::new(PROBE_AFTER_MIN),
        }
    }

    pub(crate) fn enter(&self) -> Working<'_> {
        AWAKE.fetch_add(1, Ordering::Relaxed);
        Working(self)
    }

    fn take_notification(&self) -> bool {
        self.state.compare_exchange(NOTIFIED, EMPTY, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }

    /// Spins for a notification; true if one was taken.
    fn spin(&self) -> bool {
        if AWAKE.load(Ordering::Relaxed) > cores() {
            return false;
        }
        let mut pauses = self.spin.load(Ordering::Relaxed);
        if pauses < SPIN_PAUSES_MIN {
            let probe_in = self.probe_in.load(Ordering::Relaxed);
            self.probe_in.store(probe_in.saturating_sub(1), Ordering::Relaxed);
            if probe_in > 0 {
                return false;
            }
            pauses = SPIN_PAUSES_MAX;
        }
        for _ in 0..pauses {
            if self.state.load(Ordering::Relaxed) == NOTIFIED && self.take_notification() {
                self.spin.store((pauses * 2).min(SPIN_PAUSES_MAX), Ordering::Relaxed);
                self.probe_after.store(PROBE_AFTER_MIN, Ordering::Relaxed);
                return true;
            }
            hint::spin_loop();
        }
        self.give_up(pauses);
        false
    }

    /// A spin of this length was in vain.
    fn give_up(&self, pauses: u32) {
        let was_probe = self.spin.load(Ordering::Relaxed) < SPIN_PAUSES_MIN;
        if !was_probe {
            self.spin.store(pauses / 2, Ordering::Relaxed);
        }
        let probe_after = self.probe_after.load(Ordering::Relaxed);
        self.probe_in.store(probe_after, Ordering::Relaxed);
        if was_probe {
            self.probe_after.store((probe_after * 2).min(PROBE_AFTER_MAX), Ordering::Relaxed);
        }
    }
}

impl Working<'_> {
    /// Sleeps until woken. A wake since the last call counts.
    pub(crate) fn park(&self) {
        let parker = self.0;
        if parker.take_notification() || parker.spin() {
            return;
        }
        if parker
            .state
            .compare_exchange(EMPTY, PARKED, Ordering::AcqRel, Ordering::Acquire)
            .is_err()
        {
            parker.take_notification();
            return;
        }
        AWAKE.fetch_sub(1, Ordering::Relaxed);
        while !parker.take_notification() {
            thread::park();
        }
        AWAKE.fetch_add(1, Ordering::Relaxed);
    }
}

impl Drop for Working<'_> {
    fn drop(&mut self) {
        AWAKE.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Wake for Parker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.state.swap(NOTIFIED, Ordering::AcqRel) == PARKED {
            self.thread.unpark();
        }
    }
}

fn cores() -> usize {
    static CORES: OnceLock<usize> = OnceLock::new();
    *CORES.get_or_init(|| thread::available_parallelism().map_or(1, usize::from))
}
