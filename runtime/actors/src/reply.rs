//! The answer on its way back: one slot shared by the asker and the handler.
//!
//! The slot knows whether the handler has begun. That is what lets an ask whose time runs out say exactly whether the
//! message had no effect ([`AskError::Expired`]) or may still have one ([`AskError::OutcomeUnknown`]).

use std::any::Any;
use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll, Waker};
use std::thread;

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use crate::clock::Expire;
use crate::{Abandoned, AskError, DropReason};

/// What came of an ask, without the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum NoReply {
    Expired,
    OutcomeUnknown,
    Dropped(DropReason),
    Abandoned(Abandoned),
}

impl NoReply {
    /// Of an ask that had been handed over to a process or a node.
    pub(crate) fn of_handed(reason: DropReason) -> Self {
        match reason {
            DropReason::Interrupted => Self::Abandoned(Abandoned::Interrupted),
            DropReason::Panicked => Self::Abandoned(Abandoned::Panicked),
            DropReason::ProcessEnded => Self::Abandoned(Abandoned::ProcessEnded),
            DropReason::Killed => Self::Abandoned(Abandoned::Killed),
            DropReason::NodeLost => Self::OutcomeUnknown,
            DropReason::AskerGone
            | DropReason::ActorStopped
            | DropReason::ActorFailed
            | DropReason::NotPortable
            | DropReason::TooLarge => Self::Dropped(reason),
        }
    }

    /// Why the message was dropped, where only that can be said.
    pub(crate) fn drop_reason(self) -> DropReason {
        match self {
            Self::Expired => DropReason::AskerGone,
            Self::OutcomeUnknown => DropReason::NodeLost,
            Self::Dropped(reason) => reason,
            Self::Abandoned(Abandoned::Interrupted) => DropReason::Interrupted,
            Self::Abandoned(Abandoned::Panicked) => DropReason::Panicked,
            Self::Abandoned(Abandoned::ProcessEnded) => DropReason::ProcessEnded,
            Self::Abandoned(Abandoned::Killed) => DropReason::Killed,
        }
    }
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

/// Queued; nobody has looked at the message.
const QUEUED: u8 = 0;
/// The handler has begun.
const RUNNING: u8 = 1;
/// Answered or certain to stay without an answer.
const SETTLED: u8 = 2;
/// The asker has its answer, or has gone.
const GONE: u8 = 3;

/// How far an ask has come can be read and, at its beginning, changed without the lock; it ends (`SETTLED`, `GONE`) only
/// under it.
pub(crate) struct Slot<R> {
    phase: AtomicU8,
    hand: Mutex<Hand<R>>,
}

/// What passes from one side to the other.
struct Hand<R> {
    asker: Option<Waker>,
    outcome: Option<Result<R, NoReply>>,
}

/// The handler's half. Dropping it unanswered tells the asker so.
pub(crate) struct Responder<R>(Option<Arc<Slot<R>>>);

/// The asker's half. Dropping it before the handler began takes the message back.
pub(crate) struct Answer<R> {
    slot: Arc<Slot<R>>,
    /// The outcome has been handed over.
    has_gone: bool,
}

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
    let hand = Mutex::new(Hand { asker: None, outcome: None });
    let slot = Arc::new(Slot { phase: AtomicU8::new(QUEUED), hand });
    (Responder(Some(Arc::clone(&slot))), Answer { slot, has_gone: false })
}

impl<R> Slot<R> {
    fn settle(&self, outcome: Result<R, NoReply>) {
        self.settle_by(|_running| outcome);
    }

    /// Settles unless settled; `outcome` is told whether the handler has begun.
    fn settle_by(&self, outcome: impl FnOnce(bool) -> Result<R, NoReply>) {
        let mut hand = self.hand.lock();
        let mut phase = self.phase.load(Ordering::Relaxed);
        if phase == QUEUED {
            // The handler may be beginning at this very moment.
            phase = self.phase.swap(SETTLED, Ordering::AcqRel);
        } else if phase == RUNNING {
            self.phase.store(SETTLED, Ordering::Release);
        } else {
            return;
        }
        hand.outcome = Some(outcome(phase == RUNNING));
        let asker = hand.asker.take();
        drop(hand);
        if let Some(asker) = asker {
            asker.wake();
        }
    }
}

impl<R> Responder<R> {
    /// Called when the message is about to be handled; false if nobody waits for it any more.
    pub(crate) fn begin(&self) -> bool {
        let Some(slot) = &self.0 else { return false };
        let begun =
            slot.phase.compare_exchange(QUEUED, RUNNING, Ordering::AcqRel, Ordering::Acquire);
        begun.is_ok()
    }

    pub(crate) fn answer(mut self, reply: R) {
        if let Some(slot) = self.0.take() {
            slot.settle(Ok(reply));
        }
    }

    /// The message will not be handled.
    pub(crate) fn discard(self, reason: DropReason) {
        self.settle(NoReply::Dropped(reason));
    }

    /// There will be no reply.
    pub(crate) fn settle(mut self, why: NoReply) {
        if let Some(slot) = self.0.take() {
            slot.settle(Err(why));
        }
    }
}

/// A [`Responder`] without its type, on its way through a place that only knows bytes.
pub(crate) trait AnyResponder: Send {
    /// Passes on a reply that is written down already, if it has somewhere to go in that form; else gives itself back.
    fn pass_on(self: Box<Self>, reply: &[u8]) -> Result<(), Box<dyn AnyResponder>>;
    fn fail(self: Box<Self>, why: NoReply);
    fn into_any(self: Box<Self>) -> Box<dyn Any>;
}

impl<R: Send + 'static> AnyResponder for Responder<R> {
    fn pass_on(self: Box<Self>, _: &[u8]) -> Result<(), Box<dyn AnyResponder>> {
        Err(self)
    }

    fn fail(self: Box<Self>, why: NoReply) {
        self.settle(why);
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}

/// Why what is being dropped on this thread is being dropped.
pub(crate) fn why_abandoned() -> Abandoned {
    if thread::panicking() { Abandoned::Panicked } else { ABANDONING.get() }
}

impl<R> Drop for Responder<R> {
    fn drop(&mut self) {
        if let Some(slot) = self.0.take() {
            slot.settle(Err(NoReply::Abandoned(why_abandoned())));
        }
    }
}

impl<R: Send + 'static> Answer<R> {
    /// What the clock calls when the time is up.
    pub(crate) fn expiry(&self) -> Arc<dyn Expire> {
        Arc::clone(&self.slot) as Arc<dyn Expire>
    }
}

impl<R> Future for Answer<R> {
    type Output = Result<R, NoReply>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut hand = self.slot.hand.lock();
        if let Some(outcome) = hand.outcome.take() {
            drop(hand);
            self.has_gone = true;
            return Poll::Ready(outcome);
        }
        if !hand.asker.as_ref().is_some_and(|asker| asker.will_wake(cx.waker())) {
            hand.asker = Some(cx.waker().clone());
        }
        Poll::Pending
    }
}

impl<R> Drop for Answer<R> {
    fn drop(&mut self) {
        if self.has_gone {
            return;
        }
        let mut hand = self.slot.hand.lock();
        self.slot.phase.store(GONE, Ordering::Release);
        let before = (hand.asker.take(), hand.outcome.take());
        drop(hand);
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
