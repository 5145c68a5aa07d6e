//! Ends of lives: few, so they are always noted.

use std::collections::VecDeque;

use palco_core::{ActorId, ExitReason, Time};
use parking_lot::Mutex;

use crate::System;
use crate::vitals::Vitals;

/// How many are kept.
const KEPT_MAX: usize = 1024;

/// The end of a life.
#[derive(Clone, Debug)]
pub struct LifeEvent {
    /// Its number in its system, from 1.
    pub number: u64,
    /// When.
    pub at: Time,
    /// Who.
    pub actor: ActorId,
    /// Its path.
    pub path: String,
    /// Why the life has ended.
    pub reason: ExitReason,
    /// What follows.
    pub change: LifeChange,
}

/// What follows the end of a life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LifeChange {
    /// Another life.
    Restarted,
    /// Another life, though nothing was wrong.
    Recycled,
    /// Nothing.
    Ended,
}

#[derive(Debug, Default)]
pub(crate) struct Events(Mutex<Log>);

#[derive(Debug, Default)]
struct Log {
    latest: u64,
    kept: VecDeque<LifeEvent>,
}

impl Events {
    pub(crate) fn note(&self, of: &Vitals, reason: &ExitReason, change: LifeChange) {
        let at = of.system.clock().now();
        let (actor, path, reason) = (of.id, of.path(), reason.clone());
        let log = &mut *self.0.lock();
        log.latest += 1;
        if log.kept.len() == KEPT_MAX {
            log.kept.pop_front();
        }
        log.kept.push_back(LifeEvent { number: log.latest, at, actor, path, reason, change });
    }
}

impl System {
    /// The ends of lives after the one with this number, oldest first, as far as they are kept: the latest 1024. Actors
    /// that are never restarted (connections, say) are left out when they end without failure.
    #[must_use]
    pub fn life_events(&self, after: u64) -> Vec<LifeEvent> {
        let log = self.observation().events.0.lock();
        log.kept.iter().filter(|event| event.number > after).cloned().collect()
    }
}
