//! The outcome of a piece of work: promised on one side, waited for on the other.

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::panic::{self, AssertUnwindSafe};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use parking_lot::Mutex;

use crate::fiber;

/// What work returned, or the payload of its panic; [`Stopped`] if the pool ended it.
pub type Outcome<T> = Result<T, Box<dyn Any + Send>>;

/// The payload of a fiber that the pool ended: unwinding with it is how what is on a suspended stack is dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stopped;

/// Waits for a fiber. Dropped: the fiber goes on, and nobody learns what it returned.
///
/// It is a future too, and cancel-safe.
#[must_use = "dropping it lets the fiber go on alone: say so with `drop`"]
pub struct Joined<T> {
    shared: Arc<Mutex<State<T>>>,
}

enum State<T> {
    Pending(Option<Waker>),
    Done(Outcome<T>),
    Taken,
}

/// The other side. Dropped without an outcome: the work never ran, or was ended.
pub(crate) struct Promise<T> {
    shared: Option<Arc<Mutex<State<T>>>>,
}

pub(crate) fn promise<T>() -> (Promise<T>, Joined<T>) {
    let shared = Arc::new(Mutex::new(State::Pending(None)));
    (Promise { shared: Some(Arc::clone(&shared)) }, Joined { shared })
}

impl<T> Joined<T> {
    /// Waits for the end: a fiber lets others run meanwhile, a thread blocks.
    ///
    /// # Errors
    /// The payload of the panic that ended it; [`Stopped`] if the pool was stopped before.
    ///
    /// # Panics
    /// If the outcome was taken before, by polling this as a future.
    pub fn join(self) -> Outcome<T> {
        fiber::block_on(self)
    }

    /// Has it ended?
    #[must_use]
    pub fn is_done(&self) -> bool {
        !matches!(*self.shared.lock(), State::Pending(_))
    }
}

impl<T> Future for Joined<T> {
    type Output = Outcome<T>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.shared.lock();
        match &mut *state {
            State::Pending(Some(waker)) => waker.clone_from(context.waker()),
            State::Pending(waker) => *waker = Some(context.waker().clone()),
            State::Done(_) => {
                let State::Done(outcome) = std::mem::replace(&mut *state, State::Taken) else {
                    unreachable!("it was done a line before")
                };
                return Poll::Ready(outcome);
            }
            State::Taken => panic!("an outcome is taken once"),
        }
        Poll::Pending
    }
}

impl<T> Promise<T> {
    /// Does the work and keeps the promise with what comes of it.
    pub(crate) fn keep(mut self, work: impl FnOnce() -> T) {
        let outcome = panic::catch_unwind(AssertUnwindSafe(work));
        self.settle(outcome);
    }

    fn settle(&mut self, outcome: Outcome<T>) {
        let Some(shared) = self.shared.take() else { return };
        let before = std::mem::replace(&mut *shared.lock(), State::Done(outcome));
        if let State::Pending(Some(waker)) = before {
            waker.wake();
        }
    }
}

impl<T> Drop for Promise<T> {
    fn drop(&mut self) {
        self.settle(Err(Box::new(Stopped)));
    }
}

impl<T> fmt::Debug for Joined<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Joined").field("is_done", &self.is_done()).finish()
    }
}
