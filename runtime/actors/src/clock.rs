//! Time for everything in a system: real, or virtual and advanced by hand.
//!
//! One mechanism serves every place, so that a sleep in an event loop, a thread or a test is the same thing: timers in
//! a sorted map, fired by one thread (real) or by [`Clock::advance`] (virtual). Deadlines of asks are many and rarely
//! reached, so they are kept apart, coarse and cheap (`deadlines.rs`).

mod deadlines;
mod driver;

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use palco_core::Time;
use parking_lot::Mutex;

pub(crate) use deadlines::Expire;
use deadlines::{Deadlines, TICK};
use driver::Driver;

/// Deadlines shorter than this are counted from the precise time.
const PRECISE_BELOW: Duration = Duration::from_secs(1);

/// A clock. Cheap to clone; clones are the same clock.
#[derive(Clone)]
pub struct Clock {
    inner: Arc<Inner>,
}

struct Inner {
    source: Source,
    /// Wakers by due time; the second number tells timers of the same instant apart.
    timers: Mutex<Timers>,
    deadlines: Deadlines,
    /// The time of the last tick in nanoseconds, or 0 while nothing ticks.
    coarse: AtomicU64,
}

#[derive(Default)]
struct Timers {
    due: BTreeMap<(Time, u64), Waker>,
    next_key: u64,
    /// Until when the driver sleeps, or slept last: only for what is due before must it be woken. Nothing before it has begun.
    asleep_until: Option<Time>,
}

enum Source {
    Real { origin: Instant, driver: Driver },
    Virtual { now: AtomicU64, advancing: AtomicBool },
}

impl Clock {
    /// The machine's monotonic clock. A thread that fires its timers starts with the first of them.
    #[must_use]
    pub fn real() -> Self {
        Self::with(Source::Real { origin: Instant::now(), driver: Driver::default() })
    }

    /// A clock that stands still until [`Clock::advance`] is called: tests of timeouts without waiting.
    #[must_use]
    pub fn virtual_time() -> Self {
        Self::with(Source::Virtual { now: AtomicU64::new(0), advancing: AtomicBool::new(false) })
    }

    fn with(source: Source) -> Self {
        Self {
            inner: Arc::new(Inner {
                source,
                timers: Mutex::default(),
                deadlines: Deadlines::default(),
                coarse: AtomicU64::new(0),
            }),
        }
    }

    /// The current time.
    #[must_use]
    pub fn now(&self) -> Time {
        match &self.inner.source {
            Source::Real { origin, .. } => {
                let nanos = u64::try_from(origin.elapsed().as_nanos()).unwrap_or(u64::MAX);
                Time::from_nanos(nanos)
            }
            Source::Virtual { now, .. } => Time::from_nanos(now.load(Ordering::Acquire)),
        }
    }

    /// The current time, up to one tick (10 ms) old; two nanoseconds instead of twenty on a busy system.
    #[must_use]
    pub fn now_coarse(&self) -> Time {
        match self.inner.coarse.load(Ordering::Relaxed) {
            0 => self.now(),
            nanos => Time::from_nanos(nanos),
        }
    }

    /// Whether this clock is advanced by hand.
    #[must_use]
    pub fn is_virtual(&self) -> bool {
        matches!(self.inner.source, Source::Virtual { .. })
    }

    /// Completes once `duration` has passed on this clock. Cancel-safe; works under any executor.
    pub fn sleep(&self, duration: Duration) -> Sleep {
        self.sleep_until(self.now() + duration)
    }

    /// Completes at `at`. Cancel-safe; works under any executor.
    pub fn sleep_until(&self, at: Time) -> Sleep {
        Sleep { clock: self.clone(), at, key: None }
    }

    /// Moves a virtual clock forward, stopping at every timer and deadline on the way; after each stop `settle` is
    /// called, to let the woken work finish before time goes on.
    ///
    /// # Panics
    /// On a real clock, and when two callers advance the same clock at once.
    pub async fn advance<F: Future<Output = ()>>(
        &self,
        duration: Duration,
        mut settle: impl FnMut() -> F,
    ) {
        let Source::Virtual { now, advancing } = &self.inner.source else {
            panic!("only a virtual clock can be advanced");
        };
        assert!(!advancing.swap(true, Ordering::AcqRel), "the clock is already being advanced");
        let _advancing = Advancing(advancing);
        let end = self.now() + duration;
        loop {
            settle().await;
            // A timer may have been set for a moment that had just passed; time does not go back for it.
            let next = self.inner.next_event().filter(|next| *next <= end).unwrap_or(end);
            let next = next.max(self.now());
            now.store(next.as_nanos(), Ordering::Release);
            if !self.inner.fire(next) && next == end {
                break;
            }
        }
        settle().await;
    }

    /// Has `expire` called after `within`, up to one tick late, unless nobody else holds it by then.
    pub(crate) fn expire_after(&self, within: Duration, expire: Arc<dyn Expire>) {
        // A coarse time may be older than a tick when the clock's thread has to wait for a processor: that may not
        // shorten a short deadline by much.
        let now = if within < PRECISE_BELOW { self.now() } else { self.now_coarse() };
        self.inner.deadlines.insert(now + within + TICK, expire);
        self.inner.wake_driver_for_deadline();
    }

    /// Calls `waker` at `at`; the key takes it back.
    pub(crate) fn wake_at(&self, at: Time, waker: Waker) -> (Time, u64) {
        let mut timers = self.inner.timers.lock();
        timers.next_key += 1;
        let key = (at, timers.next_key);
        let is_early = timers.asleep_until.is_none_or(|until| at < until);
        timers.due.insert(key, waker);
        if is_early && timers.asleep_until.is_some() {
            timers.asleep_until = Some(at);
        }
        drop(timers);
        if is_early {
            self.inner.wake_driver();
        }
        key
    }

    fn forget(&self, key: (Time, u64)) {
        self.inner.timers.lock().due.remove(&key);
    }
}

/// One caller advances the clock; over when dropped, so also when that caller is cancelled.
struct Advancing<'a>(&'a AtomicBool);

impl Drop for Advancing<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

impl Inner {
    /// Fires what is due at `now`; false if nothing was.
    fn fire(&self, now: Time) -> bool {
        let due = {
            let mut timers = self.timers.lock();
            let later = timers.due.split_off(&(now + Duration::from_nanos(1), 0));
            std::mem::replace(&mut timers.due, later)
        };
        let fired = !due.is_empty();
        for waker in due.into_values() {
            waker.wake();
        }
        self.deadlines.expire(now) || fired
    }

    fn next_event(&self) -> Option<Time> {
        let timer = self.timers.lock().due.keys().next().map(|(at, _)| *at);
        timer.into_iter().chain(self.deadlines.next()).min()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.is_virtual() { "virtual" } else { "real" };
        f.debug_struct("Clock").field("kind", &kind).field("now", &self.now()).finish()
    }
}

/// A wait on a [`Clock`]; made by [`Clock::sleep`].
#[derive(Debug)]
#[must_use = "a sleep does nothing unless it is awaited"]
pub struct Sleep {
    clock: Clock,
    at: Time,
    key: Option<(Time, u64)>,
}

impl Sleep {
    /// When it completes.
    #[must_use]
    pub fn deadline(&self) -> Time {
        self.at
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(key) = self.key.take() {
            self.clock.forget(key);
        }
        if self.clock.now() >= self.at {
            return Poll::Ready(());
        }
        let key = self.clock.wake_at(self.at, cx.waker().clone());
        // Looked at again, because virtual time may have moved past `at` before the timer was set.
        if self.clock.is_virtual() && self.clock.now() >= self.at {
            self.clock.forget(key);
            return Poll::Ready(());
        }
        self.key = Some(key);
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(key) = self.key.take() {
            self.clock.forget(key);
        }
    }
}

#[cfg(test)]
mod tests;
