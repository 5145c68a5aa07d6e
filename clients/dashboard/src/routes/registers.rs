//! The nodes that keep registers: what they know of the configurations, what they hold, and what is done to them.

pub(super) mod keys;
pub(super) mod nodes;
pub(super) mod reconfigure;
pub(super) mod run;

use std::net::SocketAddr;

use actix_web::{HttpResponse, web};
use palco_actors::{ActorId, AnyRef, Effect, Status};
use palco_rambo::{Boot, Index, NodeId, Stage};
use palco_replica::{ClusterView, NodeView, Standing, TimelineEntry};
use serde::Serialize;

use crate::refusal::Refusal;
use crate::registers::{Registers, now_ms};
use crate::shared::Shared;

/// Everything but what is held.
#[derive(Serialize)]
struct Seen {
    /// Milliseconds since 1970.
    at_ms: u64,
    /// Whether nodes can be ended, suspended, cut off and added from here.
    hosts: bool,
    nodes: Vec<NodeRow>,
    /// Pairs of nodes between which letters are lost.
    cuts: Vec<(NodeId, NodeId)>,
    /// Configurations as this observer has seen them, by shard and ascending.
    timeline: Vec<TimelineEntry>,
}

#[derive(Serialize)]
struct NodeRow {
    name: String,
    /// Its number in configurations.
    node: NodeId,
    state: NodeState,
    /// Whether it is of this program, so that requests can go through it.
    is_here: bool,
    resp: Option<SocketAddr>,
    http: Option<SocketAddr>,
    /// Its actors, if they are of this program.
    replicas: Vec<ReplicaRow>,
    /// When it told how it stands, in milliseconds since 1970; nothing if it never did.
    told_ms: Option<u64>,
    /// How its shards stood then.
    shards: Vec<ShardRow>,
}

/// What is known of a node's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum NodeState {
    Running,
    /// It begins, or comes back.
    Starting,
    Suspended,
    /// For good.
    Ended,
    /// On another machine, and letters go there.
    Connected,
    /// On another machine, and it cannot be reached.
    NotConnected,
}

#[derive(Serialize)]
struct ReplicaRow {
    actor: ActorId,
    path: String,
}

#[derive(Serialize)]
struct ShardRow {
    shard: u16,
    boot: Boot,
    /// All configurations before this one are removed; nothing before it has joined.
    base: Option<Index>,
    /// The newest it knows.
    newest: Option<Index>,
    /// Whether another node knows a newer one.
    lags: bool,
    registers: u64,
    operations: u64,
    /// What it is doing about a reconfiguration.
    driving: Option<Stage>,
}

pub(super) async fn get(shared: web::Data<Shared>) -> Result<HttpResponse, Refusal> {
    let registers = shared.registers()?;
    let view = registers.look().await;
    let host = registers.cluster.host();
    let timeline = registers.timeline();
    Ok(HttpResponse::Ok().json(Seen {
        at_ms: now_ms(),
        hosts: host.is_some(),
        nodes: view.nodes.iter().map(|node| row(node, registers, &timeline)).collect(),
        cuts: host.map_or_else(Vec::new, |host| host.cuts()),
        timeline,
    }))
}

fn row(node: &NodeView, registers: &Registers, timeline: &[TimelineEntry]) -> NodeRow {
    let host = registers.cluster.host();
    let actors = host.map_or_else(Vec::new, |host| host.replicas(node.node));
    let told = registers.told(node.node);
    let is_own = || registers.cluster.answering().iter().any(|(own, _)| *own == node.node);
    let state = match host {
        Some(_) => state_of(&actors),
        None if is_own() => NodeState::Running,
        None if node.is_connected => NodeState::Connected,
        None => NodeState::NotConnected,
    };
    NodeRow {
        name: node.name.clone(),
        node: node.node,
        state,
        is_here: host.is_some() || state == NodeState::Running,
        resp: node.resp,
        http: node.http,
        replicas: actors.iter().map(|of| ReplicaRow { actor: of.id(), path: of.path() }).collect(),
        told_ms: told.as_ref().map(|told| told.at_ms),
        shards: told.map_or_else(Vec::new, |told| {
            told.standings.iter().map(|standing| shard(standing, timeline)).collect()
        }),
    }
}

fn shard(standing: &Standing, timeline: &[TimelineEntry]) -> ShardRow {
    let newest = standing.map.as_ref().map(|map| map.top().index());
    let known = timeline.iter().filter(|entry| entry.shard == standing.shard);
    let newest_of_all = known.map(|entry| entry.configuration.index()).max();
    ShardRow {
        shard: standing.shard,
        boot: standing.boot,
        base: standing.map.as_ref().map(|map| map.base()),
        newest,
        lags: newest < newest_of_all,
        registers: standing.registers,
        operations: standing.operations,
        driving: standing.driving,
    }
}

/// A node is what the worst of its replicas is.
fn state_of(replicas: &[AnyRef]) -> NodeState {
    let state = |replica: &AnyRef| match replica.snapshot().status {
        Status::Idle | Status::Busy => NodeState::Running,
        Status::Starting | Status::Restarting | Status::Stopping => NodeState::Starting,
        Status::Suspending | Status::Suspended => NodeState::Suspended,
        Status::Ended => NodeState::Ended,
    };
    let states: Vec<_> = replicas.iter().map(state).collect();
    let worst = [NodeState::Ended, NodeState::Suspended, NodeState::Starting];
    worst.into_iter().find(|state| states.contains(state)).unwrap_or(NodeState::Running)
}

/// Whom a name means, or a number as configurations show it.
fn named(name: &str, view: &ClusterView) -> Result<NodeId, Refusal> {
    view.who(name, |node| node.is_connected).map_err(|error| {
        Refusal::unknown(error.to_string(), "GET /api/registers shows all nodes by their names")
    })
}

/// Noted at the actor to which it was done, or which did it.
fn note(shared: &Shared, who: &str, action: &str, at: Option<&AnyRef>) {
    if let Some(replica) = at {
        let (id, path) = (replica.id(), replica.path());
        tracing::info!(who, action, actor = %id, path, "action");
        shared.house.observer.note_action(who, action, id, &path, &Effect::Done);
    }
}
