//! Everything that is known of one actor.

use palco_actors::{AnyRef, Inspection, LifeChange};

use crate::capture::{record, steps};
use crate::model::{ActorPage, ExitEntry, Histogram, Queued, TypeCount};
use crate::observer::Inner;
use crate::picture::{ms, short, us, view_of};
use crate::waits;

/// How many messages of its mailbox are shown.
const QUEUE_MAX: usize = 20;

/// How many ends of lives are shown.
const EXITS_MAX: usize = 20;

pub(crate) fn of(observer: &Inner, any: &AnyRef, inspection: Inspection) -> ActorPage {
    let system = &observer.system;
    let notes = any.notes();
    let now_us = us(system.clock().now());
    let queue = any.peek(QUEUE_MAX).into_iter().map(|peeked| Queued {
        message: short(peeked.message),
        urgent: peeked.urgent,
        ask: peeked.ask,
        from: peeked.from,
        waiting_us: peeked.sent.map(|sent| now_us.saturating_sub(us(sent))),
    });
    let path = |actor| {
        let known = observer.picture.lock().find(actor);
        known.or_else(|| system.find(&actor.to_string())).map(|any| any.path())
    };
    let waits = waits::of(system, path).edges;
    let (waits_for, others): (Vec<_>, Vec<_>) =
        waits.into_iter().partition(|edge| edge.from == any.id());
    let types = notes
        .types
        .iter()
        .map(|(message, handled)| TypeCount { message: short(message), handled: *handled });
    let mut exits: Vec<ExitEntry> = system
        .life_events(0)
        .into_iter()
        .filter(|event| event.actor == any.id())
        .map(|event| ExitEntry {
            at_ms: ms(event.at),
            text: event.reason.to_string(),
            reason: event.reason,
            restarted: event.change != LifeChange::Ended,
        })
        .collect();
    exits.drain(..exits.len().saturating_sub(EXITS_MAX));
    ActorPage {
        view: view_of(any, inspection.actor),
        state: inspection.state,
        freshness: inspection.freshness,
        queue: queue.collect(),
        types: types.collect(),
        exits,
        messages: notes.messages.iter().chain(&notes.running).map(record).collect(),
        steps: steps(&notes.steps),
        children: any.children().iter().map(AnyRef::id).collect(),
        waits_for,
        waited_for_by: others.into_iter().filter(|edge| edge.to == any.id()).collect(),
        wait_histogram: Histogram { buckets: notes.waited },
        handle_histogram: Histogram { buckets: notes.ran },
    }
}
