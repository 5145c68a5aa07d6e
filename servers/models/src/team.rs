//! Model `team`: n standing workers accept from the same socket (UNP §30.10: blocking in accept, no lock). Processes can
//! also be passed their connections by a dispatcher (UNP §30.9), which costs more.
//!
//! A worker in a thread serves inline: a thread pool. A worker in a task hands each connection to a fresh task on its
//! own loop: n event loops. A worker in a process serves inline: prefork (UNP §30.6). Who is blocked in accept is woken in
//! turn; event loops are not, the least busy one tends to win.

use std::thread;

use palco_actors::{Place, PlaceKind};

use crate::model::{Concurrency, ModelKind, ModelProfile, Plan, PlanError, ServedBy};

pub(crate) const SENTENCE: &str =
    "standing workers accept from the same socket; nobody is started for a connection";

/// Workers that serve inline, unless told otherwise.
const INLINE_DEFAULT: usize = 8;

pub(crate) const WORKERS_MAX: usize = 1024;

fn workers_default(place: PlaceKind) -> usize {
    match place {
        PlaceKind::Task => thread::available_parallelism().map_or(1, usize::from),
        PlaceKind::Thread | PlaceKind::Fiber | PlaceKind::Process | PlaceKind::Remote => {
            INLINE_DEFAULT
        }
    }
}

fn count(place: PlaceKind, workers: Option<usize>) -> Result<usize, PlanError> {
    let workers = workers.unwrap_or_else(|| workers_default(place));
    if workers == 0 || workers > WORKERS_MAX {
        return Err(PlanError::Workers { asked: workers, max: WORKERS_MAX });
    }
    Ok(workers)
}

/// The name of a worker.
pub(crate) fn worker(index: usize) -> String {
    format!("worker-{index}")
}

pub(crate) fn is_worker(name: &str) -> bool {
    name.starts_with("worker-")
}

/// The number of the worker with this path.
pub(crate) fn number_of(path: &str) -> Option<usize> {
    path.rsplit('/').next()?.strip_prefix("worker-")?.parse().ok()
}

/// Workers in processes, to which a dispatcher passes connections. Its messages to them are carried by the loop that it is
/// on: another one would be woken for each connection, and wake this one.
pub(crate) fn plan_with_dispatcher(workers: Option<usize>) -> Result<Plan, PlanError> {
    let served_by = ServedBy::Worker(count(PlaceKind::Process, workers)?);
    Ok(Plan { acceptors: vec![("dispatcher".into(), Place::SystemLoop)], served_by })
}

pub(crate) fn plan(place: PlaceKind, workers: Option<usize>) -> Result<Plan, PlanError> {
    let workers = count(place, workers)?;
    let served_by = match place {
        PlaceKind::Task => ServedBy::OwnActor,
        PlaceKind::Thread | PlaceKind::Fiber | PlaceKind::Process | PlaceKind::Remote => {
            ServedBy::Acceptor
        }
    };
    let acceptors = (0..workers).map(|index| (worker(index), Place::from(place)));
    Ok(Plan { acceptors: acceptors.collect(), served_by })
}

pub(crate) fn profile(place: PlaceKind) -> ModelProfile {
    let (classic_name, connections, while_blocked, idle_connection_holds) = match place {
        PlaceKind::Task => (
            "n event loops",
            "up to connections-max",
            "waits if it shares the blocked loop",
            "a task",
        ),
        PlaceKind::Thread => (
            "thread pool (prethreaded)",
            "as many as workers",
            "does not notice, until all workers are taken",
            "a worker",
        ),
        PlaceKind::Fiber => {
            ("fiber pool", "as many as workers", "waits if it shares the blocked LWP", "a worker")
        }
        PlaceKind::Process => (
            "prefork",
            "as many as workers",
            "does not notice, until all workers are taken",
            "a worker process",
        ),
        // Refused by its plan.
        PlaceKind::Remote => ("not to be had", "-", "-", "-"),
    };
    ModelProfile {
        model: ModelKind::Team,
        place,
        classic_name,
        concurrency: Concurrency::Real,
        connections,
        while_blocked,
        idle_connection_holds,
        workers: Some(workers_default(place)),
    }
}
