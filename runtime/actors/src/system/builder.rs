//! What a system is made with.

use std::sync::Arc;
use std::thread;

use super::System;
use crate::placement::{self, Place, SpawnOptions};
use crate::{Backoff, Clock, SpawnError, Supervision, Supervisor};

/// Makes a [`System`].
#[derive(Debug)]
#[must_use]
pub struct SystemBuilder {
    clock: Clock,
    event_loops: usize,
    lwps: usize,
    supervision: Supervision,
}

impl SystemBuilder {
    /// With this clock instead of the machine's.
    pub fn clock(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    /// With so many event loops (threads) for tasks; at least 1, by default one per core.
    pub fn event_loops(self, event_loops: usize) -> Self {
        Self { event_loops: event_loops.max(1), ..self }
    }

    /// With so many LWPs (kernel threads) for fibers; at least 1, by default one per core. They start with the first
    /// fiber.
    pub fn lwps(self, lwps: usize) -> Self {
        Self { lwps: lwps.max(1), ..self }
    }

    /// With this policy for the actors at the top of the tree.
    pub fn supervision(self, supervision: Supervision) -> Self {
        Self { supervision, ..self }
    }

    /// Starts the system: the root supervisor, and with it the first event loop.
    ///
    /// # Errors
    /// [`SpawnError::Place`] when the kernel has no thread for it.
    pub fn build(self) -> Result<System, SpawnError> {
        let system = System::without_root(self.clock, self.event_loops, self.lwps);
        system.loops()?;
        let policy = self.supervision;
        let options = SpawnOptions::new().name("root").place(Place::SystemLoop);
        let root = placement::spawn_root(&system, options, move || Supervisor::new(policy))?;
        let _ = system.inner.root.set(root.downgrade());
        let inner = Arc::downgrade(&system.inner);
        root.any().on_exit(move |exited| {
            if let Some(inner) = inner.upgrade() {
                let _ = inner.outcome.set(exited.reason);
            }
        });
        Ok(system)
    }
}

impl System {
    /// Chooses clock, event loops and supervision.
    pub fn builder() -> SystemBuilder {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        SystemBuilder {
            clock: Clock::real(),
            event_loops: cores,
            lwps: cores,
            supervision: Supervision::default().with_backoff(Backoff::default()),
        }
    }
}
