//! Addresses, as libp2p writes them.

use std::net::SocketAddr;

use ::libp2p::Multiaddr;
use ::libp2p::multiaddr::Protocol;
use tokio::net::lookup_host;

use crate::Peer;

/// Addresses of one peer that are dialed at once.
const DIALED_MAX: usize = 8;

/// Where a node listens: an address of the machine and a port.
///
/// # Errors
/// Text that names what is no such address.
pub(super) fn to_listen(text: &str) -> Result<Multiaddr, String> {
    let wrong = || {
        format!("`{text}` is nothing to listen at: expected for example /ip4/127.0.0.1/tcp/7000")
    };
    let address: Multiaddr = text.parse().map_err(|_| wrong())?;
    let parts: Vec<_> = address.iter().collect();
    match parts[..] {
        [Protocol::Ip4(_) | Protocol::Ip6(_), Protocol::Tcp(_)] => Ok(address),
        _ => Err(wrong()),
    }
}

/// Whether only this machine reaches it.
pub(super) fn is_loopback(address: &Multiaddr) -> bool {
    match address.iter().next() {
        Some(Protocol::Ip4(ip)) => ip.is_loopback(),
        Some(Protocol::Ip6(ip)) => ip.is_loopback(),
        _ => false,
    }
}

/// Where a peer is sought: an address or a name, and a port; the peer may follow.
///
/// # Errors
/// Text that names what is no such address, or that of another peer.
pub(super) fn to_dial(text: &str, peer: Peer) -> Result<Multiaddr, String> {
    let wrong = || {
        format!(
            "`{text}` is no address of a node: expected for example /ip4/192.0.2.1/tcp/7000 or /dns/node-1/tcp/7000"
        )
    };
    let mut address: Multiaddr = text.parse().map_err(|_| wrong())?;
    if let Some(Protocol::P2p(id)) = address.iter().last() {
        if Peer::try_from(id) != Ok(peer) {
            return Err(format!("`{text}` is an address of another node than {peer}"));
        }
        address.pop();
    }
    let parts: Vec<_> = address.iter().collect();
    match parts[..] {
        [
            Protocol::Ip4(_)
            | Protocol::Ip6(_)
            | Protocol::Dns(_)
            | Protocol::Dns4(_)
            | Protocol::Dns6(_),
            Protocol::Tcp(1..),
        ] => Ok(address),
        _ => Err(wrong()),
    }
}

/// The addresses with names looked up, each once. Names that nobody knows now are left out.
pub(super) async fn resolve(addresses: Vec<Multiaddr>) -> Vec<Multiaddr> {
    let mut found = Vec::new();
    for address in addresses {
        let parts: Vec<_> = address.iter().collect();
        let [host, Protocol::Tcp(port)] = &parts[..] else { continue };
        match host {
            Protocol::Dns(name) => found.extend(look_up(name, *port, |_| true).await),
            Protocol::Dns4(name) => found.extend(look_up(name, *port, SocketAddr::is_ipv4).await),
            Protocol::Dns6(name) => found.extend(look_up(name, *port, SocketAddr::is_ipv6).await),
            _ => found.push(address),
        }
    }
    found.sort();
    found.dedup();
    found.truncate(DIALED_MAX);
    found
}

async fn look_up(name: &str, port: u16, wanted: impl Fn(&SocketAddr) -> bool) -> Vec<Multiaddr> {
    match lookup_host((name, port)).await {
        Ok(found) => found.filter(wanted).map(multiaddr).collect(),
        Err(error) => {
            tracing::debug!(name, %error, "a node's name was not found");
            Vec::new()
        }
    }
}

fn multiaddr(address: SocketAddr) -> Multiaddr {
    Multiaddr::from(address.ip()).with(Protocol::Tcp(address.port()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::NodeKey;

    #[test]
    fn what_is_no_address_is_named() {
        let peer = NodeKey::generate().peer();
        let other = NodeKey::generate().peer();
        let others = format!("/ip4/192.0.2.1/tcp/7000/p2p/{other}");
        for text in [
            "",
            "localhost:7000",
            "/ip4/192.0.2.1/udp/7000",
            "/dns/n/tcp/0",
            "/ip4/1.2.3.4",
            &others,
        ] {
            let why = to_dial(text, peer).unwrap_err();
            assert!(why.contains(&format!("`{text}`")), "{why}");
        }
        for text in ["", "/dns/node/tcp/7000", "/ip4/127.0.0.1/udp/1"] {
            assert!(to_listen(text).unwrap_err().contains("/ip4/"));
        }
    }

    #[test]
    fn the_peer_may_follow_its_address() {
        let peer = NodeKey::generate().peer();
        let short = to_dial("/dns4/node-1.example/tcp/7000", peer).unwrap();
        assert_eq!(to_dial(&format!("{short}/p2p/{peer}"), peer), Ok(short));
    }

    #[test]
    fn only_this_machine_reaches_loopback() {
        for (text, is) in [
            ("/ip4/127.3.2.1/tcp/0", true),
            ("/ip6/::1/tcp/0", true),
            ("/ip4/0.0.0.0/tcp/0", false),
        ] {
            assert_eq!(is_loopback(&to_listen(text).unwrap()), is, "{text}");
        }
    }
}
