//! The thread behind a real clock: sleeps until the next timer, ticks while deadlines are set.

use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::thread::{self, Thread};
use std::time::Duration;

use palco_core::Time;

use super::deadlines::TICK;
use super::{Inner, Source};

/// Ticking goes on for this many ticks after the last deadline, so that asks in a row find it running.
const LINGER_TICKS: u32 = 100;

/// Upper bound of one sleep: how long the thread may outlive its clock.
const SLEEP_MAX: Duration = Duration::from_secs(1);

const STACK_BYTES: usize = 128 << 10;

#[derive(Default)]
pub(super) struct Driver {
    thread: OnceLock<Thread>,
    starting: AtomicU8,
    /// True while the thread looks at the deadlines every tick.
    ticking: AtomicBool,
}

impl Inner {
    pub(super) fn wake_driver_for_deadline(self: &Arc<Self>) {
        if let Source::Real { driver, .. } = &self.source
            && !driver.ticking.load(Ordering::SeqCst)
        {
            self.wake_driver();
        }
    }

    pub(super) fn wake_driver(self: &Arc<Self>) {
        let Source::Real { driver, .. } = &self.source else { return };
        if let Some(thread) = driver.thread.get() {
            thread.unpark();
        } else if driver.starting.swap(1, Ordering::AcqRel) == 0 {
            let clock = Arc::downgrade(self);
            let handle =
                palco_threads::spawn_named("palco-clock", STACK_BYTES, move || drive(&clock))
                    .expect("one more thread can be had when the first timer is set");
            let _ = driver.thread.set(handle.thread().clone());
            handle.thread().unpark();
        }
    }
}

fn drive(clock: &Weak<Inner>) {
    let mut linger = 0;
    while let Some(inner) = clock.upgrade() {
        let Source::Real { origin, driver } = &inner.source else { return };
        let now = Time::START + origin.elapsed();
        inner.fire(now);
        linger = if inner.deadlines.is_empty() { linger.max(1) - 1 } else { LINGER_TICKS };
        if linger == 0 {
            inner.coarse.store(0, Ordering::Relaxed);
            driver.ticking.store(false, Ordering::SeqCst);
            if !inner.deadlines.is_empty() {
                continue; // set between the look and the store
            }
        } else {
            inner.coarse.store(now.as_nanos().max(1), Ordering::Relaxed);
            driver.ticking.store(true, Ordering::SeqCst);
        }
        let limit = now + if linger == 0 { SLEEP_MAX } else { TICK };
        let mut timers = inner.timers.lock();
        let until = timers.due.keys().next().map_or(limit, |(at, _)| limit.min(*at));
        timers.asleep_until = Some(until);
        drop(timers);
        drop(inner);
        thread::park_timeout(until - now);
    }
}
