//! How closely a system is looked at.

use std::fmt;
use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering};

use super::capture::Captured;
use super::events::Events;
use super::waits::Waits;
use crate::System;

/// How closely a system is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Closeness {
    /// Messages are counted by type, and who waits for whom is known.
    Attached,
    /// Of every sixteen messages that come from outside, or from a timer, one is followed, with all that it causes.
    Sampled,
    /// Every message is followed.
    Everything,
}

impl Closeness {
    const ALL: [Self; 3] = [Self::Attached, Self::Sampled, Self::Everything];
}

/// What a system notes down.
#[derive(Debug, Default)]
pub(crate) struct Observation {
    /// 0, or the closest wish and one.
    level: AtomicU8,
    /// How many observers want each closeness.
    observers: [AtomicU32; Closeness::ALL.len()],
    messages: AtomicU64,
    pub(crate) waits: Waits,
    pub(crate) events: Events,
    pub(super) captured: Captured,
}

impl Observation {
    /// Whether anybody looks.
    pub(crate) fn is_on(&self) -> bool {
        self.level.load(Ordering::Relaxed) != 0
    }

    /// Whether somebody looks at least so closely.
    pub(crate) fn is(&self, closeness: Closeness) -> bool {
        self.level.load(Ordering::Relaxed) > closeness as u8
    }

    /// A number for a message.
    pub(super) fn next_message(&self) -> u64 {
        self.messages.fetch_add(1, Ordering::Relaxed) + 1
    }

    fn enter(&self, closeness: Closeness, more: bool) {
        let observers = &self.observers[closeness as usize];
        if more {
            observers.fetch_add(1, Ordering::SeqCst);
        } else {
            observers.fetch_sub(1, Ordering::SeqCst);
        }
        // Two that change it at once end with the same: each reads what both have entered, or the later one does.
        let wants = |closeness: &&Closeness| {
            self.observers[**closeness as usize].load(Ordering::SeqCst) > 0
        };
        let level = Closeness::ALL.iter().rev().find(wants).map_or(0, |closest| *closest as u8 + 1);
        self.level.store(level, Ordering::SeqCst);
    }
}

/// A look at a system that lasts as long as this lives.
#[must_use = "nobody looks any more when it is dropped"]
pub struct Observing {
    system: System,
    closeness: Closeness,
}

impl System {
    /// Looks at this system so closely as long as the answer lives. What is noted then is had by
    /// [`AnyRef::notes`](crate::AnyRef::notes) and [`System::end_capture`].
    pub fn observe(&self, closeness: Closeness) -> Observing {
        self.observation().enter(closeness, true);
        // They have to tell their processes.
        self.wake_processes();
        Observing { system: self.clone(), closeness }
    }
}

impl Drop for Observing {
    fn drop(&mut self) {
        self.system.observation().enter(self.closeness, false);
    }
}

impl fmt::Debug for Observing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observing").field("closeness", &self.closeness).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closest_look_counts_as_long_as_it_lasts() {
        let observation = Observation::default();
        assert!(!observation.is_on());
        observation.enter(Closeness::Attached, true);
        observation.enter(Closeness::Everything, true);
        assert!(observation.is(Closeness::Sampled) && observation.is(Closeness::Everything));
        observation.enter(Closeness::Everything, false);
        assert!(observation.is_on() && !observation.is(Closeness::Sampled));
        observation.enter(Closeness::Attached, false);
        assert!(!observation.is_on());
    }
}
