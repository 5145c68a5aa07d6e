//! A single redis: what one process without replicas can do.

use std::path::Path;

use palco_processes::Launch;

use super::cluster::program;
use super::store::Peer;
use crate::actors::Refusal;
use crate::daemon::free_addresses;
use crate::server::Server;

/// Starts it; `is_durable` has it flush its log before it answers.
pub(super) fn start(directory: &Path, is_durable: bool) -> Result<Vec<Server>, Refusal> {
    let program = program(Peer::Redis)?;
    let address = free_addresses(1).map_err(Refusal::failed)?[0];
    let data = directory.join("redis");
    std::fs::create_dir_all(&data).map_err(Refusal::failed)?;
    let launch = Launch::new(program).args(["--bind", "127.0.0.1", "--save", "", "--port"]);
    let launch = launch.arg(address.port().to_string()).args(["--loglevel", "warning", "--dir"]);
    let launch = launch.arg(data).args(["--auto-aof-rewrite-percentage", "0"]);
    let launch = if is_durable {
        launch.args(["--appendonly", "yes", "--appendfsync", "always"])
    } else {
        launch.args(["--appendonly", "no"])
    };
    let mut server = Server::launch("redis", launch, directory, address, None)?;
    server.until_it_listens()?;
    Ok(vec![server])
}
