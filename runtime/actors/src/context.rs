//! What a handler may do: about itself, about time, about blocking work, about other actors.

mod next;
mod waits;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use palco_core::{ActorId, ExitReason};
use serde_json::Value;

use crate::clock::Sleep;
use crate::envelope::{Envelope, Tell};
use crate::mailbox::Fetched;
use crate::observation::{Stamp, Stamped};
use crate::placement::{self, PlaceKind, SpawnOptions};
use crate::signal::{RECYCLE, RESTART};
use crate::vitals::{AnyCell, Cell, Vitals};
pub(crate) use next::Next;
use next::{BUDGET_MESSAGES, Timer};

use crate::{
    Actor, ActorRef, Failure, Handler, Message, Parcel, Portable, SpawnError, System, UrgentRef,
};

/// An actor's own view of itself and its system; lent to every handler and hook.
pub struct Context<A: Actor> {
    cell: Arc<Cell<A>>,
    fetched: Fetched<Box<dyn Envelope<A>>>,
    timers: BinaryHeap<Reverse<Timer<A>>>,
    timer_serial: u64,
    alarm: Option<Pin<Box<Sleep>>>,
    budget: u32,
    end: Option<ExitReason>,
}

/// The news that a watched actor has ended for good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exited {
    /// Who.
    pub id: ActorId,
    /// Its path.
    pub path: Box<str>,
    /// Why.
    pub reason: ExitReason,
}

/// Whether a stop ends a wait; a kill always does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// Waiting for something that need not come: a stop ends the wait.
    UntilStop,
    /// Finishing something that was begun: only a kill ends the wait.
    ThroughStop,
}

impl<A: Actor> Context<A> {
    pub(crate) fn new(cell: Arc<Cell<A>>) -> Self {
        Self {
            cell,
            fetched: Fetched::default(),
            timers: BinaryHeap::new(),
            timer_serial: 0,
            alarm: None,
            budget: BUDGET_MESSAGES,
            end: None,
        }
    }

    /// The actor's own address.
    #[must_use]
    pub fn actor_ref(&self) -> ActorRef<A> {
        ActorRef::new(Arc::clone(&self.cell))
    }

    /// The right to send this actor urgent messages, for it to hand out to whom it trusts.
    #[must_use]
    pub fn urgent_ref(&self) -> UrgentRef<A> {
        UrgentRef::new(Arc::clone(&self.cell))
    }

    /// The right to send urgent messages to a child of this actor; none for other actors. An actor in another process
    /// cannot hand it out by itself.
    #[must_use]
    pub fn urgent_ref_of<B: Actor>(&self, child: &ActorRef<B>) -> Option<UrgentRef<B>> {
        child.urgent_for(&(Arc::clone(&self.cell) as Arc<dyn AnyCell>))
    }

    /// The actor's id.
    #[must_use]
    pub fn id(&self) -> ActorId {
        self.cell.vitals.id
    }

    /// The actor's path, for people.
    #[must_use]
    pub fn path(&self) -> String {
        self.cell.vitals.path()
    }

    /// The system the actor lives in.
    #[must_use]
    pub fn system(&self) -> &System {
        &self.cell.vitals.system
    }

    /// Where the actor lives.
    #[must_use]
    pub fn place(&self) -> PlaceKind {
        self.cell.vitals.place
    }

    /// Ends this actor after the current handler, with [`ExitReason::Finished`].
    pub fn finish(&mut self) {
        self.end.get_or_insert(ExitReason::Finished);
    }

    /// Ends this life after the current handler, with [`ExitReason::Failed`].
    pub fn fail(&mut self, failure: impl Into<Failure>) {
        self.end_with(ExitReason::Failed(failure.into().into_text()));
    }

    /// Ends this life after the current handler and has another begun, as [`Signal::Restart`](crate::Signal::Restart) does:
    /// a fresh start, in a process of its own with a fresh process, that is no failure. Until then the actor is one that is
    /// asked to stop ([`Context::is_stopping`]). Outside a process of its own nothing happens without a supervisor that starts
    /// it again, and on another node nothing at all.
    pub fn renew(&self) {
        let signals = &self.cell.vitals.signals;
        if self.cell.vitals.post.is_some() {
            signals.raise(RECYCLE); // its address knows whether there is another life
        } else if self.actor_ref().any().can_be_restarted() {
            signals.raise(RESTART);
        }
    }

    pub(crate) fn end_with(&mut self, reason: ExitReason) {
        self.end = Some(reason);
    }

    /// Starts a child: stopped before this actor ends, never restarted. On an event loop, a child placed as a task
    /// gets the same loop.
    ///
    /// # Errors
    /// See [`SpawnError`]; nothing has been started then.
    pub fn spawn<B: Actor>(
        &self,
        options: SpawnOptions,
        make: impl FnMut() -> B + Send + 'static,
    ) -> Result<ActorRef<B>, SpawnError> {
        let parent = Arc::clone(&self.cell) as Arc<dyn AnyCell>;
        placement::spawn(self.system(), parent, None, options, make)
    }

    /// Starts a child that roves; see [`System::spawn_roving`].
    ///
    /// # Errors
    /// See [`SpawnError`]; nothing has been started then.
    pub fn spawn_roving<B: Actor + Send>(
        &self,
        options: SpawnOptions,
        make: impl FnMut() -> B + Send + 'static,
    ) -> Result<ActorRef<B>, SpawnError> {
        let parent = Arc::clone(&self.cell) as Arc<dyn AnyCell>;
        placement::spawn_roving(self.system(), parent, None, options, make)
    }

    /// Starts a child from data, in any place; see [`System::spawn_portable`].
    ///
    /// # Errors
    /// See [`SpawnError`]; nothing has been started then.
    pub fn spawn_portable<B: Portable>(
        &self,
        options: SpawnOptions,
        pack: impl FnMut() -> Result<Parcel<B>, Failure> + Send + 'static,
    ) -> Result<ActorRef<B>, SpawnError> {
        let parent = Arc::clone(&self.cell) as Arc<dyn AnyCell>;
        placement::spawn_portable(self.system(), parent, None, options, pack)
    }

    /// Sends this actor `message` after `delay`. A timer does not survive a restart.
    pub fn tell_after<M: Message>(&mut self, delay: Duration, message: M)
    where
        A: Handler<M>,
    {
        self.timer_serial += 1;
        let at = self.system().clock().now() + delay;
        // At once is one step further in what is being done; later is something new, and waits only from then on.
        let is_first = !delay.is_zero();
        let stamp = self.system().observation().stamp(&self.cell.vitals, false, is_first);
        let stamp = stamp.map(|stamp| Stamp { sent: at, ..stamp });
        let envelope = Stamped::wrap(Box::new(Tell(message)), stamp);
        self.timers.push(Reverse(Timer { at, serial: self.timer_serial, envelope }));
    }

    /// Sends this actor a message made by `news` once `other` has ended for good; at once if it has.
    pub fn watch<B: Actor, M: Message>(
        &self,
        other: &ActorRef<B>,
        news: impl FnOnce(Exited) -> M + Send + 'static,
    ) where
        A: Handler<M>,
    {
        let me = self.actor_ref();
        other.any().on_exit(move |exited| {
            // Closed: this actor has ended itself; there is nobody to tell.
            let _ = me.force(news(exited));
        });
    }

    /// Says what this handler is doing now, for whoever looks; ends with the handler. Costs two stores, so it may
    /// stand in a hot loop.
    ///
    /// ```
    /// # use palco_actors::{Actor, Context};
    /// # fn handler<A: Actor>(cx: &Context<A>) {
    /// cx.note(|| "reading");
    /// # }
    /// ```
    pub fn note(&self, note: fn() -> &'static str) {
        let vitals = &self.cell.vitals;
        vitals.activity.note(note, vitals.system.clock().now_coarse());
        vitals.step(Some(note().into()));
        if let Some(post) = &vitals.post {
            post.page.write_note(note());
            post.step(note(), false);
        }
    }

    /// What observers see of the actor's state while this handler runs, instead of nothing: asked whenever somebody looks,
    /// so it must be quick. Ends with the handler; the last one counts, and `None` is no description.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use std::sync::atomic::{AtomicU64, Ordering};
    /// # use palco_actors::{Actor, Context};
    /// # fn handler<A: Actor>(cx: &Context<A>) {
    /// let served = Arc::new(AtomicU64::new(0));
    /// let seen = Arc::clone(&served);
    /// cx.describe(Some(Arc::new(move || seen.load(Ordering::Relaxed).into())));
    /// # }
    /// ```
    pub fn describe(&self, description: Option<Arc<dyn Fn() -> Value + Send + Sync>>) {
        self.cell.vitals.describe(description);
    }

    /// Says that what this handler does and sends from now on belongs together, and to nothing before: a dispatcher says
    /// so with every connection. Only observers can tell.
    pub fn begin_trace(&self) {
        let vitals = &self.cell.vitals;
        match &vitals.post {
            Some(post) => post.step("", true),
            None => vitals.begin_trace(),
        }
    }

    pub(crate) fn vitals(&self) -> &Vitals {
        &self.cell.vitals
    }

    pub(crate) fn take_end(&mut self) -> Option<ExitReason> {
        self.end.take()
    }

    /// Forgets what belongs to the life that has ended.
    pub(crate) fn reset(&mut self) {
        self.timers.clear();
        self.alarm = None;
        self.end = None;
    }
}

impl<A: Actor> Drop for Context<A> {
    fn drop(&mut self) {
        self.cell.mailbox.give_back(&mut self.fetched);
    }
}

impl<A: Actor> fmt::Debug for Context<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context").field("actor", &self.cell.vitals).finish_non_exhaustive()
    }
}
