//! Three members of etcd, as they come: the default heartbeat, the default flushes.

use std::net::SocketAddr;
use std::path::Path;

use palco_processes::Launch;

use super::cluster::program;
use super::grpc::{Grpc, Host};
use super::store::Peer;
use crate::actors::Refusal;
use crate::daemon::free_addresses;
use crate::server::Server;

/// Room for a long run: 8 GiB. The default of 2 GiB may fill up, because nothing is compacted.
const QUOTA_BYTES: u64 = 8 << 30;

/// Starts three that know each other from the start.
pub(super) fn start(directory: &Path) -> Result<Vec<Server>, Refusal> {
    let program = program(Peer::Etcd)?;
    let addresses = free_addresses(6).map_err(Refusal::failed)?;
    let members: Vec<_> = ["e1", "e2", "e3"].into_iter().zip(addresses.chunks(2)).collect();
    let cluster = members.iter().map(|(name, ports)| format!("{name}=http://{}", ports[1]));
    let cluster = cluster.collect::<Vec<_>>().join(",");
    let start = |(name, ports): &(&str, &[SocketAddr])| {
        let (clients, others) = (format!("http://{}", ports[0]), format!("http://{}", ports[1]));
        let launch = Launch::new(&program).args(["--name", name, "--data-dir"]);
        let launch = launch.arg(directory.join(name));
        let launch = launch.args(["--listen-client-urls", &clients]);
        let launch = launch.args(["--advertise-client-urls", &clients]);
        let launch = launch.args(["--listen-peer-urls", &others]);
        let launch = launch.args(["--initial-advertise-peer-urls", &others]);
        let launch = launch.args(["--initial-cluster", &cluster, "--initial-cluster-state", "new"]);
        let launch = launch.args(["--quota-backend-bytes", &QUOTA_BYTES.to_string()]);
        let launch = launch.args(["--logger", "zap", "--log-level", "error"]);
        Server::launch(name, launch, directory, ports[0], Some(ports[1].port()))
    };
    let mut servers = members.iter().map(start).collect::<Result<Vec<_>, _>>()?;
    for server in &mut servers {
        server.until_it_listens()?;
    }
    Ok(servers)
}

/// The index of the member that leads; nothing while nobody does.
pub(super) async fn leader(addresses: &[SocketAddr]) -> Option<usize> {
    for (index, address) in addresses.iter().enumerate() {
        let host = Host::connect(*address).await.ok()?;
        let status = Grpc::of(&host).status().await.ok()?;
        if status.leader != 0 && status.leader == status.member {
            return Some(index);
        }
    }
    None
}
