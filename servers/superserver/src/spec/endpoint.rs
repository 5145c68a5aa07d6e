//! Where a service listens.

use std::fmt;
use std::net::{Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

use serde::{Serialize, Serializer};

/// A socket to be bound.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Endpoint {
    /// Where.
    pub address: Address,
    /// How.
    pub listening: Listening,
}

/// An address and a protocol. Two endpoints with equal addresses cannot both be bound.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Address {
    /// TCP. An IPv6 wildcard takes IPv4 too unless `only_v6`, which is otherwise false.
    Tcp {
        /// Address and port; port 0 takes a free one.
        socket: SocketAddr,
        /// `IPV6_V6ONLY`.
        only_v6: bool,
    },
    /// UDP, as above.
    Udp {
        /// Address and port.
        socket: SocketAddr,
        /// `IPV6_V6ONLY`.
        only_v6: bool,
    },
    /// A stream at a path of the file system.
    UnixStream(PathBuf),
    /// Datagrams at a path of the file system.
    UnixDatagram(PathBuf),
    /// Packets in order at a path of the file system.
    UnixSeqpacket(PathBuf),
}

/// What is set on a socket before or while it listens.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Listening {
    /// Connections that the kernel keeps waiting; the kernel's maximum (`somaxconn`) unless said.
    pub backlog: Option<u32>,
    /// `SO_SNDBUF`, in bytes.
    pub send_buffer: Option<usize>,
    /// `SO_RCVBUF`, in bytes.
    pub receive_buffer: Option<usize>,
    /// `SO_KEEPALIVE`.
    pub keepalive: bool,
    /// `TCP_NODELAY`.
    pub nodelay: bool,
    /// `SO_REUSEPORT`.
    pub reuse_port: bool,
    /// `SO_BINDTODEVICE`.
    pub device: Option<String>,
    /// Permissions of a path; 0o666 unless said, as the incumbents do.
    pub mode: Option<u32>,
    /// Owner and group of a path, as ids; left alone unless said.
    pub owner: Option<(u32, u32)>,
}

impl Address {
    /// TCP on an address; an IPv6 wildcard takes IPv6 only.
    #[must_use]
    pub fn tcp(socket: SocketAddr) -> Self {
        Self::Tcp { socket, only_v6: is_v6_wildcard(socket) }
    }

    /// UDP on an address; an IPv6 wildcard takes IPv6 only.
    #[must_use]
    pub fn udp(socket: SocketAddr) -> Self {
        Self::Udp { socket, only_v6: is_v6_wildcard(socket) }
    }

    /// Whether connections come in here, and not datagrams.
    #[must_use]
    pub const fn has_connections(&self) -> bool {
        match self {
            Self::Tcp { .. } | Self::UnixStream(_) | Self::UnixSeqpacket(_) => true,
            Self::Udp { .. } | Self::UnixDatagram(_) => false,
        }
    }

    /// Whether it is TCP.
    #[must_use]
    pub const fn is_tcp(&self) -> bool {
        match self {
            Self::Tcp { .. } => true,
            Self::Udp { .. }
            | Self::UnixStream(_)
            | Self::UnixDatagram(_)
            | Self::UnixSeqpacket(_) => false,
        }
    }

    /// Address and port, unless it is a path.
    #[must_use]
    pub const fn socket(&self) -> Option<SocketAddr> {
        match self {
            Self::Tcp { socket, .. } | Self::Udp { socket, .. } => Some(*socket),
            Self::UnixStream(_) | Self::UnixDatagram(_) | Self::UnixSeqpacket(_) => None,
        }
    }
}

impl Address {
    /// Whether a socket at one of them may keep the other from being bound: the same port, or the same path.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Tcp { socket: one, .. }, Self::Tcp { socket: two, .. })
            | (Self::Udp { socket: one, .. }, Self::Udp { socket: two, .. }) => {
                one.port() == two.port()
            }
            (Self::Tcp { .. } | Self::Udp { .. }, _) => false,
            (Self::UnixStream(_) | Self::UnixDatagram(_) | Self::UnixSeqpacket(_), _) => {
                self.path() == other.path()
            }
        }
    }

    /// The same with another port, if it has one and one is given.
    #[must_use]
    pub fn with_port(&self, port: Option<u16>) -> Self {
        let mut other = self.clone();
        if let (Self::Tcp { socket, .. } | Self::Udp { socket, .. }, Some(port)) =
            (&mut other, port)
        {
            socket.set_port(port);
        }
        other
    }

    /// The path, if it is one.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Tcp { .. } | Self::Udp { .. } => None,
            Self::UnixStream(path) | Self::UnixDatagram(path) | Self::UnixSeqpacket(path) => {
                Some(path)
            }
        }
    }
}

fn is_v6_wildcard(socket: SocketAddr) -> bool {
    socket.ip() == Ipv6Addr::UNSPECIFIED
}

impl fmt::Display for Address {
    /// As `tcp 0.0.0.0:21`, `udp [::]:69 (IPv6 only)`, `unix /run/x.sock`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let only = |only_v6: bool| if only_v6 { " (IPv6 only)" } else { "" };
        match self {
            Self::Tcp { socket, only_v6 } => write!(f, "tcp {socket}{}", only(*only_v6)),
            Self::Udp { socket, only_v6 } => write!(f, "udp {socket}{}", only(*only_v6)),
            Self::UnixStream(path) => write!(f, "unix {}", path.display()),
            Self::UnixDatagram(path) => write!(f, "unix-dgram {}", path.display()),
            Self::UnixSeqpacket(path) => write!(f, "unix-seqpacket {}", path.display()),
        }
    }
}

impl Serialize for Address {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
