//! Sockets bound as a service wants them.

use std::fs::{self, Permissions};
use std::io;
use std::net::{Shutdown, SocketAddr};
use std::os::unix::fs::{FileTypeExt, PermissionsExt, chown};
use std::os::unix::net::UnixStream;
use std::path::Path;

use palco_models::holder_of_port;
use socket2::{Domain, Protocol, SockAddr, Socket, Type};

use crate::spec::{Address, Endpoint, Listening};

/// What the kernel keeps waiting unless something else is said; it takes less if `somaxconn` is less.
const BACKLOG_DEFAULT: u32 = 4096;
/// Permissions of a path unless others are said.
const MODE_DEFAULT: u32 = 0o666;

/// Why an endpoint cannot be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BindError {
    /// Somebody has it.
    #[error("{address} is in use{}", holder.as_ref().map(|by| format!(" by {by}")).unwrap_or_default())]
    InUse {
        /// What was asked for.
        address: Address,
        /// Who has it, as `process (pid 17)`, if that can be seen.
        holder: Option<String>,
    },
    /// Anything else: permission, no such address.
    #[error("cannot listen on {address}: {source}")]
    Other {
        /// What was asked for.
        address: Address,
        /// The kernel's error.
        source: io::Error,
    },
}

impl BindError {
    /// What to do about it.
    #[must_use]
    pub(crate) fn remedy(&self) -> &'static str {
        match self {
            Self::InUse { .. } => "end what holds it, or choose another address, and reload",
            Self::Other { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
                "ports below 1024 take root or CAP_NET_BIND_SERVICE; paths take write permission"
            }
            Self::Other { source, .. } if source.kind() == io::ErrorKind::AddrNotAvailable => {
                "no interface has this address"
            }
            Self::Other { .. } => "",
        }
    }
}

/// Binds, and listens if it is for connections. The socket blocks and is closed in programs that are executed.
pub(crate) fn bind(endpoint: &Endpoint) -> Result<Socket, BindError> {
    let address = &endpoint.address;
    let bound = match address {
        Address::Tcp { socket, only_v6 } => {
            let bind_tcp = |socket| {
                let made =
                    Socket::new(Domain::for_address(socket), Type::STREAM, Some(Protocol::TCP))?;
                let made = set_up(made, &endpoint.listening, true)?;
                bind_internet(made, socket, *only_v6)
            };
            bind_tcp(*socket).and_then(|made| match socket.port() {
                // A port that nobody has asked for by number is lost when a socket stops listening: ask for it.
                0 => {
                    let found = made.local_addr()?.as_socket().ok_or(io::ErrorKind::Unsupported)?;
                    drop(made);
                    bind_tcp(found)
                }
                _ => Ok(made),
            })
        }
        Address::Udp { socket, only_v6 } => {
            Socket::new(Domain::for_address(*socket), Type::DGRAM, Some(Protocol::UDP))
                .and_then(|made| set_up(made, &endpoint.listening, false))
                .and_then(|made| bind_internet(made, *socket, *only_v6))
        }
        Address::UnixStream(path) => bind_path(path, Type::STREAM, &endpoint.listening),
        Address::UnixDatagram(path) => bind_path(path, Type::DGRAM, &endpoint.listening),
        Address::UnixSeqpacket(path) => bind_path(path, Type::SEQPACKET, &endpoint.listening),
    };
    let bound = bound.and_then(|socket| {
        if address.has_connections() {
            listen(&socket, &endpoint.listening)?;
        }
        Ok(socket)
    });
    bound.map_err(|source| failure(address, source))
}

/// Listens, also again after [`stop_listening`].
pub(crate) fn listen(socket: &Socket, listening: &Listening) -> io::Result<()> {
    let backlog = listening.backlog.unwrap_or(BACKLOG_DEFAULT);
    let is_tcp = socket.protocol()? == Some(Protocol::TCP);
    if is_tcp {
        socket.set_reuse_address(true)?;
    }
    socket.listen(i32::try_from(backlog).unwrap_or(i32::MAX))
}

/// Has clients refused until [`listen`] is called; the port stays ours. Unix sockets cannot do that: false.
pub(crate) fn stop_listening(socket: &Socket, address: &Address) -> bool {
    match address {
        // Without that flag nobody else can have the port in the meantime; connections that are over keep theirs.
        Address::Tcp { .. } => {
            let stopped =
                socket.set_reuse_address(false).and_then(|()| socket.shutdown(Shutdown::Read));
            stopped.is_ok()
        }
        Address::Udp { .. }
        | Address::UnixStream(_)
        | Address::UnixDatagram(_)
        | Address::UnixSeqpacket(_) => false,
    }
}

fn failure(address: &Address, source: io::Error) -> BindError {
    let address = address.clone();
    if source.kind() != io::ErrorKind::AddrInUse {
        return BindError::Other { address, source };
    }
    let holder = match &address {
        Address::Tcp { socket, .. } => holder_of_port(socket.port()),
        Address::Udp { .. }
        | Address::UnixStream(_)
        | Address::UnixDatagram(_)
        | Address::UnixSeqpacket(_) => None,
    };
    BindError::InUse { address, holder }
}

fn set_up(socket: Socket, listening: &Listening, is_tcp: bool) -> io::Result<Socket> {
    if is_tcp {
        socket.set_reuse_address(true)?;
        socket.set_keepalive(listening.keepalive)?;
        socket.set_tcp_nodelay(listening.nodelay)?;
    }
    if listening.reuse_port {
        socket.set_reuse_port(true)?;
    }
    if let Some(device) = &listening.device {
        socket.bind_device(Some(device.as_bytes()))?;
    }
    set_buffers(&socket, listening)?;
    Ok(socket)
}

fn set_buffers(socket: &Socket, listening: &Listening) -> io::Result<()> {
    if let Some(bytes) = listening.send_buffer {
        socket.set_send_buffer_size(bytes)?;
    }
    if let Some(bytes) = listening.receive_buffer {
        socket.set_recv_buffer_size(bytes)?;
    }
    Ok(())
}

fn bind_internet(socket: Socket, address: SocketAddr, only_v6: bool) -> io::Result<Socket> {
    if address.is_ipv6() {
        socket.set_only_v6(only_v6)?;
    }
    socket.bind(&address.into())?;
    Ok(socket)
}

/// A socket that nobody answers on any more is replaced; anything else at that path is left alone.
fn bind_path(path: &Path, kind: Type, listening: &Listening) -> io::Result<Socket> {
    let socket = Socket::new(Domain::UNIX, kind, None)?;
    set_buffers(&socket, listening)?;
    match fs::symlink_metadata(path) {
        Ok(found) if !found.file_type().is_socket() => {
            return Err(io::Error::new(
                io::ErrorKind::AlreadyExists,
                "there is something else at this path, which is left alone",
            ));
        }
        Ok(_) if is_answered(path) => return Err(io::ErrorKind::AddrInUse.into()),
        Ok(_) => fs::remove_file(path)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    socket.bind(&SockAddr::unix(path)?)?;
    if let Some((uid, gid)) = listening.owner {
        chown(path, Some(uid), Some(gid))?;
    }
    fs::set_permissions(path, Permissions::from_mode(listening.mode.unwrap_or(MODE_DEFAULT)))?;
    Ok(socket)
}

/// Whether somebody still has the socket at this path: a stale one refuses. One of another kind says so, and is not stale.
fn is_answered(path: &Path) -> bool {
    match UnixStream::connect(path) {
        Ok(_) => true,
        Err(error) => error.kind() != io::ErrorKind::ConnectionRefused,
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;

    use super::*;

    fn on(address: Address) -> Endpoint {
        Endpoint { address, listening: Listening::default() }
    }

    #[test]
    fn a_port_in_use_is_said_with_its_holder() {
        let first = bind(&on(Address::tcp("127.0.0.1:0".parse().unwrap()))).unwrap();
        let taken = first.local_addr().unwrap().as_socket().unwrap();
        let error = bind(&on(Address::tcp(taken))).unwrap_err();
        let text = error.to_string();
        assert!(text.contains("is in use by") && text.contains(&taken.to_string()), "{text}");
    }

    #[test]
    fn a_port_that_does_not_listen_refuses_and_listens_again() {
        let endpoint = on(Address::tcp("127.0.0.1:0".parse().unwrap()));
        let socket = bind(&endpoint).unwrap();
        let address = socket.local_addr().unwrap().as_socket().unwrap();
        TcpStream::connect(address).unwrap();
        assert!(stop_listening(&socket, &endpoint.address));
        let refused = TcpStream::connect(address).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
        // Still ours.
        assert!(bind(&on(Address::tcp(address))).is_err());
        listen(&socket, &endpoint.listening).unwrap();
        TcpStream::connect(address).unwrap();
    }

    #[test]
    fn a_stale_path_is_taken_over_and_a_live_one_or_a_file_is_not() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.sock");
        let endpoint = on(Address::UnixStream(path.clone()));
        let first = bind(&endpoint).unwrap();
        assert!(matches!(bind(&endpoint), Err(BindError::InUse { .. })));
        drop(first);
        let _second = bind(&endpoint).unwrap();
        let file = directory.path().join("file");
        fs::write(&file, "precious").unwrap();
        assert!(bind(&on(Address::UnixDatagram(file.clone()))).is_err());
        assert_eq!(fs::read_to_string(file).unwrap(), "precious");
    }
}
