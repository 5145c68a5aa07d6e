//! Servers side by side: every model of palco in every place, the same designs in C and the servers people use, under work
//! of every kind.
//!
//! | file | what |
//! |---|---|
//! | `workload.rs` | [`Workload`], [`Measure`]: what is asked, and what is measured |
//! | `contestant.rs` | who is measured: [`Origin`], [`Dialect`] |
//! | `standing.rs` | a server as a process of its own |
//! | `floor.rs`, `floor.c`; `incumbent.rs` | the designs in C; [`Incumbent`], the servers of others |
//! | `turn.rs` | one turn: a server, one kind of work, and what was measured |
//! | `memory.rs`, `holder.rs`, `pressure.rs` | what the kernel tells of a server |
//! | `report.rs`, `report/` | [`ServersReport`]: what the run has found, and what follows from it |
//!
//! Every turn has a server of its own, started for it and ended with it. The client is one thread on the last core, alike
//! for all; its processor time counts for nobody.

mod contestant;
mod floor;
mod holder;
mod incumbent;
mod memory;
mod pressure;
mod report;
mod standing;
mod turn;
mod workload;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use palco_measure::{Chance, Conditions, Witnessed};
use tempfile::TempDir;

pub use contestant::{Dialect, Origin};
pub use incumbent::Incumbent;
pub use report::{
    ContestantFacts, ControlRow, Group, Ranking, Reversal, ServersReport, ServersRow, ServersTable,
};
pub use workload::{Measure, Workload};

use crate::Progress;
use crate::account;
use crate::compiled::Compiled;
use crate::generator::Distribution;
use contestant::{Contestant, Make};
use report::Parts;
use standing::Workshop;
use turn::{Task, Turn};

/// Bytes of a large answer.
const LARGE_BYTES: usize = 1 << 20;
/// Bytes of a small one.
const SMALL_BYTES: usize = 1 << 10;
/// Rounds in which the highest rate is looked for.
const SEARCHES: usize = 1;
/// A run with shorter turns is not long enough to look at the machine before it.
const QUICK: Duration = Duration::from_millis(200);
/// Open files: a thousand idle connections, and what else there is.
const FILES: u64 = 8192;

/// What to measure and for how long.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How often every server has its turn under every workload. At least 1, 5 by default.
    pub rounds: usize,
    /// How long each turn lasts at its fixed rate, after a warm-up of a sixth of it. 300 ms by default.
    pub lasts: Duration,
    /// Workloads; all by default.
    pub only: Vec<Workload>,
    /// Only servers whose name has one of these in it, and those they are compared with; all by default.
    pub servers: Vec<String>,
    /// Whose servers are measured beside palco's and C's; all by default.
    pub peers: Vec<Incumbent>,
    /// Decides the order of the servers in each round.
    pub seed: u64,
    /// The program `palco`; without it palco's rows have no figures.
    pub palco: Option<PathBuf>,
    /// How the run was asked for, for the report.
    pub command: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            rounds: 5,
            lasts: Duration::from_millis(300),
            only: Workload::ALL.to_vec(),
            servers: Vec::new(),
            peers: Incumbent::ALL.to_vec(),
            seed: 1,
            palco: None,
            command: String::new(),
        }
    }
}

impl Settings {
    /// One short round: for a look and not for a record.
    #[must_use]
    pub fn quick() -> Self {
        Self { rounds: 1, lasts: Duration::from_millis(100), ..Self::default() }
    }
}

/// Why nothing could be measured.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The settings ask for nothing.
    #[error("{0}")]
    Settings(String),
    /// No place for the files.
    #[error("a place for the files cannot be made: is TMPDIR writable?")]
    Place(#[from] io::Error),
}

/// A server under a workload, and what came of it.
struct Cell {
    contestant: usize,
    workload: Workload,
    played: Result<Vec<Turn>, String>,
}

/// Measures. Takes about twenty minutes by default and needs the machine for itself.
///
/// Every server runs as a process of its own on a port of 127.0.0.1, with its files in one temporary directory (`TMPDIR`);
/// all have ended when this returns. A server that cannot be started, or does not do the work, has rows that say why.
/// Raises the soft limit of open files of this process. Blocks the calling thread.
///
/// # Errors
/// [`RunError`]
pub fn run(
    settings: &Settings,
    mut progress: impl FnMut(Progress),
) -> Result<ServersReport, RunError> {
    let contestants = wanted(settings)?;
    let begun = Instant::now();
    let conditions = Conditions::look(settings.lasts < QUICK);
    let directory = TempDir::with_prefix("palco-bench-servers-")?;
    let root = directory.path().join("root");
    fs::create_dir(&root)?;
    fs::write(root.join("small"), vec![b'.'; SMALL_BYTES])?;
    fs::write(root.join("large"), vec![b'.'; LARGE_BYTES])?;
    allow_files();
    let needs_floor = contestants.iter().any(|one| matches!(one.make, Make::C(_)));
    let floor = if needs_floor {
        Compiled::new("floor", floor::SOURCE).map_err(|error| error.to_string())
    } else {
        Err("nobody needs it".to_owned())
    };
    let palco = settings.palco.clone();
    let workshop = Workshop { palco, floor, root, directory: directory.path() };
    let mut cells = Vec::new();
    for &workload in &settings.only {
        for (contestant, one) in contestants.iter().enumerate() {
            let played = one.check(workload).map(|()| Vec::new()).map_err(str::to_owned);
            cells.push(Cell { contestant, workload, played });
        }
    }
    let accounting = play(settings, &contestants, &workshop, &mut cells, &mut progress);
    let witnessed = Witnessed { canaries: Vec::new(), order_seed: settings.seed };
    let seen = conditions.look_again(&witnessed);
    Ok(ServersReport::new(Parts {
        command: settings.command.clone(),
        environment: seen,
        accounting,
        rounds: settings.rounds.max(1),
        seed: settings.seed,
        turn: settings.lasts,
        took: begun.elapsed(),
        contestants: contestants.iter().map(facts).collect(),
        tables: tables(&contestants, cells),
        remarks: Vec::new(),
    }))
}

/// Who is asked for, and whom they are compared with.
fn wanted(settings: &Settings) -> Result<Vec<Contestant>, RunError> {
    if settings.only.is_empty() {
        return Err(RunError::Settings("workloads: none is to be measured; name one".to_owned()));
    }
    let all = contestant::all(&settings.peers);
    let is_named = |one: &Contestant| {
        settings.servers.is_empty() || settings.servers.iter().any(|word| one.name.contains(word))
    };
    let named: Vec<_> = all.iter().filter(|one| is_named(one)).collect();
    if named.is_empty() {
        let names: Vec<_> = all.iter().map(|one| one.name.as_str()).collect();
        let names = names.join("; ");
        return Err(RunError::Settings(format!(
            "servers: none has such a name; there are: {names}"
        )));
    }
    let floors: BTreeSet<_> = named.iter().filter_map(|one| one.floor).map(|f| f.name()).collect();
    let is_compared = |one: &Contestant| {
        let is_baseline = one.dialect == Dialect::Plain && one.is_iterative();
        floors.contains(one.name.as_str())
            || is_baseline && settings.only.contains(&Workload::Short)
    };
    Ok(all.iter().filter(|one| is_named(one) || is_compared(one)).cloned().collect())
}

/// Every cell in every round, in another order each; how processor time was counted.
fn play(
    settings: &Settings,
    contestants: &[Contestant],
    workshop: &Workshop<'_>,
    cells: &mut [Cell],
    progress: &mut dyn FnMut(Progress),
) -> String {
    let rounds = settings.rounds.max(1);
    let core = thread::available_parallelism().map_or(0, |cores| cores.get() - 1);
    let mut chance = Chance::named(settings.seed, "order");
    let mut order: Vec<usize> = (0..cells.len()).filter(|at| cells[*at].played.is_ok()).collect();
    let (total, mut done, begun) = (rounds * order.len(), 0, Instant::now());
    let mut means = BTreeSet::new();
    for round in 0..rounds {
        chance.shuffle(&mut order);
        for &at in &order {
            let Cell { contestant, workload, played } = &mut cells[at];
            let one = &contestants[*contestant];
            let mut what = format!("round {}: {workload}: {}", round + 1, one.name);
            if done > 0 {
                let each = begun.elapsed().as_secs_f64() / done as f64;
                let _ = write!(what, " (about {:.0} s left)", each * (total - done) as f64);
            }
            progress(Progress { what, done, total });
            done += 1;
            let Ok(turns) = played else { continue };
            let turn = workshop.start(one, *workload, done).and_then(|standing| {
                means.insert(account::sentence(std::iter::once(&standing.account)));
                let task = Task {
                    contestant: one,
                    workload: *workload,
                    standing: &standing,
                    lasts: settings.lasts,
                    core,
                    searches: round < SEARCHES,
                    seed: settings.seed.wrapping_add(done as u64),
                };
                task.take()
            });
            match turn {
                Ok(turn) => turns.push(turn),
                Err(refusal) => *played = Err(refusal.to_string()),
            }
        }
    }
    means.into_iter().collect::<Vec<_>>().join("; ")
}

/// What was measured, by workload and dialect; tables in which nobody could have a figure are left out.
fn tables(contestants: &[Contestant], cells: Vec<Cell>) -> Vec<ServersTable> {
    let mut tables: Vec<ServersTable> = Vec::new();
    for Cell { contestant, workload, played } in cells {
        let one = &contestants[contestant];
        let rate_per_s = turn::rate(workload);
        let row = row(one, played);
        let is_it =
            |table: &&mut ServersTable| table.workload == workload && table.dialect == one.dialect;
        match tables.iter_mut().find(is_it) {
            Some(table) => table.rows.push(row),
            None => {
                tables.push(ServersTable {
                    workload,
                    dialect: one.dialect,
                    rate_per_s,
                    rows: vec![row],
                });
            }
        }
    }
    tables.retain(|table| {
        contestants
            .iter()
            .any(|one| one.dialect == table.dialect && one.check(table.workload).is_ok())
    });
    tables
}

fn row(contestant: &Contestant, played: Result<Vec<Turn>, String>) -> ServersRow {
    let contestant = contestant.name.clone();
    let (turns, refused) = match played {
        Ok(turns) => (turns, None),
        Err(why) => (Vec::new(), Some(why)),
    };
    let mut measured: BTreeMap<Measure, Vec<f64>> = BTreeMap::new();
    let (mut response, mut remarks) = (Distribution::new(), BTreeMap::<String, usize>::new());
    let rounds = turns.len();
    for (round, turn) in turns.into_iter().enumerate() {
        for (measure, value) in turn.measured {
            // Rounds are paired with those of others: a round without a figure keeps its place.
            measured.entry(measure).or_insert_with(|| vec![f64::NAN; rounds])[round] = value;
        }
        if let Some(times) = &turn.response {
            response.add(times);
        }
        for remark in turn.remarks {
            *remarks.entry(remark).or_default() += 1;
        }
    }
    let response_us = response.curve_us();
    let told = |(remark, times)| format!("{remark} (in {times} of {rounds} rounds)");
    let remarks = remarks.into_iter().map(told).collect();
    ServersRow { contestant, measured, response_us, refused, remarks }
}

fn facts(one: &Contestant) -> ContestantFacts {
    let setting = match &one.make {
        Make::Palco { model, place, more } => {
            let more = more.iter().fold(String::new(), |text, word| text + " " + word);
            format!("palco serve --model {model} --place {place}{more}")
        }
        Make::PalcoInetd { is_builtin: true } => "palco inetd, builtin = \"echo\"".to_owned(),
        Make::PalcoInetd { is_builtin: false } => "palco inetd, starts /bin/cat".to_owned(),
        Make::C(design) => format!("floor {} of {} workers", design.word(), one.workers),
        Make::Peer(peer) => incumbent::setting(*peer),
    };
    ContestantFacts {
        name: one.name.clone(),
        origin: one.origin(),
        dialect: one.dialect,
        classic: one.classic().to_owned(),
        floor: one.floor.map(|floor| floor.name().to_owned()),
        setting,
    }
}

/// As far as this process may; who then has too few is told by its turn.
fn allow_files() {
    if let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) {
        let wanted = FILES.min(hard);
        if soft < wanted {
            let _ = setrlimit(Resource::RLIMIT_NOFILE, wanted, hard);
        }
    }
}
