//! Where workers listen: on one socket that all share, or each on its own in one `SO_REUSEPORT` group (socket(7)).
//!
//! In a group the kernel decides by a hash of the two addresses whose queue a connection waits in, and it stays there: it is
//! not served by somebody else who is idle. So a socket belongs to the server, not to a worker's life: who waits in it is
//! served by the next life. Closing one resets who waits in it, unless `net.ipv4.tcp_migrate_req` was on when the group was
//! made: then they go over to the others.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use socket2::Socket;

use crate::listener::{self, BindError};
use crate::settings::ServerSettings;
use crate::start_error::StartError;

/// Where the sockets of a server come from.
#[derive(Debug)]
pub(super) enum Source {
    Shared(Arc<TcpListener>),
    Group { address: SocketAddr, backlog: i32 },
}

impl Source {
    /// One socket for all.
    pub(super) fn shared(settings: &ServerSettings) -> Result<Self, StartError> {
        listener::open(&settings.listen, settings.limits.backlog).map(Self::Shared)
    }

    /// A group of `count` sockets. All are bound before the first listens, and all listen before anybody accepts.
    ///
    /// The first is bound alone, as if there were to be no group: so an address that somebody else has is in use, also
    /// when that one would share it. Then it lets the others in.
    pub(super) fn group(
        address: SocketAddr,
        backlog: i32,
        count: usize,
    ) -> Result<(Self, Vec<Arc<TcpListener>>), BindError> {
        let first = listener::bind(address, false)?;
        let other = |source| BindError::Other { address, source };
        let bound = first.local_addr().map_err(other)?.as_socket().unwrap_or(address);
        first.set_reuse_port(true).map_err(other)?;
        let mut sockets = vec![first];
        for _ in 1..count {
            sockets.push(listener::bind(bound, true)?);
        }
        let listen = |socket: Socket| -> io::Result<Arc<TcpListener>> {
            socket.listen(backlog)?;
            Ok(Arc::new(socket.into()))
        };
        let sockets = sockets.into_iter().map(listen).collect::<io::Result<_>>().map_err(other)?;
        Ok((Self::Group { address: bound, backlog }, sockets))
    }

    /// The socket of one more worker.
    pub(super) fn socket(&self) -> Result<Arc<TcpListener>, BindError> {
        match self {
            Self::Shared(socket) => Ok(Arc::clone(socket)),
            Self::Group { address, backlog } => {
                let socket = listener::bind(*address, true)?;
                let address = *address;
                socket.listen(*backlog).map_err(|source| BindError::Other { address, source })?;
                Ok(Arc::new(socket.into()))
            }
        }
    }

    pub(super) fn is_shared(&self) -> bool {
        matches!(self, Self::Shared(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn here(port: u16) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], port))
    }

    #[test]
    fn an_address_of_others_is_in_use_also_when_they_would_share_it() {
        let theirs = listener::bind(here(0), true).unwrap();
        theirs.listen(8).unwrap();
        let address = theirs.local_addr().unwrap().as_socket().unwrap();
        let error = Source::group(address, 8, 2).unwrap_err();
        assert!(matches!(error, BindError::InUse { .. }), "{error:?}");
        drop(theirs);
        let (source, sockets) = Source::group(address, 8, 3).unwrap();
        assert_eq!(sockets.len(), 3);
        assert!(Source::group(address, 8, 1).is_err(), "also when it is ours");
        let one_more = source.socket().unwrap();
        assert_eq!(one_more.local_addr().unwrap(), address);
        assert!(!source.is_shared());
    }
}
