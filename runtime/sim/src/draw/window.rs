//! Which part of a long run is worth a picture: the violation and what led to it, else the first reconfiguration, else
//! the beginning.

use std::collections::BTreeMap;
use std::ops::Range;

use palco_rambo::Version;

use super::kind::Family;
use crate::Trace;
use crate::trace::Happening;

/// Messages in a picture, at most: more hide each other.
pub const MESSAGES_MAX: usize = 150;

/// Events of all kinds in a picture, at most.
pub const EVENTS_MAX: usize = 600;

/// A part of a trace, by the positions of its events; never more than a picture has room for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    events: Range<usize>,
    reason: Reason,
}

/// Why this part was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    Asked,
    Violation,
    Reconfiguration,
    Beginning,
}

impl Window {
    /// These events; from the first on, as many as there is room for: at most [`MESSAGES_MAX`] messages and
    /// [`EVENTS_MAX`] events.
    #[must_use]
    pub fn new(trace: &Trace, events: Range<usize>) -> Self {
        let end = events.end.min(trace.events.len());
        let start = events.start.min(end);
        let mut room = Room::new(trace, start, MESSAGES_MAX);
        while room.events.end < end && room.forward() {}
        Self { events: room.events, reason: Reason::Asked }
    }

    /// What somebody would look for: the first violation and what led to it, else the first reconfiguration, else the
    /// beginning.
    #[must_use]
    pub fn interesting(trace: &Trace) -> Self {
        let is_violation = |what: &Happening| matches!(what, Happening::Violation { .. });
        let violation = trace.events.iter().position(|event| is_violation(&event.what));
        let (at, share, reason) = match (violation, reconfiguration(trace)) {
            (Some(at), _) => (at, MESSAGES_MAX * 4 / 5, Reason::Violation),
            (None, Some(at)) => (at, MESSAGES_MAX / 6, Reason::Reconfiguration),
            (None, None) => (0, 0, Reason::Beginning),
        };
        let mut room = Room::new(trace, at, share);
        // Itself first, then what led to it, then what came of it; what is left of the room goes to what led to it.
        room.forward();
        while room.backward() {}
        room.messages_max = MESSAGES_MAX;
        while room.forward() {}
        while room.backward() {}
        Self { events: room.events, reason }
    }

    /// Positions in [`Trace::events`].
    #[must_use]
    pub fn events(&self) -> Range<usize> {
        self.events.clone()
    }

    pub(super) const fn reason(&self) -> Reason {
        self.reason
    }
}

/// A window as it grows.
struct Room<'a> {
    trace: &'a Trace,
    events: Range<usize>,
    messages: usize,
    messages_max: usize,
}

impl<'a> Room<'a> {
    fn new(trace: &'a Trace, at: usize, messages_max: usize) -> Self {
        Self { trace, events: at..at, messages: 0, messages_max }
    }

    fn forward(&mut self) -> bool {
        let end = self.events.end;
        self.takes(end) && {
            self.events.end += 1;
            true
        }
    }

    fn backward(&mut self) -> bool {
        self.events.start.checked_sub(1).is_some_and(|before| self.takes(before)) && {
            self.events.start -= 1;
            true
        }
    }

    /// Whether there is such an event, and room for it.
    fn takes(&mut self, at: usize) -> bool {
        let Some(event) = self.trace.events.get(at) else { return false };
        let message = usize::from(matches!(event.what, Happening::Message { .. }));
        let fits = self.events.len() < EVENTS_MAX && self.messages + message <= self.messages_max;
        if fits {
            self.messages += message;
        }
        fits
    }
}

/// The first event by which anybody came to know of another configuration, or tried to decide on one.
fn reconfiguration(trace: &Trace) -> Option<usize> {
    let mut known: BTreeMap<_, Version> = BTreeMap::new();
    trace.events.iter().position(|event| match &event.what {
        Happening::Learned { node, map } => {
            known.insert(*node, map.version()).is_some_and(|before| before != map.version())
        }
        Happening::Message { kind, .. } => Family::of(kind) == Family::Decide,
        Happening::Asked { .. }
        | Happening::Told { .. }
        | Happening::Held { .. }
        | Happening::Fault { .. }
        | Happening::Violation { .. } => false,
    })
}
