//! Who waits for whom.

use std::any::type_name;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use palco_core::{ActorId, Time};
use parking_lot::Mutex;

use super::closeness::Observation;
use super::stamp::Current;
use crate::System;
use crate::vitals::Vitals;

/// An ask without an answer yet.
#[derive(Clone, Debug)]
pub struct Waiting {
    /// Who waits.
    pub from: ActorId,
    /// For whom.
    pub to: ActorId,
    /// The type of the question.
    pub message: &'static str,
    /// Since when.
    pub since: Time,
}

/// The asks of actors that have no answer yet.
#[derive(Debug, Default)]
pub(crate) struct Waits {
    open: Arc<Mutex<HashMap<u64, Waiting>>>,
    next: AtomicU64,
}

/// One of them; struck out when it is dropped.
pub(crate) struct Wait {
    open: Arc<Mutex<HashMap<u64, Waiting>>>,
    number: u64,
}

impl Observation {
    /// Notes that the actor whose handler runs here waits for `to`, if anybody looks.
    pub(crate) fn wait<M>(&self, to: &Vitals) -> Option<Wait> {
        if !self.is_on() {
            return None;
        }
        let current = Current::get()?;
        let since = to.system.clock().now_coarse();
        let waiting = Waiting { from: current.actor, to: to.id, message: type_name::<M>(), since };
        let number = self.waits.next.fetch_add(1, Ordering::Relaxed);
        self.waits.open.lock().insert(number, waiting);
        Some(Wait { open: Arc::clone(&self.waits.open), number })
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        self.open.lock().remove(&self.number);
    }
}

impl System {
    /// The asks of actors that have no answer yet, oldest first; of those that began while the system was observed.
    #[must_use]
    pub fn waits(&self) -> Vec<Waiting> {
        let open = self.observation().waits.open.lock();
        let mut waits: Vec<_> = open.values().cloned().collect();
        drop(open);
        waits.sort_by_key(|waiting| waiting.since);
        waits
    }
}
