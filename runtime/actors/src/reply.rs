//! The answer on its way back: one slot shared by the asker and the handler.
//!
//! The slot knows whether the handler has begun. That is what lets an ask whose time runs out say exactly whether the
//! message had no effect ([`AskError::Expired`]) or may still have one ([`AskError::OutcomeUnknown`]).

use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::thread;

use parking_lot::Mutex;

use crate::clock::Expire;
use crate::{Abandoned, AskError, DropReason};

/// What came of an ask, without the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoReply {
    Expired,
    OutcomeUnknown,
    Dropped(DropReason),
    Abandoned(Abandoned),
}

impl<M> From<NoReply> for AskError<M> {
    fn from(why: NoReply) -> Self {
        match why {
            NoReply::Expired => Self::Expired,
            NoReply::OutcomeUnknown => Self::OutcomeUnknown,
            NoReply::Dropped(reason) => Self::Dropped(reason),
            NoReply::Abandoned(why) => Self::Abandoned(why),
        }
    }
}

enum State<R> {
    /// Queued; nobody has looked at the message.
    Queued(Option<Waker>),
    /// The handler has begun.
    Running(Option<Waker>),
    /// Answered or certain to stay without an answer.
    Settled(Result<R, NoReply>),
    /// The asker has its answer, or has gone.
    Gone,
}

pub(crate) struct Slot<R>(Mutex<State<R>>);

/// The handler's half. Dropping it unanswered tells the asker so.
pub(crate) struct Responder<R>(Option<Arc<Slot<R>>>);

/// The asker's half. Dropping it before the handler began takes the message back.
pub(crate) struct Answer<R>(Arc<Slot<R>>);

thread_local! {
    /// Why the handler future that is being dropped on this thread is being dropped.
    static ABANDONING: Cell<Abandoned> = const { Cell::new(Abandoned::Killed) };
}

/// Says why, then drops a handler's future; its responder passes the word on.
pub(crate) fn drop_abandoned<T>(why: Abandoned, future: T) {
    /// Puts back what a responder says that goes down with its loop, also when the drop panics.
    struct Restore;
    impl Drop for Restore {
        fn drop(&mut self) {
            ABANDONING.set(Abandoned::Killed);
        }
    }
    let _restore = Restore;
    ABANDONING.set(why);
    drop(future);
}

pub(crate) fn reply_pair<R: Send + 'static>() -> (Responder<R>, Answer<R>) {
    let slot = Arc::new(Slot(Mutex::new(State::Queued(None))));
    (Responder(Some(Arc::clone(&slot))), Answer(slot))
}

impl<R> Slot<R> {
    fn settle(&self, outcome: Result<R, NoReply>) {
        self.settle_by(|_running| outcome);
    }

    /// Settles unless settled; `outcome` is told whether the handler has begun.
    fn settle_by(&self, outcome: impl FnOnce(bool) -> Result<R, NoReply>) {
        let mut state = self.0.lock();
        let (running, waker) = match &mut *state {
            State::Queued(waker) => (false, waker.take()),
            State::Running(waker) => (true, waker.take()),
            State::Settled(_) | State::Gone => return,
        };
        *state = State::Settled(outcome(running));
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl<R> Responder<R> {
    /// Called when the message is about to be handled; false if nobody waits for it any more.
    pub(crate) fn begin(&self) -> bool {
        let Some(slot) = &self.0 else { return false };
        let mut state = slot.0.lock();
        match &mut *state {
            State::Queued(waker) => {
                let waker = waker.take();
                *state = State::Running(waker);
                true
            }
            State::Running(_) | State::Settled(_) | State::Gone => false,
        }
    }

    pub(crate) fn answer(mut self, reply: R) {
        if let Some(slot) = self.0.take() {
            slot.settle(Ok(reply));
        }
    }

    /// The message will not be handled.
    pub(crate) fn discard(mut self, reason: DropReason) {
        if let Some(slot) = self.0.take() {
            slot.settle(Err(NoReply::Dropped(reason)));
        }
    }
}

impl<R> Drop for Responder<R> {
    fn drop(&mut self) {
        if let Some(slot) = self.0.take() {
            let why = if thread::panicking() { Abandoned::Panicked } else { ABANDONING.get() };
            slot.settle(Err(NoReply::Abandoned(why)));
        }
    }
}

impl<R: Send + 'static> Answer<R> {
    /// What the clock calls when the time is up.
    pub(crate) fn expiry(&self) -> Arc<dyn Expire> {
        Arc::clone(&self.0) as Arc<dyn Expire>
    }
}

impl<R> Future for Answer<R> {
    type Output = Result<R, NoReply>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.0.0.lock();
        match &mut *state {
            State::Queued(waker) | State::Running(waker) => {
                if !waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
                    *waker = Some(cx.waker().clone());
                }
                Poll::Pending
            }
            State::Settled(_) => match std::mem::replace(&mut *state, State::Gone) {
                State::Settled(outcome) => Poll::Ready(outcome),
                State::Queued(_) | State::Running(_) | State::Gone => Poll::Pending,
            },
            State::Gone => Poll::Pending,
        }
    }
}

impl<R> Drop for Answer<R> {
    fn drop(&mut self) {
        let before = std::mem::replace(&mut *self.0.0.lock(), State::Gone);
        drop(before);
    }
}

impl<R: Send> Expire for Slot<R> {
    fn expire(&self) {
        self.settle_by(|running| {
            Err(if running { NoReply::OutcomeUnknown } else { NoReply::Expired })
        });
    }
}

#[cfg(test)]
mod tests {
    use palco_threads::block_on;

    use super::*;

    #[test]
    fn an_expired_ask_knows_whether_its_handler_had_begun() {
        let (responder, answer) = reply_pair::<()>();
        answer.expiry().expire();
        assert!(!responder.begin(), "an expired message is not handled");
        assert_eq!(block_on(answer), Err(NoReply::Expired));

        let (responder, answer) = reply_pair::<()>();
        assert!(responder.begin());
        answer.expiry().expire();
        assert_eq!(block_on(answer), Err(NoReply::OutcomeUnknown));
        responder.answer(()); // too late, and harmless
    }

    #[test]
    fn a_dropped_ask_takes_its_message_back() {
        let (responder, answer) = reply_pair::<()>();
        drop(answer);
        assert!(!responder.begin());
    }

    #[test]
    fn a_responder_that_is_dropped_says_why() {
        let (responder, answer) = reply_pair::<()>();
        assert!(responder.begin());
        drop_abandoned(Abandoned::Interrupted, responder);
        assert_eq!(block_on(answer), Err(NoReply::Abandoned(Abandoned::Interrupted)));
    }
}
