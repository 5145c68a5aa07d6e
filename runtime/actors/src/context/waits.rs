//! What waits, and lets signals act meanwhile.

use std::future::{Future, poll_fn};
use std::io;
use std::panic::resume_unwind;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use super::{Context, Wait};
use crate::clock::Sleep;
use crate::guard::{Abort, Unwound, rest};
use crate::placement;
use crate::signal::{ATTENTION, ENDING, INTERRUPT, KILL, OnInterrupt};
use crate::vitals::{AnyCell, Cell, Phase};
use crate::{Actor, PlaceKind};

impl<A: Actor> Context<A> {
    /// Waits on the system's clock. Cancel-safe.
    pub fn sleep(&self, duration: Duration) -> Sleep {
        self.system().clock().sleep(duration)
    }

    /// Lets signals act on a long computation; on an event loop or a fiber it also lets others run. Cancel-safe.
    pub async fn checkpoint(&self) {
        if self.place() == PlaceKind::Process {
            self.cell.vitals.beat();
        }
        self.yield_if(self.place().shares_its_thread()).await;
    }

    /// As [`checkpoint`](Self::checkpoint), in code that is not async, however deep. A kill or an interrupt unwinds from
    /// here to the message loop, as a panic would, but without being one; a suspend rests here.
    ///
    /// On an event loop it lets nobody else run and does not rest: nothing that is not async can wait there.
    pub fn checkpoint_now(&self) {
        match self.place() {
            PlaceKind::Fiber => palco_fibers::yield_now(),
            PlaceKind::Process => self.cell.vitals.beat(),
            // On another node it lives in a place of that node.
            PlaceKind::Task | PlaceKind::Thread | PlaceKind::Remote => {}
        }
        let signals = &self.cell.vitals.signals;
        while signals.has(ATTENTION) {
            let bits = signals.bits();
            if bits & KILL != 0 {
                resume_unwind(Box::new(Unwound(Abort::Killed)));
            }
            if bits & INTERRUPT != 0 && signals.on_interrupt() == OnInterrupt::Abandon {
                resume_unwind(Box::new(Unwound(Abort::Interrupted)));
            }
            let may_rest = self.place() != PlaceKind::Task
                && self.cell.vitals.phase() != Phase::Stopping
                && signals.must_rest(bits);
            if !may_rest {
                return;
            }
            palco_fibers::block_on(poll_fn(|task| {
                self.cell.register(task.waker());
                if signals.bits() != bits {
                    return Poll::Ready(());
                }
                rest(&*self.cell, true);
                Poll::Pending
            }));
            rest(&*self.cell, false);
        }
    }

    /// Lets signals act, and nothing else: where none is waiting it costs one load, also on an event loop. Cancel-safe.
    pub async fn heed_signals(&self) {
        self.yield_if(false).await;
    }

    async fn yield_if(&self, yields: bool) {
        let mut passed = false;
        poll_fn(|task| {
            let vitals = &self.cell.vitals;
            if passed || !(yields || vitals.signals.has(ATTENTION | vitals.inspections())) {
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
    /// Only for actors with a thread of their own: on an event loop or a fiber it would stop all others there, and panics
    /// instead.
    ///
    /// # Errors
    /// Whatever `call` returns, but for [`io::ErrorKind::Interrupted`].
    pub async fn blocking_call<T>(
        &self,
        wait: Wait,
        mut call: impl FnMut() -> io::Result<T>,
    ) -> Option<io::Result<T>> {
        assert!(!self.place().shares_its_thread(), "a blocking call on a thread of many");
        let ends = match wait {
            Wait::UntilStop => ATTENTION | ENDING,
            Wait::ThroughStop => ATTENTION,
        };
        let ends = ends | self.cell.vitals.inspections();
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
            PlaceKind::Fiber => {
                let _running = self.system().stir().running();
                palco_fibers::offload(work).await
            }
            PlaceKind::Thread | PlaceKind::Process | PlaceKind::Remote => {
                let result = crate::guard::contained(work).ok();
                self.checkpoint().await;
                result
            }
        }
    }
}

/// Puts back what an interrupt does, also when the future around it is dropped.
struct Restore<'a, A: Actor>(&'a Cell<A>, OnInterrupt);

impl<A: Actor> Drop for Restore<'_, A> {
    fn drop(&mut self) {
        self.0.vitals.signals.set_on_interrupt(self.1);
    }
}
