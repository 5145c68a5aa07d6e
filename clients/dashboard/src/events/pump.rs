//! From the observer and the loads into the ring, while there are clients.

use std::collections::BTreeMap;
use std::time::Duration;

use actix_web::rt;
use actix_web::web::Data;
use palco_observe::Subscription;
use palco_observe::model::Update;
use serde::Serialize;
use tokio::time::{MissedTickBehavior, interval};

use super::Hub;
use super::ring::{Body, Event};
use crate::shared::Shared;
use crate::views::{DeltaView, LoadView};

/// How often loads are shown.
const LOADS_EVERY: Duration = Duration::from_millis(500);
/// For so many of these the observer is heard without clients: a page that is loaded again goes on where it was.
const IDLE_MAX: u32 = 20;

/// Sees to it that the ring is fed from now on.
pub(super) fn start(shared: &Data<Shared>) {
    let mut ring = shared.hub.ring.lock();
    if ring.is_fed {
        return;
    }
    ring.is_fed = true;
    drop(ring);
    // Here, not in the task: what happens after this call must not be missed.
    let fed = Fed { subscription: shared.house.observer.subscribe(), shared: shared.clone() };
    rt::spawn(fed.run());
}

struct Fed {
    shared: Data<Shared>,
    subscription: Subscription,
}

impl Fed {
    async fn run(mut self) {
        let mut ticks = interval(LOADS_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let (mut idle, mut running) = (0, BTreeMap::new());
        while idle < IDLE_MAX {
            tokio::select! {
                update = self.subscription.next() => self.push(update),
                _ = ticks.tick() => {
                    idle = if self.shared.hub.clients() == 0 { idle + 1 } else { 0 };
                    self.push_loads(&mut running);
                }
            }
        }
    }

    fn push(&self, update: Update) {
        let hub = &self.shared.hub;
        match update {
            Update::Delta(delta) => {
                let view = DeltaView { delta: &delta, servers: self.shared.servers() };
                hub.push("delta", Some(delta.seq), &view);
            }
            Update::Log(entry) => hub.push("log", Some(entry.seq), &*entry),
            Update::Lost(updates) => hub.feed(Event { seq: None, body: Body::Lost(updates) }),
        }
    }

    /// Those that run, and once more those that have just ended, also those that somebody has stopped and taken away.
    fn push_loads(&self, running: &mut BTreeMap<String, LoadView>) {
        let mut before = std::mem::take(running);
        for view in self.shared.loads.views() {
            let ran = before.remove(&view.server).is_some();
            if view.running || ran {
                self.shared.hub.push("load", None, &view);
            }
            if view.running {
                running.insert(view.server.clone(), view);
            }
        }
        for last in before.into_values() {
            self.shared.hub.push("load", None, &LoadView { running: false, ..last });
        }
    }
}

impl Drop for Fed {
    fn drop(&mut self) {
        let hub = &self.shared.hub;
        hub.ring.lock().close();
        hub.news.notify_waiters();
    }
}

impl Hub {
    fn push(&self, name: &str, seq: Option<u64>, data: &impl Serialize) {
        if let Some(text) = self.text(name, seq, data) {
            self.feed(Event { seq, body: Body::Text(text.into()) });
        }
    }

    fn feed(&self, event: Event) {
        self.ring.lock().push(event);
        self.news.notify_waiters();
    }

    /// An event as it is sent; none if it cannot be written as JSON.
    pub(super) fn text(
        &self,
        name: &str,
        seq: Option<u64>,
        data: &impl Serialize,
    ) -> Option<String> {
        let json = serde_json::to_string(data);
        let json = json.inspect_err(|error| tracing::error!(%error, name, "cannot write an event"));
        let id = seq.map_or_else(String::new, |seq| format!("id: {}\n", self.id(seq)));
        json.ok().map(|json| format!("event: {name}\n{id}data: {json}\n\n"))
    }
}
