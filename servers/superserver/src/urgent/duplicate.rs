//! The duplicate of a connection: kept no longer than the program keeps its own, as far as that can be known.
//!
//! A connection is closed when the last of its descriptors is. Whoever keeps a duplicate must let go of it when the
//! program does, or the client would wait for an end that has come. It is only closed, never shut down: a child of the
//! program that has the connection goes on with it. That a program has ended is told by the kernel; that it has closed
//! its descriptors and lives on has to be looked for, now and then.

use std::io;
use std::net::SocketAddr;
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, recv};
use nix::sys::stat::fstat;
use palco_actors::AnyRef;
use palco_urgent::{Watch, is_at_mark};
use socket2::Socket;

use super::holders::{Held, Identity, is_held};
use super::{Exchange, Line, Lines};
use crate::instance::{Beside, Family};
use crate::service::Service;

/// The first look after so long; each later one after twice the time. A client that waits for the end of a connection that
/// its program has closed waits at most as long again.
const LOOK_FIRST: Duration = Duration::from_secs(1);
/// Looks are at most so far apart.
const LOOK_LAST: Duration = Duration::from_secs(16);

/// A duplicate that nobody listens on yet.
pub(crate) struct Duplicate {
    socket: Socket,
    peer: SocketAddr,
}

/// What serves a client: its service, its program, and the actor that stands for it.
pub(crate) struct Served<'a> {
    pub(crate) service: &'a Arc<Service>,
    pub(crate) pid: i32,
    pub(crate) family: &'a Arc<Family>,
    pub(crate) actor: AnyRef,
}

/// A client that is listened to as long as this lives.
pub(crate) struct Listening {
    watch: Arc<Watch>,
    lines: Arc<Lines>,
    line: Arc<Line>,
    token: u64,
    /// The connection; none once the duplicate is closed.
    file: Option<Identity>,
    look_in: Duration,
}

impl Duplicate {
    /// `None` without a descriptor for it: the client is served all the same.
    pub(crate) fn of(socket: &Socket, peer: SocketAddr) -> Option<Self> {
        match socket.try_clone() {
            Ok(socket) => Some(Self { socket, peer }),
            Err(error) => {
                tracing::warn!(%peer, %error, "cannot listen for urgent data");
                None
            }
        }
    }

    /// Listens, from what has come already on. On an event loop.
    pub(crate) fn listen(self, exchange: &Exchange, served: Served<'_>) -> Option<Listening> {
        let Served { service, pid, family, actor } = served;
        let Self { socket, peer } = self;
        let begin = || -> io::Result<Listening> {
            let file = fstat(&socket).map_err(io::Error::from)?;
            let file = Identity { device: file.st_dev, inode: file.st_ino };
            let (watch, lines) = (Arc::clone(&exchange.watch), Arc::clone(&exchange.lines));
            let program = (pid, Arc::clone(family));
            let line = Line::new(Arc::clone(service), (socket, peer), program, actor);
            // Known before anything can be heard of it.
            let token = lines.enter(Arc::clone(&line));
            let listening =
                Listening { watch, lines, line, token, file: Some(file), look_in: LOOK_FIRST };
            // Dropped on the way it is as if it had never been.
            let added = match &*listening.line.socket.lock() {
                Some(socket) => listening.watch.add(socket, token),
                None => Ok(()),
            };
            added.map(|()| listening)
        };
        match begin() {
            Ok(listening) => Some(listening),
            Err(error) => {
                tracing::warn!(%peer, %error, "cannot listen for urgent data");
                None
            }
        }
    }
}

impl Listening {
    /// Lets go of the connection.
    fn close(&mut self) {
        self.file = None;
        self.lines.leave(self.token);
        let Some(socket) = self.line.take_socket() else { return };
        // Before it is closed: a child of the program that still has it would go on waking the thread.
        if let Err(error) = self.watch.remove(&socket) {
            tracing::debug!(%error, "no longer listening for urgent data");
        }
        // As when a process ends, which waits for nothing that is still to be sent (tcp_close in the kernel): an event
        // loop must not wait for a client that does not read.
        if socket.linger().is_ok_and(|time| time.is_some_and(|time| !time.is_zero()))
            && let Err(error) = socket.set_linger(None)
        {
            tracing::debug!(%error, "linger of a connection");
        }
        skip_mark(&socket);
    }
}

/// An urgent byte still stands, taken or not, in the stream until somebody reads past it, and a connection that is closed
/// with something unread in it is reset, not ended (RFC 1122 4.2.2.13). A program that reads nothing would never have
/// ended so. A read at the mark skips it, and has nothing to take if nothing follows.
///
/// What follows just between the two looks is lost, which matters only to a child of the program that still reads.
fn skip_mark(socket: &Socket) {
    let read = |flags| recv(socket.as_raw_fd(), &mut [0], flags | MsgFlags::MSG_DONTWAIT);
    let is_last = || matches!(read(MsgFlags::MSG_PEEK), Ok(0) | Err(Errno::EAGAIN));
    if is_at_mark(socket).unwrap_or(false) && is_last() {
        let _skipped = read(MsgFlags::empty());
    }
}

impl Beside for Option<Listening> {
    fn next(&self) -> Option<Duration> {
        self.as_ref().filter(|listening| listening.file.is_some()).map(|it| it.look_in)
    }

    /// Never: a program that has closed its connection may go on.
    fn is_over(&mut self) -> bool {
        if let Some(listening) = self
            && let Some(file) = listening.file
        {
            match is_held(file, listening.line.pid) {
                Held::No => listening.close(),
                Held::Yes | Held::Unknown => {
                    listening.look_in = (listening.look_in * 2).min(LOOK_LAST);
                }
            }
        }
        false
    }

    fn line(&self) -> Option<Arc<Line>> {
        self.as_ref().map(|listening| Arc::clone(&listening.line))
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.close();
    }
}
