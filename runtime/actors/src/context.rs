//! What a handler may do: about itself, about time, about blocking work, about other actors.

mod next;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fmt;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use palco_core::{ActorId, ExitReason};

use crate::clock::Sleep;
use crate::envelope::{Envelope, Tell};
use crate::mailbox::Fetched;
use crate::observation::{Stamp, Stamped};
use crate::placement::{self, PlaceKind, SpawnOptions};
use crate::signal::{ATTENTION, ENDING, INTERRUPT, OnInterrupt};
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

    /// Says that what this handler does and sends from now on belongs together, and to nothing before: a dispatcher says
    /// so with every connection. Only observers can tell.
    pub fn begin_trace(&self) {
        let vitals = &self.cell.vitals;
        match &vitals.post {
            Some(post) => post.step("", true),
            None => vitals.begin_trace(),
        }
    }

    /// Waits on the system's clock. Cancel-safe.
    pub fn sleep(&self, duration: Duration) -> Sleep {
        self.system().clock().sleep(duration)
    }

    /// Lets signals act on a long computation; on an event loop it also lets others run. Cancel-safe.
    pub async fn checkpoint(&self) {
        if self.place() == PlaceKind::Process {
            self.cell.vitals.beat();
        }
        self.yield_if(self.place() == PlaceKind::Task).await;
    }

    /// Lets signals act, and nothing else: where none is waiting it costs one load, also on an event loop. Cancel-safe.
    pub async fn heed_signals(&self) {
        self.yield_if(false).await;
    }

    async fn yield_if(&self, yields: bool) {
        let mut passed = false;
        poll_fn(|task| {
            if passed || !(yields || self.cell.vitals.signals.has(ATTENTION)) {
                return Poll::Ready(());
            }
            passed = true;
            task.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }

    /// Whether somebody has asked this actor to stop (or be killed); long handlers should come to an end.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.cell.vitals.signals.has(ENDING)
    }

    /// Runs `future`, but gives up when the actor is asked to stop. `None` is a stop.
    pub async fn unless_stopped<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        let mut future = pin!(future);
        poll_fn(|task| {
            if let Poll::Ready(output) = future.as_mut().poll(task) {
                return Poll::Ready(Some(output));
            }
            if self.is_stopping() { Poll::Ready(None) } else { Poll::Pending }
        })
        .await
    }

    /// From now on an interrupt leaves this actor's handlers alone, except inside [`Context::catch_interrupt`].
    pub fn ignore_interrupts(&self) {
        self.cell.vitals.signals.set_on_interrupt(OnInterrupt::Ignore);
    }

    /// Runs `future` as something that an interrupt ends while the handler around it goes on. `None` is an interrupt.
    pub async fn catch_interrupt<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        self.catch_interrupt_if(future, || true).await
    }

    /// As [`Context::catch_interrupt`], but `is_meant` is asked about each interrupt whether it is meant for `future`,
    /// which goes on if not. It is asked before `future` is polled, where the actor runs.
    pub async fn catch_interrupt_if<T>(
        &self,
        future: impl Future<Output = T>,
        mut is_meant: impl FnMut() -> bool,
    ) -> Option<T> {
        let vitals = &self.cell.vitals;
        let before = vitals.signals.set_on_interrupt(OnInterrupt::Caught);
        let restore = Restore(&self.cell, before);
        let mut future = pin!(future);
        let outcome = poll_fn(|task| {
            if vitals.signals.has(INTERRUPT) {
                vitals.signals.clear(INTERRUPT);
                vitals.notify();
                if is_meant() {
                    return Poll::Ready(None);
                }
            }
            future.as_mut().poll(task).map(Some)
        })
        .await;
        drop(restore);
        outcome
    }

    /// Runs one blocking system call on an actor's own thread so that signals reach it: `EINTR` ends the call, the
    /// signal acts, and the call is made again. `None` is a stop, if `wait` lets it end the wait.
    ///
    /// Only for actors with a thread of their own: on an event loop it would stop the loop, and panics instead.
    ///
    /// # Errors
    /// Whatever `call` returns, but for [`io::ErrorKind::Interrupted`].
    pub async fn blocking_call<T>(
        &self,
        wait: Wait,
        mut call: impl FnMut() -> io::Result<T>,
    ) -> Option<io::Result<T>> {
        assert_ne!(self.place(), PlaceKind::Task, "a blocking call on an event loop");
        let ends = match wait {
            Wait::UntilStop => ATTENTION | ENDING,
            Wait::ThroughStop => ATTENTION,
        };
        loop {
            self.checkpoint().await;
            if wait == Wait::UntilStop && self.is_stopping() {
                return None;
            }
            // For virtual time the wait of a call is a wait like any other.
            let is_virtual = self.system().clock().is_virtual();
            let waiting = is_virtual.then(|| self.system().stir().waiting());
            let outcome = self.cell.vitals.signals.blocking(ends, &mut call);
            drop(waiting);
            match outcome {
                None => {}
                Some(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                Some(result) => return Some(result),
            }
        }
    }

    /// Runs blocking work where it harms nobody: inline on an actor's own thread, on a helper thread otherwise.
    ///
    /// Returns `None` if the work panicked. Not cancel-safe: work that has begun runs to its end.
    pub async fn block<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        match self.place() {
            PlaceKind::Task => {
                // For virtual time the actor is at work though its loop is free.
                let _running = self.system().stir().running();
                placement::task::block(work).await
            }
            PlaceKind::Thread | PlaceKind::Process => {
                let result = crate::guard::contained(work).ok();
                self.checkpoint().await;
                result
            }
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

/// Puts back what an interrupt does, also when the future around it is dropped.
struct Restore<'a, A: Actor>(&'a Cell<A>, OnInterrupt);

impl<A: Actor> Drop for Restore<'_, A> {
    fn drop(&mut self) {
        self.0.vitals.signals.set_on_interrupt(self.1);
    }
}

impl<A: Actor> fmt::Debug for Context<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context").field("actor", &self.cell.vitals).finish_non_exhaustive()
    }
}
