//! From start to end: the loop that every place polls, whatever the actor.
//!
//! A *life* runs from the start hook to the stop hook. Between two lives the supervisor decides; the mailbox stays
//! open, so the address and what is queued survive. After the last life the mailbox is closed.

use std::any::type_name;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use palco_core::ExitReason;

use crate::context::{Context, Next};
use crate::dead_letters::{DeadLetter, DropReason};
use crate::envelope::Envelope;
use crate::guard::{Abort, contained, guarded, rest};
use crate::observation::LifeChange;
use crate::signal::{self, INSPECT, INTERRUPT, KILL, OnInterrupt, RECYCLE, RESTART, STOP};
use crate::supervisor::ChildExited;
use crate::vitals::{AnyCell, Cell, Phase, Verdict, Vitals};
use crate::{Actor, Failure, Restart};

/// How long a killed child is waited for before it is left behind.
const KILL_WITHIN: Duration = Duration::from_secs(1);

/// Runs an actor through all its lives. Dropped early, it still closes the mailbox and tells who watches.
pub(crate) async fn run<A: Actor>(
    mut end: EndGuard<A>,
    mut make: impl FnMut() -> Result<A, Failure>,
) {
    let Some(cell) = end.cell() else { return };
    let mut cx = Context::new(Arc::clone(&cell));
    let reason = loop {
        let reason = live(&cell, &mut cx, &mut make).await;
        cx.reset();
        match verdict(&cell, reason).await {
            None => {
                cell.vitals.activity.restarts.fetch_add(1, std::sync::atomic::Ordering::Relaxed)
            }
            Some(reason) => break reason,
        };
    };
    end.disarm();
    drop(cx); // gives back what it has fetched
    drop(make); // what it holds is free when the end is known
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
    let vitals = &cell.vitals;
    vitals.set_phase(Phase::Starting);
    let mut actor = match contained(make) {
        Ok(Ok(actor)) => actor,
        Ok(Err(failure)) => return ExitReason::StartFailed(failure.into_text()),
        Err(text) => return ExitReason::Panicked(text),
    };
    // The start hook may have children too, also in a later life.
    vitals.children.lock().closed = false;
    vitals.begin_start();
    // Called inside the future: a hook that is no `async fn` may panic before it returns one.
    let started = guarded(&**cell, Box::pin(async { actor.started(cx).await })).await;
    vitals.end_start(started.as_ref().err().map(Abort::drop_reason));
    let mut reason = match started {
        Ok(Ok(())) => {
            vitals.set_phase(Phase::Running);
            messages(cell, &mut actor, cx).await
        }
        Ok(Err(failure)) => ExitReason::StartFailed(failure.into_text()),
        Err(abort) => {
            abort.into_exit().unwrap_or_else(|| ExitReason::StartFailed("interrupted".into()))
        }
    };
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
    let vitals = &cell.vitals;
    loop {
        // Here and not after each message: the start hook may have ended the life as well.
        if let Some(reason) = cx.take_end() {
            return reason;
        }
        let envelope = match poll_fn(|task| cx.poll_next(task)).await {
            Next::Message(envelope) => envelope,
            Next::Inspect => {
                let state = contained(|| actor.state()).ok();
                if let Some(post) = &vitals.post {
                    post.state(state.as_ref());
                }
                if let Some(state) = state {
                    vitals.life.lock().state = Some((state, vitals.system.clock().now()));
                }
                vitals.signals.clear(INSPECT);
                vitals.notify();
                continue;
            }
            Next::End(reason) => return reason,
        };
        let message = envelope.message_type();
        let is_observed = vitals.system.observation().is_on();
        let noting = is_observed.then(|| (envelope.stamp().copied(), envelope.is_ask()));
        let Some(work) = envelope.open(actor, cx) else {
            vitals.activity.dropped.add(DropReason::AskerGone, 1);
            dead_letter(cell, message(), DropReason::AskerGone);
            continue;
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
            Ok(()) => vitals.activity.count_handled(),
            Err(abort) => {
                vitals.activity.dropped.add(abort.drop_reason(), 1);
                dead_letter(cell, message(), abort.drop_reason());
                if let Some(reason) = abort.into_exit() {
                    return reason;
                }
            }
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

/// Stops the children: those that are never restarted all at once, then the others, last started first.
pub(crate) async fn stop_children(cell: &impl AnyCell) {
    let children: Vec<_> = {
        let mut children = cell.vitals().children.lock();
        children.closed = true;
        children.by_id.values().rev().cloned().collect()
    };
    let (fleeting, lasting): (Vec<_>, Vec<_>) =
        children.into_iter().partition(|child| child.vitals().restart == Restart::Never);
    // One signal to all, then one shared wait: their time limits run side by side.
    for (bits, limit) in [(STOP, None), (KILL, Some(KILL_WITHIN))] {
        let clock = cell.vitals().system.clock();
        let begun = clock.now();
        let living = fleeting.iter().filter(|child| child.vitals().phase() != Phase::Ended);
        for child in living.clone() {
            signal::send(child, bits);
        }
        for child in living {
            let limit = limit.unwrap_or(child.vitals().stop_within);
            ended_within(child, limit.saturating_sub(clock.now() - begun)).await;
        }
    }
    for child in &lasting {
        signal::send(child, STOP);
        if !ended_within(child, child.vitals().stop_within).await {
            signal::send(child, KILL);
            ended_within(child, KILL_WITHIN).await;
        }
    }
    for child in fleeting.iter().chain(&lasting) {
        if child.vitals().phase() != Phase::Ended {
            let path = child.vitals().path();
            tracing::error!(actor = %path, "left behind: reached no await point or checkpoint");
        }
    }
}

async fn ended_within(cell: &Arc<dyn AnyCell>, limit: Duration) -> bool {
    let vitals = cell.vitals();
    let ended = vitals.until(|vitals| (vitals.phase() == Phase::Ended).then_some(()));
    vitals.system.within(limit, ended).await.is_some()
}

/// The end of the last life: nothing is accepted any more, everyone who waits is told.
pub(crate) fn finish<A: Actor>(cell: &Arc<Cell<A>>, reason: ExitReason) {
    let vitals = &cell.vitals;
    let dropped = DropReason::of_queued(&reason);
    cell.mailbox.close(|envelope: Box<dyn Envelope<A>>| {
        vitals.activity.dropped.add(dropped, 1);
        dead_letter(cell, envelope.message_type()(), dropped);
        // A message's own Drop may panic; that must not keep the others from being told.
        let _ = contained(|| envelope.discard(dropped));
    });
    if reason.is_failure() {
        tracing::warn!(actor = %vitals.path(), %reason, "actor ended");
    } else {
        tracing::debug!(actor = %vitals.path(), %reason, "actor ended");
    }
    if reason.is_failure() || vitals.restart != Restart::Never {
        vitals.system.observation().events.note(vitals, &reason, LifeChange::Ended);
    }
    vitals.signals.set_thread(None);
    abandon_children(vitals);
    let watchers = {
        // Under the parent's lock, so that whoever sees the end also sees the name free and the child gone, and the
        // parent waits for a child that is still listed.
        let mut siblings = vitals.parent.as_ref().map(|parent| parent.vitals().children.lock());
        vitals.system.forget(&**cell);
        if let Some(siblings) = &mut siblings {
            siblings.by_id.remove(&vitals.id);
        }
        let mut life = vitals.life.lock();
        life.exit = Some(reason.clone());
        life.last_exit = Some(reason.clone());
        life.ended += 1;
        vitals.store_phase(Phase::Ended);
        std::mem::take(&mut life.watchers)
    };
    vitals.notify();
    for watcher in watchers {
        // Each is somebody else's code; a panic in one must not keep the others from being told.
        let _ = contained(|| watcher(vitals, &reason));
    }
}

/// No more children; those that are still there (left behind, or the place went away under this actor) are on their
/// own and told to stop.
fn abandon_children(vitals: &Vitals) {
    let orphans: Vec<_> = {
        let mut children = vitals.children.lock();
        children.closed = true;
        children.by_id.values().cloned().collect()
    };
    for orphan in &orphans {
        signal::send(orphan, STOP);
    }
}

pub(crate) fn dead_letter<A: Actor>(cell: &Cell<A>, message: &'static str, reason: DropReason) {
    let vitals = &cell.vitals;
    vitals.system.dead_letters().push(DeadLetter {
        to: vitals.path().into(),
        message,
        reason,
        at: vitals.system.clock().now_coarse(),
    });
}

/// The name of an actor's type without its modules and parameters.
pub(crate) fn short_type_name<A>() -> &'static str {
    let name = type_name::<A>();
    let name = &name[..name.find('<').unwrap_or(name.len())];
    &name[name.rfind("::").map_or(0, |at| at + 2)..]
}
