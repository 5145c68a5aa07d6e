//! All notes of a window of time.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};

use palco_core::ActorId;
use parking_lot::Mutex;

use super::notes::{MessageNote, StepNote};
use crate::vitals::Vitals;
use crate::{PlaceKind, System};

/// How many messages, and how many steps, a capture holds.
const CAPTURED_MAX: usize = 100_000;

#[derive(Debug, Default)]
pub(crate) struct Captured {
    is_on: AtomicBool,
    notes: Mutex<Caught>,
}

/// What a capture has collected.
#[derive(Clone, Debug, Default)]
pub struct Caught {
    /// Messages, by the ends of their handlers.
    pub messages: Vec<MessageNote>,
    /// Steps, by their begins.
    pub steps: Vec<StepNote>,
    /// Who has handled something, as it was at that moment: it may have ended since.
    pub actors: HashMap<ActorId, Met>,
    /// How many notes there was no room for.
    pub lost: u64,
}

/// Somebody who occurs in a capture.
#[derive(Clone, Debug)]
pub struct Met {
    /// Its path.
    pub path: String,
    /// Its Rust type.
    pub actor_type: &'static str,
    /// Where it lives.
    pub place: PlaceKind,
    /// The name of the thread that ran it, or its relay.
    pub thread: String,
    /// Its process, if it has one of its own.
    pub pid: Option<i32>,
}

impl Captured {
    pub(super) fn is_on(&self) -> bool {
        self.is_on.load(Ordering::Relaxed)
    }

    pub(super) fn message(&self, of: &Vitals, note: &MessageNote) {
        let notes = &mut *self.notes.lock();
        notes.meet(of);
        push(&mut notes.messages, note, &mut notes.lost);
    }

    pub(super) fn step(&self, of: &Vitals, note: &StepNote) {
        let notes = &mut *self.notes.lock();
        notes.meet(of);
        push(&mut notes.steps, note, &mut notes.lost);
    }
}

impl Caught {
    fn meet(&mut self, of: &Vitals) {
        if self.actors.len() < CAPTURED_MAX {
            self.actors.entry(of.id).or_insert_with(|| Met {
                path: of.path(),
                actor_type: of.actor_type,
                place: of.place,
                thread: palco_threads::name_here(),
                pid: of.process().and_then(|process| process.pid),
            });
        }
    }
}

fn push<T: Clone>(notes: &mut Vec<T>, note: &T, lost: &mut u64) {
    if notes.len() < CAPTURED_MAX {
        notes.push(note.clone());
    } else {
        *lost += 1;
    }
}

impl System {
    /// Begins to collect all notes of the whole system, beside the notebooks of the actors; what was collected before
    /// is forgotten. At most 100 000 messages and as many steps are held.
    pub fn begin_capture(&self) {
        let captured = &self.observation().captured;
        *captured.notes.lock() = Caught::default();
        captured.is_on.store(true, Ordering::Relaxed);
    }

    /// Ends that; what was collected.
    #[must_use]
    pub fn end_capture(&self) -> Caught {
        let captured = &self.observation().captured;
        captured.is_on.store(false, Ordering::Relaxed);
        std::mem::take(&mut *captured.notes.lock())
    }
}
