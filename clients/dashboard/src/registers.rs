//! What was seen of the nodes that keep registers, by a look each second.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use actix_web::web;
use palco_rambo::{NodeId, Reconfigured};
use palco_replica::http::Identities;
use palco_replica::{Cluster, ClusterView, NodeHost, Standing, Timeline, TimelineEntry};
use parking_lot::Mutex;
use tokio::time::{MissedTickBehavior, interval};

use crate::refusal::Refusal;
use crate::shared::Shared;

/// How often the nodes are looked at, whether somebody asks or not: what comes and goes in between is not seen.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The nodes, and what was seen of them.
#[derive(Debug)]
pub(crate) struct Registers {
    pub(crate) cluster: Arc<dyn Cluster>,
    /// Names under which this dashboard changes keys of class cas.
    pub(crate) identities: Identities,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    timeline: Timeline,
    latest: BTreeMap<NodeId, Told>,
}

/// How a node stood when it told that last.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    /// Milliseconds since 1970.
    pub(crate) at_ms: u64,
    /// Its shards.
    pub(crate) standings: Vec<Standing>,
}

impl Registers {
    pub(crate) fn new(cluster: Arc<dyn Cluster>) -> Self {
        Self { cluster, identities: Identities::default(), seen: Mutex::default() }
    }

    /// The nodes as they are now; what is seen is remembered.
    pub(crate) async fn look(&self) -> ClusterView {
        let view = self.cluster.view().await;
        let at_ms = now_ms();
        let mut seen = self.seen.lock();
        seen.timeline.see(at_ms, &view);
        seen.latest.retain(|node, _| view.nodes.iter().any(|known| known.node == *node));
        for node in view.nodes.iter().filter(|node| !node.standings.is_empty()) {
            seen.latest.insert(node.node, Told { at_ms, standings: node.standings.clone() });
        }
        view
    }

    /// What the driver of a reconfiguration has told.
    pub(crate) fn hear(&self, shard: u16, done: &Reconfigured) {
        self.seen.lock().timeline.hear(now_ms(), shard, done);
    }

    pub(crate) fn timeline(&self) -> Vec<TimelineEntry> {
        self.seen.lock().timeline.entries().to_vec()
    }

    /// What a node told last.
    pub(crate) fn told(&self, node: NodeId) -> Option<Told> {
        self.seen.lock().latest.get(&node).cloned()
    }

    /// What can be done to nodes, if they are here.
    pub(crate) fn host(&self) -> Result<&dyn NodeHost, Refusal> {
        self.cluster.host().ok_or_else(|| {
            Refusal::not_now(
                "this stage is one node of a cluster, and nothing can be done from here to the others",
                "do it on the machine of the node; reconfigure leaves a node out",
            )
        })
    }
}

/// Milliseconds since 1970.
pub(crate) fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Looks again and again, if there are registers, until the event loop ends.
pub(crate) async fn watch(shared: web::Data<Shared>) {
    let Ok(registers) = shared.registers() else { return };
    let mut ticks = interval(LOOK_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        registers.look().await;
    }
}
