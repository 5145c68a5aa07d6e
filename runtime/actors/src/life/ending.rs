//! The end of a life: children first; and of the last one: nothing is accepted any more, everyone who waits is told.

use std::sync::Arc;
use std::time::Duration;

use palco_core::ExitReason;

use crate::dead_letters::{DeadLetter, DropReason};
use crate::envelope::Envelope;
use crate::guard::contained;
use crate::observation::LifeChange;
use crate::signal::{self, KILL, STOP};
use crate::vitals::{AnyCell, Cell, Phase, Vitals};
use crate::{Actor, Restart};

/// How long a killed child is waited for before it is left behind.
const KILL_WITHIN: Duration = Duration::from_secs(1);

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
