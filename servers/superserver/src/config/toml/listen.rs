//! Addresses: `tcp 127.0.0.1:80`, `udp tftp`, `unix /run/x`.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use crate::config::address::{self, Families, Transport};
use crate::config::fault::{Fault, Read, quoted};
use crate::config::program::socket_path;
use crate::config::world::World;
use crate::spec::Address;

/// Reads one address; a wildcard may be two.
///
/// * `tcp 127.0.0.1:80`, `udp [::1]:69`, `127.0.0.1:80` (tcp)
/// * `tcp 80`, `udp tftp`, `http`: a port or a service on all addresses, a socket each for IPv4 and IPv6
/// * `tcp4 80`, `tcp6 80`: of one family; `tcp46 80`: one IPv6 socket that takes IPv4 too
/// * `unix /run/x`, `unix-dgram /run/x`, `unix-seqpacket /run/x`, `/run/x` (unix)
pub(super) fn addresses(world: &dyn World, text: &str) -> Read<Vec<Address>> {
    let text = text.trim();
    let (protocol, at) = match text.split_once(char::is_whitespace) {
        _ if text.starts_with('/') => ("unix", text),
        Some((protocol, at)) => (protocol, at.trim_start()),
        None => ("tcp", text),
    };
    let (transport, families) = match protocol {
        "tcp" => (Transport::Tcp, Families::Apart),
        "tcp4" => (Transport::Tcp, Families::V4),
        "tcp6" => (Transport::Tcp, Families::V6),
        "tcp46" => (Transport::Tcp, Families::Mapped),
        "udp" => (Transport::Udp, Families::Apart),
        "udp4" => (Transport::Udp, Families::V4),
        "udp6" => (Transport::Udp, Families::V6),
        "udp46" => (Transport::Udp, Families::Mapped),
        "unix" => return path(at).map(|path| vec![Address::UnixStream(path)]),
        "unix-dgram" => return path(at).map(|path| vec![Address::UnixDatagram(path)]),
        "unix-seqpacket" => return path(at).map(|path| vec![Address::UnixSeqpacket(path)]),
        _ => {
            let text = format!("{} is no protocol", quoted(protocol));
            let remedy =
                "write tcp, udp, these with 4, 6 or 46, unix, unix-dgram or unix-seqpacket";
            return Err(Fault::new(text, remedy));
        }
    };
    // Port 0 is a free one, and only here: no other language has it.
    if let Ok(socket) = at.parse::<SocketAddr>() {
        let fits = match families {
            Families::V4 => socket.is_ipv4(),
            Families::V6 | Families::Mapped => socket.is_ipv6(),
            Families::Apart => true,
        };
        if !fits {
            let text = format!("{} is no address of `{protocol}`", quoted(at));
            return Err(Fault::new(text, "write the protocol without its number"));
        }
        let is_any_v6 = socket.ip() == IpAddr::V6(Ipv6Addr::UNSPECIFIED);
        let only_v6 = is_any_v6 && families != Families::Mapped;
        return Ok(vec![match transport {
            Transport::Tcp => Address::Tcp { socket, only_v6 },
            Transport::Udp => Address::Udp { socket, only_v6 },
        }]);
    }
    match at.rsplit_once(':') {
        None => {
            let port = address::port(world, at, transport)?;
            Ok(address::wildcards(transport, families, port))
        }
        Some((host, port)) => {
            let port = address::port(world, port, transport)?;
            address::of_host(world, host, transport, families, port)
        }
    }
}

fn path(text: &str) -> Read<std::path::PathBuf> {
    let path = std::path::PathBuf::from(text);
    if text.contains('\0') {
        return Err(Fault::new("the path holds a NUL", "remove it"));
    }
    socket_path(&path).map(|()| path)
}
