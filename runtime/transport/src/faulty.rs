//! Breaks connections and delays frames of another carrier, by a seeded plan: for tests of what stands on carriers.
//!
//! It does what a [`Carrier`] may do, and nothing that it must not: within one session nothing is lost, doubled or out of order in
//! its lane. What a session has not delivered when it breaks is lost.

mod relay;

use std::collections::HashMap;
use std::io;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::select;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::task::spawn;

use crate::event_loop::EventLoop;
use crate::lots::Lots;
use crate::{Carrier, Event, Hear, LANE_BYTES_DEFAULT, Lane, Outbox, Peer};
use relay::Relay;

/// What goes wrong, and how often. By default nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The same seed draws the same lots for the same sessions, in the order in which they begin.
    pub seed: u64,
    /// Frames that a session sends, all lanes together, before it is cut; drawn for every session. Nothing: no cuts.
    pub cut_after: Option<RangeInclusive<u64>>,
    /// Which frames are held up on their way out. Nothing: none.
    pub delays: Option<Delays>,
    /// Bytes that may wait in each lane before the decorated carrier has them; by default [`LANE_BYTES_DEFAULT`].
    pub lane_bytes: usize,
}

/// Frames that are held up; those behind them in the same lane wait too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delays {
    /// In these lanes.
    pub lanes: Vec<Lane>,
    /// One frame of so many on average; 1 is every frame, and 0 counts as 1.
    pub one_in: u32,
    /// For at most so long.
    pub longest: Duration,
}

/// A carrier whose connections break.
#[derive(Debug)]
pub struct Faulty<C> {
    // Before its loop: what it still says when it is dropped goes the usual way.
    carrier: C,
    _event_loop: EventLoop,
}

/// Hears the decorated carrier, and puts outboxes of its own between.
struct Between {
    plan: Plan,
    lots: Mutex<Lots>,
    hear: Arc<dyn Hear>,
    /// Those that were given out, by peer.
    outboxes: Mutex<HashMap<Peer, Outbox>>,
    relays: UnboundedSender<Relay>,
}

impl Default for Plan {
    fn default() -> Self {
        Self { seed: 0, cut_after: None, delays: None, lane_bytes: LANE_BYTES_DEFAULT }
    }
}

impl<C: Carrier> Faulty<C> {
    /// Decorates the carrier that `make` makes, which is to speak to the ears it is given.
    ///
    /// # Errors
    /// Those of `make`, and the kernel's when there is no thread.
    pub fn start<E: From<io::Error>>(
        plan: Plan,
        hear: Arc<dyn Hear>,
        make: impl FnOnce(Arc<dyn Hear>) -> Result<C, E>,
    ) -> Result<Self, E> {
        // As many as there are sessions.
        let (relays, mut begun) = unbounded_channel::<Relay>();
        let event_loop = EventLoop::start("faulty", move |mut stop| async move {
            loop {
                select! {
                    _ = &mut stop => return,
                    Some(relay) = begun.recv() => relay.begin(|running| drop(spawn(running))),
                }
            }
        })?;
        let (lots, outboxes) = (Mutex::new(Lots::new(plan.seed)), Mutex::default());
        let carrier = make(Arc::new(Between { plan, lots, hear, outboxes, relays }))?;
        Ok(Self { carrier, _event_loop: event_loop })
    }

    /// The carrier that is decorated.
    pub fn carrier(&self) -> &C {
        &self.carrier
    }
}

impl<C: Carrier> Carrier for Faulty<C> {
    fn me(&self) -> Peer {
        self.carrier.me()
    }

    fn addresses(&self) -> Vec<String> {
        self.carrier.addresses()
    }

    fn seek(&self, peer: Peer, addresses: &[String]) -> Result<(), String> {
        self.carrier.seek(peer, addresses)
    }

    fn forget(&self, peer: Peer) {
        self.carrier.forget(peer);
    }
}

impl Hear for Between {
    fn hear(&self, event: Event) {
        let event = match event {
            Event::Connected { peer, session, introduction, outbox: inner } => {
                let (outbox, drains) = Outbox::new(self.plan.lane_bytes);
                self.outboxes.lock().insert(peer, outbox.clone());
                let relay = Relay::new(&self.plan, &mut self.lots.lock(), drains, inner);
                // The loop ends after the carrier alone.
                let _ = self.relays.send(relay);
                Event::Connected { peer, session, introduction, outbox }
            }
            Event::Lost { peer, session, why } => {
                if let Some(outbox) = self.outboxes.lock().remove(&peer) {
                    outbox.close();
                }
                Event::Lost { peer, session, why }
            }
            Event::Frames { .. } | Event::Refused { .. } => event,
        };
        self.hear.hear(event);
    }
}
