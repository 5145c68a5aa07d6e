//! Sockets that this process was started with: by an activator (`sd_listen_fds(3)`), or from an inetd.
//!
//! An activator's socket is descriptor 3, an inetd's is standard input. Servers take one socket: either one to accept from,
//! or, with `--inetd`, one connection.

use std::fmt;
use std::fs::{File, Metadata};
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, MetadataExt};

use anyhow::{Context, Result, bail};
use nix::unistd::{dup2_stderr, dup2_stdin, dup2_stdout};
use socket2::{SockRef, Type};

/// A connection that somebody else has accepted.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) socket: OwnedFd,
    /// Who is at its other end.
    pub(crate) peer: String,
}

/// What a descriptor is, as far as servers care.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Found {
    Listening(SocketAddr),
    ListeningUnix,
    /// With the other end's name.
    Connected(String),
    /// A stream that is neither; a connection whose client has gone.
    Loose,
    NoStream,
    NoSocket,
}

impl Found {
    fn at(fd: BorrowedFd<'_>) -> Self {
        let socket = SockRef::from(&fd);
        let Ok(kind) = socket.r#type() else { return Self::NoSocket };
        if kind != Type::STREAM {
            return Self::NoStream;
        }
        if socket.is_listener().unwrap_or(false) {
            let address = socket.local_addr().ok().and_then(|address| address.as_socket());
            return address.map_or(Self::ListeningUnix, Self::Listening);
        }
        match socket.peer_addr() {
            Ok(peer) => Self::Connected(match peer.as_socket() {
                Some(peer) => peer.to_string(),
                None => "unix".to_owned(),
            }),
            Err(_) => Self::Loose,
        }
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listening(address) => write!(f, "a socket that listens on {address}"),
            Self::ListeningUnix => f.write_str("a Unix socket that listens"),
            Self::Connected(peer) => write!(f, "a connection ({peer})"),
            Self::Loose => f.write_str("a stream socket that neither listens nor is connected"),
            Self::NoStream => f.write_str("a datagram socket, or another that is no stream"),
            Self::NoSocket => f.write_str("no socket"),
        }
    }
}

/// The socket that an activator has given to this process to accept from; `None` if there is no activator.
///
/// To be called before there are threads: the environment forgets the activator.
pub(crate) fn listening() -> Result<Option<TcpListener>> {
    let Some(socket) = from_activator()? else { return Ok(None) };
    match Found::at(socket.as_fd()) {
        Found::Listening(_) => Ok(Some(socket.into())),
        found @ Found::Connected(_) => bail!(
            "the activator has given {found}, and none to accept from: add --inetd to serve that one, or have the \
             activator not accept"
        ),
        found @ (Found::ListeningUnix | Found::Loose | Found::NoStream | Found::NoSocket) => {
            bail!("the activator has given {found}; a server needs a TCP socket that listens")
        }
    }
}

/// The one connection to serve: of an activator that accepts, else standard input. From then on standard input, output and
/// error are not that socket: what is printed does not reach the client.
///
/// To be called before there are threads, as [`listening`].
pub(crate) fn connection() -> Result<Connection> {
    if let Some(socket) = from_activator()? {
        return connected(socket, "the activator has given");
    }
    let socket = io::stdin().as_fd().try_clone_to_owned().context("standard input")?;
    hush(&socket).context("standard input, output and error")?;
    connected(socket, "standard input is")
}

fn connected(socket: OwnedFd, whence: &str) -> Result<Connection> {
    match Found::at(socket.as_fd()) {
        Found::Connected(peer) => Ok(Connection { socket, peer }),
        found @ (Found::Listening(_) | Found::ListeningUnix) => bail!(
            "{whence} {found}; --inetd serves one connection: write `nowait` in inetd.conf, `Accept=yes` for systemd, \
             --accept for an activator"
        ),
        found @ (Found::Loose | Found::NoStream | Found::NoSocket) => bail!(
            "{whence} {found}; --inetd is for a line of inetd.conf or an activator, which give a connection"
        ),
    }
}

/// The one socket of an activator.
fn from_activator() -> Result<Option<OwnedFd>> {
    let Some(mut sockets) = palco_sys::take_listening().context("socket activation")? else {
        return Ok(None);
    };
    if let (Some(socket), true) = (sockets.pop(), sockets.is_empty()) {
        return Ok(Some(socket));
    }
    bail!("the activator has given {} sockets; a server takes one", sockets.len() + 1)
}

/// Takes the socket away from standard input, output and error, as far as they are that socket.
fn hush(socket: &OwnedFd) -> Result<()> {
    let of_socket = identity(socket)?;
    if !of_socket.file_type().is_socket() {
        return Ok(());
    }
    let is_socket = |fd: BorrowedFd<'_>| Ok::<_, io::Error>(is_same(&identity(&fd)?, &of_socket));
    let nowhere = File::options().read(true).write(true).open("/dev/null")?;
    if is_socket(io::stdout().as_fd())? {
        dup2_stdout(&nowhere)?;
    }
    if is_socket(io::stderr().as_fd())? {
        dup2_stderr(&nowhere)?;
    }
    dup2_stdin(&nowhere)?;
    Ok(())
}

/// Whether a client would read what is written to standard error, as inetd has it.
pub(crate) fn client_hears_errors() -> bool {
    let (Ok(input), Ok(errors)) = (identity(&io::stdin()), identity(&io::stderr())) else {
        return false;
    };
    input.file_type().is_socket() && is_same(&input, &errors)
}

fn identity(fd: &impl AsFd) -> io::Result<Metadata> {
    File::from(fd.as_fd().try_clone_to_owned()?).metadata()
}

fn is_same(one: &Metadata, other: &Metadata) -> bool {
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

#[cfg(test)]
mod tests {
    use std::net::{TcpStream, UdpSocket};
    use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};

    use super::*;

    #[test]
    fn every_descriptor_is_called_what_it_is() {
        let directory = tempfile::tempdir().unwrap();
        let listening = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listening.local_addr().unwrap();
        let client = TcpStream::connect(address).unwrap();
        let (one, _other) = UnixStream::pair().unwrap();
        let (unix_datagram, _other) = UnixDatagram::pair().unwrap();
        let found = |fd: &dyn AsFd| Found::at(fd.as_fd());
        assert_eq!(found(&listening), Found::Listening(address));
        assert_eq!(found(&client), Found::Connected(address.to_string()));
        assert_eq!(found(&one), Found::Connected("unix".to_owned()));
        let unix = UnixListener::bind(directory.path().join("socket")).unwrap();
        assert_eq!(found(&unix), Found::ListeningUnix);
        assert_eq!(found(&UdpSocket::bind("127.0.0.1:0").unwrap()), Found::NoStream);
        assert_eq!(found(&unix_datagram), Found::NoStream);
        assert_eq!(found(&tempfile::tempfile().unwrap()), Found::NoSocket);
        let fresh = socket2::Socket::new(socket2::Domain::IPV4, Type::STREAM, None).unwrap();
        assert_eq!(found(&fresh), Found::Loose);
    }

    #[test]
    fn a_connection_is_served_and_nothing_else() {
        let (one, _other) = UnixStream::pair().unwrap();
        assert_eq!(connected(one.into(), "it is").unwrap().peer, "unix");
        let listening = TcpListener::bind("127.0.0.1:0").unwrap();
        let error = connected(listening.into(), "it is").unwrap_err().to_string();
        assert!(error.contains("`nowait`") && error.contains("listens on 127.0.0.1:"), "{error}");
        let file = tempfile::tempfile().unwrap();
        let error = connected(file.into(), "it is").unwrap_err().to_string();
        assert!(error.starts_with("it is no socket"), "{error}");
    }

    #[test]
    fn a_socket_is_the_same_under_two_numbers() {
        let (one, other) = UnixStream::pair().unwrap();
        let again = one.try_clone().unwrap();
        let identity = |socket: &UnixStream| identity(socket).unwrap();
        assert!(is_same(&identity(&one), &identity(&again)));
        assert!(!is_same(&identity(&one), &identity(&other)));
    }
}
