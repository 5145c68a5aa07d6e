//! Nodes of the local network, found by multicast DNS (RFC 6762, RFC 6763): `avahi-browse -r _palco._tcp` shows the same.
//!
//! What is heard here proves nothing: it says where to dial, and who is there the connection proves.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use mdns_sd::{IfKind, Receiver, ResolvedService, ServiceDaemon, ServiceEvent, ServiceInfo};
use palco_threads::{STACK_BYTES_DEFAULT, spawn_named};

use crate::Peer;

/// The kind of service that a node is.
const SERVICE: &str = "_palco._tcp.local.";

/// The properties of a node.
const CLUSTER: &str = "cluster";
const PEER: &str = "peer";

/// Addresses of one node that are taken in, at most.
const ADDRESSES_MAX: usize = 16;

/// How long a parting word may take.
const PARTING_MAX: Duration = Duration::from_secs(1);

/// A node that says where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Who it says it is.
    pub peer: Peer,
    /// Where, as `/ip4/192.0.2.1/tcp/7000`; one or more.
    pub addresses: Vec<String>,
}

/// Why nothing is announced.
#[derive(Debug, thiserror::Error)]
pub enum MdnsError {
    /// No address that others reach.
    #[error(
        "nodes of the local network cannot reach this one, which listens on {0}: listen on an address of a network"
    )]
    Unreachable(String),
    /// The system's, as the library says it.
    #[error("nodes of the local network cannot be looked for: {0}")]
    Daemon(String),
}

/// Announces a node, and looks for others, until it is dropped.
pub struct Mdns {
    daemon: ServiceDaemon,
    name: String,
    has_ended: Arc<AtomicBool>,
}

impl Mdns {
    /// Says on every local network that `me` is at these addresses, of which it takes those that are an IP address and the
    /// port of the first. `found` hears of other nodes of this cluster, on a thread of its own, again whenever one is
    /// somewhere else.
    ///
    /// # Errors
    /// [`MdnsError`]: only this machine reaches the addresses, or the kernel's.
    pub fn start(
        me: Peer,
        cluster: &str,
        addresses: &[String],
        mut found: impl FnMut(Found) + Send + 'static,
    ) -> Result<Self, MdnsError> {
        let failed = |error: mdns_sd::Error| MdnsError::Daemon(error.to_string());
        let reached: Vec<_> = addresses.iter().filter_map(|text| reached_at(text)).collect();
        let Some((_, port)) = reached.first().copied() else {
            return Err(MdnsError::Unreachable(addresses.join(", ")));
        };
        let ips: Vec<IpAddr> =
            reached.into_iter().filter(|(_, of)| *of == port).map(|(ip, _)| ip).collect();
        let (name, host) = (me.to_string(), format!("{me}.local."));
        let properties = [(CLUSTER, cluster), (PEER, &name)];
        let info = ServiceInfo::new(SERVICE, &name, &host, &ips[..], port, &properties[..]);
        // The addresses again as interfaces come up: the library announces no others there.
        let mut info = info.map_err(failed)?.enable_addr_auto();
        info.set_interfaces(ips.into_iter().map(IfKind::Addr).collect());
        let daemon = ServiceDaemon::new().map_err(failed)?;
        let name = info.get_fullname().to_owned();
        let has_ended = Arc::new(AtomicBool::new(false));
        let mdns = Self { daemon: daemon.clone(), name, has_ended: Arc::clone(&has_ended) };
        daemon.register(info).map_err(failed)?;
        let mut events = daemon.browse(SERVICE).map_err(failed)?;
        let cluster = cluster.to_owned();
        let listen = move || {
            loop {
                hear(&events, me, &cluster, &mut found);
                // The library gives up a listener that falls behind.
                match daemon.browse(SERVICE) {
                    Ok(again) if !has_ended.load(Ordering::SeqCst) => events = again,
                    _ => return,
                }
            }
        };
        spawn_named("palco-mdns", STACK_BYTES_DEFAULT, listen)
            .map_err(|error| MdnsError::Daemon(error.to_string()))?;
        Ok(mdns)
    }
}

/// Until there is nothing more to be heard.
fn hear(events: &Receiver<ServiceEvent>, me: Peer, cluster: &str, found: &mut impl FnMut(Found)) {
    while let Ok(event) = events.recv() {
        let ServiceEvent::ServiceResolved(service) = event else { continue };
        match node(&service, cluster) {
            Some(node) if node.peer != me => found(node),
            _ => {}
        }
    }
}

/// What a service says, if it is a node of this cluster.
fn node(service: &ResolvedService, cluster: &str) -> Option<Found> {
    if service.get_property_val_str(CLUSTER) != Some(cluster) {
        return None;
    }
    let peer = service.get_property_val_str(PEER)?.parse().ok()?;
    let mut ips: Vec<IpAddr> = service.addresses.iter().map(|ip| ip.to_ip_addr()).collect();
    ips.sort_unstable();
    ips.truncate(ADDRESSES_MAX);
    let addresses: Vec<_> = ips.into_iter().map(|ip| address(ip, service.port)).collect();
    (!addresses.is_empty()).then_some(Found { peer, addresses })
}

fn address(ip: IpAddr, port: u16) -> String {
    let family = if ip.is_ipv4() { "ip4" } else { "ip6" };
    format!("/{family}/{ip}/tcp/{port}")
}

/// An IP address that other machines reach, and its port.
fn reached_at(address: &str) -> Option<(IpAddr, u16)> {
    let parts: Vec<_> = address.split('/').collect();
    let ["", "ip4" | "ip6", ip, "tcp", port] = parts[..] else { return None };
    let ip: IpAddr = ip.parse().ok()?;
    (!ip.is_loopback()).then_some((ip, port.parse().ok()?))
}

impl Drop for Mdns {
    fn drop(&mut self) {
        self.has_ended.store(true, Ordering::SeqCst);
        // Nobody waits for longer than a moment: others notice an address that answers no more.
        if let Ok(parted) = self.daemon.unregister(&self.name) {
            let _ = parted.recv_timeout(PARTING_MAX);
        }
        drop(self.daemon.shutdown());
    }
}

impl std::fmt::Debug for Mdns {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mdns").field("name", &self.name).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_that_others_reach_are_announced() {
        let reached = |text| reached_at(text).map(|(ip, port)| address(ip, port));
        for text in ["/ip4/192.0.2.1/tcp/7000", "/ip6/2001:db8::1/tcp/1"] {
            assert_eq!(reached(text).as_deref(), Some(text));
        }
        for text in
            ["/ip4/127.0.0.1/tcp/7000", "/ip6/::1/tcp/1", "/dns/a/tcp/1", "", "/ip4/x/tcp/1"]
        {
            assert_eq!(reached(text), None, "{text}");
        }
        let me = Peer::from_key([1; 32]);
        let refused = Mdns::start(me, "c", &["/ip4/127.0.0.1/tcp/7000".to_owned()], |_| {});
        assert!(matches!(refused, Err(MdnsError::Unreachable(_))));
    }
}
