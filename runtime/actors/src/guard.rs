//! Around every handler and hook: signals act between its steps, a panic ends only this actor's life.

use std::any::Any;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::Poll;

use palco_core::ExitReason;

use crate::observation::as_current;
use crate::reply::drop_abandoned;
use crate::signal::{INSPECT, INTERRUPT, KILL, OnInterrupt};
use crate::vitals::{AnyCell, Phase};
use crate::{Abandoned, DropReason};

/// A handler or hook did not reach its end.
#[derive(Debug)]
pub(crate) enum Abort {
    Interrupted,
    Killed,
    Panicked(Box<str>),
}

/// What unwinds from a checkpoint in code that is not async: no panic, but the end of its handler.
pub(crate) struct Unwound(pub(crate) Abort);

impl Abort {
    fn of(payload: Box<dyn Any + Send>) -> Self {
        match payload.downcast::<Unwound>() {
            Ok(unwound) => unwound.0,
            Err(payload) => Self::Panicked(panic_text(&*payload)),
        }
    }

    pub(crate) fn drop_reason(&self) -> DropReason {
        match self {
            Self::Interrupted => DropReason::Interrupted,
            Self::Killed => DropReason::Killed,
            Self::Panicked(_) => DropReason::Panicked,
        }
    }

    /// The end of the life that this abort means; an interrupt means none.
    pub(crate) fn into_exit(self) -> Option<ExitReason> {
        match self {
            Self::Interrupted => None,
            Self::Killed => Some(ExitReason::Killed),
            Self::Panicked(text) => Some(ExitReason::Panicked(text)),
        }
    }
}

/// Runs `work` under the actor's signals. A suspended handler is not polled at all until the signals change.
pub(crate) async fn guarded<T, F: Future<Output = T> + ?Sized>(
    cell: &impl AnyCell,
    mut work: Pin<Box<F>>,
) -> Result<T, Abort> {
    let signals = &cell.vitals().signals;
    let outcome = poll_fn(|task| {
        loop {
            let bits = signals.bits();
            if bits & KILL != 0 {
                return Poll::Ready(Err(Abort::Killed));
            }
            if bits & INTERRUPT != 0 {
                match signals.on_interrupt() {
                    OnInterrupt::Abandon => return Poll::Ready(Err(Abort::Interrupted)),
                    OnInterrupt::Ignore => {
                        signals.clear(INTERRUPT);
                        cell.vitals().notify();
                        continue; // another may have come by now
                    }
                    OnInterrupt::Caught => {}
                }
            }
            if bits & INSPECT != 0 && cell.vitals().show_description() {
                continue;
            }
            // A stop hook is not held: an actor that rests can be stopped.
            if signals.must_rest(bits) && cell.vitals().phase() != Phase::Stopping {
                cell.register(task.waker());
                if signals.bits() == bits {
                    rest(cell, true);
                    return Poll::Pending;
                }
                continue;
            }
            rest(cell, false);
            let poll = || as_current(cell.vitals(), || work.as_mut().poll(task));
            match catch_unwind(AssertUnwindSafe(poll)) {
                Ok(Poll::Ready(output)) => return Poll::Ready(Ok(output)),
                Ok(Poll::Pending) => {
                    cell.register(task.waker());
                    if signals.bits() == bits {
                        return Poll::Pending;
                    }
                }
                Err(payload) => return Poll::Ready(Err(Abort::of(payload))),
            }
        }
    })
    .await;
    let outcome = match outcome {
        Ok(output) => Ok(output),
        Err(abort) => Err(abandon(abort, work)),
    };
    if signals.bits() & INTERRUPT != 0 {
        signals.clear(INTERRUPT); // it was meant for this handler, which has ended
        cell.vitals().notify();
    }
    outcome
}

/// Drops what has not reached its end; what it owned may panic while it is dropped.
#[cold]
fn abandon<T>(abort: Abort, work: T) -> Abort {
    let why = match &abort {
        Abort::Interrupted => Abandoned::Interrupted,
        Abort::Killed => Abandoned::Killed,
        Abort::Panicked(_) => Abandoned::Panicked,
    };
    match contained(|| drop_abandoned(why, work)) {
        Ok(()) => abort,
        Err(text) => Abort::Panicked(text),
    }
}

/// Says whether the actor rests because of a suspend.
pub(crate) fn rest(cell: &impl AnyCell, held: bool) {
    if cell.vitals().signals.hold(held) {
        cell.vitals().tell_of_hold(held);
        cell.vitals().notify();
    }
}

/// Runs something that must not unwind any further.
pub(crate) fn contained<T>(run: impl FnOnce() -> T) -> Result<T, Box<str>> {
    catch_unwind(AssertUnwindSafe(run)).map_err(|payload| panic_text(&*payload))
}

fn panic_text(payload: &(dyn Any + Send)) -> Box<str> {
    if let Some(text) = payload.downcast_ref::<&str>() {
        (*text).into()
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text.as_str().into()
    } else {
        "with a payload that is no text".into()
    }
}
