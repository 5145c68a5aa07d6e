//! Replicated registers: palco beside etcd and a single redis, interleaved in one run.
//!
//! | file | what |
//! |---|---|
//! | `store.rs` | who is compared, and what is asked |
//! | `cluster.rs` | servers that stand, and fall when they are dropped |
//! | `palco.rs`, `etcd.rs`, `redis.rs` | how each is started |
//! | `client.rs`, `grpc.rs`, `protobuf.rs` | how each is asked |
//! | `closed.rs` | as fast as answers come: figures of one cell |
//! | `witness.rs` | bytes between servers and flushes, as the kernel counts them |
//! | `gaps.rs`, `gaps/` | a moderate load while a server dies or all are replaced |
//! | `targets.rs` | what palco wants to reach, and whether it has |
//! | `report.rs`, `report/` | what the run has found |
//!
//! The client runs on one thread of this process and is alike for all; its processor time counts for nobody. What counts
//! is the processor time of all server processes of a store, from their own clocks.

mod client;
mod closed;
mod cluster;
mod etcd;
mod gaps;
mod grpc;
mod palco;
mod protobuf;
mod redis;
mod report;
mod store;
mod targets;
mod witness;

use std::io;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use palco_measure::{Chance, Conditions, Witnessed};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};
use tokio::task::LocalSet;
use tokio::time::sleep;

use crate::Progress;
use crate::actors::Refusal;
use closed::{Load, Sample};
use cluster::Cluster;
pub use gaps::{Calm, GapRow};
pub use report::{RegisterFigures, RegisterRow, RegisterTable, RegistersReport};
pub use store::{Operation, Peer, Store};
pub use targets::{Target, Verdict};
use witness::Witness;

/// The most clients of one cell.
pub const CLIENTS_MAX: usize = 4096;

/// The most operations that a client has under way.
pub const PIPELINE_MAX: usize = 1024;

/// The largest values, in bytes: what a register takes.
pub const VALUE_BYTES_MAX: usize = 1 << 20;

/// How long servers are watched while nobody asks them.
const IDLE: Duration = Duration::from_secs(1);

/// What to measure and for how long.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Clients of each cell; 1, 16, 64 and 256 by default, each at least 1 and at most [`CLIENTS_MAX`].
    pub clients: Vec<usize>,
    /// How often every cell has its turn. At least 1, 5 by default.
    pub rounds: usize,
    /// How long each turn lasts, after a warm-up of a tenth of it. 3 s by default.
    pub lasts: Duration,
    /// Bytes of a value, 256 by default, at most [`VALUE_BYTES_MAX`].
    pub value_bytes: usize,
    /// Who is measured beside palco; both by default.
    pub peers: Vec<Peer>,
    /// Operations that a client has under way in pipelined cells, 16 by default, at most [`PIPELINE_MAX`].
    pub pipeline: usize,
    /// Whether gaps are looked for, too, and with how many bytes in the registers when all are replaced at once.
    pub gaps: Option<u64>,
    /// Decides the order of the cells in each round, and which registers are asked for.
    pub seed: u64,
    /// The files of all servers stay where they are.
    pub keep: bool,
    /// The program `palco`; without it palco's rows have no figures.
    pub palco: Option<PathBuf>,
    /// How the run was asked for, for the report.
    pub command: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            clients: vec![1, 16, 64, 256],
            rounds: 5,
            lasts: Duration::from_secs(3),
            value_bytes: 256,
            peers: Peer::ALL.to_vec(),
            pipeline: 16,
            gaps: None,
            seed: 1,
            keep: false,
            palco: None,
            command: String::new(),
        }
    }
}

/// Why nothing could be measured.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The settings ask for nothing, or for too much.
    #[error("{0}")]
    Settings(String),
    /// No place for the servers' files, or no runtime for the client.
    #[error("a place for the servers or their client cannot be made: is TMPDIR writable?")]
    Place(#[from] io::Error),
}

/// A cell of the matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cell {
    store: usize,
    operation: Operation,
    clients: usize,
}

/// All rounds of a cell in their order.
type Played = Vec<Sample>;

/// A store that is measured, or why it is not.
struct Contestant {
    store: Store,
    cluster: Result<Cluster, Refusal>,
    /// Processor seconds in a second while nobody asked.
    idle: Option<f64>,
}

/// Measures. Takes about twenty minutes by default and needs the machine for itself.
///
/// Every server runs as a process of its own on ports of 127.0.0.1, with its files in one temporary directory (`TMPDIR`),
/// from the first round to the last; all have ended when this returns. A store that cannot be started has rows that say
/// why, and so has one that gave a wrong answer or failed. Blocks the calling thread, and must not be called on an event
/// loop.
///
/// # Errors
/// [`RunError`]
pub fn run(
    settings: &Settings,
    mut progress: impl FnMut(Progress),
) -> Result<RegistersReport, RunError> {
    check(settings)?;
    let begun = Instant::now();
    let conditions = Conditions::look(settings.lasts < IDLE);
    let mut directory = TempDir::with_prefix("palco-bench-registers-")?;
    directory.disable_cleanup(settings.keep);
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let local = LocalSet::new();
    let witness = Witness::new(directory.path());
    let stage = Stage { settings, directory: &directory, runtime: &runtime, local: &local };
    let (contestants, cells, played) = stage.closed(&witness, &mut progress);
    let gaps = settings.gaps.map(|bulk| gaps::run(&stage, bulk, &mut progress));
    let seen =
        conditions.look_again(&Witnessed { canaries: Vec::new(), order_seed: settings.seed });
    let found = report::Found {
        contestants: &contestants,
        cells: &cells,
        played: &played,
        gaps: gaps.unwrap_or_default(),
        versions: cluster::versions(&settings.peers),
        missing: witness.missing(),
        kept: settings.keep.then(|| directory.path().to_owned()),
    };
    Ok(RegistersReport::new(settings, found, seen, begun.elapsed()))
}

fn check(settings: &Settings) -> Result<(), RunError> {
    let within = |what: &str, value: usize, max: usize| {
        if (1..=max).contains(&value) {
            return Ok(());
        }
        Err(RunError::Settings(format!("{what}: {value} is not between 1 and {max}")))
    };
    if settings.clients.is_empty() {
        return Err(RunError::Settings("clients: nobody is to ask; name a number".to_owned()));
    }
    for &clients in &settings.clients {
        within("clients", clients, CLIENTS_MAX)?;
    }
    within("values", settings.value_bytes, VALUE_BYTES_MAX)?;
    within("pipeline", settings.pipeline, PIPELINE_MAX)
}

/// What every part of a run needs.
struct Stage<'a> {
    settings: &'a Settings,
    directory: &'a TempDir,
    runtime: &'a Runtime,
    local: &'a LocalSet,
}

impl Stage<'_> {
    fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.local.block_on(self.runtime, future)
    }

    /// Lets time pass for all who ask meanwhile.
    fn wait(&self, time: Duration) {
        self.block_on(async { sleep(time).await });
    }

    fn stores(&self) -> impl Iterator<Item = Store> {
        let peers = &self.settings.peers;
        Store::ALL.into_iter().filter(|store| store.peer().is_none_or(|peer| peers.contains(&peer)))
    }

    /// Starts a store with all registers written.
    fn start(&self, store: Store, folder: &str) -> Result<Cluster, Refusal> {
        let directory = self.directory.path().join(folder);
        let cluster = Cluster::start(store, self.settings.palco.as_deref(), &directory)?;
        let value = self.value();
        let filled = closed::fill(&cluster, closed::KEYS, closed::key, &value, |_| {});
        self.block_on(filled).map_err(Refusal::failed)?;
        Ok(cluster)
    }

    fn value(&self) -> Vec<u8> {
        vec![b'v'; self.settings.value_bytes]
    }

    /// Every cell in every round; the order is another one in each.
    fn closed(
        &self,
        witness: &Witness,
        progress: &mut dyn FnMut(Progress),
    ) -> (Vec<Contestant>, Vec<Cell>, Vec<Result<Played, String>>) {
        let stores: Vec<_> = self.stores().collect();
        let mut contestants = Vec::new();
        for (done, &store) in stores.iter().enumerate() {
            let what = format!("starting {}", store.name());
            progress(Progress { what, done, total: stores.len() });
            let cluster = self.start(store, "closed");
            contestants.push(Contestant { store, cluster, idle: None });
        }
        for contestant in &mut contestants {
            let Ok(cluster) = &contestant.cluster else { continue };
            let (cpu, begun) = (cluster.cpu_nanos(), Instant::now());
            self.wait(IDLE.min(self.settings.lasts));
            let used = cluster.cpu_nanos().saturating_sub(cpu) as f64 / 1e9;
            contestant.idle = Some(used / begun.elapsed().as_secs_f64());
        }
        let cells = self.cells(stores.len());
        let mut played: Vec<Result<Played, String>> = cells
            .iter()
            .map(|cell| match &contestants[cell.store].cluster {
                Ok(_) => Ok(Vec::new()),
                Err(refusal) => Err(refusal.to_string()),
            })
            .collect();
        let (rounds, value) = (self.settings.rounds.max(1), self.value());
        let mut chance = Chance::named(self.settings.seed, "order");
        let mut order: Vec<usize> = (0..cells.len()).collect();
        let mut done = 0;
        for round in 0..rounds {
            chance.shuffle(&mut order);
            for &index in &order {
                let cell = cells[index];
                let contestant = &contestants[cell.store];
                let name = contestant.store.name();
                let title = cell.operation.title(self.settings.pipeline);
                let what =
                    format!("round {}: {name}, {title}, {} clients", round + 1, cell.clients);
                progress(Progress { what, done, total: rounds * cells.len() });
                done += 1;
                let (Ok(cluster), Ok(samples)) = (&contestant.cluster, &mut played[index]) else {
                    continue;
                };
                let load = Load {
                    operation: cell.operation,
                    clients: cell.clients,
                    at_once: cell.operation.at_once(self.settings.pipeline),
                    lasts: self.settings.lasts,
                    value: &value,
                    seed: self.settings.seed.wrapping_add(done as u64),
                };
                match self.block_on(closed::run(cluster, load, witness)) {
                    Ok(sample) => samples.push(sample),
                    Err(failure) => played[index] = Err(format!("failed: {failure}")),
                }
            }
        }
        (contestants, cells, played)
    }

    fn cells(&self, stores: usize) -> Vec<Cell> {
        let mut cells = Vec::new();
        for operation in Operation::ALL {
            for &clients in &self.settings.clients {
                cells.extend((0..stores).map(|store| Cell { store, operation, clients }));
            }
        }
        cells
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_asks_for_nothing_or_too_much_is_refused_by_name() {
        let usual = Settings::default;
        for (settings, word) in [
            (Settings { clients: Vec::new(), ..usual() }, "clients"),
            (Settings { clients: vec![1, 0], ..usual() }, "clients"),
            (Settings { value_bytes: VALUE_BYTES_MAX + 1, ..usual() }, "values"),
            (Settings { pipeline: 0, ..usual() }, "pipeline"),
        ] {
            let error = run(&settings, |_| {}).unwrap_err().to_string();
            assert!(error.starts_with(word), "{error}");
        }
    }
}
