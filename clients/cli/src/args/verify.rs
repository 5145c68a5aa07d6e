//! The command line of `palco verify`.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use palco_verify::{Faults, Settings, Target};

/// What only a cluster of one's own can have.
const OWN: [&str; 4] = ["nodes", "spares", "faults", "period"];

#[derive(clap::Args, Debug)]
pub(crate) struct Verify {
    /// Members at the beginning, each a process
    #[arg(long, default_value_t = 3, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=31))]
    nodes: u16,
    /// Nodes beside them that may become members
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u16).range(0..=31))]
    spares: u16,
    /// What goes wrong: all that can be made here, none, or some of kill, pause, partition, replace, storm, wipe, disk-full,
    /// lost-tail. Partitions need root and `ip`; disk-full and lost-tail need root and loop devices
    #[arg(long, default_value = "all", value_name = "FAULT,…")]
    faults: Faults,
    /// How long clients ask
    #[arg(long, default_value = "60s", value_name = "TIME", value_parser = humantime::parse_duration)]
    time: Duration,
    /// Clients, each asking one thing at a time
    #[arg(long, default_value_t = 8, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    clients: u16,
    /// Registers that they ask about at a time: half of them plain, the others of class cas
    #[arg(long, default_value_t = 6, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    keys: u16,
    /// What all faults and all that is asked follow from; answers come when they come [default: the time]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// From one fault to the next
    #[arg(long, default_value = "3s", value_name = "TIME", value_parser = humantime::parse_duration)]
    period: Duration,
    /// Ask these gateways (HOST:PORT,…), which run already, and break nothing
    #[arg(long, value_name = "ADDRESSES", value_delimiter = ',', conflicts_with_all = OWN)]
    cluster: Vec<String>,
    /// What they want to hear first, in a file that only you can read
    #[arg(long, value_name = "FILE", requires = "cluster")]
    pub(crate) password_file: Option<PathBuf>,
    /// Write a page with a picture of latencies, faults and gaps to this file
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
    /// Keep what nodes say and store, and histories that are objected to, in this directory, which must be empty
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
}

impl Verify {
    /// What is wanted. `seed` is taken if none is given.
    pub(crate) fn settings(
        &self,
        program: PathBuf,
        seed: u64,
        password: Option<String>,
        stop: Arc<AtomicBool>,
    ) -> Settings {
        let seed = self.seed.unwrap_or(seed);
        let target = if self.cluster.is_empty() {
            Target::Own {
                nodes: self.nodes,
                spares: self.spares,
                faults: self.faults.clone(),
                period: self.period,
            }
        } else {
            Target::Running { gateways: self.cluster.clone(), password }
        };
        Settings {
            program,
            command: self.command(seed),
            target,
            time: self.time,
            clients: self.clients,
            keys: self.keys,
            seed,
            keep: self.keep.clone(),
            stop,
        }
    }

    /// The command that does the same again.
    fn command(&self, seed: u64) -> String {
        let whom = if self.cluster.is_empty() {
            format!(
                "--nodes {} --spares {} --faults {} --period {}",
                self.nodes,
                self.spares,
                self.faults,
                compact(self.period)
            )
        } else {
            format!("--cluster {}", self.cluster.join(","))
        };
        let (time, clients, keys) = (compact(self.time), self.clients, self.keys);
        format!("palco verify {whom} --time {time} --clients {clients} --keys {keys} --seed {seed}")
    }
}

/// One word, as it is read.
fn compact(time: Duration) -> String {
    humantime::format_duration(time).to_string().replace(' ', "")
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use proptest::prelude::*;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        verify: Verify,
    }

    fn parsed(line: &str) -> Result<Verify, String> {
        let words = std::iter::once("verify").chain(line.split_whitespace());
        Line::try_parse_from(words).map(|line| line.verify).map_err(|error| error.to_string())
    }

    fn settings(verify: &Verify, seed: u64) -> Settings {
        verify.settings(PathBuf::new(), seed, None, Arc::default())
    }

    #[test]
    fn gateways_that_run_are_not_broken() {
        let error = parsed("--cluster 127.0.0.1:1 --faults kill").err().unwrap();
        assert!(error.contains("cannot be used with"), "{error}");
        let two = parsed("--cluster 127.0.0.1:1,127.0.0.1:2").unwrap();
        let Target::Running { gateways, .. } = settings(&two, 1).target else { panic!() };
        assert_eq!(gateways, ["127.0.0.1:1", "127.0.0.1:2"]);
        assert!(parsed("--password-file x").is_err());
        assert!(parsed("--faults fire").err().unwrap().contains("`fire` is no fault"));
    }

    proptest! {
        #[test]
        fn the_command_that_is_shown_means_the_same(
            nodes in 1_u16..=31,
            spares in 0_u16..=31,
            faults in "(all|none|kill|(pause,wipe)|lost-tail)",
            time_ms in 0_u64..100_000_000,
            period_ms in 1_u64..1_000_000,
            clients in 1_u16..=256,
            keys in 1_u16..=256,
            seed in any::<u64>(),
        ) {
            let line = format!(
                "--nodes {nodes} --spares {spares} --faults {faults} --time {time_ms}ms --period {period_ms}ms \
                 --clients {clients} --keys {keys} --seed {seed}"
            );
            let once = settings(&parsed(&line).unwrap(), 0);
            let shown = once.command.strip_prefix("palco verify ").unwrap();
            let again = settings(&parsed(shown).unwrap(), 0);
            prop_assert_eq!(format!("{once:?}"), format!("{again:?}"));
        }
    }
}
