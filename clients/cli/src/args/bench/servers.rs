//! The command line of `palco bench servers`.

use std::path::PathBuf;
use std::time::Duration;

use palco_load::servers::{Incumbent, Settings, Workload};

use super::super::named;

/// The word for no peers at all.
const NONE: &str = "none";

/// What is measured, beside whom, and what becomes of the report.
#[derive(clap::Args, Debug)]
pub(crate) struct ServersArgs {
    /// One short round of everything, in about three minutes; for a look and not for a record
    #[arg(long)]
    quick: bool,
    /// How often every server has its turn under every workload, 1 to 1000 [default: 5, with --quick 1]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    rounds: Option<u32>,
    /// How long each turn lasts at its fixed rate, after a warm-up of a sixth of it [default: 300ms, with --quick 100ms]
    #[arg(long = "for", value_name = "TIME", value_parser = humantime::parse_duration)]
    lasts: Option<Duration>,
    /// Only these workloads [default: all]
    #[arg(long, value_name = "WORKLOAD,…", value_delimiter = ',', value_parser = named::<Workload>(Workload::ALL.map(Workload::name)))]
    only: Vec<Workload>,
    /// Only servers that have one of these words in their name (a wrong one names them all), and those they are compared
    /// with [default: all]
    #[arg(long, value_name = "WORD,…", value_delimiter = ',')]
    servers: Vec<String>,
    /// Whose servers are measured beside palco's and C's, or none [default: all]
    #[arg(long, value_name = "PEER,…", value_delimiter = ',', value_parser = named::<Beside>(names()))]
    peers: Vec<Beside>,
    /// Decides the order of the servers in each round [default: the time of day]
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u64>,
    /// Write the page to this file, too
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
    /// Print Markdown
    #[arg(long, conflicts_with_all = ["json", "csv"])]
    pub(crate) markdown: bool,
    /// Print one line per figure, comma-separated
    #[arg(long, conflicts_with = "json")]
    pub(crate) csv: bool,
}

/// A peer, or nobody.
#[derive(Clone, Copy, Debug)]
struct Beside(Option<Incumbent>);

impl std::str::FromStr for Beside {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        if name == NONE { Ok(Self(None)) } else { name.parse().map(|peer| Self(Some(peer))) }
    }
}

fn names() -> impl IntoIterator<Item = &'static str> {
    Incumbent::ALL.map(Incumbent::name).into_iter().chain([NONE])
}

impl ServersArgs {
    /// What was asked for; `seed` where nobody has said one.
    pub(crate) fn settings(&self, palco: PathBuf, seed: u64, command: String) -> Settings {
        let usual = if self.quick { Settings::quick() } else { Settings::default() };
        let is_wanted = |peer: &Incumbent| {
            self.peers.is_empty() || self.peers.iter().any(|Beside(one)| *one == Some(*peer))
        };
        let is_asked = |one: &Workload| self.only.is_empty() || self.only.contains(one);
        let rounds = self.rounds.map(|rounds| usize::try_from(rounds).unwrap_or(usize::MAX));
        Settings {
            rounds: rounds.unwrap_or(usual.rounds),
            lasts: self.lasts.unwrap_or(usual.lasts),
            only: Workload::ALL.into_iter().filter(is_asked).collect(),
            servers: self.servers.clone(),
            peers: Incumbent::ALL.into_iter().filter(is_wanted).collect(),
            seed: self.seed.unwrap_or(seed),
            palco: Some(palco),
            command,
        }
    }
}
