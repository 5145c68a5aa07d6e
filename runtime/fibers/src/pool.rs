//! A pool: some LWPs, and what runs on them.

use std::fmt;
use std::future::Future;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use crossbeam::deque::Worker;
use parking_lot::Mutex;

use crate::helpers::Helpers;
use crate::joined::{Joined, promise};
use crate::lwp::{Home, Lwp, Mail, here};
use crate::shared::{Carry, Parts, Shared};
use crate::stack::Stacks;
use crate::watchdog::{self, Stall, Stalls, Tell};
use crate::work::{Body, Start};

/// Bytes of a stack unless told otherwise; only touched pages cost memory.
const STACK_BYTES: usize = 64 << 10;

/// Helpers at most, unless told otherwise.
const HELPERS_MAX: usize = 512;

/// LWPs at most.
const LWPS_MAX: usize = 1024;

/// What becomes of a call that blocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Policy {
    /// It is made by a helper; only its fiber waits.
    #[default]
    Offload,
    /// It is made by the LWP itself, and all its fibers wait: user-level threads as the textbook has them.
    Alone,
}

/// Makes a [`Pool`].
#[must_use]
pub struct Builder {
    name: String,
    lwps: usize,
    stack_bytes: usize,
    stacks_max: Option<usize>,
    helpers_max: usize,
    policy: Policy,
    tell: Option<Tell>,
    carry: Option<Carry>,
}

/// Some LWPs and what runs on them. Cheap to clone; clones are the same pool. It runs until [`Pool::stop`], or until
/// nobody holds it any more.
#[derive(Clone)]
pub struct Pool {
    handle: Arc<Stopper>,
}

struct Stopper {
    shared: Arc<Shared>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

/// Nothing was started.
#[derive(thiserror::Error, Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpawnError {
    /// The pool has been stopped.
    #[error("the pool has been stopped")]
    Stopped,
    /// There is no such LWP.
    #[error("there is no LWP {asked}; LWPs are 0 to {}", available.saturating_sub(1))]
    NoSuchLwp {
        /// The LWP asked for.
        asked: usize,
        /// How many there are.
        available: usize,
    },
}

impl From<SpawnError> for io::Error {
    fn from(error: SpawnError) -> Self {
        Self::other(error)
    }
}

/// One LWP at one moment.
#[derive(Clone, Debug)]
pub struct LwpCensus {
    /// Its number; those behind the pool's own are spares.
    pub lwp: usize,
    /// The kernel's id of its thread; none while a spare is not needed.
    pub thread: Option<i32>,
    /// The name of what runs on it now.
    pub running: Option<Arc<str>>,
    /// Pieces of work it has taken.
    pub turns: u64,
    /// Whether it waits for something to do.
    pub is_asleep: bool,
}

/// A pool at one moment.
#[derive(Clone, Debug)]
pub struct Census {
    /// Its LWPs, then the spares.
    pub lwps: Vec<LwpCensus>,
    /// Stacks in use: of fibers that wait in the middle, and of the LWPs themselves.
    pub stacks: usize,
    /// How often work had to wait for a stack.
    pub stack_waits: u64,
    /// Helpers that live now.
    pub helpers: usize,
    /// How often each name has held up its LWP.
    pub stalls: Vec<(Arc<str>, u64)>,
}

impl Builder {
    /// The threads' names begin with this; 9 bytes are seen.
    pub fn name(self, name: impl Into<String>) -> Self {
        Self { name: name.into(), ..self }
    }

    /// So many LWPs, 1 to 1024; by default one per core.
    pub fn lwps(self, lwps: usize) -> Self {
        Self { lwps: lwps.clamp(1, LWPS_MAX), ..self }
    }

    /// Stacks of so many bytes, rounded up to pages; by default 64 KiB, of which only touched pages cost memory.
    pub fn stack_bytes(self, bytes: usize) -> Self {
        Self { stack_bytes: bytes, ..self }
    }

    /// At most so many fibers that wait in the middle, and never more than `vm.max_map_count` allows (two map entries a
    /// stack); by default as many as that. Work that needs one more waits until one is free.
    pub fn stacks_max(self, stacks: usize) -> Self {
        Self { stacks_max: Some(stacks), ..self }
    }

    /// At most so many threads for blocking calls, at least 1; by default 512. More calls wait for one.
    pub fn helpers_max(self, helpers: usize) -> Self {
        Self { helpers_max: helpers, ..self }
    }

    /// What becomes of a call that blocks; by default it is given to a helper.
    pub fn policy(self, policy: Policy) -> Self {
        Self { policy, ..self }
    }

    /// Tells of each fiber that holds up its LWP for more than two milliseconds, on a thread of its own, once a time.
    pub fn on_stall(self, tell: impl Fn(&Stall) + Send + Sync + 'static) -> Self {
        Self { tell: Some(Arc::new(tell)), ..self }
    }

    /// What a fiber that waits takes along of what its thread remembers for it.
    pub fn carry(self, carry: Carry) -> Self {
        Self { carry: Some(carry), ..self }
    }

    /// Starts the LWPs and their watchdog. They are scheduled as usual, even if the calling thread is in real time:
    /// real-time threads of one priority would starve each other.
    ///
    /// # Errors
    /// The kernel's, when it has no threads or descriptors left.
    pub fn build(self) -> io::Result<Pool> {
        let count = 2 * self.lwps;
        let homes = (0..count).map(|index| Home::new(index, index >= self.lwps).map(Arc::new));
        let homes: Vec<_> = homes.collect::<io::Result<_>>()?;
        let workers: Vec<Worker<Start>> = (0..count).map(|_| Worker::new_fifo()).collect();
        let shared = Shared::new(Parts {
            stacks: Stacks::new(self.stack_bytes, self.stacks_max),
            stealers: workers.iter().map(Worker::stealer).collect(),
            homes,
            lwps: self.lwps,
            helpers: Helpers::new(self.helpers_max),
            stalls: Stalls::new(self.tell),
            carry: self.carry,
            offloads: self.policy == Policy::Offload,
        });
        let pool = Pool {
            handle: Arc::new(Stopper { shared: Arc::clone(&shared), threads: Mutex::default() }),
        };
        for (index, worker) in workers.into_iter().take(self.lwps).enumerate() {
            let name = format!("{}-{index}", self.name);
            let lwp = launch(&shared, index, worker, &name)?;
            pool.handle.threads.lock().push(lwp);
        }
        if shared.stalls.begin() {
            pool.handle.threads.lock().push(watchdog::start(&shared)?);
        }
        Ok(pool)
    }
}

fn launch(
    shared: &Arc<Shared>,
    index: usize,
    worker: Worker<Start>,
    name: &str,
) -> io::Result<JoinHandle<()>> {
    let (home, shared) = (Arc::clone(&shared.homes[index]), Arc::clone(shared));
    palco_threads::spawn_named(name, palco_threads::STACK_BYTES_DEFAULT, move || {
        // It may have inherited a real-time class.
        if let Err(error) = palco_sys::become_usual() {
            tracing::debug!(%error, "an LWP keeps the class of the thread that made it");
        }
        Lwp::run(home, shared, worker);
    })
}

/// Starts a spare LWP for work that has not begun, unless as many as the pool has LWPs are there already.
pub(crate) fn start_spare(shared: &Arc<Shared>) {
    let spares = &shared.homes[shared.lwps..];
    if spares.iter().any(|spare| spare.rouse()) {
        return;
    }
    let Some(free) = spares.iter().find(|spare| spare.claim()) else { return };
    // Its own queue is not stolen from: it takes one piece after the other.
    if let Err(error) = launch(shared, free.index, Worker::new_fifo(), "palco-spare") {
        free.note_end();
        tracing::warn!(%error, "no spare LWP");
    }
}

impl Pool {
    /// A pool with one LWP per core.
    pub fn builder() -> Builder {
        Builder {
            name: "palco-lwp".to_owned(),
            lwps: thread::available_parallelism().map_or(1, usize::from),
            stack_bytes: STACK_BYTES,
            stacks_max: None,
            helpers_max: HELPERS_MAX,
            policy: Policy::default(),
            tell: None,
            carry: None,
        }
    }

    /// Starts a fiber on whichever LWP has time first; there it stays.
    ///
    /// # Errors
    /// [`SpawnError::Stopped`].
    pub fn spawn<T: Send + 'static>(
        &self,
        name: impl Into<Arc<str>>,
        body: impl FnOnce() -> T + Send + 'static,
    ) -> Result<Joined<T>, SpawnError> {
        self.spawn_there(name.into(), None, body)
    }

    /// Starts a fiber on the LWP with this number, from 0.
    ///
    /// # Errors
    /// [`SpawnError`].
    pub fn spawn_on<T: Send + 'static>(
        &self,
        lwp: usize,
        name: impl Into<Arc<str>>,
        body: impl FnOnce() -> T + Send + 'static,
    ) -> Result<Joined<T>, SpawnError> {
        self.spawn_there(name.into(), Some(lwp), body)
    }

    fn spawn_there<T: Send + 'static>(
        &self,
        name: Arc<str>,
        on: Option<usize>,
        body: impl FnOnce() -> T + Send + 'static,
    ) -> Result<Joined<T>, SpawnError> {
        let (owed, joined) = promise();
        let body = move || {
            let outcome = catch_unwind(AssertUnwindSafe(body));
            match (outcome, here()) {
                // Being unwound is no panic, and has to go on.
                (Err(payload), Some(lwp)) if lwp.shared.is_stopping() => {
                    drop(owed);
                    std::panic::resume_unwind(payload);
                }
                (outcome, _) => owed.pay(outcome),
            }
        };
        self.start(name, on, Body::Call(Box::new(body)))?;
        Ok(joined)
    }

    /// Starts a future on whichever LWP has time first, or on this one; there it is made, and there it stays. At rest it
    /// holds no stack. What it calls may wait in the manner of a fiber.
    ///
    /// A panic in it is caught and logged.
    ///
    /// # Errors
    /// [`SpawnError`].
    pub fn run<F: Future<Output = ()> + 'static>(
        &self,
        name: Arc<str>,
        on: Option<usize>,
        make: impl FnOnce() -> F + Send + 'static,
    ) -> Result<(), SpawnError> {
        self.start(name, on, Body::Future(Box::new(move || Box::pin(make()))))
    }

    fn start(&self, name: Arc<str>, on: Option<usize>, body: Body) -> Result<(), SpawnError> {
        let shared = &self.handle.shared;
        if shared.is_stopping() {
            return Err(SpawnError::Stopped);
        }
        let start = Start { name: shared.names.enter(name), body };
        match on {
            None => shared.start(start),
            Some(asked) if asked < shared.lwps => shared.homes[asked].post(Mail::Start(start)),
            Some(asked) => return Err(SpawnError::NoSuchLwp { asked, available: shared.lwps }),
        }
        Ok(())
    }

    /// How many LWPs there are, spares not counted.
    #[must_use]
    pub fn lwps(&self) -> usize {
        self.handle.shared.lwps
    }

    /// What runs where.
    #[must_use]
    pub fn census(&self) -> Census {
        let shared = &self.handle.shared;
        let lwps = shared.homes.iter().map(|home| LwpCensus {
            lwp: home.index,
            thread: home.thread(),
            running: home.running().and_then(|name| shared.names.of(name)),
            turns: home.turns(),
            is_asleep: home.is_asleep(),
        });
        Census {
            lwps: lwps.collect(),
            stacks: shared.stacks.in_use(),
            stack_waits: shared.no_stack(),
            helpers: shared.helpers.count(),
            stalls: shared.stalls.counts(),
        }
    }

    /// Stops the LWPs. What has not begun is dropped; what waits in the middle is unwound, what rests is dropped, each on
    /// its own LWP. What computes is waited for by nobody: its LWP ends after it. Does nothing the second time.
    pub fn stop(&self) {
        self.handle.stop();
    }

    /// As [`stop`](Self::stop), and waits for the LWPs to be gone. Not from a fiber of the same pool.
    pub fn stop_and_wait(&self) {
        self.handle.stop();
        let threads = std::mem::take(&mut *self.handle.threads.lock());
        let me = thread::current().id();
        for thread in threads.into_iter().filter(|thread| thread.thread().id() != me) {
            // A panic there has been logged.
            let _ = thread.join();
        }
    }
}

impl Stopper {
    fn stop(&self) {
        if self.shared.stop() {
            self.shared.stalls.stop();
        }
    }
}

impl Drop for Stopper {
    fn drop(&mut self) {
        self.stop();
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("lwps", &self.lwps()).finish_non_exhaustive()
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, lwps, stack_bytes, stacks_max, helpers_max, policy, .. } = self;
        f.debug_struct("Builder")
            .field("name", name)
            .field("lwps", lwps)
            .field("stack_bytes", stack_bytes)
            .field("stacks_max", stacks_max)
            .field("helpers_max", helpers_max)
            .field("policy", policy)
            .finish_non_exhaustive()
    }
}
