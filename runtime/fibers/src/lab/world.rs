//! What all threads of a run share.

use std::collections::VecDeque;
use std::io;
use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread::{self, Builder, Scope, ScopedJoinHandle, Thread};
use std::time::{Duration, Instant};

use crossbeam::queue::ArrayQueue;
use crossbeam::utils::CachePadded;
use parking_lot::{Condvar, Mutex};

use super::calls::Record;
use super::desk::Desk;
use super::event::{Event, FiberId};
use super::fiber::Fiber;
use super::lwp::Seats;
use super::settings::{Call, Settings};

/// Chunks of events that wait to be taken, at most: about a million events, for 25 ms.
const CHUNKS_MAX: usize = 1 << 12;

/// Fibers that any LWP may take, and how many LWPs could.
#[derive(Default)]
pub(super) struct Ready {
    pub(super) queue: VecDeque<Fiber>,
    /// LWPs that are not in a call.
    pub(super) unblocked: usize,
}

/// What a run counts beside what its fibers lived through.
pub(super) struct Counts {
    pub(super) total: Duration,
    pub(super) lwps: usize,
    pub(super) helpers: usize,
    pub(super) handoffs: u64,
    pub(super) added: u64,
    pub(super) dropped: u64,
}

/// One run.
pub(super) struct World {
    settings: Settings,
    start: Instant,
    watcher: Thread,
    /// Tickers end.
    pub(super) stop: Arc<AtomicBool>,
    over: AtomicBool,
    threads: AtomicUsize,
    sleepers_left: AtomicUsize,
    fibers_left: AtomicUsize,
    slept_until: AtomicU64,
    ticks: Box<[CachePadded<AtomicU64>]>,
    chunks: ArrayQueue<Vec<Event>>,
    dropped: AtomicU64,
    finished: Mutex<Vec<(FiberId, Record)>>,
    /// The common queue of `go` and `solaris`.
    pub(super) ready: Mutex<Ready>,
    /// Something is in the common queue, or it is over.
    pub(super) ready_changed: Condvar,
    /// Every LWP that ever was, by number.
    pub(super) seats: Mutex<Seats>,
    /// LWPs without a processor.
    pub(super) spare: Mutex<Vec<u16>>,
    /// Calls for helpers.
    pub(super) desk: Desk,
    handoffs: AtomicU64,
    added: AtomicU64,
    lwps: AtomicUsize,
    lwps_most: AtomicUsize,
}

impl World {
    pub(super) fn new(settings: &Settings) -> Self {
        Self {
            settings: *settings,
            start: Instant::now(),
            watcher: thread::current(),
            stop: Arc::default(),
            over: AtomicBool::new(false),
            threads: AtomicUsize::new(0),
            sleepers_left: AtomicUsize::new(settings.sleepers),
            fibers_left: AtomicUsize::new(settings.sleepers + settings.tickers),
            slept_until: AtomicU64::new(0),
            ticks: (0..settings.tickers).map(|_| CachePadded::default()).collect(),
            chunks: ArrayQueue::new(CHUNKS_MAX),
            dropped: AtomicU64::new(0),
            finished: Mutex::default(),
            ready: Mutex::default(),
            ready_changed: Condvar::new(),
            seats: Mutex::default(),
            spare: Mutex::default(),
            desk: Desk::default(),
            handoffs: AtomicU64::new(0),
            added: AtomicU64::new(0),
            lwps: AtomicUsize::new(0),
            lwps_most: AtomicUsize::new(0),
        }
    }

    pub(super) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Nanoseconds since the start.
    pub(super) fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    /// The system call, on the stack of the calling thread.
    pub(super) fn call(&self) {
        match self.settings.call {
            Call::Sleep(length) => thread::sleep(length),
            Call::Short => {
                let _ = nix::unistd::getppid();
            }
        }
    }

    /// A thread of the run, named; it counts as alive from now on.
    pub(super) fn spawn<'scope, T: Send + 'scope>(
        &'scope self,
        scope: &'scope Scope<'scope, '_>,
        name: &str,
        run: impl FnOnce(&'scope Self) -> T + Send + 'scope,
    ) -> io::Result<ScopedJoinHandle<'scope, T>> {
        let alive = Alive::new(self);
        Builder::new().name(name.to_owned()).spawn_scoped(scope, move || {
            let _alive = alive;
            run(self)
        })
    }

    /// Whether a thread of the run is still there.
    pub(super) fn is_alive(&self) -> bool {
        self.threads.load(Ordering::Acquire) > 0
    }

    /// Whether everybody goes home.
    pub(super) fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    /// Everybody goes home: whoever waits for anything is woken.
    pub(super) fn end(&self) {
        self.stop.store(true, Ordering::Relaxed);
        let ready = self.ready.lock();
        self.over.store(true, Ordering::SeqCst);
        self.ready_changed.notify_all();
        drop(ready);
        self.desk.close();
        for seat in self.seats.lock().all() {
            seat.dismiss();
        }
    }

    /// A fiber is done. After the last sleeper the tickers end, after the last of all everybody goes home.
    pub(super) fn finish(&self, fiber: Fiber, now: u64) {
        let Fiber { id, record, .. } = fiber;
        self.finished.lock().push((id, record));
        match id {
            FiberId::Ticker(_) => {}
            FiberId::Sleeper(_) => {
                self.slept_until.fetch_max(now, Ordering::Relaxed);
                if self.sleepers_left.fetch_sub(1, Ordering::AcqRel) == 1 {
                    self.stop.store(true, Ordering::Relaxed);
                }
            }
        }
        if self.fibers_left.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.end();
        }
    }

    /// A fiber is in the common queue.
    pub(super) fn make_ready(&self, fiber: Fiber) {
        self.ready.lock().queue.push_back(fiber);
        self.ready_changed.notify_one();
    }

    /// A ticker has had so many turns.
    pub(super) fn ticked(&self, ticker: u8, turns: u64) {
        self.ticks[usize::from(ticker)].store(turns, Ordering::Relaxed);
    }

    /// Turns of all tickers so far.
    pub(super) fn ticker_turns(&self) -> u64 {
        self.ticks.iter().map(|turns| turns.load(Ordering::Relaxed)).sum()
    }

    /// An LWP begins.
    pub(super) fn lwp_begins(&self) {
        let lwps = self.lwps.fetch_add(1, Ordering::Relaxed) + 1;
        self.lwps_most.fetch_max(lwps, Ordering::Relaxed);
    }

    /// An LWP was added because all others blocked.
    pub(super) fn count_added(&self) {
        self.added.fetch_add(1, Ordering::Relaxed);
    }

    /// A processor went to another LWP.
    pub(super) fn count_handoff(&self) {
        self.handoffs.fetch_add(1, Ordering::Relaxed);
    }

    /// An LWP ends.
    pub(super) fn lwp_ends(&self) {
        self.lwps.fetch_sub(1, Ordering::Relaxed);
    }

    /// What a log has gathered, for who watches.
    pub(super) fn give_away(&self, chunk: Vec<Event>) {
        if let Err(chunk) = self.chunks.push(chunk) {
            self.dropped.fetch_add(chunk.len() as u64, Ordering::Relaxed);
        }
    }

    pub(super) fn take_events(&self, mut take: impl FnMut(&Event)) {
        while let Some(chunk) = self.chunks.pop() {
            chunk.iter().for_each(&mut take);
        }
    }

    /// What the fibers lived through, once.
    pub(super) fn records(&self) -> Vec<(FiberId, Record)> {
        mem::take(&mut self.finished.lock())
    }

    pub(super) fn counts(&self) -> Counts {
        Counts {
            total: Duration::from_nanos(self.slept_until.load(Ordering::Relaxed)),
            lwps: self.lwps_most.load(Ordering::Relaxed),
            helpers: self.desk.helpers(),
            handoffs: self.handoffs.load(Ordering::Relaxed),
            added: self.added.load(Ordering::Relaxed),
            dropped: self.dropped.load(Ordering::Relaxed),
        }
    }
}

/// A thread that counts as alive. One that panics sends everybody home, or they would wait for it.
struct Alive<'w>(&'w World);

impl<'w> Alive<'w> {
    fn new(world: &'w World) -> Self {
        world.threads.fetch_add(1, Ordering::Relaxed);
        Self(world)
    }
}

impl Drop for Alive<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.end();
        }
        if self.0.threads.fetch_sub(1, Ordering::Release) == 1 {
            self.0.watcher.unpark();
        }
    }
}
