//! A window of time in which everything is noted down.

use std::collections::HashMap;
use std::time::Duration;

use palco_actors::{ActorId, Caught, Closeness, MessageNote, Met, PlaceKind, StepNote, System};

use crate::model::{Capture, Lifeline, MessageRecord, StepRecord};
use crate::picture::{short, us};

pub(crate) async fn take(system: &System, window: Duration) -> Capture {
    let from_us = us(system.clock().now());
    system.begin_capture();
    let observing = system.observe(Closeness::Everything);
    system.clock().sleep(window).await;
    let mut caught = system.end_capture();
    drop(observing);
    let until_us = us(system.clock().now());
    // Those whose handlers still run.
    for actor in system.survey().0 {
        caught.messages.extend(actor.0.notes().running);
    }
    caught.messages.retain(|note| us(note.sent) <= until_us);
    caught.messages.sort_by_key(|note| note.sent);
    let messages = caught.messages.iter().map(record).collect();
    let steps = steps(&caught.steps);
    let lifelines = lifelines(system, &caught);
    Capture { from_us, until_us, lifelines, messages, steps, lost: caught.lost }
}

pub(crate) fn record(note: &MessageNote) -> MessageRecord {
    MessageRecord {
        id: note.id,
        trace: note.trace,
        cause: note.cause,
        from: note.from,
        to: note.to,
        message: short(note.message),
        urgent: note.urgent,
        ask: note.ask,
        sent_us: us(note.sent),
        begun_us: us(note.begun),
        ended_us: note.ended.map(us),
        outcome: match (note.dropped, note.ended) {
            (Some(reason), _) => reason.to_string(),
            (None, Some(_)) => "handled".to_owned(),
            (None, None) => "in flight".to_owned(),
        },
    }
}

/// Each step lasts until the next of the same actor. The ends of handlers are no steps themselves.
pub(crate) fn steps(notes: &[StepNote]) -> Vec<StepRecord> {
    let mut until: HashMap<ActorId, u64> = HashMap::new();
    let mut records = Vec::new();
    for note in notes.iter().rev() {
        let until_us = until.insert(note.actor, us(note.at));
        if let Some(what) = &note.what {
            let (actor, trace, what) = (note.actor, note.trace, what.to_string());
            records.push(StepRecord { actor, trace, what, at_us: us(note.at), until_us });
        }
    }
    records.sort_by_key(|record| record.at_us);
    records
}

/// Everybody who occurs, in the order of the first occurrence.
fn lifelines(system: &System, caught: &Caught) -> Vec<Lifeline> {
    let messages = caught.messages.iter().flat_map(|note| {
        let from = note.from.map(|from| (note.sent, from));
        from.into_iter().chain([(note.begun, note.to)])
    });
    // The end of a handler that began before is nothing to be shown.
    let steps = caught.steps.iter().filter(|note| note.what.is_some());
    let steps = steps.map(|note| (note.at, note.actor));
    let mut occurrences: Vec<_> = messages.chain(steps).collect();
    occurrences.sort_unstable();
    let mut lifelines: Vec<Lifeline> = Vec::new();
    let mut seen = std::collections::HashSet::new();
    for (_, actor) in occurrences {
        if seen.insert(actor) {
            let met = caught.actors.get(&actor).cloned().or_else(|| meet(system, actor));
            lifelines.extend(met.map(|met| lifeline(actor, met)));
        }
    }
    lifelines
}

/// Somebody who has only sent.
fn meet(system: &System, actor: ActorId) -> Option<Met> {
    let snapshot = system.find(&actor.to_string())?.snapshot();
    Some(Met {
        path: snapshot.path,
        actor_type: "",
        place: snapshot.place,
        thread: snapshot.thread.map(|thread| thread.to_string()).unwrap_or_default(),
        pid: snapshot.process.and_then(|process| process.pid),
    })
}

fn lifeline(actor: ActorId, met: Met) -> Lifeline {
    let lane = match (met.place, met.pid, met.thread.rsplit_once("arbiter:")) {
        (PlaceKind::Process, Some(pid), _) => format!("process {pid}"),
        (PlaceKind::Task, _, Some((_, number))) => format!("loop {number}"),
        (PlaceKind::Thread, ..) => format!("thread {}", met.thread),
        _ => met.thread,
    };
    let (path, actor_type, place) = (met.path, met.actor_type.to_owned(), met.place);
    Lifeline { actor, path, actor_type, place, lane }
}
