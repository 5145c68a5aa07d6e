//! Which addresses are taken, and by whom: what the kernel would refuse to bind twice is found while reading.

use std::collections::HashMap;
use std::net::IpAddr;
use std::path::PathBuf;

use crate::spec::{Address, Endpoint, Origin};

/// The addresses of the services read so far.
#[derive(Debug, Default)]
pub(super) struct Taken {
    ports: HashMap<Port, Holders>,
    paths: HashMap<PathBuf, Origin>,
}

/// What sockets must share to be in each other's way.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Port {
    has_connections: bool,
    number: u16,
    device: Option<String>,
}

/// Who holds which addresses of one port.
#[derive(Debug, Default)]
struct Holders {
    exact: HashMap<IpAddr, Origin>,
    /// Whoever came first for a family, and whoever holds all of it.
    v4: Family,
    v6: Family,
}

#[derive(Debug, Default)]
struct Family {
    first: Option<Origin>,
    all: Option<Origin>,
}

impl Taken {
    /// Who is in the way of this endpoint. Port 0 is in nobody's.
    pub(super) fn holder(&self, endpoint: &Endpoint) -> Option<&Origin> {
        let (socket, only_v6) = match &endpoint.address {
            Address::Tcp { socket, only_v6 } | Address::Udp { socket, only_v6 } => {
                (socket, *only_v6)
            }
            Address::UnixStream(path)
            | Address::UnixDatagram(path)
            | Address::UnixSeqpacket(path) => return self.paths.get(path),
        };
        let holders = self.ports.get(&Port::of(endpoint)?)?;
        let ip = socket.ip();
        let mut in_the_way = holders.exact.get(&ip);
        for family in families(ip, only_v6) {
            let family = holders.family(family);
            in_the_way = in_the_way.or(family.all.as_ref());
            if ip.is_unspecified() {
                in_the_way = in_the_way.or(family.first.as_ref());
            }
        }
        in_the_way
    }

    /// From now on this endpoint is taken.
    pub(super) fn take(&mut self, endpoint: &Endpoint, origin: &Origin) {
        let (socket, only_v6) = match &endpoint.address {
            Address::Tcp { socket, only_v6 } | Address::Udp { socket, only_v6 } => {
                (socket, *only_v6)
            }
            Address::UnixStream(path)
            | Address::UnixDatagram(path)
            | Address::UnixSeqpacket(path) => {
                self.paths.entry(path.clone()).or_insert_with(|| origin.clone());
                return;
            }
        };
        let Some(port) = Port::of(endpoint) else { return };
        let holders = self.ports.entry(port).or_default();
        let ip = socket.ip();
        holders.exact.entry(ip).or_insert_with(|| origin.clone());
        for family in families(ip, only_v6) {
            let family = match family {
                Version::V4 => &mut holders.v4,
                Version::V6 => &mut holders.v6,
            };
            family.first.get_or_insert_with(|| origin.clone());
            if ip.is_unspecified() {
                family.all.get_or_insert_with(|| origin.clone());
            }
        }
    }
}

#[derive(Clone, Copy)]
enum Version {
    V4,
    V6,
}

/// The families that a socket on this address takes.
fn families(ip: IpAddr, only_v6: bool) -> impl Iterator<Item = Version> {
    let takes_v4 = ip.is_ipv4() || (ip.is_unspecified() && !only_v6);
    takes_v4.then_some(Version::V4).into_iter().chain(ip.is_ipv6().then_some(Version::V6))
}

impl Holders {
    const fn family(&self, version: Version) -> &Family {
        match version {
            Version::V4 => &self.v4,
            Version::V6 => &self.v6,
        }
    }
}

impl Port {
    /// None for a free port, and for those who share it on purpose.
    fn of(endpoint: &Endpoint) -> Option<Self> {
        let number = endpoint.address.socket()?.port();
        let device = endpoint.listening.device.clone();
        let has_connections = endpoint.address.has_connections();
        let shares = number == 0 || endpoint.listening.reuse_port;
        (!shares).then_some(Self { has_connections, number, device })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::Listening;

    fn endpoint(address: Address) -> Endpoint {
        Endpoint { address, listening: Listening::default() }
    }

    fn tcp(socket: &str, only_v6: bool) -> Endpoint {
        endpoint(Address::Tcp { socket: socket.parse().unwrap(), only_v6 })
    }

    fn are_in_the_way(first: &Endpoint, second: &Endpoint) -> bool {
        let mut taken = Taken::default();
        let origin = Origin { file: PathBuf::from("a"), line: 7 };
        taken.take(first, &origin);
        let holder = taken.holder(second);
        assert!(holder.is_none_or(|holder| *holder == origin));
        holder.is_some()
    }

    #[test]
    fn addresses_that_the_kernel_would_refuse_are_in_the_way_of_each_other() {
        let dual = tcp("[::]:80", false);
        let only_v6 = tcp("[::]:80", true);
        let (any_v4, one_v4, other_v4) =
            (tcp("0.0.0.0:80", false), tcp("127.0.0.1:80", false), tcp("127.0.0.2:80", false));
        let one_v6 = tcp("[::1]:80", false);
        let conflicts = [
            (&dual, &any_v4, true),
            (&dual, &one_v4, true),
            (&dual, &one_v6, true),
            (&dual, &only_v6, true),
            (&only_v6, &any_v4, false),
            (&only_v6, &one_v6, true),
            (&only_v6, &one_v4, false),
            (&any_v4, &one_v4, true),
            (&one_v4, &other_v4, false),
            (&one_v4, &one_v4, true),
            (&any_v4, &one_v6, false),
            (&one_v4, &tcp("127.0.0.1:81", false), false),
            (&tcp("0.0.0.0:0", false), &tcp("0.0.0.0:0", false), false),
        ];
        for (first, second, expected) in conflicts {
            assert_eq!(are_in_the_way(first, second), expected, "{first:?} {second:?}");
            assert_eq!(are_in_the_way(second, first), expected, "{second:?} {first:?}");
        }
    }

    #[test]
    fn protocols_and_devices_are_apart() {
        let udp = endpoint(Address::udp("0.0.0.0:80".parse().unwrap()));
        assert!(!are_in_the_way(&tcp("0.0.0.0:80", false), &udp));
        let mut on_device = tcp("0.0.0.0:80", false);
        on_device.listening.device = Some("eth0".into());
        assert!(!are_in_the_way(&tcp("0.0.0.0:80", false), &on_device));
        let path = endpoint(Address::UnixStream("/run/x".into()));
        assert!(are_in_the_way(&path, &endpoint(Address::UnixDatagram("/run/x".into()))));
    }
}
