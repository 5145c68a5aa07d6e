//! Files, stateless beside stateful: what a server saves by remembering its clients, and what it pays for it.
//!
//! | file | what |
//! |---|---|
//! | `side.rs` | who is compared, what is asked, and how |
//! | `host.rs` | a server as a process, that can be killed and started again |
//! | `sftp.rs`, `http.rs` | clients that count round trips and bytes |
//! | `closed.rs` | what a block costs to be read and to be written |
//! | `kept.rs` | what is remembered, and how many reads are answered from it |
//! | `recovery.rs` | servers that are killed while a client reads |
//! | `stale.rs`, `terms.rs` | how old what is read from a cache is, and what leases cost by their term |
//! | `targets.rs` | what must hold, and whether it has |
//! | `report.rs`, `report/` | what the run has found |
//!
//! The client is one thread of this process, alike for all; its processor time counts for nobody. What counts is the
//! processor time of all processes of a server, from their own clocks.

mod closed;
mod host;
mod http;
mod kept;
mod recovery;
mod report;
mod sftp;
mod side;
mod stale;
mod targets;
mod terms;

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use palco_measure::{Chance, Conditions, Witnessed};
use tempfile::TempDir;

use crate::Progress;
use crate::actors::Refusal;
use closed::Sample;
use host::{Host, LEASE_TERM, Site};
pub use kept::{AheadRow, MemoryRow, Readers};
pub use recovery::RecoveryRow;
pub use report::{CostFigures, CostRow, CostTable, StateReport};
pub use side::{Part, Peer, Side, Task, Way};
pub use stale::{Belief, StaleFigures, StaleRow};
pub use terms::{TermFigures, TermRow};

/// The longest lease term that is watched, a minute: each is watched for two.
pub const TERM_MAX: Duration = Duration::from_secs(60);

/// The most lease terms, each of which has a server.
pub const TERMS_MAX: usize = 16;

/// Bytes of a block.
const BLOCK: u64 = 4096;

/// Blocks of the file that is read: 64 MiB.
const BLOCKS: u64 = 16 << 10;

/// What is read.
const READ_FILE: &str = "blocks";

/// A run with shorter turns is not long enough to look at the machine before it.
const QUICK: Duration = Duration::from_secs(1);

/// What to measure and for how long.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How often every cell has its turn. At least 1, 3 by default.
    pub rounds: usize,
    /// How long each turn lasts, after a warm-up of a tenth of it. 1 s by default.
    pub lasts: Duration,
    /// Who is measured beside palco; both by default.
    pub peers: Vec<Peer>,
    /// Parts of the report; all by default.
    pub only: Vec<Part>,
    /// How often each server is killed, 10 by default.
    pub kills: usize,
    /// Terms of leases; 0.1, 0.5, 1, 2, 5 and 10 s by default, each above 0 and at most [`TERM_MAX`], and at most
    /// [`TERMS_MAX`] of them. All are watched at the same time, for two of the longest.
    pub terms: Vec<Duration>,
    /// Decides the order of the cells in each round, and what is read by chance.
    pub seed: u64,
    /// The program `palco`; without it palco's rows have no figures.
    pub palco: Option<PathBuf>,
    /// How the run was asked for, for the report.
    pub command: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            rounds: 3,
            lasts: Duration::from_secs(1),
            peers: Peer::ALL.to_vec(),
            only: Part::ALL.to_vec(),
            kills: 10,
            terms: [100, 500, 1000, 2000, 5000, 10_000].map(Duration::from_millis).to_vec(),
            seed: 1,
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
    /// No place for the files.
    #[error("a place for the files cannot be made: is TMPDIR writable, with 200 MiB free?")]
    Place(#[from] io::Error),
}

/// A cell of the matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cell {
    task: Task,
    side: Side,
    way: Way,
}

/// All rounds of a cell in their order, or why there are none.
type Played = Result<Vec<Sample>, String>;

/// What the parts have found.
#[derive(Default)]
struct Found {
    cells: Vec<(Cell, Played)>,
    ahead: Vec<AheadRow>,
    memory: Vec<MemoryRow>,
    recovery: Vec<RecoveryRow>,
    stale: Vec<StaleRow>,
    terms: Vec<TermRow>,
}

/// Measures. Takes some minutes by default and needs the machine for itself.
///
/// Every server runs as a process of its own on a port of 127.0.0.1, with its files in one temporary directory (`TMPDIR`);
/// all have ended when this returns. A server that cannot be started has rows that say why, and so has one that gave a
/// wrong answer or failed. Blocks the calling thread.
///
/// # Errors
/// [`RunError`]
pub fn run(
    settings: &Settings,
    mut progress: impl FnMut(Progress),
) -> Result<StateReport, RunError> {
    check(settings)?;
    let begun = Instant::now();
    let conditions = Conditions::look(settings.lasts < QUICK);
    let directory = TempDir::with_prefix("palco-bench-state-")?;
    let stage = Stage { settings, directory: directory.path() };
    let found = stage.play(&mut progress)?;
    let seen =
        conditions.look_again(&Witnessed { canaries: Vec::new(), order_seed: settings.seed });
    let versions = host::versions(&settings.peers);
    Ok(StateReport::new(settings, found, versions, seen, begun.elapsed()))
}

fn check(settings: &Settings) -> Result<(), RunError> {
    let refuse = |why: String| Err(RunError::Settings(why));
    if settings.only.is_empty() {
        return refuse("tables: none is to be made; name one".to_owned());
    }
    if settings.terms.is_empty() || settings.terms.len() > TERMS_MAX {
        return refuse(format!("terms: {} are not 1 to {TERMS_MAX}", settings.terms.len()));
    }
    let is_term = |term: &Duration| *term >= Duration::from_millis(1) && *term <= TERM_MAX;
    if let Some(term) = settings.terms.iter().find(|term| !is_term(term)) {
        return refuse(format!("terms: {term:?} is not between 1 ms and {TERM_MAX:?}"));
    }
    Ok(())
}

/// What every part of a run needs.
struct Stage<'a> {
    settings: &'a Settings,
    directory: &'a Path,
}

impl Stage<'_> {
    fn play(&self, progress: &mut dyn FnMut(Progress)) -> Result<Found, RunError> {
        let has = |part| self.settings.only.contains(&part);
        let root = self.directory.join("files");
        std::fs::create_dir_all(&root)?;
        write_blocks(&root.join(READ_FILE))?;
        let mut found = Found::default();
        if [Part::Reads, Part::Writes, Part::Ahead].into_iter().any(has) {
            let sides: Vec<_> = self.sides().collect();
            let mut hosts = Vec::new();
            for (done, &side) in sides.iter().enumerate() {
                let what = format!("starting {}", side.name());
                progress(Progress { what, done, total: sides.len() });
                hosts.push((side, Host::start(side, &root, self.site("closed"))));
            }
            found.cells = self.closed(&hosts, progress);
            if has(Part::Ahead) {
                found.ahead = Self::ahead(&hosts, progress);
            }
        }
        if has(Part::Memory) {
            found.memory = self.memory(&root, progress);
        }
        if has(Part::Recovery) {
            found.recovery = self.recovery(&root, progress);
        }
        if has(Part::Staleness) {
            found.stale = self.stale(progress)?;
            let what = "leases of all terms at once".to_owned();
            progress(Progress { what, done: 0, total: 1 });
            let site = self.site("terms");
            found.terms = TermRow::all(&site, &self.directory.join("leased"), &self.settings.terms);
        }
        Ok(found)
    }

    fn site(&self, folder: &str) -> Site {
        let directory = self.directory.join(folder);
        Site { palco: self.settings.palco.clone(), directory, lease_term: LEASE_TERM }
    }

    fn sides(&self) -> impl Iterator<Item = Side> {
        let peers = &self.settings.peers;
        Side::ALL.into_iter().filter(|side| side.peer().is_none_or(|peer| peers.contains(&peer)))
    }

    /// Every cell in every round; the order is another one in each.
    fn closed(
        &self,
        hosts: &[(Side, Result<Host, Refusal>)],
        progress: &mut dyn FnMut(Progress),
    ) -> Vec<(Cell, Played)> {
        let mut cells: Vec<(Cell, Played)> = Vec::new();
        for task in Task::ALL.into_iter().filter(|task| self.settings.only.contains(&task.part())) {
            for (side, host) in hosts {
                let played = || host.as_ref().map(|_| Vec::new()).map_err(Refusal::to_string);
                let ways = Way::of(*side, task).iter();
                cells.extend(ways.map(|&way| (Cell { task, side: *side, way }, played())));
            }
        }
        let rounds = self.settings.rounds.max(1);
        let mut chance = Chance::named(self.settings.seed, "order");
        let mut order: Vec<usize> = (0..cells.len()).collect();
        let mut done = 0;
        for round in 0..rounds {
            chance.shuffle(&mut order);
            for &index in &order {
                let (Cell { task, side, way }, played) = &mut cells[index];
                let what = format!("round {}: {}, {}", round + 1, side.name(), way.name());
                progress(Progress { what, done, total: rounds * order.len() });
                done += 1;
                let host = hosts.iter().find(|(of, _)| of == side).map(|(_, host)| host);
                let (Some(Ok(host)), Ok(samples)) = (host, &mut *played) else { continue };
                let seed = self.settings.seed.wrapping_add(done as u64);
                match closed::run(host, *task, *way, self.settings.lasts, seed) {
                    Ok(sample) => samples.push(sample),
                    Err(failure) => *played = Err(format!("failed: {failure}")),
                }
            }
        }
        cells
    }

    fn ahead(
        hosts: &[(Side, Result<Host, Refusal>)],
        progress: &mut dyn FnMut(Progress),
    ) -> Vec<AheadRow> {
        let asked: Vec<_> = hosts.iter().filter(|(side, _)| side.tells_its_state()).collect();
        let rows = asked.iter().enumerate().map(|(done, (side, host))| {
            let what = format!("{} reads ahead", side.name());
            progress(Progress { what, done, total: asked.len() });
            AheadRow::all(*side, host.as_ref())
        });
        rows.flatten().collect()
    }

    fn memory(&self, root: &Path, progress: &mut dyn FnMut(Progress)) -> Vec<MemoryRow> {
        let sides: Vec<_> = self.sides().collect();
        let rows = sides.iter().flat_map(|side| {
            MemoryRow::handles(*side).iter().map(move |handles| (*side, *handles))
        });
        let rows: Vec<_> = rows.collect();
        let row = |(done, &(side, handles)): (usize, &(Side, u64))| {
            let what = format!("what {} remembers of {handles} handles", side.name());
            progress(Progress { what, done, total: rows.len() });
            MemoryRow::of(side, Host::start(side, root, self.site("memory")), handles)
        };
        rows.iter().enumerate().map(row).collect()
    }

    fn recovery(&self, root: &Path, progress: &mut dyn FnMut(Progress)) -> Vec<RecoveryRow> {
        let sides: Vec<_> = self.sides().collect();
        let row = |(done, &side): (usize, &Side)| {
            let what = format!("{} is killed", side.name());
            progress(Progress { what, done, total: sides.len() });
            match Host::start(side, root, self.site("recovery")) {
                Ok(mut host) => RecoveryRow::of(&mut host, self.settings.kills, self.settings.seed),
                Err(refusal) => RecoveryRow::refused(side, Some(refusal.to_string())),
            }
        };
        sides.iter().enumerate().map(row).collect()
    }

    fn stale(&self, progress: &mut dyn FnMut(Progress)) -> Result<Vec<StaleRow>, RunError> {
        let rounds = u32::try_from(self.settings.rounds.max(1)).unwrap_or(u32::MAX);
        let lasts = self.settings.lasts.saturating_mul(rounds);
        let pairs =
            Side::ALL.map(|side| Belief::of(side).iter().map(move |belief| (side, *belief)));
        let pairs: Vec<_> = pairs.into_iter().flatten().collect();
        let mut rows = Vec::new();
        for (done, &(side, belief)) in pairs.iter().enumerate() {
            let what = format!("{}, {}, while somebody writes", side.name(), belief.name());
            progress(Progress { what, done, total: pairs.len() });
            let root = self.directory.join(format!("counted-{done}"));
            std::fs::create_dir_all(&root)?;
            rows.push(match Host::start(side, &root, self.site("staleness")) {
                Ok(host) => StaleRow::of(&host, belief, lasts),
                Err(refusal) => StaleRow::refused(side, belief, refusal.to_string()),
            });
        }
        Ok(rows)
    }
}

/// A file in which every eight bytes say where they are.
fn write_blocks(path: &Path) -> io::Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    for offset in (0..BLOCK * BLOCKS).step_by(8) {
        file.write_all(&offset.to_le_bytes())?;
    }
    file.into_inner()?.sync_all()
}

/// Whether these are the bytes from there.
fn check_block(bytes: &[u8], offset: u64) -> Result<(), String> {
    let (first, last) = (offset.to_le_bytes(), (offset + BLOCK - 8).to_le_bytes());
    if bytes.len() as u64 == BLOCK && bytes.starts_with(&first) && bytes.ends_with(&last) {
        return Ok(());
    }
    Err(format!("wrong bytes were read at {offset}: {} of them", bytes.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_asks_for_nothing_or_too_much_is_refused_by_name() {
        let usual = Settings::default;
        for (settings, word) in [
            (Settings { only: Vec::new(), ..usual() }, "tables"),
            (Settings { terms: Vec::new(), ..usual() }, "terms"),
            (Settings { terms: vec![Duration::ZERO], ..usual() }, "terms"),
            (Settings { terms: vec![TERM_MAX * 2], ..usual() }, "terms"),
        ] {
            let error = run(&settings, |_| {}).unwrap_err().to_string();
            assert!(error.starts_with(word), "{error}");
        }
    }

    #[test]
    fn blocks_are_told_from_others() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(READ_FILE);
        write_blocks(&path).unwrap();
        let all = std::fs::read(path).unwrap();
        assert_eq!(all.len() as u64, BLOCK * BLOCKS);
        assert_eq!(check_block(&all[8192..12288], 8192), Ok(()));
        assert!(check_block(&all[8192..12288], 4096).is_err());
        assert!(check_block(&all[8192..12280], 8192).is_err());
    }
}
