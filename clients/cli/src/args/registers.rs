//! `palco register` and `palco reconfigure`.

use std::path::PathBuf;
use std::time::Duration;

use palco_replica::{QuorumWish, Replacement};
use palco_transport::Peer;

/// Keys whose tags are shown at once, at most.
const TAGS_MAX: usize = 64;

/// Where registers are asked for.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct At {
    /// Gateways that speak the Redis protocol, as HOST:PORT; when one does not answer the next is asked
    #[arg(long, value_name = "ADDRESSES", value_delimiter = ',', default_value = "127.0.0.1:6380")]
    pub(crate) at: Vec<String>,
    /// What they want to hear first, in a file that only you can read
    #[arg(long, value_name = "FILE")]
    pub(crate) password_file: Option<PathBuf>,
    /// How long to wait for the answer
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = humantime::parse_duration)]
    pub(crate) within: Duration,
}

#[derive(clap::Subcommand, Debug)]
pub(crate) enum RegisterCommand {
    /// Read a register; exit code 1 if it holds nothing
    Get {
        key: String,
        #[command(flatten)]
        at: At,
    },
    /// Write a register, and print the tag of what was written
    Set {
        key: String,
        value: String,
        #[command(flatten)]
        at: At,
    },
    /// Write a key of class cas if it is still at this version (0: never set)
    Cas {
        /// Its name begins with `cas:` or `counter:`
        key: String,
        /// The version that was seen
        version: u64,
        value: String,
        #[command(flatten)]
        at: At,
    },
    /// Delete a key
    Del {
        key: String,
        #[command(flatten)]
        at: At,
    },
    /// Print a register's value now and whenever it is another; values in between may be missed
    Watch {
        key: String,
        #[command(flatten)]
        at: At,
    },
    /// Let a node of another machine into the cluster of the running node, and those that it lets in
    Allow {
        /// Its key: 12D3…, as `palco node --print-key` says
        key: Peer,
    },
    /// Show the nodes of the running stage that keep registers: configurations, lives, what each knows
    Status,
    /// Show what each node of the running stage holds for these keys: tag and size, which no read needs to agree with
    Tags {
        #[arg(required = true, num_args = 1..=TAGS_MAX)]
        keys: Vec<String>,
    },
}

/// Another set of members, from any set to any other in one step.
#[derive(clap::Args, Debug)]
#[command(group(clap::ArgGroup::new("wish").required(true).multiple(true)))]
pub(crate) struct ReconfigureArgs {
    /// All members from now on: names as `palco register status` shows them, with a weight as NAME:WEIGHT
    #[arg(long, value_name = "NAMES", value_delimiter = ',', group = "wish")]
    pub(crate) members: Vec<String>,
    /// One takes another's place: OLD=NEW; may be said several times
    #[arg(long, value_name = "OLD=NEW", group = "wish")]
    pub(crate) replace: Vec<Replacement>,
    /// Which sets of members speak for all: majority, thresholds:READ,WRITE, weighted:READ,WRITE, grid:ROWSxCOLUMNS
    #[arg(long, value_name = "KIND", group = "wish")]
    pub(crate) quorum: Option<QuorumWish>,
    /// How long it may take
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = humantime::parse_duration)]
    pub(crate) within: Duration,
}
