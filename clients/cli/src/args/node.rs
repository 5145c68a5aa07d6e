//! `palco node`.

use std::net::SocketAddr;
use std::path::PathBuf;

use palco_actors::PlaceKind;
use palco_replica::Contact;
use palco_transport::Peer;

use crate::stage::{DashboardArgs, Port};

/// One node of a cluster that keeps registers.
#[derive(clap::Args, Debug)]
pub(crate) struct NodeArgs {
    /// Where it keeps its key, all that it promises, and its control socket: a directory for this node alone
    #[arg(long, value_name = "DIR")]
    pub(crate) data: PathBuf,
    /// Keep registers in memory: each start is somebody new, and --data holds the control socket only
    #[arg(long)]
    pub(crate) memory: bool,
    /// What people call it; unique in the cluster
    #[arg(long, value_name = "NAME", required_unless_present = "print_key")]
    pub(crate) name: Option<String>,
    /// Print its key, for those who are to let it in, and exit; the directory is made if there is none
    #[arg(long)]
    pub(crate) print_key: bool,
    /// Where other nodes reach it; more than loopback needs --allow
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:7401")]
    pub(crate) listen: SocketAddr,
    /// Where other nodes reach it if that is elsewhere, as /dns/node-1.example/tcp/7401; may be said several times
    #[arg(long, value_name = "MULTIADDR")]
    pub(crate) advertise: Vec<String>,
    /// Be the first node of a new cluster
    #[arg(long, conflicts_with = "join")]
    pub(crate) found: bool,
    /// A node of the cluster, as it says when it starts: /ip4/…/tcp/7401/p2p/12D3…; may be said several times
    #[arg(long, value_name = "NODE")]
    pub(crate) join: Vec<Contact>,
    /// Let in the node with this key (12D3…); who is let in by one is let in by all. May be said several times
    #[arg(long, value_name = "KEY")]
    pub(crate) allow: Vec<Peer>,
    /// Look for allowed nodes of the cluster on the local network (multicast DNS), and be found there; --join is not needed
    #[arg(long)]
    pub(crate) discover: bool,
    /// The cluster; nodes of others are not talked to
    #[arg(long, value_name = "NAME", default_value = "registers")]
    pub(crate) cluster: String,
    /// Participants, each for its share of the keys; the same for all nodes of a cluster
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub(crate) shards: u16,
    /// Where its participants live: task (one thread for all of the node), thread or fiber
    #[arg(long, value_name = "PLACE", default_value = "task")]
    pub(crate) place: PlaceKind,
    /// Where clients reach it in the Redis protocol
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:6380")]
    pub(crate) resp: SocketAddr,
    /// What clients must say (AUTH), in a file that only you can read; needed where other machines reach --resp
    #[arg(long, value_name = "FILE")]
    pub(crate) password_file: Option<PathBuf>,
    /// Where clients reach it over HTTP, as 127.0.0.1:7480, or `off`; reconfiguring, and all that comes from other machines,
    /// needs the dashboard's token
    #[arg(long, value_name = "ADDRESS", default_value = "off")]
    pub(crate) http: Port,
    #[command(flatten)]
    pub(crate) dashboard: DashboardArgs,
}
