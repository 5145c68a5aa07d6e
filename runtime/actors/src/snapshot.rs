//! What can be seen of an actor from outside, without its help; and its state, with it.

use palco_core::{ActorId, ExitReason};
use palco_transport::Peer;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::dead_letters::DropReason;
use crate::signal::SUSPEND;
use crate::vitals::{AnyCell, NodeFacts, Phase, ProcessFacts, Vitals};
use crate::{PlaceKind, Restart};

/// What an actor is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Its start hook runs.
    Starting,
    /// It waits for a message.
    Idle,
    /// A handler runs.
    Busy,
    /// It has been told to suspend and has not yet reached a point where it can.
    Suspending,
    /// It rests.
    Suspended,
    /// A life has ended, its supervisor has not yet begun the next.
    Restarting,
    /// Its children are being stopped, or its stop hook runs.
    Stopping,
    /// It has ended for good.
    Ended,
}

/// One actor at one moment. Counters only grow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActorSnapshot {
    /// The id.
    pub id: ActorId,
    /// The path.
    pub path: String,
    /// The parent's id; none at the top.
    pub parent: Option<ActorId>,
    /// The Rust type.
    pub actor_type: String,
    /// Where it lives.
    pub place: PlaceKind,
    /// The kernel's id of its own thread, if it has one.
    pub thread: Option<i32>,
    /// The process it lives in, if that is its own, or the process it stands for.
    pub process: Option<ProcessSnapshot>,
    /// The node it lives on, if that is another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<NodeSnapshot>,
    /// What it does.
    pub status: Status,
    /// The message whose handler runs.
    pub message: Option<String>,
    /// What the handler says it is doing.
    pub note: Option<String>,
    /// For how long it has been running, or doing what it says, in milliseconds, to about 10 ms.
    pub running_ms: Option<u64>,
    /// Messages queued in both lanes.
    pub queued: u64,
    /// Messages queued in the urgent lane.
    pub urgent: u64,
    /// How many messages the normal lane holds.
    pub capacity: u64,
    /// Messages accepted, from others and from its own timers.
    pub sent: u64,
    /// Messages handled to their end.
    pub handled: u64,
    /// Messages accepted and not handled to their end, by reason; reasons that never occurred are left out.
    pub dropped: Vec<(String, u64)>,
    /// When its supervisor starts it again.
    pub restart: Restart,
    /// How often that has happened.
    pub restarts: u32,
    /// Why its latest life ended.
    pub last_exit: Option<ExitReason>,
}

impl ActorSnapshot {
    pub(crate) fn of(cell: &dyn AnyCell) -> Self {
        let vitals = cell.vitals();
        let activity = &vitals.activity;
        // Before the counters: what is running now is not yet among the handled.
        let current = activity.current();
        let queue = cell.queue();
        let (process, node) = (vitals.process(), vitals.node());
        // A process also handles messages that it has sent itself.
        let page = process.as_ref().and_then(|facts| facts.page.as_ref());
        let is_busy = current.is_some() || page.is_some_and(|page| page.standing().is_busy);
        let now = vitals.system.clock().now();
        let running = current.map(|(_, since)| now - since).or_else(|| {
            let age = process.as_ref().and_then(|facts| facts.since).map(|since| now - since);
            page.zip(age).and_then(|(page, age)| page.running_for(age))
        });
        let dropped = DropReason::ALL.iter().map(|reason| (reason, activity.dropped.of(*reason)));
        Self {
            id: vitals.id,
            path: vitals.path(),
            parent: vitals.parent.as_ref().map(|parent| parent.vitals().id),
            actor_type: vitals.actor_type.to_owned(),
            place: vitals.place,
            thread: vitals.signals.thread_id(),
            node: node.as_ref().and_then(NodeSnapshot::of),
            process: process.as_ref().map(|facts| ProcessSnapshot::of(facts, vitals)),
            status: status(cell, is_busy),
            message: current.map(|(message, _)| message.to_owned()),
            note: match page {
                Some(page) => page.note().filter(|_| is_busy),
                None => match &node {
                    Some(node) => node.note.clone().filter(|_| is_busy),
                    None => activity.noted().map(str::to_owned),
                },
            },
            running_ms: running.map(|time| time.as_millis() as u64),
            queued: queue.queued,
            urgent: queue.urgent,
            capacity: queue.capacity,
            sent: queue.accepted + activity.timed(),
            handled: activity.handled(),
            dropped: dropped
                .filter(|(_, count)| *count > 0)
                .map(|(reason, count)| (reason.to_string(), count))
                .collect(),
            restart: vitals.restart,
            restarts: activity.restarts.load(std::sync::atomic::Ordering::Relaxed),
            last_exit: vitals.life.lock().last_exit.clone(),
        }
    }

    /// How many messages have been dropped for any reason.
    #[must_use]
    pub fn dropped_total(&self) -> u64 {
        self.dropped.iter().map(|(_, count)| count).sum()
    }

    /// How many messages are with a handler now: none or one.
    #[must_use]
    pub fn in_flight(&self) -> u64 {
        u64::from(self.message.is_some())
    }
}

/// The node that an actor lives on at one moment, as far as this one knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeSnapshot {
    /// Which.
    pub peer: Peer,
    /// Whether there is a connection, and the actor has been found or begun there.
    pub is_connected: bool,
}

impl NodeSnapshot {
    fn of(facts: &NodeFacts) -> Option<Self> {
        Some(Self { peer: facts.peer?, is_connected: facts.is_connected })
    }
}

/// An actor's process at one moment, as the kernel shows it. Without `/proc` the figures are missing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessSnapshot {
    /// The process id; none between two lives.
    pub pid: Option<i32>,
    /// Memory in use, in bytes.
    pub rss_bytes: Option<u64>,
    /// Processor time used, in milliseconds.
    pub cpu_ms: Option<u64>,
    /// For how long it has been running, in milliseconds.
    pub age_ms: Option<u64>,
    /// How it is confined: what was really obtained. None until it is known.
    pub confinement: Option<String>,
    /// How often it was replaced by a fresh one although nothing was wrong.
    pub recycled: u32,
}

impl ProcessSnapshot {
    fn of(facts: &ProcessFacts, vitals: &Vitals) -> Self {
        let usage = facts.pid.and_then(palco_processes::usage);
        let age = facts.pid.and(facts.since).map(|since| vitals.system.clock().now() - since);
        Self {
            pid: facts.pid,
            rss_bytes: usage.as_ref().map(|usage| usage.rss_bytes),
            cpu_ms: usage.as_ref().map(|usage| usage.cpu.as_millis() as u64),
            age_ms: age.map(|age| age.as_millis() as u64),
            confinement: facts.confinement.clone(),
            recycled: facts.recycled,
        }
    }
}

fn status(cell: &dyn AnyCell, busy: bool) -> Status {
    let vitals = cell.vitals();
    match vitals.phase() {
        Phase::Starting if vitals.signals.is_held() => Status::Suspended,
        Phase::Starting => Status::Starting,
        Phase::Restarting => Status::Restarting,
        Phase::Stopping => Status::Stopping,
        Phase::Ended => Status::Ended,
        Phase::Running if vitals.signals.is_held() => Status::Suspended,
        Phase::Running if vitals.signals.has(SUSPEND) && !vitals.signals.is_stepping() => {
            Status::Suspending
        }
        Phase::Running if busy => Status::Busy,
        Phase::Running => Status::Idle,
    }
}

/// How fresh an actor's state is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "mark")]
pub enum StateMark {
    /// Written down just now.
    Live,
    /// The actor did not answer: this is from an earlier inspection.
    Stale {
        /// How old it is.
        age_ms: u64,
    },
    /// The actor has ended: this is the last that was written down.
    PostMortem,
    /// It was never written down.
    Unknown,
}

/// A snapshot with the actor's own account of its state.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Inspection {
    /// The view from outside.
    #[serde(flatten)]
    pub actor: ActorSnapshot,
    /// The state, as [`Actor::state`](crate::Actor::state) gives it.
    pub state: Value,
    /// How fresh it is.
    pub freshness: StateMark,
}

impl Inspection {
    pub(crate) fn of(cell: &dyn AnyCell, answered: bool) -> Self {
        let actor = ActorSnapshot::of(cell);
        let known = cell.vitals().life.lock().state.clone();
        let now = cell.vitals().system.clock().now();
        let freshness = match &known {
            None => StateMark::Unknown,
            Some(_) if actor.status == Status::Ended => StateMark::PostMortem,
            Some(_) if answered => StateMark::Live,
            Some((_, at)) => StateMark::Stale { age_ms: (now - *at).as_millis() as u64 },
        };
        Self { actor, state: known.map_or(Value::Null, |(state, _)| state), freshness }
    }
}
