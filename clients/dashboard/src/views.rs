//! What is shown beside the observer's own types.

mod processor;

use std::net::SocketAddr;

use palco_actors::{ActorId, PlaceKind, Status};
use palco_models::{AcceptBy, Action, ModelKind, Scores, profile};
use palco_observe::model::{Delta, Histogram, Quantiles, StageSnapshot};
use serde::Serialize;

use crate::house::Served;

/// The stage as a whole, for whoever asks.
#[derive(Clone, Debug, Serialize)]
pub struct StageInfo {
    /// The program's version.
    pub version: String,
    /// Its process.
    pub pid: u32,
    /// For how long the system has been running.
    pub uptime_s: u64,
    /// Since when, as RFC 3339 writes it.
    pub started_at: String,
    /// Threads that run event loops.
    pub event_loops: usize,
    /// Whether who asks has shown the token.
    pub can_act: bool,
    /// Whether it has a superserver.
    pub superserver: bool,
    /// Whether it keeps registers.
    pub registers: bool,
    /// The demonstration that runs, if one does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub demo: Option<String>,
}

/// Everything that the overview shows.
#[derive(Clone, Debug, Serialize)]
pub struct StageView {
    /// The stage as a whole.
    pub stage: StageInfo,
    /// Its actors.
    pub observed: StageSnapshot,
    /// Its servers.
    pub servers: Vec<ServerView>,
}

/// What has changed, with all servers.
#[derive(Debug, Serialize)]
pub(crate) struct DeltaView<'a> {
    #[serde(flatten)]
    pub(crate) delta: &'a Delta,
    pub(crate) servers: Vec<ServerView>,
}

/// A server.
#[derive(Clone, Debug, Serialize)]
pub struct ServerView {
    /// Its name.
    pub name: String,
    /// What it serves.
    pub service: String,
    /// Who accepts and who serves.
    pub model: ModelKind,
    /// Where.
    pub place: PlaceKind,
    /// Who accepts for a team.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accept_by: Option<AcceptBy>,
    /// How many workers, in a team.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workers: Option<usize>,
    /// Where it listens.
    pub address: SocketAddr,
    /// What the literature calls the architecture.
    pub classic_name: &'static str,
    /// A command that shows it to be alive.
    pub command: String,
    /// The actor at the top of its tree.
    pub supervisor: ActorId,
    /// What it has done.
    pub scores: Scores,
    /// Processor time of its threads or processes that live; none where it shares threads with others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_ms: Option<u64>,
    /// How many connections it takes.
    pub limits: ServerLimits,
    /// How long answers take, as the load sees it that runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency: Option<Quantiles>,
}

/// How many connections a server takes.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct ServerLimits {
    /// Connections held at once.
    pub connections_max: usize,
    /// What happens to one more.
    pub action: Action,
}

/// A load on a server.
#[derive(Clone, Debug, Serialize)]
pub struct LoadView {
    /// The server's name.
    pub server: String,
    /// Whether it goes on.
    pub running: bool,
    /// Connections.
    pub connections: usize,
    /// Requests a second that are wanted; 0 is as many as are answered.
    pub rate_per_s: u64,
    /// For how long it is to run.
    pub seconds: u64,
    /// What is asked.
    pub request: String,
    /// For how long it has been running.
    pub elapsed_ms: u64,
    /// Requests begun.
    pub sent: u64,
    /// Good answers.
    pub answered: u64,
    /// Requests without one.
    pub failed: u64,
    /// Requests that wait.
    pub in_flight: u64,
    /// Good answers a second, over the last second.
    pub per_s: f64,
    /// How long good answers took.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency: Option<Quantiles>,
    /// The same, whole.
    pub histogram: Histogram,
    /// Processor time of the load's own thread.
    pub cpu_ms: u64,
    /// What went wrong last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl ServerView {
    pub(crate) fn new(served: &Served, latency: Option<Quantiles>) -> Self {
        let (server, settings) = (&served.server, served.server.settings());
        let profile = profile(settings.model, settings.place);
        Self {
            name: served.name.clone(),
            service: served.service.clone(),
            model: settings.model,
            place: settings.place,
            accept_by: Some(settings.accept_by())
                .filter(|who| settings.process.is_some() || *who != AcceptBy::default()),
            workers: settings.workers.or(profile.workers),
            address: server.address(),
            classic_name: profile.classic_name,
            command: served.command.clone(),
            supervisor: server.supervisor().id(),
            scores: server.scores(),
            cpu_ms: processor::of(server),
            limits: ServerLimits {
                connections_max: settings.limits.connections_max,
                action: settings.limits.action,
            },
            latency,
        }
    }
}

impl Served {
    /// Whether its tree has ended for good.
    pub(crate) fn has_ended(&self) -> bool {
        self.server.supervisor().snapshot().status == Status::Ended
    }
}
