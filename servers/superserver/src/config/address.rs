//! Addresses: names and numbers become sockets.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::spec::{Address, Endpoint};

use super::fault::{Fault, Read, quoted};
use super::world::World;

/// Which families a service is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Families {
    /// IPv4 only.
    V4,
    /// IPv6 only.
    V6,
    /// One IPv6 socket that takes IPv4 too, as mapped addresses.
    Mapped,
    /// A socket for each.
    Apart,
}

/// TCP or UDP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Transport {
    Tcp,
    Udp,
}

impl Transport {
    /// As `/etc/services` writes it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        }
    }

    fn at(self, socket: SocketAddr, only_v6: bool) -> Address {
        match self {
            Self::Tcp => Address::Tcp { socket, only_v6 },
            Self::Udp => Address::Udp { socket, only_v6 },
        }
    }
}

/// The port of a service, by number or name.
pub(super) fn port(world: &dyn World, service: &str, transport: Transport) -> Read<u16> {
    if service.bytes().all(|byte| byte.is_ascii_digit()) && !service.is_empty() {
        return match service.parse::<u16>() {
            Ok(port) if port > 0 => Ok(port),
            Ok(_) | Err(_) => {
                let text = format!("{} is no port", quoted(service));
                Err(Fault::new(text, "ports are 1 to 65535"))
            }
        };
    }
    world.port(service, transport.name()).ok_or_else(|| {
        let text = format!("there is no service {} for {}", quoted(service), transport.name());
        Fault::new(text, "name one of /etc/services, or write the port as a number")
    })
}

/// The wildcard addresses of a port.
pub(super) fn wildcards(transport: Transport, families: Families, port: u16) -> Vec<Address> {
    let v4 = SocketAddr::from((Ipv4Addr::UNSPECIFIED, port));
    let v6 = SocketAddr::from((Ipv6Addr::UNSPECIFIED, port));
    match families {
        Families::V4 => vec![transport.at(v4, false)],
        Families::V6 => vec![transport.at(v6, true)],
        Families::Mapped => vec![transport.at(v6, false)],
        Families::Apart => vec![transport.at(v4, false), transport.at(v6, true)],
    }
}

/// The addresses of one host at a port; `*` is the wildcard. Those of other families are left out.
pub(super) fn of_host(
    world: &dyn World,
    host: &str,
    transport: Transport,
    families: Families,
    port: u16,
) -> Read<Vec<Address>> {
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    if host == "*" {
        return Ok(wildcards(transport, families, port));
    }
    let found = host.parse::<IpAddr>().map_or_else(|_| world.addresses(host), |ip| vec![ip]);
    if found.is_empty() {
        let text = format!("there is no host {}", quoted(host));
        return Err(Fault::new(text, "write an address of this machine, or `*`"));
    }
    let is_wanted = |ip: &IpAddr| match families {
        Families::V4 => ip.is_ipv4(),
        Families::V6 => ip.is_ipv6(),
        Families::Mapped | Families::Apart => true,
    };
    let addresses: Vec<_> = found
        .into_iter()
        .filter(is_wanted)
        .map(|ip| {
            let only_v6 = ip == IpAddr::V6(Ipv6Addr::UNSPECIFIED) && families != Families::Mapped;
            transport.at(SocketAddr::new(ip, port), only_v6)
        })
        .collect();
    if addresses.is_empty() {
        let (has, wants) = match families {
            Families::V4 => ("IPv6", "IPv4"),
            Families::V6 | Families::Mapped | Families::Apart => ("IPv4", "IPv6"),
        };
        let text = format!("{} is {has}, but the protocol is for {wants} only", quoted(host));
        return Err(Fault::new(text, "write the protocol of that family"));
    }
    Ok(addresses)
}

/// What remains of an endpoint where there is no IPv6: an IPv4 one, or the IPv4 part of the wildcard.
pub(super) fn without_v6(mut endpoint: Endpoint) -> Option<Endpoint> {
    let any_v4 = |port| SocketAddr::from((Ipv4Addr::UNSPECIFIED, port));
    match &mut endpoint.address {
        Address::Tcp { socket, only_v6 } | Address::Udp { socket, only_v6 } => {
            if socket.is_ipv6() {
                if *only_v6 || !socket.ip().is_unspecified() {
                    return None;
                }
                *socket = any_v4(socket.port());
            }
        }
        Address::UnixStream(_) | Address::UnixDatagram(_) | Address::UnixSeqpacket(_) => {}
    }
    Some(endpoint)
}
