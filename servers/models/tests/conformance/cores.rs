//! Workers on cores of their own.

use std::collections::BTreeSet;

use nix::sched::{CpuSet, sched_getaffinity};
use nix::unistd::getpid;
use palco_actors::PlaceKind;
use palco_models::{
    Affinity, Crew, CrewError, ModelKind, PlanError, Server, ServerSettings, StartError,
};

use crate::client::Client;
use crate::crew::{Served, Who};
use crate::stage::{Cell, Stage, in_cells, trials, until};

trials! {
    workers_run_on_the_cores_that_they_are_given,
    workers_are_spread_over_all_cores,
    a_worker_s_next_life_runs_where_the_first_did,
    a_thread_is_let_go_when_its_worker_ends,
    a_core_that_cannot_be_had_is_named,
    more_workers_than_event_loops_cannot_be_confined,
}

/// Where this program may run.
fn allowed() -> Vec<usize> {
    let set = sched_getaffinity(getpid()).unwrap();
    (0..CpuSet::count()).filter(|core| set.is_set(*core).unwrap()).collect()
}

/// Teams in which a thread is one worker's.
fn in_teams(body: impl Fn(&Stage) + Sync) {
    in_cells(|cell| cell.model == ModelKind::Team && cell.place != PlaceKind::Fiber, body);
}

fn settings(stage: &Stage, workers: usize, affinity: Affinity) -> ServerSettings {
    let crew = Crew { affinity, ..Crew::default() };
    ServerSettings { crew, workers: Some(workers), ..stage.settings() }
}

/// Asks until as many different workers have answered.
fn everybody(stage: &Stage, server: &Server, workers: usize) -> Vec<Served> {
    let mut found: Vec<Served> = Vec::new();
    let mut held = Vec::new();
    until("all workers have answered", || {
        let mut client = Client::of(server);
        let served = Served::ask(&mut client);
        if found.iter().all(|one| (one.pid, one.thread) != (served.pid, served.thread)) {
            found.push(served);
        }
        // Who is taken lets the others have their turn; an event loop never is.
        if stage.cell.place != PlaceKind::Task || held.len() < 100 {
            held.push(client);
        }
        found.len() == workers
    });
    found
}

fn workers_run_on_the_cores_that_they_are_given() {
    in_teams(|stage| {
        let cores = allowed();
        let (first, last) = (cores[0], cores[cores.len() - 1]);
        // Worker 0 on the first, worker 1 on both.
        let both: BTreeSet<usize> = [first, last].into();
        let both: Vec<usize> = both.into_iter().collect();
        let sets = Affinity::Sets(vec![vec![first], both.clone()]);
        let server = stage.serve::<Who>(settings(stage, 2, sets), ());
        let mut found: Vec<Vec<usize>> =
            everybody(stage, &server, 2).into_iter().map(|served| served.cores).collect();
        found.sort_unstable();
        assert_eq!(found, [vec![first], both]);
    });
}

fn workers_are_spread_over_all_cores() {
    in_teams(|stage| {
        let cores = allowed();
        // A stage of these tests has two event loops.
        let workers = if stage.cell.place == PlaceKind::Task { 2 } else { cores.len() };
        let server = stage.serve::<Who>(settings(stage, workers, Affinity::Spread), ());
        let found = everybody(stage, &server, workers);
        assert!(found.iter().all(|served| served.cores.len() == 1));
        let used: BTreeSet<usize> = found.into_iter().flat_map(|served| served.cores).collect();
        assert_eq!(used.len(), workers.min(cores.len()), "{used:?}");
    });
}

fn a_worker_s_next_life_runs_where_the_first_did() {
    let is_meant = |cell: Cell| {
        cell.model == ModelKind::Team
            && matches!(cell.place, PlaceKind::Thread | PlaceKind::Process)
    };
    in_cells(is_meant, |stage| {
        let last = *allowed().last().unwrap();
        let affinity = Affinity::Sets(vec![vec![last]]);
        let crew = Crew { requests_max: Some(1), affinity, ..Crew::default() };
        let settings = ServerSettings { crew, ..stage.settings_for_one_worker() };
        let server = stage.serve::<Who>(settings, ());
        for _ in 0..5 {
            assert_eq!(Served::by(&server).cores, [last]);
        }
    });
}

/// It goes on to others: an event loop at once, a thread with the next actor that gets it.
fn a_thread_is_let_go_when_its_worker_ends() {
    let is_meant = |cell: Cell| {
        cell.model == ModelKind::Team && matches!(cell.place, PlaceKind::Task | PlaceKind::Thread)
    };
    in_cells(is_meant, |stage| {
        let server = stage.serve::<Who>(settings(stage, 2, Affinity::Spread), ());
        assert_eq!(Served::by(&server).cores.len(), 1);
        stage.wait("the drain", server.drain());
        let server = stage.serve::<Who>(settings(stage, 2, Affinity::Off), ());
        let found = everybody(stage, &server, 2);
        assert!(found.iter().all(|served| served.cores == allowed()));
    });
}

fn refusal(stage: &Stage, settings: ServerSettings) -> CrewError {
    match Server::launch::<Who>(&stage.system, settings, ()) {
        Err(StartError::Plan(PlanError::Crew(error))) => error,
        other => panic!("{other:?}"),
    }
}

fn a_core_that_cannot_be_had_is_named() {
    in_teams(|stage| {
        let affinity = Affinity::Sets(vec![vec![CpuSet::count() - 1]]);
        let error = refusal(stage, settings(stage, 1, affinity));
        let text = error.to_string();
        assert!(text.contains(&format!("core {}", CpuSet::count() - 1)), "{text}");
        let allowed: Vec<String> = allowed().iter().map(usize::to_string).collect();
        assert!(text.contains(&allowed.join(",")), "{text}");
    });
}

fn more_workers_than_event_loops_cannot_be_confined() {
    let is_meant = |cell: Cell| cell.model == ModelKind::Team && cell.place == PlaceKind::Task;
    in_cells(is_meant, |stage| {
        let error = refusal(stage, settings(stage, 3, Affinity::Spread));
        assert_eq!(error, CrewError::Loops { workers: 3, loops: 2 });
    });
}
