//! What a superserver looks like from outside at one moment.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Instant, SystemTime};

use palco_actors::ActorSnapshot;
use serde::{Deserialize, Serialize};

use crate::gate::{Acted, Limit};
use crate::journal::Entry;
use crate::service::{Service, Shut};
use crate::spec::{Action, Limits, Run, Style};

/// A superserver.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Status {
    /// Its process.
    pub pid: u32,
    /// For how long it has been running, in seconds.
    pub uptime_s: u64,
    /// The files that were read last.
    pub files: Vec<PathBuf>,
    /// How often it was configured anew.
    pub reloads: u64,
    /// How the thread is scheduled that listens for urgent data; none if no service wants it.
    pub urgent: Option<String>,
    /// Its services, in the order of the files.
    pub services: Vec<ServiceStatus>,
    /// What had to be said about the files: errors and warnings.
    pub remarks: Vec<String>,
    /// The latest entries of the log, oldest first.
    pub log: Vec<Entry>,
}

/// One service.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ServiceStatus {
    /// Its id.
    pub id: String,
    /// Where it is written, as `file:line`.
    pub origin: String,
    /// Where it listens.
    pub addresses: Vec<String>,
    /// `listening`, `closed for 7 s: …`, `off: …`.
    pub state: String,
    /// `nowait` or `wait`.
    pub style: String,
    /// The program, or `internal`.
    pub runs: String,
    /// As whom.
    pub user: Option<String>,
    /// What the program really gives up; empty if nothing was asked for.
    pub confinement: String,
    /// Instances now.
    pub instances: Vec<InstanceStatus>,
    /// How many there are, and how many clients wait although they have been accepted.
    pub running: u32,
    /// Clients that have been accepted and wait for room.
    pub waiting: u32,
    /// Clients accepted so far.
    pub accepted: u64,
    /// Instances begun so far.
    pub started: u64,
    /// Instances ended so far.
    pub ended: u64,
    /// Starts that have failed so far.
    pub failed: u64,
    /// Clients refused by access control so far.
    pub refused: u64,
    /// What urgent data of clients does, and has done.
    pub urgent: UrgentStatus,
    /// The limits that are set, and what each has done.
    pub limits: Vec<LimitStatus>,
    /// The latest ends, oldest first.
    pub ends: Vec<Ended>,
}

/// One instance.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct InstanceStatus {
    /// Its actor.
    pub actor: String,
    /// Its process, if it has one.
    pub pid: Option<i32>,
    /// What it does.
    pub doing: Option<String>,
    /// For how long its process has been running, in milliseconds.
    pub age_ms: Option<u64>,
    /// Memory in use, in bytes.
    pub rss_bytes: Option<u64>,
    /// Processor time used, in milliseconds.
    pub cpu_ms: Option<u64>,
}

/// What urgent data of a service's clients does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UrgentStatus {
    /// `on`, or `off: …`.
    pub state: String,
    /// Programs suspended by it so far.
    pub suspended: u64,
    /// Of those the ones continued so far, by their clients, or because these had closed their side.
    pub continued: u64,
    /// Programs asked to end by it so far.
    pub killed: u64,
}

/// One limit.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LimitStatus {
    /// Which.
    pub limit: Limit,
    /// As `40`, `100 in 60s`.
    pub max: String,
    /// As `defer`, `close 10s`.
    pub action: String,
    /// What it has done.
    #[serde(flatten)]
    pub acted: Acted,
}

/// How an instance has ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// When.
    pub at: SystemTime,
    /// Its process, if it had one.
    pub pid: Option<i32>,
    /// As the log says it: `status=0`, `signal=15`.
    pub how: String,
    /// How long it ran, in milliseconds.
    pub ran_ms: u64,
}

impl ServiceStatus {
    /// With those of `actors` that are its instances.
    pub(crate) fn of(service: &Service, actors: &[ActorSnapshot]) -> Self {
        let definition = service.definition();
        let spec = &definition.spec;
        let (runs, user) = match &spec.run {
            Run::Program(program) => (
                program.path.display().to_string(),
                program.account.as_ref().map(|of| of.name.clone()),
            ),
            Run::Builtin(builtin) => (format!("internal {builtin:?}").to_lowercase(), None),
        };
        let (running, waiting) = service.gate.occupancy();
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let counts = &service.counts;
        Self {
            id: service.id.clone(),
            origin: spec.origin.to_string(),
            addresses: spec.endpoints.iter().map(|at| at.address.to_string()).collect(),
            state: state(&service.shut(), spec.endpoints.is_empty()),
            style: match spec.style {
                Style::PerConnection => "nowait",
                Style::Single => "wait",
            }
            .to_owned(),
            runs,
            user,
            confinement: definition
                .fence
                .as_ref()
                .map(|fence| fence.obtained().to_string())
                .unwrap_or_default(),
            instances: actors.iter().map(InstanceStatus::of).collect(),
            running,
            waiting,
            accepted: count(&counts.accepted),
            started: count(&counts.started),
            ended: count(&counts.ended),
            failed: count(&counts.failed),
            refused: count(&counts.refused),
            urgent: UrgentStatus {
                state: spec.deaf().map_or_else(|| "on".to_owned(), |why| format!("off: {why}")),
                suspended: count(&counts.suspended),
                continued: count(&counts.continued),
                killed: count(&counts.killed),
            },
            limits: limits(&spec.limits, &service.gate.acted()),
            ends: service.ends(),
        }
    }
}

impl InstanceStatus {
    fn of(actor: &ActorSnapshot) -> Self {
        let process = actor.process.as_ref();
        Self {
            actor: actor.path.clone(),
            pid: process.and_then(|process| process.pid),
            doing: actor.note.clone(),
            age_ms: process.and_then(|process| process.age_ms),
            rss_bytes: process.and_then(|process| process.rss_bytes),
            cpu_ms: process.and_then(|process| process.cpu_ms),
        }
    }
}

fn state(shut: &Shut, has_no_endpoint: bool) -> String {
    match shut {
        Shut::Open if has_no_endpoint => "through tcpmux".to_owned(),
        Shut::Open => "listening".to_owned(),
        Shut::Until(until, why) => {
            let left = until.saturating_duration_since(Instant::now()).as_secs();
            format!("closed for {left} s: {why}")
        }
        Shut::Off(why) => format!("off: {why}"),
    }
}

/// Those that are set, and `waiting` if it has acted.
fn limits(limits: &Limits, acted: &[(Limit, Acted)]) -> Vec<LimitStatus> {
    let one = |(limit, acted): &(Limit, Acted)| {
        let number = |max: u32| max.to_string();
        let rate = |rate: crate::spec::Rate| {
            format!("{} in {}", rate.count, humantime::format_duration(rate.per))
        };
        let (max, action) = match limit {
            Limit::Instances => (number(limits.instances.max), limits.instances.action),
            Limit::PerSource => limits.per_source.map(|it| (number(it.max), it.action))?,
            Limit::Rate => limits.rate.map(|it| (rate(it.max), it.action))?,
            Limit::RatePerSource => limits.rate_per_source.map(|it| (rate(it.max), it.action))?,
            Limit::Load => limits
                .load
                .map(|it| (format!("{}.{:02}", it.max / 100, it.max % 100), it.action))?,
            Limit::Waiting if acted.times == 0 => return None,
            Limit::Waiting => (number(crate::gate::WAITING_MAX), Action::Defer),
        };
        Some(LimitStatus { limit: *limit, max, action: action.to_string(), acted: *acted })
    };
    acted.iter().filter_map(one).collect()
}
