//! A pool of LWPs: what it is made from, what it takes, how it ends.

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use crate::error::{BuildError, SpawnError};
use crate::joined::{self, Joined};
use crate::local;
use crate::lwp::{Duty, Lwp};
use crate::observer::Observer;
use crate::shared::{PoolId, Shared};
use crate::stall::Stall;
use crate::watchdog::{self, OnStall};
use crate::work::{Fiber, Made, Unstarted};

/// Stack of a fiber unless told otherwise: address space; only touched pages cost memory.
pub const STACK_BYTES_DEFAULT: usize = 64 << 10;
/// Threads for blocking calls unless told otherwise.
pub const HELPERS_MAX_DEFAULT: usize = 512;
/// Spares for blocked LWPs unless told otherwise.
pub const SPARES_MAX_DEFAULT: usize = 4;

/// What [`blocking`](crate::blocking) does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Policy {
    /// The call is made on the LWP itself and all of its fibers wait: threads that the kernel knows nothing of.
    Alone,
    /// The call is shipped to another thread and only its fiber waits.
    #[default]
    Offload,
}

/// LWPs and what runs on them. Cheap to clone; clones are the same pool, which stops when the last one goes.
#[derive(Debug, Clone)]
pub struct Pool(Arc<Owner>);

#[derive(Debug)]
struct Owner(Arc<Shared>);

impl Drop for Owner {
    fn drop(&mut self) {
        self.0.stop();
    }
}

/// What an LWP does at this moment. Numbers are of its last turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LwpCensus {
    /// From 0; those behind [`Pool::lwps`] are spares.
    pub lwp: usize,
    /// The kernel's id of its thread; 0 before it runs.
    pub thread: i32,
    /// Fibers and futures that could go on, unstarted ones included.
    pub ready: usize,
    /// Fibers, and futures in the middle of a poll, that wait and hold a stack.
    pub suspended: usize,
    /// Futures between two polls, which hold none.
    pub at_rest: usize,
    /// What runs now; none: it looks around, or sleeps.
    pub running: Option<String>,
    /// For at least how long, as far as the watchdog saw it: none for a turn that it has not seen.
    pub running_for: Option<Duration>,
    /// Blocking calls of its fibers that are with other threads, waiting ones included.
    pub offloaded: usize,
    /// Turns that lasted longer than a millisecond.
    pub stalls: u64,
}

impl Pool {
    /// Settings, all with defaults.
    #[must_use]
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Starts a fiber: a function with a stack of its own. Until it starts any LWP may take it, then it stays there.
    ///
    /// # Errors
    /// See [`SpawnError`]; `body` is dropped then.
    pub fn spawn<T: Send + 'static>(
        &self,
        name: impl Into<Arc<str>>,
        body: impl FnOnce() -> T + Send + 'static,
    ) -> Result<Joined<T>, SpawnError> {
        let (unstarted, joined) = fiber(name.into(), body);
        self.shared().submit(unstarted)?;
        Ok(joined)
    }

    /// As [`Pool::spawn`], on this LWP and no other.
    ///
    /// # Errors
    /// See [`SpawnError`]; `body` is dropped then.
    pub fn spawn_on<T: Send + 'static>(
        &self,
        lwp: usize,
        name: impl Into<Arc<str>>,
        body: impl FnOnce() -> T + Send + 'static,
    ) -> Result<Joined<T>, SpawnError> {
        let (unstarted, joined) = fiber(name.into(), body);
        self.shared().submit_to(lwp, unstarted)?;
        Ok(joined)
    }

    /// Makes a future, which need not be `Send`, and polls it to its end on the LWP that made it: `on`, or whichever
    /// takes it first. It runs on a fiber's stack, so it may also wait in the middle of a poll; between two polls it
    /// holds no stack. Its panic is reported to `tracing`.
    ///
    /// # Errors
    /// See [`SpawnError`]; `make` is dropped then.
    pub fn run<F: Future<Output = ()> + 'static>(
        &self,
        name: Arc<str>,
        on: Option<usize>,
        make: impl FnOnce() -> F + Send + 'static,
    ) -> Result<(), SpawnError> {
        let unstarted = Box::new(Made { name, make });
        match on {
            Some(lwp) => self.shared().submit_to(lwp, unstarted),
            None => self.shared().submit(unstarted),
        }
    }

    /// How many LWPs it has, spares not counted.
    #[must_use]
    pub fn lwps(&self) -> usize {
        self.shared().count
    }

    /// Tells this pool from others; see [`here`](crate::here).
    #[must_use]
    pub fn id(&self) -> PoolId {
        self.shared().id
    }

    /// Who does what, spares at work included.
    #[must_use]
    pub fn census(&self) -> Vec<LwpCensus> {
        let shared = self.shared();
        let at_work = |lwp: &&Arc<Lwp>| lwp.index < shared.count || lwp.duty() != Duty::Vacant;
        shared.lwps.iter().filter(at_work).map(|lwp| self.census_of(lwp)).collect()
    }

    fn census_of(&self, lwp: &Lwp) -> LwpCensus {
        let shared = self.shared();
        let (stalls, running_for) = shared.watch.of(lwp);
        let counts = &lwp.counts;
        LwpCensus {
            lwp: lwp.index,
            thread: lwp.thread(),
            ready: counts.ready.load(Ordering::Relaxed) + shared.stealers[lwp.index].len(),
            suspended: counts.suspended.load(Ordering::Relaxed),
            at_rest: counts.at_rest.load(Ordering::Relaxed),
            running: lwp.running.look().and_then(|look| look.name),
            running_for,
            offloaded: counts.offloaded.load(Ordering::Relaxed),
            stalls,
        }
    }

    /// Threads that blocking calls are shipped to, at this moment.
    #[must_use]
    pub fn helpers(&self) -> usize {
        self.shared().office.threads()
    }

    /// The last stalls, the latest last; at most 64.
    #[must_use]
    pub fn stalls(&self) -> Vec<Stall> {
        self.shared().watch.recent()
    }

    /// How often what has stalled its LWP, the most often first; at most 256 names.
    #[must_use]
    pub fn stalls_by_name(&self) -> Vec<(String, u64)> {
        self.shared().watch.by_name()
    }

    /// Stacks that are in use or kept warm.
    #[must_use]
    pub fn stacks(&self) -> usize {
        self.shared().stacks.lent()
    }

    /// Ends everything: unstarted work is dropped, suspended fibers unwind on their LWP, futures are dropped on theirs.
    ///
    /// Returns at once; may be called again, and from anywhere. What runs goes on until it suspends or returns: a fiber
    /// that does neither keeps its LWP. Unwinding looks like a panic with [`Stopped`](crate::Stopped): a fiber that
    /// catches it and waits again is unwound again, and given up after 16 times, with its stack and all that is on it.
    pub fn stop(&self) {
        self.shared().stop();
    }

    /// Waits until all LWPs have ended, after [`Pool::stop`]. On an LWP of this pool, which cannot wait for itself, it
    /// returns at once.
    pub fn wait(&self) {
        let is_own = local::here().is_some_and(|local| local.shared.id == self.id());
        if !is_own {
            self.shared().wait();
        }
    }

    fn shared(&self) -> &Arc<Shared> {
        &self.0.0
    }
}

fn fiber<T: Send + 'static>(
    name: Arc<str>,
    body: impl FnOnce() -> T + Send + 'static,
) -> (Unstarted, Joined<T>) {
    let (promise, joined) = joined::promise();
    (Box::new(Fiber { name, promise, body }), joined)
}

/// Settings of a pool.
#[derive(Clone)]
pub struct Builder {
    pub(crate) name: Arc<str>,
    pub(crate) lwps: usize,
    pub(crate) stack_bytes: usize,
    pub(crate) stacks_max: Option<usize>,
    pub(crate) policy: Policy,
    pub(crate) helpers_max: usize,
    pub(crate) spares_max: usize,
    pub(crate) on_stall: Option<OnStall>,
    pub(crate) observer: Option<Arc<dyn Observer>>,
    pub(crate) carry: Option<Carry>,
}

/// What a fiber that waits in the middle takes along of what its thread remembers for it: the thread goes on with others.
#[derive(Clone, Copy, Debug)]
pub struct Carry {
    /// Takes it from the thread.
    pub take: fn() -> Option<Box<dyn Any>>,
    /// Puts it back, when the fiber goes on or is unwound.
    pub put: fn(Option<Box<dyn Any>>),
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            name: "fibers".into(),
            lwps: thread::available_parallelism().map_or(1, NonZeroUsize::get),
            stack_bytes: STACK_BYTES_DEFAULT,
            stacks_max: None,
            policy: Policy::default(),
            helpers_max: HELPERS_MAX_DEFAULT,
            spares_max: SPARES_MAX_DEFAULT,
            on_stall: None,
            observer: None,
            carry: None,
        }
    }
}

impl Builder {
    /// Begins the names of its threads. Default: `fibers`.
    #[must_use]
    pub fn name(self, name: impl Into<Arc<str>>) -> Self {
        Self { name: name.into(), ..self }
    }

    /// Kernel threads that run fibers. Default: one per core.
    #[must_use]
    pub fn lwps(self, lwps: usize) -> Self {
        Self { lwps, ..self }
    }

    /// Stack of each fiber, rounded up to pages; at least 16 KiB. Default: 64 KiB.
    #[must_use]
    pub fn stack_bytes(self, stack_bytes: usize) -> Self {
        Self { stack_bytes, ..self }
    }

    /// Stacks at a time. Default, and never more than: what `vm.max_map_count` has room for, about 28 000.
    #[must_use]
    pub fn stacks_max(self, stacks_max: usize) -> Self {
        Self { stacks_max: Some(stacks_max), ..self }
    }

    /// What blocking calls do. Default: [`Policy::Offload`].
    #[must_use]
    pub fn policy(self, policy: Policy) -> Self {
        Self { policy, ..self }
    }

    /// Threads for blocking calls; further calls wait in order. At least 1, default 512. They end after 10 idle seconds.
    #[must_use]
    pub fn helpers_max(self, helpers_max: usize) -> Self {
        Self { helpers_max, ..self }
    }

    /// LWPs that help out while others are blocked. Default: 4; 0 for none.
    #[must_use]
    pub fn spares_max(self, spares_max: usize) -> Self {
        Self { spares_max, ..self }
    }

    /// Called once per stall, on the watchdog's thread, which watches nothing meanwhile.
    #[must_use]
    pub fn on_stall(self, on_stall: impl Fn(&Stall) + Send + Sync + 'static) -> Self {
        Self { on_stall: Some(Arc::new(on_stall)), ..self }
    }

    /// Sees every start, switch and end. Without one a turn pays one branch.
    #[must_use]
    pub fn observer(self, observer: Arc<dyn Observer>) -> Self {
        Self { observer: Some(observer), ..self }
    }

    /// What a fiber that waits takes along of what its thread remembers for it. Default: nothing.
    #[must_use]
    pub fn carry(self, carry: Carry) -> Self {
        Self { carry: Some(carry), ..self }
    }

    /// Starts the LWPs and the watchdog.
    ///
    /// # Errors
    /// See [`BuildError`]; what was started ends again.
    pub fn build(self) -> Result<Pool, BuildError> {
        let shared = Arc::new(Shared::new(self)?);
        let pool = Pool(Arc::new(Owner(Arc::clone(&shared))));
        for index in 0..shared.count {
            shared.start_lwp(index)?;
        }
        watchdog::start(&shared).map_err(|source| {
            let name = format!("{}/watch", shared.name);
            BuildError::Thread { name, source }
        })?;
        Ok(pool)
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("name", &self.name)
            .field("lwps", &self.lwps)
            .finish_non_exhaustive()
    }
}
