//! Descriptors of an LWP: waits for events and wakes who waits for them.

use std::io;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, Instant};

use polling::Events;

use crate::lwp::Lwp;
use crate::source::Watched;

/// Events taken at a time.
const EVENTS_MAX: NonZeroUsize = NonZeroUsize::new(256).expect("is not 0");

/// The waiting side of a poller; its thread's alone.
pub(crate) struct Reactor {
    events: Events,
    /// Taken out before anybody is woken: a waker is foreign code.
    ready: Vec<(Arc<Watched>, bool, bool)>,
}

impl Reactor {
    pub(crate) fn new() -> Self {
        Self { events: Events::with_capacity(EVENTS_MAX), ready: Vec::new() }
    }

    /// Takes events without waiting.
    pub(crate) fn look(&mut self, lwp: &Lwp) {
        let outcome = lwp.poller.wait(&mut self.events, Some(Duration::ZERO));
        self.dispatch(lwp, outcome);
    }

    /// Waits for events, for a notice, or until `deadline`.
    pub(crate) fn wait(&mut self, lwp: &Lwp, deadline: Option<Instant>) {
        let outcome = match deadline {
            Some(deadline) => lwp.poller.wait_deadline(&mut self.events, deadline),
            None => lwp.poller.wait(&mut self.events, None),
        };
        self.dispatch(lwp, outcome);
    }

    fn dispatch(&mut self, lwp: &Lwp, outcome: io::Result<usize>) {
        if let Err(error) = outcome
            && error.kind() != io::ErrorKind::Interrupted
        {
            tracing::error!(lwp = lwp.index, %error, "an LWP cannot wait for its descriptors");
        }
        let sources = lwp.sources.lock();
        for event in self.events.iter() {
            if let Some(watched) = sources.watched.get(&event.key) {
                self.ready.push((Arc::clone(watched), event.readable, event.writable));
            }
        }
        drop(sources);
        self.events.clear();
        for (watched, readable, writable) in self.ready.drain(..) {
            watched.announce(readable, writable);
        }
    }
}
