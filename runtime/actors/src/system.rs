//! A system: names, clock, event loops, dead letters and the root of the tree. A value, not a global; a test makes
//! its own.

mod builder;

use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use futures_util::future::{Either, select};
use palco_core::{ActorId, ExitReason};
use palco_fibers::Pool;
use parking_lot::Mutex;

use crate::dead_letters::DeadLetters;
use crate::ledger::Ledger;
use crate::observation::Observation;
use crate::placement::process::Processes;
use crate::placement::remote::Shared;
use crate::placement::task::Loops;
use crate::placement::{self, SpawnOptions};
use crate::registry::Registry;
use crate::stir::Stir;
use crate::vitals::{AnyCell, Cell};
use crate::{
    Actor, ActorRef, AnyRef, Clock, Failure, Parcel, Portable, SpawnError, Supervisor, UrgentRef,
};

pub use builder::SystemBuilder;

/// How long [`System::settle`] must see nothing change, in looks one millisecond apart.
const SETTLED_LOOKS: u32 = 5;
/// The same under a virtual clock, where it only happens when a handler blocks its thread.
const STUCK_LOOKS: u32 = 500;

/// The path that the root itself shows.
const ROOT_PATH: &str = "#0";

/// An actor system. Cheap to clone; clones are the same system. It runs until [`System::shutdown`], also when nobody
/// holds it any more: its actors do.
#[derive(Clone)]
pub struct System {
    inner: Arc<Inner>,
}

/// A system that may have ended, and is not kept by this.
#[derive(Clone)]
pub(crate) struct WeakSystem(Weak<Inner>);

impl WeakSystem {
    pub(crate) fn upgrade(&self) -> Option<System> {
        self.0.upgrade().map(|inner| System { inner })
    }
}

struct Inner {
    clock: Clock,
    /// For what must happen in real time even where the clock is virtual.
    real_clock: OnceLock<Clock>,
    registry: Registry,
    dead_letters: DeadLetters,
    next_id: AtomicU64,
    loops: OnceLock<Loops>,
    event_loops: usize,
    fibers: OnceLock<Pool>,
    lwps: usize,
    processes: Processes,
    net: OnceLock<Arc<Shared>>,
    /// The account of actors that have ended.
    ended: Mutex<Ledger>,
    /// The root of the tree. It keeps the system alive, so the system must not keep it once it has ended.
    root: OnceLock<Weak<Cell<Supervisor>>>,
    /// Why the root has ended.
    outcome: OnceLock<ExitReason>,
    stir: Arc<Stir>,
    observation: Observation,
}

impl System {
    fn without_root(clock: Clock, event_loops: usize, lwps: usize) -> Self {
        Self {
            inner: Arc::new(Inner {
                clock,
                real_clock: OnceLock::new(),
                registry: Registry::default(),
                dead_letters: DeadLetters::default(),
                next_id: AtomicU64::new(0),
                loops: OnceLock::new(),
                event_loops,
                fibers: OnceLock::new(),
                lwps,
                processes: Processes::default(),
                net: OnceLock::new(),
                ended: Mutex::default(),
                root: OnceLock::new(),
                outcome: OnceLock::new(),
                stir: Arc::default(),
                observation: Observation::default(),
            }),
        }
    }

    /// The system in an actor's process: of that actor and what it starts. No thread is started before one is needed.
    pub(crate) fn of_process() -> Self {
        Self::without_root(Clock::real(), 1, 1)
    }

    /// A system with a real clock and one event loop per core.
    ///
    /// # Errors
    /// As [`SystemBuilder::build`].
    pub fn new() -> Result<Self, SpawnError> {
        Self::builder().build()
    }

    /// None once it has ended and nobody holds it any more.
    pub(crate) fn root(&self) -> Option<ActorRef<Supervisor>> {
        self.inner.root.get().and_then(Weak::upgrade).map(ActorRef::new)
    }

    /// The actors of the whole tree, parents before children.
    pub(crate) fn all(&self) -> Vec<AnyRef> {
        let mut all = Vec::new();
        if let Some(root) = self.root() {
            collect(&root.any(), &mut all);
        }
        all
    }

    /// Starts an actor at the top of the tree, under the root supervisor.
    ///
    /// # Errors
    /// See [`SpawnError`]; nothing has been started then.
    pub fn spawn<A: Actor>(
        &self,
        options: SpawnOptions,
        make: impl FnMut() -> A + Send + 'static,
    ) -> Result<ActorRef<A>, SpawnError> {
        match self.root() {
            Some(root) => root.supervise(options, make),
            None => Err(SpawnError::ParentStopping(ROOT_PATH.into())),
        }
    }

    /// Starts an actor at the top of the tree that roves: it lives on fibers, and each of its turns goes to whichever LWP
    /// has time, where it stays until the turn ends. `options` say nothing about its place. The price is that the actor
    /// must be [`Send`], and a trip through the queues for every burst of messages.
    ///
    /// # Errors
    /// See [`SpawnError`]; nothing has been started then.
    pub fn spawn_roving<A: Actor + Send>(
        &self,
        options: SpawnOptions,
        make: impl FnMut() -> A + Send + 'static,
    ) -> Result<ActorRef<A>, SpawnError> {
        match self.root() {
            Some(root) => root.supervise_roving(options, make),
            None => Err(SpawnError::ParentStopping(ROOT_PATH.into())),
        }
    }

    /// Starts an actor from data, in any place, at the top of the tree. `pack` is called before every life.
    ///
    /// # Errors
    /// See [`SpawnError`]; nothing has been started then.
    pub fn spawn_portable<A: Portable>(
        &self,
        options: SpawnOptions,
        pack: impl FnMut() -> Result<Parcel<A>, Failure> + Send + 'static,
    ) -> Result<ActorRef<A>, SpawnError> {
        match self.root() {
            Some(root) => root.supervise_portable(options, pack),
            None => Err(SpawnError::ParentStopping(ROOT_PATH.into())),
        }
    }

    /// The right to send urgent messages to an actor at the top of the tree. Whoever holds the system may do anything
    /// to those actors, so it may hand out this as well; none for other actors.
    #[must_use]
    pub fn urgent_ref<A: Actor>(&self, actor: &ActorRef<A>) -> Option<UrgentRef<A>> {
        actor.urgent_for(&self.root()?.cell())
    }

    /// The system's clock.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.inner.clock
    }

    /// Has the addresses of actors in processes look around.
    pub(crate) fn wake_processes(&self) {
        let all = self.all();
        all.iter().filter(|actor| actor.is_in_process()).for_each(AnyRef::wake);
    }

    /// The account of actors that have ended.
    pub(crate) fn ended_ledger(&self) -> Ledger {
        *self.inner.ended.lock()
    }

    pub(crate) fn observation(&self) -> &Observation {
        &self.inner.observation
    }

    pub(crate) fn real_clock(&self) -> &Clock {
        if self.inner.clock.is_virtual() {
            self.inner.real_clock.get_or_init(Clock::real)
        } else {
            &self.inner.clock
        }
    }

    /// Gives up on `future` after `limit` of this system's time.
    pub async fn within<T>(&self, limit: Duration, future: impl Future<Output = T>) -> Option<T> {
        match select(pin!(future), self.clock().sleep(limit)).await {
            Either::Left((output, _)) => Some(output),
            Either::Right(_) => None,
        }
    }

    /// How many threads run event loops for tasks.
    #[must_use]
    pub fn event_loops(&self) -> usize {
        self.inner.event_loops
    }

    /// How many LWPs run fibers.
    #[must_use]
    pub fn lwps(&self) -> usize {
        self.inner.lwps
    }

    /// Finds a living actor by its path or its id (`#17`).
    #[must_use]
    pub fn find(&self, name: &str) -> Option<AnyRef> {
        if let Some(cell) = self.inner.registry.find(name) {
            return Some(AnyRef::new(cell));
        }
        self.all().into_iter().find(|actor| actor.id().to_string() == name || actor.path() == name)
    }

    /// Waits until nothing moves: every actor waits for a message, the clock, an answer or a resume. For tests, with a
    /// virtual clock between two steps.
    ///
    /// Exact under a virtual clock, as far as actors are concerned, unless a handler blocks its thread outside of
    /// [`Context::blocking_call`](crate::Context::blocking_call); otherwise a matter of seeing nothing change for a
    /// while.
    pub async fn settle(&self) {
        let is_virtual = self.clock().is_virtual();
        let looks_needed = if is_virtual { STUCK_LOOKS } else { SETTLED_LOOKS };
        let mut looks = 0;
        let mut before = String::new();
        while looks < looks_needed {
            if is_virtual && self.inner.stir.is_still() {
                return;
            }
            let snapshot = self.snapshot();
            // An actor that rests with a full queue waits for something else.
            let quiet = is_virtual || snapshot.iter().all(|actor| actor.queued == 0);
            // Everything but the time that has passed; a movement shows in some counter.
            let now = format!(
                "{:?}",
                snapshot
                    .iter()
                    .map(|actor| (
                        actor.id,
                        actor.status,
                        actor.sent,
                        actor.handled,
                        actor.restarts
                    ))
                    .collect::<Vec<_>>()
            );
            looks = if quiet && now == before { looks + 1 } else { 0 };
            before = now;
            self.real_clock().sleep(Duration::from_millis(1)).await;
        }
    }

    /// Moves a virtual clock forward and lets everything that this sets off come to rest.
    ///
    /// # Panics
    /// On a real clock.
    pub async fn advance(&self, duration: Duration) {
        self.clock().advance(duration, || self.settle()).await;
    }

    /// Stops the whole tree, last started first, and then the event loops. Each actor has its own time limit, after
    /// which it is killed.
    pub async fn shutdown(&self) -> ExitReason {
        if let Some(root) = self.root() {
            root.stop();
        }
        let reason = self.ended().await;
        if let Some(net) = self.inner.net.get() {
            net.leave();
        }
        if let Some(loops) = self.inner.loops.get() {
            loops.stop();
        }
        if let Some(fibers) = self.inner.fibers.get() {
            fibers.stop();
        }
        reason
    }

    /// Completes when the root supervisor has ended: after a shutdown, or when it gave up.
    pub async fn ended(&self) -> ExitReason {
        match self.root() {
            Some(root) => root.exited().await,
            // Set before the last who holds the root lets it go.
            None => self.inner.outcome.get().cloned().unwrap_or(ExitReason::Killed),
        }
    }

    pub(crate) fn stir(&self) -> &Arc<Stir> {
        &self.inner.stir
    }

    pub(crate) fn next_id(&self) -> ActorId {
        ActorId::new(self.inner.next_id.fetch_add(1, Ordering::Relaxed))
    }

    /// The event loops, started when they are needed.
    pub(crate) fn loops(&self) -> Result<&Loops, SpawnError> {
        if let Some(loops) = self.inner.loops.get() {
            return Ok(loops);
        }
        let loops = Loops::new(self.inner.event_loops)?;
        Ok(self.inner.loops.get_or_init(|| loops))
    }

    /// The LWPs, started when they are needed.
    pub(crate) fn fibers(&self) -> Result<&Pool, SpawnError> {
        if let Some(fibers) = self.inner.fibers.get() {
            return Ok(fibers);
        }
        let fibers = placement::fiber::pool(self.inner.lwps)?;
        Ok(self.inner.fibers.get_or_init(|| fibers))
    }

    pub(crate) fn processes(&self) -> &Processes {
        &self.inner.processes
    }

    pub(crate) fn downgrade(&self) -> WeakSystem {
        WeakSystem(Arc::downgrade(&self.inner))
    }

    /// False if it has one.
    pub(crate) fn set_net(&self, net: Arc<Shared>) -> bool {
        self.inner.net.set(net).is_ok()
    }

    pub(crate) fn joined(&self) -> Option<Arc<Shared>> {
        self.inner.net.get().cloned()
    }

    pub(crate) fn registry(&self) -> &Registry {
        &self.inner.registry
    }

    pub(crate) fn dead_letters(&self) -> &DeadLetters {
        &self.inner.dead_letters
    }

    /// An actor has ended: its name is free, its counters move to the account of the ended.
    pub(crate) fn forget(&self, cell: &dyn AnyCell) {
        let vitals = cell.vitals();
        if vitals.name.is_some() {
            self.inner.registry.remove(&vitals.path());
        }
        self.inner.ended.lock().add_ended(cell);
    }
}

fn collect(actor: &AnyRef, all: &mut Vec<AnyRef>) {
    all.push(actor.clone());
    for child in actor.children() {
        collect(&child, all);
    }
}

impl fmt::Debug for System {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("System").field("clock", self.clock()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
