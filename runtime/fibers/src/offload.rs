//! Threads that blocking calls are shipped to: made when a call finds none free, ended after a while without one.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::sync::Weak;
use std::sync::atomic::Ordering;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use crate::ending::discard;
use crate::lwp::Lwp;
use crate::observer::{Event, Observer, What};

/// How long a thread waits for the next call before it ends.
const IDLE_MAX: Duration = Duration::from_secs(10);

/// A call on its way.
pub(crate) struct Call {
    pub(crate) name: Arc<str>,
    /// Where it comes from.
    pub(crate) home: Arc<Lwp>,
    /// Contains its panics, and tells who waits.
    pub(crate) work: Box<dyn FnOnce() + Send>,
}

/// Where calls are handed in.
pub(crate) struct Office {
    /// For the threads, which outlive no office that has calls left.
    me: Weak<Self>,
    pool: Arc<str>,
    threads_max: usize,
    observer: Option<Arc<dyn Observer>>,
    desk: Mutex<Desk>,
    bell: Condvar,
}

#[derive(Default)]
struct Desk {
    calls: VecDeque<Call>,
    threads: usize,
    idle: usize,
    /// Idle threads that were woken for a call and have not taken one yet.
    called: usize,
    closed: bool,
}

impl Office {
    pub(crate) fn new(
        pool: Arc<str>,
        threads_max: usize,
        observer: Option<Arc<dyn Observer>>,
    ) -> Arc<Self> {
        Arc::new_cyclic(|me| Self {
            me: me.clone(),
            pool,
            threads_max: threads_max.max(1),
            observer,
            desk: Mutex::default(),
            bell: Condvar::new(),
        })
    }

    /// Waits in order if `threads_max` are busy. After [`Office::close`] it is dropped.
    pub(crate) fn submit(&self, call: Call) {
        let mut desk = self.desk.lock();
        if desk.closed {
            drop(desk);
            discard(call);
            return;
        }
        call.home.counts.offloaded.fetch_add(1, Ordering::Relaxed);
        desk.calls.push_back(call);
        if desk.idle > desk.called {
            desk.called += 1;
            self.bell.notify_one();
        } else if desk.threads < self.threads_max {
            self.hire(&mut desk);
        }
    }

    /// How many threads there are now.
    pub(crate) fn threads(&self) -> usize {
        self.desk.lock().threads
    }

    /// Lets the threads end after their call. What waits for one is dropped.
    pub(crate) fn close(&self) {
        let mut desk = self.desk.lock();
        desk.closed = true;
        let waiting = std::mem::take(&mut desk.calls);
        drop(desk);
        self.bell.notify_all();
        waiting.into_iter().for_each(discard);
    }

    fn hire(&self, desk: &mut Desk) {
        let Some(me) = self.me.upgrade() else { return };
        let name = format!("{}/blocks", self.pool);
        let bytes = palco_threads::STACK_BYTES_DEFAULT;
        match palco_threads::spawn_named(&name, bytes, move || me.serve()) {
            Ok(_) => desk.threads += 1,
            Err(error) if desk.threads > 0 => {
                tracing::warn!(%error, threads = desk.threads, "a blocking call waits for another");
            }
            Err(error) => {
                tracing::error!(%error, "no thread for a blocking call, and none is there: it waits");
            }
        }
    }

    fn serve(&self) {
        let mut desk = self.desk.lock();
        loop {
            if let Some(call) = desk.calls.pop_front() {
                drop(desk);
                self.make(call);
                desk = self.desk.lock();
                continue;
            }
            if desk.closed {
                break;
            }
            desk.idle += 1;
            let is_over = self.bell.wait_for(&mut desk, IDLE_MAX).timed_out();
            desk.idle -= 1;
            desk.called = desk.called.saturating_sub(usize::from(!is_over)).min(desk.idle);
            if is_over && desk.calls.is_empty() {
                break;
            }
        }
        desk.threads -= 1;
    }

    fn make(&self, call: Call) {
        self.tell(&call.name, What::BlockingBegan);
        (call.work)();
        call.home.counts.offloaded.fetch_sub(1, Ordering::Relaxed);
        self.tell(&call.name, What::BlockingEnded);
    }

    fn tell(&self, name: &Arc<str>, what: What) {
        if let Some(observer) = &self.observer {
            observer.event(Event { lwp: None, name: Arc::clone(name), what });
        }
    }
}

impl fmt::Debug for Office {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Office").field("threads", &self.threads()).finish_non_exhaustive()
    }
}
