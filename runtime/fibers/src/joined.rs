//! The result of something that runs elsewhere, for whoever waits for it.

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use parking_lot::Mutex;

/// A fiber's result. Dropped, it lets the fiber go on alone.
#[must_use = "dropped, nobody hears how it ended"]
pub struct Joined<T>(Arc<Mutex<State<T>>>);

/// Who owes the result; dropped without one, the waiting ends too.
pub(crate) struct Owed<T>(Arc<Mutex<State<T>>>);

struct State<T> {
    outcome: Option<Result<T, JoinError>>,
    is_taken: bool,
    waker: Option<Waker>,
}

/// A fiber has no result.
#[derive(thiserror::Error)]
pub enum JoinError {
    /// It panicked, with this payload.
    #[error("the fiber panicked")]
    Panicked(Box<dyn Any + Send>),
    /// Its pool was stopped before it came to its end.
    #[error("the pool was stopped before the fiber came to its end")]
    Stopped,
}

pub(crate) fn promise<T>() -> (Owed<T>, Joined<T>) {
    let state = Arc::new(Mutex::new(State { outcome: None, is_taken: false, waker: None }));
    (Owed(Arc::clone(&state)), Joined(state))
}

impl<T> Owed<T> {
    pub(crate) fn pay(self, outcome: std::thread::Result<T>) {
        self.settle(outcome.map_err(JoinError::Panicked));
    }

    fn settle(&self, outcome: Result<T, JoinError>) {
        let waker = {
            let mut state = self.0.lock();
            if state.outcome.is_some() || state.is_taken {
                return;
            }
            state.outcome = Some(outcome);
            state.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl<T> Drop for Owed<T> {
    fn drop(&mut self) {
        self.settle(Err(JoinError::Stopped));
    }
}

impl<T> Joined<T> {
    /// Waits for the end: a fiber parks, a thread blocks.
    ///
    /// # Errors
    /// [`JoinError`].
    pub fn join(self) -> Result<T, JoinError> {
        crate::block_on(self)
    }
}

impl<T> Future for Joined<T> {
    type Output = Result<T, JoinError>;

    fn poll(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.0.lock();
        if let Some(outcome) = state.outcome.take() {
            state.is_taken = true;
            return Poll::Ready(outcome);
        }
        assert!(!state.is_taken, "polled after its end");
        state.waker = Some(task.waker().clone());
        Poll::Pending
    }
}

impl<T> fmt::Debug for Joined<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Joined").field("has_ended", &self.0.lock().outcome.is_some()).finish()
    }
}

impl fmt::Debug for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Panicked(_) => "Panicked",
            Self::Stopped => "Stopped",
        })
    }
}
