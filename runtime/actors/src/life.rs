//! From start to end: the loop that every place polls, whatever the actor.
//!
//! A *life* runs from the start hook to the stop hook. Between two lives the supervisor decides; the mailbox stays
//! open, so the address and what is queued survive. After the last life the mailbox is closed.

mod ending;

use std::any::type_name;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use palco_core::ExitReason;

use crate::context::{Context, Next};
use crate::dead_letters::DropReason;
use crate::guard::{Abort, contained, guarded, rest};
use crate::observation::LifeChange;
use crate::signal::{INTERRUPT, KILL, OnInterrupt, RECYCLE, RESTART, STOP};
use crate::supervisor::ChildExited;
use crate::vitals::{AnyCell, Cell, Phase, Verdict};
use crate::{Actor, Failure, Restart};
pub(crate) use ending::{dead_letter, finish, stop_children};

/// Runs an actor through all its lives. Dropped early, it still closes the mailbox and tells who watches.
pub(crate) async fn run<A: Actor>(end: EndGuard<A>, mut make: impl FnMut() -> Result<A, Failure>) {
    let Some(cell) = end.cell() else { return };
    let mut cx = Context::new(Arc::clone(&cell));
    let reason = loop {
        let reason = live(&cell, &mut cx, &mut make).await;
        if let Some(reason) = follow(&cell, &mut cx, reason).await {
            break reason;
        }
    };
    drop(make); // what it holds is free when the end is known
    conclude(end, cx, reason);
}

/// What follows a life: nothing, which is another one, or the end.
pub(crate) async fn follow<A: Actor>(
    cell: &Arc<Cell<A>>,
    cx: &mut Context<A>,
    reason: ExitReason,
) -> Option<ExitReason> {
    cx.reset();
    let end = verdict(cell, reason).await;
    if end.is_none() {
        cell.vitals.activity.restarts.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    }
    end
}

/// After the last life.
pub(crate) fn conclude<A: Actor>(mut end: EndGuard<A>, cx: Context<A>, reason: ExitReason) {
    let Some(cell) = end.cell() else { return };
    end.disarm();
    drop(cx); // gives back what it has fetched
    finish(&cell, reason);
}

/// Ends an actor whose place goes away under it. Made before the place is asked for, because a place may also take a
/// life and never run it.
pub(crate) struct EndGuard<A: Actor>(Option<Arc<Cell<A>>>);

impl<A: Actor> EndGuard<A> {
    pub(crate) fn new(cell: Arc<Cell<A>>) -> Self {
        Self(Some(cell))
    }

    pub(crate) fn cell(&self) -> Option<Arc<Cell<A>>> {
        self.0.clone()
    }

    /// The actor has come to its end by itself.
    pub(crate) fn disarm(&mut self) {
        self.0 = None;
    }
}

impl<A: Actor> Drop for EndGuard<A> {
    fn drop(&mut self) {
        let Some(cell) = self.0.take() else { return };
        cell.vitals.end_standing();
        if let Some((message, _)) = cell.vitals.activity.current() {
            cell.vitals.activity.finish();
            cell.vitals.activity.dropped.add(DropReason::Killed, 1);
            dead_letter(&cell, message, DropReason::Killed);
        }
        finish(&cell, ExitReason::Killed);
    }
}

/// One life: made, started, message after message, children stopped, stopped.
pub(crate) async fn live<A: Actor>(
    cell: &Arc<Cell<A>>,
    cx: &mut Context<A>,
    make: &mut impl FnMut() -> Result<A, Failure>,
) -> ExitReason {
    let (mut actor, failed) = match begin(cell, cx, make).await {
        Ok(begun) => begun,
        Err(reason) => return reason,
    };
    let reason = match failed {
        None => messages(cell, &mut actor, cx).await,
        Some(reason) => reason,
    };
    end(cell, actor, cx, reason).await
}

/// Makes the actor and runs its start hook; with the actor, why its life must end at once. Without one there is nothing
/// to end.
pub(crate) async fn begin<A: Actor>(
    cell: &Arc<Cell<A>>,
    cx: &mut Context<A>,
    make: &mut impl FnMut() -> Result<A, Failure>,
) -> Result<(A, Option<ExitReason>), ExitReason> {
    let vitals = &cell.vitals;
    vitals.set_phase(Phase::Starting);
    let mut actor = match contained(make) {
        Ok(Ok(actor)) => actor,
        Ok(Err(failure)) => return Err(ExitReason::StartFailed(failure.into_text())),
        Err(text) => return Err(ExitReason::Panicked(text)),
    };
    // The start hook may have children too, also in a later life.
    vitals.children.lock().closed = false;
    vitals.begin_start();
    // Called inside the future: a hook that is no `async fn` may panic before it returns one.
    let started = guarded(&**cell, Box::pin(async { actor.started(cx).await })).await;
    vitals.end_start(started.as_ref().err().map(Abort::drop_reason));
    let failed = match started {
        Ok(Ok(())) => {
            vitals.set_phase(Phase::Running);
            None
        }
        Ok(Err(failure)) => Some(ExitReason::StartFailed(failure.into_text())),
        Err(abort) => {
            Some(abort.into_exit().unwrap_or_else(|| ExitReason::StartFailed("interrupted".into())))
        }
    };
    Ok((actor, failed))
}

/// Stops the children, runs the stop hook and drops the actor.
pub(crate) async fn end<A: Actor>(
    cell: &Arc<Cell<A>>,
    mut actor: A,
    cx: &mut Context<A>,
    mut reason: ExitReason,
) -> ExitReason {
    let vitals = &cell.vitals;
    vitals.set_phase(Phase::Stopping);
    rest(&**cell, false);
    vitals.signals.set_on_interrupt(OnInterrupt::Ignore);
    stop_children(&**cell).await;
    if reason != ExitReason::Killed {
        let why = reason.clone();
        let hook = Box::pin(async { actor.stopped(&why, cx).await });
        if let Err(abort) = guarded(&**cell, hook).await {
            worsen(&mut reason, abort);
        }
    }
    if let Err(text) = contained(|| drop(actor)) {
        worsen(&mut reason, Abort::Panicked(text));
    }
    vitals.end_standing();
    vitals.signals.set_on_interrupt(OnInterrupt::Abandon);
    reason
}

/// The stop hook went wrong as well: a first failure stays the reason.
fn worsen(reason: &mut ExitReason, abort: Abort) {
    if !reason.is_failure()
        && let Some(worse) = abort.into_exit()
    {
        *reason = worse;
    }
}

/// Handles messages until the life ends.
async fn messages<A: Actor>(cell: &Arc<Cell<A>>, actor: &mut A, cx: &mut Context<A>) -> ExitReason {
    loop {
        // Here and not after each message: the start hook may have ended the life as well.
        if let Some(reason) = cx.take_end() {
            return reason;
        }
        let next = poll_fn(|task| cx.poll_next(task)).await;
        if let Some(reason) = turn(cell, actor, cx, next).await {
            return reason;
        }
    }
}

/// One turn: does what comes next. Some reason is the end of the life.
pub(crate) async fn turn<A: Actor>(
    cell: &Arc<Cell<A>>,
    actor: &mut A,
    cx: &mut Context<A>,
    next: Next<A>,
) -> Option<ExitReason> {
    let vitals = &cell.vitals;
    let envelope = match next {
        Next::Message(envelope) => envelope,
        Next::Inspect => {
            vitals.show(|| actor.state());
            return None;
        }
        Next::End(reason) => return Some(reason),
    };
    let message = envelope.message_type();
    let is_observed = vitals.system.observation().is_on();
    let noting = is_observed.then(|| (envelope.stamp().copied(), envelope.is_ask()));
    let Some(work) = envelope.open(actor, cx) else {
        vitals.activity.dropped.add(DropReason::AskerGone, 1);
        dead_letter(cell, message(), DropReason::AskerGone);
        return None;
    };
    let now = vitals.system.clock().now_coarse();
    vitals.activity.begin(message, now);
    if let Some((stamp, is_ask)) = noting {
        vitals.begin_noting(stamp.as_ref(), message, is_ask);
    }
    if let Some(post) = &vitals.post {
        // A handler may block for long; what is owed to others does not wait for it.
        let _ = post.flush();
        post.page.set_busy(now);
    }
    let outcome = guarded(&**cell, work).await;
    vitals.describe(None);
    if let Some(post) = &vitals.post {
        post.page.set_idle();
    }
    vitals.activity.finish();
    if vitals.signals.end_step() {
        vitals.notify();
    }
    // Not of a message that began before somebody looked.
    if is_observed {
        vitals.end_noting(message, outcome.as_ref().err().map(Abort::drop_reason));
    }
    match outcome {
        Ok(()) => {
            vitals.activity.count_handled();
            None
        }
        Err(abort) => {
            vitals.activity.dropped.add(abort.drop_reason(), 1);
            dead_letter(cell, message(), abort.drop_reason());
            abort.into_exit()
        }
    }
}

/// Asks the supervisor what follows; `None` is another life.
pub(crate) async fn verdict<A: Actor>(
    cell: &Arc<Cell<A>>,
    reason: ExitReason,
) -> Option<ExitReason> {
    let vitals = &cell.vitals;
    let signals = &vitals.signals;
    let recycled = reason == ExitReason::Recycled;
    let is_wish = recycled && signals.has(RESTART) && !signals.has(STOP | RECYCLE);
    if is_wish && vitals.reports_to.is_some() && vitals.restart != Restart::Never {
        vitals.life.lock().last_exit = Some(reason.clone());
        signals.clear(RESTART | INTERRUPT);
        vitals.system.observation().events.note(vitals, &reason, LifeChange::Recycled);
        vitals.notify();
        return None;
    }
    let wanted = match vitals.restart {
        Restart::Never => false,
        Restart::OnFailure => reason.is_failure() || recycled,
        Restart::Always => reason != ExitReason::Stopped,
    };
    // A stop is final, whatever ended the life in the end: the supervisor has nothing to decide.
    let supervisor = vitals.reports_to.as_ref().filter(|_| wanted && !signals.has(STOP));
    let Some(supervisor) = supervisor else {
        return Some(if recycled { ExitReason::Stopped } else { reason });
    };
    {
        // A verdict that is already there stays: the supervisor has given up waiting for the end of this life.
        let mut life = vitals.life.lock();
        life.last_exit = Some(reason.clone());
        life.ended += 1;
    }
    signals.clear(KILL | RECYCLE | INTERRUPT);
    vitals.set_phase(Phase::Restarting);
    if reason.is_failure() {
        tracing::warn!(actor = %vitals.path(), %reason, "actor failed");
    }
    let report = ChildExited { id: vitals.id, reason: reason.clone() };
    if !recycled && supervisor.force_urgent(report).is_err() {
        return Some(reason);
    }
    let outcome = poll_fn(|task| {
        cell.register(task.waker());
        let verdict = vitals.life.lock().verdict.take();
        if verdict == Some(Verdict::End) {
            return Poll::Ready(Some(reason.clone()));
        }
        if signals.has(STOP) {
            return Poll::Ready(Some(ExitReason::Stopped));
        }
        // Sent when there was no life to end any more, and not meant for the next one.
        signals.clear(KILL | RECYCLE | INTERRUPT);
        vitals.notify();
        if verdict == Some(Verdict::Restart) { Poll::Ready(None) } else { Poll::Pending }
    })
    .await;
    if outcome.is_none() {
        let change = if recycled { LifeChange::Recycled } else { LifeChange::Restarted };
        vitals.system.observation().events.note(vitals, &reason, change);
    }
    outcome
}

/// The name of an actor's type without its modules and parameters.
pub(crate) fn short_type_name<A>() -> &'static str {
    let name = type_name::<A>();
    let name = &name[..name.find('<').unwrap_or(name.len())];
    &name[name.rfind("::").map_or(0, |at| at + 2)..]
}
