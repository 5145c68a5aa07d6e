//! The command line of `palco bench state`.

use std::path::PathBuf;
use std::time::Duration;

use palco_load::state::{Part, Peer, Settings};

use super::super::named;

/// The word for no peers at all.
const NONE: &str = "none";

/// What is measured, beside whom, and what becomes of the report.
#[derive(clap::Args, Debug)]
pub(crate) struct StateArgs {
    /// How often every cell has its turn, 1 to 1000
    #[arg(long, default_value_t = 3, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    rounds: u32,
    /// How long each turn lasts, after a warm-up of a tenth of it
    #[arg(long = "for", value_name = "TIME", default_value = "1s", value_parser = humantime::parse_duration)]
    lasts: Duration,
    /// Who is measured beside palco: nginx, sftp-server, or none
    #[arg(long, value_name = "PEER,…", value_delimiter = ',', default_value = "nginx,sftp-server", value_parser = named::<Beside>([Peer::Nginx.name(), Peer::SftpServer.name(), NONE]))]
    peers: Vec<Beside>,
    /// Only these tables [default: all]
    #[arg(long, value_name = "TABLE,…", value_delimiter = ',', value_parser = named::<Part>(Part::ALL.map(Part::name)))]
    only: Vec<Part>,
    /// How often each server is killed, 1 to 1000
    #[arg(long, default_value_t = 10, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    kills: u32,
    /// Terms of leases, up to 16, each at most a minute; all are watched at once, for two of the longest
    #[arg(long, value_name = "TIME,…", value_delimiter = ',', default_value = "100ms,500ms,1s,2s,5s,10s", value_parser = humantime::parse_duration)]
    terms: Vec<Duration>,
    /// Decides the order of the cells in each round, and what is read by chance [default: the time of day]
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u64>,
    /// Write the page to this file, too
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
    /// Print Markdown
    #[arg(long, conflicts_with = "json")]
    pub(crate) markdown: bool,
}

/// A peer, or nobody.
#[derive(Clone, Copy, Debug)]
struct Beside(Option<Peer>);

impl std::str::FromStr for Beside {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        if name == NONE { Ok(Self(None)) } else { name.parse().map(|peer| Self(Some(peer))) }
    }
}

impl StateArgs {
    /// What was asked for; `seed` where nobody has said one.
    pub(crate) fn settings(&self, palco: PathBuf, seed: u64, command: String) -> Settings {
        let is_wanted =
            |peer: &Peer| self.peers.iter().any(|Beside(wanted)| *wanted == Some(*peer));
        let is_asked = |part: &Part| self.only.is_empty() || self.only.contains(part);
        let mut terms = self.terms.clone();
        terms.sort_unstable();
        terms.dedup();
        let number = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
        Settings {
            rounds: number(self.rounds),
            lasts: self.lasts,
            peers: Peer::ALL.into_iter().filter(is_wanted).collect(),
            only: Part::ALL.into_iter().filter(is_asked).collect(),
            kills: number(self.kills),
            terms,
            seed: self.seed.unwrap_or(seed),
            palco: Some(palco),
            command,
        }
    }
}
