//! The command line of `palco bench registers`.

use std::path::PathBuf;
use std::time::Duration;

use palco_load::registers::{CLIENTS_MAX, PIPELINE_MAX, Peer, Settings, VALUE_BYTES_MAX};

use super::super::named;

/// The word for no peers at all.
const NONE: &str = "none";

/// The most that registers are filled with: 16 GiB, which three nodes hold in memory.
const BULK_BYTES_MAX: u64 = 16 << 30;

/// What is measured, beside whom, and what becomes of the report.
#[derive(clap::Args, Debug)]
pub(crate) struct RegistersArgs {
    /// Clients that ask at the same time; each number is a table
    #[arg(long, value_name = "N,…", value_delimiter = ',', default_value = "1,16,64,256", value_parser = clients)]
    clients: Vec<usize>,
    /// How often every cell has its turn, 1 to 1000
    #[arg(long, default_value_t = 5, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    rounds: u32,
    /// How long each turn lasts, after a warm-up of a tenth of it
    #[arg(long = "for", value_name = "TIME", default_value = "3s", value_parser = humantime::parse_duration)]
    lasts: Duration,
    /// Bytes of a value
    #[arg(long, value_name = "BYTES", default_value_t = 256, value_parser = values)]
    values: usize,
    /// Who is measured beside palco: etcd, redis, or none
    #[arg(long, value_name = "PEER,…", value_delimiter = ',', default_value = "etcd,redis", value_parser = named::<Beside>([Peer::Etcd.name(), Peer::Redis.name(), NONE]))]
    peers: Vec<Beside>,
    /// Operations that each client has under way in pipelined cells
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = pipeline)]
    pipeline: usize,
    /// Also look for gaps: 16 clients at a fixed rate while a server is killed, and while all are replaced
    #[arg(long)]
    gaps: bool,
    /// What is in the registers when all members are replaced at once, as 64MiB; up to 16GiB
    #[arg(long, value_name = "BYTES", default_value = "1GiB", value_parser = bulk, requires = "gaps")]
    bulk: u64,
    /// Decides the order of the cells in each round [default: the time of day]
    #[arg(long, value_name = "NUMBER")]
    pub(crate) seed: Option<u64>,
    /// Write the page to this file, too
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
    /// Print Markdown
    #[arg(long, conflicts_with = "json")]
    pub(crate) markdown: bool,
    /// Leave the servers' files where they are, and say where
    #[arg(long)]
    keep: bool,
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

impl RegistersArgs {
    /// What was asked for; `seed` where nobody has said one.
    pub(crate) fn settings(&self, palco: PathBuf, seed: u64, command: String) -> Settings {
        let is_wanted =
            |peer: &Peer| self.peers.iter().any(|Beside(wanted)| *wanted == Some(*peer));
        let mut clients = self.clients.clone();
        clients.sort_unstable();
        clients.dedup();
        Settings {
            clients,
            rounds: usize::try_from(self.rounds).unwrap_or(usize::MAX),
            lasts: self.lasts,
            value_bytes: self.values,
            peers: Peer::ALL.into_iter().filter(is_wanted).collect(),
            pipeline: self.pipeline,
            gaps: self.gaps.then_some(self.bulk),
            seed: self.seed.unwrap_or(seed),
            keep: self.keep,
            palco: Some(palco),
            command,
        }
    }
}

fn clients(text: &str) -> Result<usize, String> {
    number(text, CLIENTS_MAX)
}

fn values(text: &str) -> Result<usize, String> {
    number(text, VALUE_BYTES_MAX)
}

fn pipeline(text: &str) -> Result<usize, String> {
    number(text, PIPELINE_MAX)
}

fn number(text: &str, max: usize) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| (1..=max).contains(number));
    number.ok_or_else(|| format!("`{text}` is no number between 1 and {max}"))
}

/// Bytes, with KiB, MiB or GiB behind them.
fn bulk(text: &str) -> Result<u64, String> {
    let units = [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("", 1)];
    let split = units.into_iter().find_map(|(unit, bytes)| Some((text.strip_suffix(unit)?, bytes)));
    let bytes = split.and_then(|(number, bytes)| number.parse::<u64>().ok()?.checked_mul(bytes));
    let bytes = bytes.filter(|bytes| (1..=BULK_BYTES_MAX).contains(bytes));
    bytes
        .ok_or_else(|| format!("`{text}` is no size: a number with KiB, MiB or GiB, at most 16GiB"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units_and_a_limit() {
        assert_eq!(bulk("64MiB"), Ok(64 << 20));
        assert_eq!(bulk("4096"), Ok(4096));
        for wrong in ["", "GiB", "17GiB", "1GB", "-1MiB", "99999999999GiB", "0"] {
            assert!(bulk(wrong).is_err(), "{wrong}");
        }
        assert_eq!(values("256"), Ok(256));
        assert!(clients("0").unwrap_err().contains("between 1 and"));
    }
}
