//! What all LWPs of a pool share.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crossbeam::deque::{Injector, Stealer, Worker};
use parking_lot::{Condvar, Mutex};

use crate::ending::discard;
use crate::error::{BuildError, SpawnError};
use crate::lwp::{Duty, Letter, Lwp};
use crate::observer::Observer;
use crate::offload::Office;
use crate::pool::{Builder, Carry, Policy};
use crate::protocol::idle::Sleepers;
use crate::stack::Stacks;
use crate::watchdog::Watch;
use crate::work::Unstarted;
use crate::{local, run};

/// Stack of an LWP's own thread: that of the runners is what fibers use.
const LWP_STACK_BYTES: usize = 256 << 10;

/// Runners with nothing to do that an LWP keeps, with their stacks warm.
const IDLE_RUNNERS_MAX: usize = 64;

/// Tells pools apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PoolId(u64);

pub(crate) struct Shared {
    pub(crate) id: PoolId,
    pub(crate) name: Arc<str>,
    pub(crate) policy: Policy,
    /// How many LWPs the pool has; in `lwps` places for spares follow.
    pub(crate) count: usize,
    pub(crate) lwps: Vec<Arc<Lwp>>,
    pub(crate) stealers: Vec<Stealer<Unstarted>>,
    /// Queues of LWPs that do not run.
    workers: Mutex<Vec<Option<Worker<Unstarted>>>>,
    pub(crate) injector: Injector<Unstarted>,
    pub(crate) sleepers: Sleepers,
    pub(crate) stacks: Stacks,
    /// Per LWP. Of few stacks at most a quarter is kept warm where others cannot have them.
    pub(crate) idle_runners_max: usize,
    pub(crate) office: Arc<Office>,
    pub(crate) watch: Watch,
    pub(crate) observer: Option<Arc<dyn Observer>>,
    pub(crate) carry: Option<Carry>,
    is_stopping: AtomicBool,
    /// Threads of LWPs that have not ended.
    running: Mutex<usize>,
    has_ended: Condvar,
}

impl Shared {
    pub(crate) fn new(builder: Builder) -> Result<Self, BuildError> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let count = builder.lwps;
        if count == 0 {
            return Err(BuildError::NoLwps);
        }
        let lwps = (0..count + builder.spares_max)
            .map(|index| {
                let duty = if index < count { Duty::Full } else { Duty::Vacant };
                Lwp::new(index, duty)
                    .map(Arc::new)
                    .map_err(|source| BuildError::Poller { lwp: index, source })
            })
            .collect::<Result<Vec<_>, _>>()?;
        let workers: Vec<Worker<Unstarted>> = lwps.iter().map(|_| Worker::new_fifo()).collect();
        let stacks = Stacks::new(builder.stack_bytes, builder.stacks_max);
        Ok(Self {
            id: PoolId(NEXT.fetch_add(1, Ordering::Relaxed)),
            policy: builder.policy,
            count,
            stealers: workers.iter().map(Worker::stealer).collect(),
            workers: Mutex::new(workers.into_iter().map(Some).collect()),
            injector: Injector::new(),
            sleepers: Sleepers::new(),
            idle_runners_max: (stacks.max() / (4 * count)).clamp(1, IDLE_RUNNERS_MAX),
            stacks,
            office: Office::new(
                Arc::clone(&builder.name),
                builder.helpers_max,
                builder.observer.clone(),
            ),
            name: builder.name,
            watch: Watch::new(lwps.len(), builder.on_stall),
            observer: builder.observer,
            carry: builder.carry,
            is_stopping: AtomicBool::new(false),
            running: Mutex::new(0),
            has_ended: Condvar::new(),
            lwps,
        })
    }

    /// Starts the thread of an LWP. Nothing happens if an earlier thread of that place has not quite ended.
    pub(crate) fn start_lwp(self: &Arc<Self>, index: usize) -> Result<bool, BuildError> {
        let Some(worker) = self.workers.lock()[index].take() else { return Ok(false) };
        let shared = Arc::clone(self);
        let name = format!("{}/{index}", self.name);
        *self.running.lock() += 1;
        let thread = palco_threads::spawn_named(&name, LWP_STACK_BYTES, move || {
            serve(&shared, index, worker);
        });
        if let Err(source) = thread {
            self.one_ended();
            return Err(BuildError::Thread { name, source });
        }
        Ok(true)
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.is_stopping.load(Ordering::SeqCst)
    }

    pub(crate) fn has_unstarted(&self) -> bool {
        !self.injector.is_empty() || self.stealers.iter().any(|stealer| !stealer.is_empty())
    }

    /// Gives work to whichever LWP takes it first.
    pub(crate) fn submit(&self, unstarted: Unstarted) -> Result<(), SpawnError> {
        self.check()?;
        let here = local::here().filter(|local| {
            std::ptr::eq(Arc::as_ptr(&local.shared), self) && local.lwp.duty() == Duty::Full
        });
        match here {
            Some(local) if !local.is_ending.get() => local.worker.push(unstarted),
            Some(_) | None => self.injector.push(unstarted),
        }
        self.wake_one();
        if self.is_stopping() {
            self.discard_injected();
        }
        Ok(())
    }

    /// Gives work to one LWP.
    pub(crate) fn submit_to(&self, lwp: usize, unstarted: Unstarted) -> Result<(), SpawnError> {
        if lwp >= self.count {
            return Err(SpawnError::NoSuchLwp { lwp, lwps: self.count });
        }
        self.check()?;
        let lwp = &self.lwps[lwp];
        lwp.inbox.push(Letter::Start(unstarted)).map_err(|_| SpawnError::Stopped)?;
        lwp.ring();
        Ok(())
    }

    fn check(&self) -> Result<(), SpawnError> {
        if self.is_stopping() {
            return Err(SpawnError::Stopped);
        }
        match self.stacks.shortage_now() {
            Some(shortage) if self.no_runner_is_idle() => Err(shortage.into()),
            Some(_) | None => Ok(()),
        }
    }

    fn no_runner_is_idle(&self) -> bool {
        self.lwps.iter().all(|lwp| lwp.counts.idle_runners.load(Ordering::Relaxed) == 0)
    }

    /// Wakes an LWP for unstarted work, if one sleeps.
    pub(crate) fn wake_one(&self) {
        let takers = self.lwps.iter().filter(|lwp| lwp.duty() == Duty::Full);
        let bells = takers.map(|lwp| (lwp.index, &lwp.bell));
        if let Some(index) = self.sleepers.choose(bells) {
            self.lwps[index].notify();
        }
    }

    pub(crate) fn stop(&self) {
        if self.is_stopping.swap(true, Ordering::SeqCst) {
            return;
        }
        self.office.close();
        self.lwps.iter().for_each(|lwp| lwp.ring());
        self.watch.somebody_works();
    }

    /// Waits until no LWP runs.
    pub(crate) fn wait(&self) {
        let mut running = self.running.lock();
        while *running > 0 {
            self.has_ended.wait(&mut running);
        }
    }

    fn one_ended(&self) {
        *self.running.lock() -= 1;
        self.has_ended.notify_all();
    }

    fn discard_injected(&self) {
        loop {
            match self.injector.steal() {
                crossbeam::deque::Steal::Empty => return,
                crossbeam::deque::Steal::Retry => {}
                crossbeam::deque::Steal::Success(unstarted) => discard(unstarted),
            }
        }
    }
}

/// The thread of an LWP.
fn serve(shared: &Arc<Shared>, index: usize, worker: Worker<Unstarted>) {
    // Two LWPs in real time would starve each other: neither lets go before its turn ends.
    if let Err(error) = palco_sys::become_usual() {
        tracing::warn!(lwp = index, %error, "an LWP keeps the scheduling of who made the pool");
    }
    let lwp = Arc::clone(&shared.lwps[index]);
    lwp.set_thread(palco_sys::thread_id());
    shared.watch.somebody_works();
    let local = local::Local::new(Arc::clone(shared), Arc::clone(&lwp), worker);
    local::set_here(Some(std::rc::Rc::clone(&local)));
    run::run(&local);
    if shared.is_stopping() {
        lwp.inbox.close().into_iter().for_each(discard);
        shared.discard_injected();
    }
    local::set_here(None);
    lwp.running.end();
    lwp.set_thread(0);
    // A stack that was given up keeps the queue too; its place then stays empty.
    if let Some(local) = std::rc::Rc::into_inner(local) {
        shared.workers.lock()[index] = Some(local.worker);
    }
    shared.one_ended();
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("id", &self.id)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
