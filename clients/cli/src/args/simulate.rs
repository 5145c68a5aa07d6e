//! The command line of `palco simulate`: from words to scenarios, or to what is wrong with them.

mod scale;
mod words;

use std::num::NonZero;
use std::path::PathBuf;
use std::time::Duration;

use palco_rambo::Flaws;
use palco_sim::{Faults, ModeKind, QuorumKind, Scenario, Story, TraceWish};

use scale::Size;
pub(crate) use words::{Modes, Seeds};

/// Values begin with what makes them unlike each other.
const VALUE_BYTES: std::ops::RangeInclusive<i64> = 8..=65_536;

/// A third of so many is less than half.
const BROKEN_MEMBERS_MIN: u32 = 3;

#[derive(clap::Args, Debug)]
pub(crate) struct Simulate {
    /// Nodes that can be members, 1 to 1000
    #[arg(long, default_value_t = 5, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    nodes: u32,
    /// Members of the first configuration, the first so many nodes [default: 3, or all nodes if there are fewer]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    members: Option<u32>,
    /// Clients, each asking one thing at a time of some node
    #[arg(long, default_value_t = 8, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    clients: u32,
    /// What they ask in all, in each run: 10000, 1e6
    #[arg(long, default_value = "10000", value_name = "N", value_parser = words::operations)]
    ops: u64,
    /// Registers that they ask about [default: 16; 1 with rambo3, which has no more]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    keys: Option<u32>,
    /// Of the keys, those that are changed by compare-and-swap [default: 25; 0 with rambo3, which has none]
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u32).range(0..=100))]
    cas_percent: Option<u32>,
    /// Of what is asked, reads
    #[arg(long, default_value_t = 60, value_name = "PERCENT", value_parser = clap::value_parser!(u32).range(0..=100))]
    read_percent: u32,
    /// Size of a value
    #[arg(long, default_value_t = 16, value_name = "BYTES", value_parser = clap::value_parser!(u32).range(VALUE_BYTES))]
    value_bytes: u32,
    /// How old configurations are removed; all: the same with each, side by side
    #[arg(long, default_value = "rambo2", value_parser = words::modes())]
    mode: Modes,
    /// How quorums are formed; mixed: a different way for each configuration; broken: so that they miss each other, which
    /// a check must notice
    #[arg(long, default_value = "majority", value_parser = words::one_of(&QuorumKind::ALL))]
    quorums: QuorumKind,
    /// What goes wrong: none, all, or some of loss, duplicate, reorder, partition, asymmetric, ring, crash, disk-loss, pause,
    /// slow, storm
    #[arg(long, default_value = "none", value_name = "FAULT,…", value_parser = words::faults)]
    faults: Faults,
    /// Replace members again and again, with such pauses between: 50ms
    #[arg(long, value_name = "TIME", value_parser = words::pause)]
    reconfigure_every: Option<Duration>,
    /// Queries ask as few as they need first, and the others after so long: 5ms [default: all at once]
    #[arg(long, value_name = "TIME", value_parser = words::pause)]
    patience: Option<Duration>,
    /// Configurations that may be active when another is proposed, 2 to 8
    #[arg(long, default_value_t = 2, value_name = "N", value_parser = clap::value_parser!(u8).range(2..=8))]
    active_max: u8,
    /// Rules of the protocol that are left out on purpose: then a check must object, or it is worth nothing; a wrong name
    /// lists them all
    #[arg(long, value_name = "FLAW,…", value_parser = words::flaws)]
    flaws: Option<Flaws>,
    /// Which runs: each number from this to that, as 1..1000
    #[arg(long, value_name = "FROM..TO", conflicts_with = "seed", value_parser = words::seeds)]
    seeds: Option<Seeds>,
    /// Which run [default: 1]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Runs at once; changes nothing but the time it takes [default: as many as there are cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    jobs: Option<u16>,
    /// Write a page with pictures of a run to this file: of the first that went wrong, else of the first
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
    /// Write the message-sequence diagram of that run alone to this file, as SVG
    #[arg(long, value_name = "FILE")]
    pub(crate) svg: Option<PathBuf>,
    /// A single run whose every message is placed by hand: ballots (three proposers for one configuration), lost-write (slide
    /// 28: the old configuration goes with the decision), kept-write and deferred-removal (the same messages under rules
    /// that hold)
    #[arg(long, value_parser = words::one_of(&Story::ALL), conflicts_with_all = ["nodes", "members", "clients", "ops", "keys", "cas_percent", "read_percent", "value_bytes", "mode", "quorums", "faults", "reconfigure_every", "patience", "active_max", "flaws", "seeds", "seed", "jobs", "scale"])]
    pub(crate) story: Option<Story>,
    /// Messages per operation and latency against the number of nodes, all of them members, with majorities and in grids
    #[arg(long, conflicts_with_all = ["nodes", "members", "ops", "mode", "quorums", "seeds", "svg", "reconfigure_every", "patience", "flaws", "jobs"])]
    pub(crate) scale: bool,
    /// Numbers of nodes for --scale, at most 16 of 3 to 1000 each [default: 10,30,100,300,1000]
    #[arg(long, value_name = "N,…", value_delimiter = ',')]
    sizes: Option<Vec<Size>>,
}

/// Numbers of nodes that `--scale` compares, at most.
const SIZES_MAX: usize = 16;

/// What is to be run.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// One for each mode, in order.
    pub(crate) scenarios: Vec<Scenario>,
    pub(crate) seeds: Seeds,
    pub(crate) jobs: usize,
}

impl Simulate {
    /// What is asked for, if it can be.
    ///
    /// # Errors
    /// Arguments that do not go together: which, what is possible, what to do.
    pub(crate) fn plan(&self) -> Result<Plan, String> {
        let modes = self.mode.all();
        let is_single = modes.contains(&ModeKind::Rambo3);
        let members = self.members.unwrap_or(3.min(self.nodes));
        let (keys, cas) = (self.keys, self.cas_percent);
        if self.sizes.is_some() && !self.scale {
            return Err("--sizes goes with --scale; for one run give --nodes".to_owned());
        }
        if self.sizes().len() > SIZES_MAX {
            return Err(format!("--sizes takes at most {SIZES_MAX} numbers of nodes; give fewer"));
        }
        if members > self.nodes {
            return Err(format!(
                "--members {members} is more than --nodes {}: members are some of the nodes; give --nodes {members} or fewer members",
                self.nodes
            ));
        }
        if self.quorums == QuorumKind::Broken && members < BROKEN_MEMBERS_MIN {
            return Err(format!(
                "--quorums broken needs --members {BROKEN_MEMBERS_MIN} or more, not {members}: fewer cannot miss each other"
            ));
        }
        if is_single && cas.is_some_and(|percent| percent > 0) {
            return Err(format!(
                "--cas-percent {} goes with --mode rambo1 or rambo2: the single register of rambo3 is read and written only; \
                 leave it out, or give --cas-percent 0",
                cas.unwrap_or_default()
            ));
        }
        if is_single && keys.is_some_and(|keys| keys > 1) {
            return Err(format!(
                "--keys {} goes with --mode rambo1 or rambo2: rambo3 is safe for a single register only; leave it out, or give \
                 --keys 1",
                keys.unwrap_or_default()
            ));
        }
        let usual = Scenario::default();
        let (usual_keys, usual_cas) =
            if is_single { (1, 0) } else { (usual.keys, usual.cas_percent) };
        let scenario = |mode| Scenario {
            nodes: self.nodes,
            members,
            clients: self.clients,
            operations: self.ops,
            keys: keys.unwrap_or(usual_keys),
            cas_percent: cas.unwrap_or(usual_cas),
            read_percent: self.read_percent,
            value_bytes: self.value_bytes,
            mode,
            quorums: self.quorums,
            faults: self.faults,
            reconfigure_every: self.reconfigure_every,
            patience: self.patience,
            active_max: self.active_max.into(),
            flaws: self.flaws.unwrap_or(Flaws::NONE),
            trace: TraceWish::None,
            ..usual
        };
        let scenarios = modes.iter().copied().map(scenario).collect();
        let seeds = self.seeds.unwrap_or(Seeds::only(self.first_seed()));
        let cores = || std::thread::available_parallelism().map_or(1, NonZero::get);
        let jobs = self.jobs.map_or_else(cores, usize::from);
        Ok(Plan { scenarios, seeds, jobs })
    }

    /// The seed of a single run.
    pub(crate) fn first_seed(&self) -> u64 {
        self.seed.unwrap_or(1)
    }

    /// Numbers of nodes that `--scale` compares, ascending.
    pub(crate) fn sizes(&self) -> Vec<Size> {
        let usual = || [10, 30, 100, 300, 1000].map(Size).to_vec();
        let mut sizes = self.sizes.clone().unwrap_or_else(usual);
        sizes.sort_unstable();
        sizes.dedup();
        sizes
    }

    /// What `--scale` runs with so many nodes: fewer operations, the more it takes to do one.
    pub(crate) fn at_scale(&self, Size(nodes): Size, quorums: QuorumKind) -> Scenario {
        Scenario {
            nodes,
            members: nodes,
            clients: self.clients,
            operations: u64::from(600_000 / nodes).clamp(600, 6_000),
            keys: self.keys.unwrap_or(16),
            cas_percent: self.cas_percent.unwrap_or(0),
            read_percent: self.read_percent,
            value_bytes: self.value_bytes,
            quorums,
            faults: self.faults,
            ..Scenario::default()
        }
    }
}
