//! Network namespaces: one for each node, and a hub with a bridge between them, where the clients are.
//!
//! Nothing of it is seen in the machine's own network. Names are `palco-verify-PID-…`; what a run that was killed has left
//! behind is taken away by the next one.
//!
//! Who shall not hear a node any more is entered in that node's neighbour table with a hardware address that nobody has:
//! packets leave and arrive nowhere, as in a network that has failed, and in this direction alone.

use std::fs::File;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use nix::sched::{CloneFlags, setns};
use nix::unistd::geteuid;
use palco_processes::Launch;

use super::last_octet;
use crate::VerifyError;
use crate::process::{found, run};

/// How all names begin.
const PREFIX: &str = "palco-verify-";

/// Where `ip netns` keeps them (iproute2, `NETNS_RUN_DIR`).
const FOLDER: &str = "/run/netns";

/// Nobody has it: locally administered, as no network card is.
const NOBODY: &str = "02:00:00:00:00:01";

/// Nodes and the hub.
#[derive(Debug)]
pub(crate) struct Namespaces {
    nodes: usize,
    nsenter: PathBuf,
}

impl Namespaces {
    /// For so many nodes.
    pub(super) fn make(nodes: usize) -> Result<Self, VerifyError> {
        let absent = |why: &str| VerifyError::Absent { fault: "partition", why: why.to_owned() };
        if !geteuid().is_root() {
            return Err(absent("only root can make network namespaces; run it as root"));
        }
        let missing = "apt-get install iproute2 util-linux (ip, nsenter)";
        found("ip").ok_or_else(|| absent(missing))?;
        let nsenter = found("nsenter").ok_or_else(|| absent(missing))?;
        sweep();
        // From here on what was made is taken away again, also when something fails.
        let this = Self { nodes, nsenter };
        let hub = hub();
        run(&["ip", "netns", "add", &hub])?;
        let address = format!("{}/24", Ipv4Addr::new(198, 18, 0, 254));
        for words in [
            &["link", "set", "lo", "up"][..],
            &["link", "add", "hub", "type", "bridge"],
            &["addr", "add", &address, "dev", "hub"],
            &["link", "set", "hub", "up"],
        ] {
            run(&[&["ip", "-n", &hub][..], words].concat())?;
        }
        (0..nodes).try_for_each(|node| this.connect(node, &hub))?;
        Ok(this)
    }

    fn connect(&self, node: usize, hub: &str) -> Result<(), VerifyError> {
        let (name, port) = (namespace(node), format!("node{}", node + 1));
        run(&["ip", "netns", "add", &name])?;
        let address = format!("{}/24", self.address(node));
        let cable = ["link", "add", "name", &port, "type", "veth", "peer", "name", "cable"];
        run(&[&["ip", "-n", hub][..], &cable, &["netns", &name]].concat())?;
        run(&["ip", "-n", hub, "link", "set", &port, "master", "hub", "up"])?;
        for words in [
            &["link", "set", "lo", "up"][..],
            &["addr", "add", &address, "dev", "cable"],
            &["link", "set", "cable", "up"],
        ] {
            run(&[&["ip", "-n", &name][..], words].concat())?;
        }
        Ok(())
    }

    /// Of the network that RFC 2544 sets aside for measurements between devices.
    #[expect(clippy::unused_self, reason = "addresses are those of a network that was made")]
    pub(super) fn address(&self, node: usize) -> Ipv4Addr {
        Ipv4Addr::new(198, 18, 0, last_octet(node))
    }

    /// `nsenter` becomes the program: it stays the same process, which a signal reaches.
    pub(super) fn launch(&self, node: usize, program: &Path) -> Launch {
        let network = format!("--net={}", file_of(&namespace(node)).display());
        Launch::new(&self.nsenter).arg(network).arg("--").arg(program)
    }

    /// This thread goes to the hub.
    #[expect(clippy::unused_self, reason = "only a hub that was made can be gone to")]
    pub(super) fn enter(&self) -> Result<(), VerifyError> {
        let failed = || VerifyError::system("enter the network namespace of the clients");
        let file = File::open(file_of(&hub())).map_err(failed())?;
        setns(file, CloneFlags::CLONE_NEWNET).map_err(|error| failed()(error.into()))
    }

    /// See the module.
    pub(super) fn cut(&self, from: usize, to: usize, is_cut: bool) -> Result<(), VerifyError> {
        let (name, address) = (namespace(from), self.address(to).to_string());
        let begin = ["ip", "-n", &name, "neigh"];
        if is_cut {
            let entry = ["lladdr", NOBODY, "dev", "cable", "nud", "permanent"];
            run(&[&begin[..], &["replace", &address], &entry].concat()).map(drop)
        } else {
            // There is none if it was not cut.
            let _ = run(&[&begin[..], &["del", &address, "dev", "cable"]].concat());
            Ok(())
        }
    }
}

impl Drop for Namespaces {
    fn drop(&mut self) {
        // The cables go with their ends.
        for name in (0..self.nodes).map(namespace).chain([hub()]) {
            let _ = run(&["ip", "netns", "del", &name]);
        }
    }
}

fn hub() -> String {
    format!("{PREFIX}{}-hub", std::process::id())
}

fn namespace(node: usize) -> String {
    format!("{PREFIX}{}-n{}", std::process::id(), node + 1)
}

fn file_of(name: &str) -> PathBuf {
    Path::new(FOLDER).join(name)
}

/// Takes away what runs have left behind that are no more.
fn sweep() {
    let Ok(folder) = std::fs::read_dir(FOLDER) else { return };
    let names = folder.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    for name in names.filter(|name| owner(name).is_some_and(is_gone)) {
        let _ = run(&["ip", "netns", "del", &name]);
    }
}

/// The process that a name says.
fn owner(name: &str) -> Option<u32> {
    name.strip_prefix(PREFIX)?.split_once('-')?.0.parse().ok()
}

fn is_gone(process: u32) -> bool {
    !Path::new(&format!("/proc/{process}")).exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_runs_that_are_gone_are_swept() {
        assert_eq!(owner(&hub()), Some(std::process::id()));
        assert_eq!(owner(&namespace(3)), Some(std::process::id()));
        assert_eq!(owner("palco-verify-x-hub"), None);
        assert_eq!(owner("somebody-else-17-hub"), None);
        assert!(!is_gone(std::process::id()));
    }
}
