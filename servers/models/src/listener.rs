//! A listening socket, and the waiting for connections in each place.

use std::future::poll_fn;
use std::io;
use std::net::{SocketAddr, TcpListener as ThreadListener};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::task::Poll;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use palco_actors::{Actor, Context, PlaceKind, Wait};
use socket2::{Domain, Protocol, SockAddr, SockRef, Socket, Type};

use crate::holder::holder_of_port;
use crate::settings::Listen;
use crate::start_error::StartError;
use crate::stream::{PolledListener, Stream};

/// Why an address cannot be listened on.
#[derive(thiserror::Error, Debug)]
pub enum BindError {
    /// The port is taken.
    #[error("{address} is in use{}", holder.as_ref().map(|by| format!(" by {by}")).unwrap_or_default())]
    InUse {
        /// What was asked for.
        address: SocketAddr,
        /// Who holds it, as `process (pid 17)`, if that is visible.
        holder: Option<String>,
    },
    /// Anything else: permission, no such interface.
    #[error("cannot listen on {address}")]
    Other {
        /// What was asked for.
        address: SocketAddr,
        /// The kernel's error.
        #[source]
        source: io::Error,
    },
}

/// The socket to listen on. Connections accepted from it have `TCP_NODELAY` set: Linux lets them inherit it.
pub(crate) fn open(listen: &Listen, backlog: i32) -> Result<Arc<ThreadListener>, StartError> {
    match listen {
        Listen::At(address) => {
            let socket = bind(*address, false)?;
            // Two sockets may be bound to one address, and only one of them listens.
            socket.listen(backlog).map_err(|source| cannot_listen(*address, source))?;
            Ok(Arc::new(socket.into()))
        }
        Listen::On(socket) | Listen::Taken(socket) => {
            adopt(SockRef::from(&**socket)).map_err(StartError::Inherited)?;
            Ok(Arc::clone(socket))
        }
    }
}

/// Makes a socket that others have bound what servers expect.
fn adopt(socket: SockRef<'_>) -> io::Result<()> {
    if socket.local_addr()?.as_socket().is_none() || !socket.is_listener()? {
        let text = "it is no TCP socket that listens";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
    }
    socket.set_tcp_nodelay(true)
}

/// Binds, and does not listen yet; in a group of sockets on one address if `shares` (`SO_REUSEPORT`).
pub(crate) fn bind(address: SocketAddr, shares: bool) -> Result<Socket, BindError> {
    let bind = || -> io::Result<Socket> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        socket.set_reuse_address(true)?;
        if shares {
            socket.set_reuse_port(true)?;
        }
        socket.set_tcp_nodelay(true)?;
        socket.bind(&address.into())?;
        Ok(socket)
    };
    bind().map_err(|source| cannot_listen(address, source))
}

fn cannot_listen(address: SocketAddr, source: io::Error) -> BindError {
    match source.kind() {
        io::ErrorKind::AddrInUse => {
            BindError::InUse { address, holder: holder_of_port(address.port()) }
        }
        _ => BindError::Other { address, source },
    }
}

/// One acceptor's own handle of the shared listening socket.
#[derive(Debug)]
pub(crate) enum Listener {
    Polled(PolledListener),
    Blocking(Arc<ThreadListener>),
}

impl Listener {
    /// For an actor in `place`. Must be called in that place.
    pub(crate) fn new(shared: &Arc<ThreadListener>, place: PlaceKind) -> io::Result<Self> {
        // The flag belongs to the socket, not to the handle: others may have it who must not block. Who may copes with both.
        if place.shares_its_thread() {
            shared.set_nonblocking(true)?;
        }
        Ok(match place.shares_its_thread() {
            true => Self::Polled(PolledListener::new(place, shared.try_clone()?)?),
            false => Self::Blocking(Arc::clone(shared)),
        })
    }

    /// Waits for a connection. `None` is a stop.
    pub(crate) async fn accept<A: Actor>(
        &self,
        cx: &Context<A>,
    ) -> Option<io::Result<(Stream, SocketAddr)>> {
        Some(match self {
            Self::Polled(listener) => {
                // Who comes after a stop is for the next server on this socket, if there is one.
                let accept = poll_fn(|task| match cx.is_stopping() {
                    true => Poll::Pending,
                    false => listener.poll_accept(task),
                });
                cx.unless_stopped(accept)
                    .await?
                    .map(|(stream, peer)| (Stream::Polled(stream), peer))
            }
            Self::Blocking(listener) => cx
                .blocking_call(Wait::UntilStop, || accept_blocking(listener))
                .await?
                .and_then(|(socket, peer)| {
                    let peer = peer.as_socket().ok_or(io::ErrorKind::Unsupported)?;
                    Ok((Stream::Blocking(socket.into()), peer))
                }),
        })
    }
}

/// Waits for a connection, also on a socket that does not block, because somebody else has it who must not.
fn accept_blocking(listener: &ThreadListener) -> io::Result<(Socket, SockAddr)> {
    loop {
        // Not std's accept, which begins again after EINTR and would never hear a signal.
        match SockRef::from(listener).accept() {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                poll(&mut [PollFd::new(listener.as_fd(), PollFlags::POLLIN)], PollTimeout::NONE)?;
            }
            accepted => return accepted,
        }
    }
}
