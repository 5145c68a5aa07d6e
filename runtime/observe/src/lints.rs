//! What looks wrong, after tokio-console's idea: warnings that say what was seen and what can be done.

use std::collections::HashMap;

use palco_actors::{ActorId, PlaceKind, Status, System};

use crate::model::{Lint, LintKind};
use crate::picture::Known;
use crate::waits::cycles;

/// A handler may keep its event loop to itself for so long, in milliseconds.
const LOOP_BUDGET_MS: u64 = 200;

/// A mailbox grows if it never holds fewer messages than at any time in the window before, of so many milliseconds; and
/// that is said when it holds at least so many.
const GROWING_MS: u64 = 2_000;
const GROWING_MESSAGES: u64 = 16;

/// So many restarts within so long, in milliseconds.
const STORM_RESTARTS: u32 = 3;
const STORM_MS: u64 = 10_000;

/// What is remembered of an actor from look to look.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Watch {
    /// The turn that was running, and since when.
    turn: (u64, u64),
    growth: Growth,
    /// Restarts at the begin of the window, and when that was.
    restarts: (u32, u64),
}

/// How a mailbox changes, in windows of [`GROWING_MS`].
#[derive(Clone, Copy, Debug, Default)]
struct Growth {
    /// When this window began; none before the first look.
    begun_ms: Option<u64>,
    /// The fewest and the most messages in this window, and in the one before.
    now: (u64, u64),
    before: Option<(u64, u64)>,
    /// Since when it has been growing.
    since_ms: Option<u64>,
}

impl Growth {
    /// For how long it has been growing, or full; none if it is neither.
    fn look(&mut self, queued: u64, capacity: u64, at_ms: u64) -> Option<u64> {
        let begun_ms = *self.begun_ms.get_or_insert_with(|| {
            self.now = (queued, queued);
            at_ms
        });
        if at_ms - begun_ms >= GROWING_MS {
            self.before = Some(self.now);
            self.begun_ms = Some(at_ms);
            self.now = (queued, queued);
        }
        self.now = (self.now.0.min(queued), self.now.1.max(queued));
        let grows = self.before.is_some_and(|(fewest, most)| {
            self.now.0 >= most && (self.now.1 > fewest || self.now.0 >= capacity)
        });
        if !grows {
            self.since_ms = None;
            return None;
        }
        Some(at_ms - *self.since_ms.get_or_insert(begun_ms))
    }
}

/// What looks wrong now. What looked wrong `before` keeps the time since when.
pub(crate) fn of(
    system: &System,
    order: &[ActorId],
    known: &mut HashMap<ActorId, Known>,
    at_ms: u64,
    before: &[Lint],
) -> Vec<Lint> {
    let mut lints = Vec::new();
    for id in order {
        let Some(known) = known.get_mut(id).filter(|known| is_alive(known)) else { continue };
        for (kind, text) in of_actor(known, at_ms) {
            lints.push(lint(kind, known, text, at_ms));
        }
    }
    lints.extend(of_waits(system, known, at_ms));
    for lint in &mut lints {
        let same = |old: &&Lint| (old.kind, old.actor) == (lint.kind, lint.actor);
        if let Some(old) = before.iter().find(same) {
            lint.since_ms = old.since_ms;
        }
    }
    lints
}

fn is_alive(known: &Known) -> bool {
    known.view.actor.status != Status::Ended
}

fn lint(kind: LintKind, known: &Known, text: String, since_ms: u64) -> Lint {
    let actor = &known.view.actor;
    Lint { kind, actor: actor.id, path: actor.path.clone(), text, since_ms }
}

fn of_actor(known: &mut Known, at_ms: u64) -> Vec<(LintKind, String)> {
    let mut found = Vec::new();
    let actor = &known.view.actor;
    let watch = &mut known.watch;

    let turn = known.any.turns();
    if watch.turn.0 != turn {
        watch.turn = (turn, at_ms);
    }
    let runs_ms = at_ms - watch.turn.1;
    if turn % 2 == 1 && actor.place.shares_its_thread() && runs_ms >= LOOP_BUDGET_MS {
        let message = actor.note.as_deref().or(actor.message.as_deref()).unwrap_or("a hook");
        let thread = if actor.place == PlaceKind::Fiber { "LWP" } else { "event loop" };
        found.push((
            LintKind::SlowHandler,
            format!(
                "has kept its {thread} to itself for {}, busy with {message}: everybody else there waits. \
                 No signal reaches it before its next await point or checkpoint. Move it to a thread or a process, \
                 or let it call `checkpoint`.",
                seconds(runs_ms)
            ),
        ));
    }

    let growth = watch.growth.look(actor.queued, actor.capacity, at_ms);
    if let Some(grows_ms) = growth.filter(|_| actor.queued >= GROWING_MESSAGES) {
        let doing = match (&actor.note, &actor.message, actor.status) {
            (_, _, Status::Suspended) => "It is suspended: resume it.".to_owned(),
            (Some(doing), ..) | (None, Some(doing), _) => format!(
                "Its handler has been busy with \"{doing}\" for {}: look at whom it waits for, or interrupt it.",
                seconds(actor.running_ms.unwrap_or(0))
            ),
            (None, None, _) => {
                "It gets more than it can handle: add actors, or slow down who sends.".to_owned()
            }
        };
        found.push((
            LintKind::GrowingMailbox,
            format!(
                "{} of {} places of its mailbox are taken, and for {} none have become free on balance. {doing}",
                actor.queued,
                actor.capacity,
                seconds(grows_ms)
            ),
        ));
    }
    if at_ms - watch.restarts.1 > STORM_MS {
        watch.restarts = (actor.restarts, at_ms);
    }
    let restarts = actor.restarts.saturating_sub(watch.restarts.0);
    if restarts >= STORM_RESTARTS {
        let why = actor.last_exit.as_ref().map_or_else(String::new, |exit| format!(": {exit}"));
        found.push((
            LintKind::RestartStorm,
            format!(
                "was started again {restarts} times within {}{why}. Its next failures may make its supervisor give up.",
                seconds(STORM_MS)
            ),
        ));
    }

    let confinement = actor.process.as_ref().and_then(|process| process.confinement.as_deref());
    let lacks = |confinement: &&str| match actor.place {
        PlaceKind::Process => {
            ["not confined", "no landlock", "in part"].iter().any(|lack| confinement.contains(lack))
        }
        // A program of others is confined as it was asked for, unless something is said to be missing.
        PlaceKind::Task | PlaceKind::Thread | PlaceKind::Fiber | PlaceKind::Remote => {
            confinement.contains("; no")
        }
    };
    if let Some(confinement) = confinement.filter(lacks) {
        found.push((
            LintKind::Unconfined,
            format!(
                "its process is less confined than a service's should be ({confinement}): the kernel or \
                 the system has no more to give, or the stage asks for less."
            ),
        ));
    }
    found
}

/// Who waits in a circle.
fn of_waits(system: &System, known: &HashMap<ActorId, Known>, at_ms: u64) -> Vec<Lint> {
    let waits = system.waits();
    let path = |id: &ActorId| {
        known.get(id).map_or_else(|| id.to_string(), |known| known.view.actor.path.clone())
    };
    let mut lints = Vec::new();
    for cycle in cycles(waits.iter().map(|waiting| (waiting.from, waiting.to))) {
        let Some(known) = cycle.first().and_then(|first| known.get(first)) else { continue };
        if cycle.len() == 1 {
            let text =
                "asks itself: it cannot answer before it has its answer, so this can only expire. \
                        Call the code instead, or tell."
                    .to_owned();
            lints.push(lint(LintKind::AsksItself, known, text, at_ms));
        } else {
            let names: Vec<_> = cycle.iter().map(path).collect();
            let text = format!(
                "waits in a circle with others: {}. None of them can answer before the deadline. Interrupt one of \
                 them; to mend it, let one of them tell instead of ask.",
                names.join(" → ")
            );
            lints.push(lint(LintKind::Deadlock, known, text, at_ms));
        }
    }
    lints
}

fn seconds(ms: u64) -> String {
    format!("{:.1} s", ms as f64 / 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// For how long a mailbox has been growing after these looks, four a second.
    fn grows(queued: impl IntoIterator<Item = u64>) -> Option<u64> {
        let mut growth = Growth::default();
        let mut last = None;
        for (look, queued) in queued.into_iter().enumerate() {
            last = growth.look(queued, 100, look as u64 * 250);
        }
        last
    }

    #[test]
    fn a_mailbox_that_only_fills_grows() {
        assert_eq!(grows(0..8), None, "not before two seconds have passed");
        assert!(grows(0..20).is_some_and(|ms| ms >= 2_000));
        assert!(grows((0..20).chain([100; 20])).is_some(), "full, and nothing becomes free");
    }

    #[test]
    fn a_mailbox_that_is_emptied_or_only_swings_does_not() {
        assert_eq!(grows((0..40).map(|look| 20 + look % 7)), None);
        assert_eq!(grows((0..20).chain([0])), None);
        assert_eq!(grows([30; 12]), None, "it stays as it is");
        assert_eq!(grows([30; 40]), None);
    }
}
