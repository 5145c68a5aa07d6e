//! Runs one test body in every cell, each on a system of its own, and closes the books afterwards.

use std::fmt;
use std::future::Future;
use std::panic;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use palco_actors::{AnyRef, Effect, PlaceKind, Signal, System};
use palco_models::{
    AcceptBy, Concurrency, ModelKind, ProcessSettings, Scores, Server, ServerSettings, profile,
};
use palco_service::services::work::WorkService;
use palco_service::{Codec, Relaunch, Service};
use palco_threads::block_on;
use tempfile::TempDir;

use crate::client::Client;

/// Against hanging only: nothing that works takes nearly as long.
pub(crate) const LIMIT: Duration = Duration::from_secs(120);

/// One model in one place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cell {
    pub(crate) model: ModelKind,
    pub(crate) place: PlaceKind,
    /// How a team of processes comes by its connections.
    pub(crate) accept_by: AcceptBy,
}

impl Cell {
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        let accept_by = AcceptBy::Workers;
        let cells = ModelKind::ALL.into_iter().flat_map(move |model| {
            PlaceKind::OF_THIS_MACHINE.map(|place| Self { model, place, accept_by })
        });
        let (model, place) = (ModelKind::Team, PlaceKind::Process);
        cells.chain([Self { model, place, accept_by: AcceptBy::Dispatcher }])
    }

    /// Whether several connections are served at once.
    pub(crate) fn serves_several(self) -> bool {
        match profile(self.model, self.place).concurrency {
            Concurrency::None => false,
            Concurrency::Apparent | Concurrency::Real => true,
        }
    }

    /// Whether a handler that blocks its thread leaves the others alone.
    pub(crate) fn isolates_blocking(self) -> bool {
        self.serves_several() && !self.place.shares_its_thread()
    }

    /// Whether a service can be one that the test shares memory with: a value of the test's, with channels and counters
    /// in it. Where it cannot, in processes, the test keeps to what it can see from outside, or has the cells that are
    /// left.
    pub(crate) fn shares_memory(self) -> bool {
        self.place != PlaceKind::Process
    }

    /// Whether whoever serves can be ended wherever its handler is.
    pub(crate) fn ends_by_force(self) -> bool {
        self.place == PlaceKind::Process
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} x {}", self.model, self.place)?;
        match self.accept_by {
            AcceptBy::Workers => Ok(()),
            other => write!(f, " ({})", other.name()),
        }
    }
}

/// What a test body gets.
pub(crate) struct Stage {
    pub(crate) system: System,
    pub(crate) cell: Cell,
    servers: Mutex<Vec<Arc<Server>>>,
    sites: Mutex<Vec<TempDir>>,
    leaves_behind: AtomicBool,
}

/// Runs `body` in every cell, side by side.
pub(crate) fn in_every_cell(body: impl Fn(&Stage) + Sync) {
    in_cells(|_| true, body);
}

/// Runs `body` in the cells that are `meant`.
pub(crate) fn in_cells(meant: impl Fn(Cell) -> bool, body: impl Fn(&Stage) + Sync) {
    let cells: Vec<Cell> = Cell::all().filter(|cell| meant(*cell)).collect();
    assert!(!cells.is_empty(), "a promise that no cell has to keep");
    let run = |cell: Cell| {
        let body = &body;
        move || in_cell(cell, body)
    };
    let broken: Vec<String> = thread::scope(|scope| {
        let start = |cell: &Cell| {
            let named = thread::Builder::new().name(cell.to_string());
            (*cell, named.spawn_scoped(scope, run(*cell)).unwrap())
        };
        let running: Vec<_> = cells.iter().map(start).collect();
        let broken = running.into_iter().filter_map(|(cell, run)| run.join().err().map(|_| cell));
        broken.map(|cell| cell.to_string()).collect()
    });
    assert!(broken.is_empty(), "broken in: {}", broken.join(", "));
}

fn in_cell(cell: Cell, body: &impl Fn(&Stage)) {
    let stage = Stage {
        system: System::builder().event_loops(2).build().unwrap(),
        cell,
        servers: Mutex::default(),
        sites: Mutex::default(),
        leaves_behind: AtomicBool::new(false),
    };
    body(&stage);
    stage.wait("the shutdown", stage.system.shutdown());
    let ledger = stage.system.ledger();
    assert!(ledger.is_balanced(), "messages were lost or doubled: {ledger:?}");
    if stage.leaves_behind.into_inner() {
        return;
    }
    assert_eq!((ledger.queued, ledger.in_flight), (0, 0), "all actors have ended: {ledger:?}");
    for server in stage.servers.into_inner().unwrap() {
        // Blocking work that was given up may still be going on; as long as it does, it takes up room.
        until("all connections have ended", || server.scores().active == 0);
        let scores = server.scores();
        assert_eq!(scores.accepted, endings(&scores), "each has one ending: {scores:?}");
    }
}

fn endings(scores: &Scores) -> u64 {
    let Scores { done, drained, malformed, panicked, interrupted, broken, .. } = scores;
    done + drained
        + malformed
        + panicked
        + interrupted
        + broken
        + scores.timed_out
        + scores.abandoned
}

impl Stage {
    /// A server in the cell under test.
    pub(crate) fn settings(&self) -> ServerSettings {
        let count = self.servers.lock().unwrap().len();
        let Cell { model, place, accept_by } = self.cell;
        let process = (accept_by != AcceptBy::default()).then(|| self.process());
        ServerSettings { process, ..ServerSettings::new(format!("server-{count}"), model, place) }
    }

    /// Its processes, in place `process`.
    pub(crate) fn process(&self) -> ProcessSettings {
        ProcessSettings { accept_by: self.cell.accept_by, ..ProcessSettings::default() }
    }

    /// The same with one worker, if the model has workers.
    pub(crate) fn settings_for_one_worker(&self) -> ServerSettings {
        let workers = profile(self.cell.model, self.cell.place).workers.map(|_| 1);
        ServerSettings { workers, ..self.settings() }
    }

    /// A server for `S`.
    pub(crate) fn serve<S: Relaunch>(
        &self,
        settings: ServerSettings,
        config: S::Config,
    ) -> Arc<Server> {
        self.keep(Server::launch::<S>(&self.system, settings, config).unwrap())
    }

    /// A server for a service that the test shares memory with.
    pub(crate) fn serve_here<S: Service, C: Codec<S> + Sync>(
        &self,
        settings: ServerSettings,
        service: S,
        codec: C,
    ) -> Arc<Server> {
        self.keep(Server::start(&self.system, settings, Arc::new(service), codec).unwrap())
    }

    /// Has the books of a server looked at in the end.
    pub(crate) fn keep(&self, server: Server) -> Arc<Server> {
        let server = Arc::new(server);
        self.servers.lock().unwrap().push(Arc::clone(&server));
        server
    }

    /// An empty directory that lives as long as the stage.
    pub(crate) fn directory(&self) -> PathBuf {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().to_owned();
        self.sites.lock().unwrap().push(directory);
        path
    }

    /// The body leaves an actor behind that cannot be ended.
    pub(crate) fn leaves_behind(&self) {
        self.leaves_behind.store(true, Ordering::Relaxed);
    }

    /// Drives `future` to its end; fails instead of hanging.
    pub(crate) fn wait<T>(&self, what: &str, future: impl Future<Output = T>) -> T {
        let limited = block_on(self.system.within(LIMIT, future));
        limited.unwrap_or_else(|| panic!("{what} hangs"))
    }

    /// Lets at least `ms` pass, proved by a server that nobody else talks to.
    pub(crate) fn let_pass(&self, ms: u32) {
        let settings = ServerSettings::new("hourglass", ModelKind::Iterative, PlaceKind::Thread);
        let hourglass = Server::launch::<WorkService>(&self.system, settings, ()).unwrap();
        let mut client = Client::of(&hourglass);
        client.say(format!("sleep {ms}\n"));
        assert!(client.line().starts_with("ok sleep"));
        drop(client);
        self.wait("the hourglass", hourglass.drain());
    }

    /// Sends `signal` and waits until it has taken hold.
    pub(crate) fn signal(&self, actors: &[AnyRef], signal: Signal) {
        for actor in actors {
            let effect = self.wait("a signal", actor.signal_within(signal, LIMIT));
            let pending = matches!(effect, Effect::Pending { .. });
            assert!(!pending, "{signal:?} to {actor:?}: {effect:?}");
        }
    }
}

/// Waits until `holds`.
#[track_caller]
pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < LIMIT, "never: {what}");
        thread::sleep(Duration::from_millis(1)); // not a wait: the pause between two looks
    }
}

/// Tests make the work service panic on purpose; such panics are not printed.
pub(crate) fn keep_deliberate_panics_quiet() {
    let report = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if !info.payload_as_str().is_some_and(|text| text.starts_with("asked to panic")) {
            report(info);
        }
    }));
}

/// Lists the tests of a module.
macro_rules! trials {
    ($($test:ident),* $(,)?) => {
        pub(crate) fn trials() -> Vec<libtest_mimic::Trial> {
            let module = module_path!().rsplit("::").next().unwrap_or_default();
            vec![$(libtest_mimic::Trial::test(
                format!("{module}::{}", stringify!($test)),
                || { $test(); Ok(()) },
            )),*]
        }
    };
}
pub(crate) use trials;
