//! What is asked again, given up or taken over when time passes. Time is for progress alone: nothing is safe because of
//! it (pitfall 25).

use std::time::Duration;

use palco_core::Time;

use super::operations::Stage;
use super::{Participant, Turn};
use crate::Effect;
use crate::tally::Which;

/// Pauses double up to this many times.
const DOUBLINGS_MAX: u32 = 4;

/// When what is to be looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Timers {
    /// What the driver was asked for last, and has not said yet.
    armed: Option<Time>,
    /// Nothing is to be done before.
    due: Option<Time>,
    pub(super) asked_map: Option<Time>,
    /// Since when more than one configuration is active.
    pub(super) upgrade_stands: Option<Time>,
    /// When to compare notes with a member.
    notes_at: Time,
}

impl Participant {
    /// Something is to be done at this time.
    pub(super) fn wake_by(&mut self, at: Time) {
        self.timers.due = Some(self.timers.due.map_or(at, |due| due.min(at)));
    }

    pub(super) fn set_timer(&mut self, turn: &mut Turn<'_>) {
        if let Some(due) = self.timers.due
            && self.timers.armed.is_none_or(|armed| due < armed)
        {
            self.timers.armed = Some(due);
            turn.effects.push(Effect::SetTimer { at: due });
        }
    }

    pub(super) fn timer(&mut self, turn: &mut Turn<'_>) {
        self.timers.armed = None;
        self.timers.due = None;
        if self.map.is_none() {
            self.ask_seeds(turn);
            self.wake_by(turn.now + self.settings.resend);
            return;
        }
        for slot in 0..self.operations.slots() {
            self.look_after(slot, turn);
        }
        self.look_after_fetch(turn);
        self.look_after_drive(turn);
        self.look_after_upgrade(turn);
        if self.timers.notes_at <= turn.now {
            self.compare_notes(turn);
            self.timers.notes_at = turn.now + self.settings.takeover.mul_f64(0.5 + self.fraction());
        }
        self.wake_by(self.timers.notes_at);
    }

    fn look_after(&mut self, slot: u32, turn: &mut Turn<'_>) {
        let Some(mut operation) = self.operations.take_slot(slot) else { return };
        if operation.deadline <= turn.now {
            return self.expire(slot, operation, turn);
        }
        self.wake_by(operation.deadline);
        if operation.resend_at > turn.now {
            self.wake_by(operation.resend_at);
            return self.operations.give_back(slot, operation);
        }
        if operation.stage == Stage::CasBackoff {
            return self.begin_prepare(slot, operation, turn);
        }
        if operation.asked.is_some() {
            return self.ask_the_others(slot, operation, turn);
        }
        operation.resends += 1;
        operation.resend_at = turn.now + self.pause(operation.resends);
        self.wake_by(operation.resend_at);
        self.ask_members(slot, &operation, Which::Silent, turn);
        if operation.resends > DOUBLINGS_MAX {
            // Perhaps all that is known here was removed long ago.
            self.ask_seeds(turn);
        }
        self.operations.give_back(slot, operation);
    }

    /// How long to wait before asking again.
    pub(super) fn pause(&self, resends: u32) -> Duration {
        self.settings.resend * (1 << resends.min(DOUBLINGS_MAX))
    }

    /// How long to wait after a refused ballot: by lot, so that two do not meet again and again (pitfall 23).
    pub(super) fn backoff(&mut self, refusals: u32) -> Duration {
        let longest = self.settings.resend / 16 * (1 << refusals.min(2 * DOUBLINGS_MAX));
        longest.mul_f64(self.fraction())
    }

    /// From 0 up to 1, by lot.
    pub(super) fn fraction(&mut self) -> f64 {
        (self.draw() >> 11) as f64 / (1_u64 << 53) as f64
    }
}
