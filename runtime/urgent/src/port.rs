//! The urgent port: commands about requests, a line each, from whoever shows the key.
//!
//! It is served by one thread, so nothing here blocks, and everything has a limit: connections that say nothing make
//! room for the next one, an answer that is not taken ends its connection, wrong keys cost waiting.

mod command;
mod connection;
mod places;
mod sources;

use std::cell::RefCell;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::{AsFd, BorrowedFd};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use palco_core::Refusal;
use serde::{Deserialize, Serialize};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::task::{spawn_local, yield_now};

pub use self::command::{Command, HELP, LINE_BYTES_MAX, Line, parse_line};
use self::connection::{answer, attend};
use self::places::{Evicted, Places};
use self::sources::Sources;
use crate::breath::Breath;
use crate::{Desk, StartError};

/// So many connections wait to be accepted, so that a flood does not keep the next one out.
const BACKLOG: i32 = 4096;
/// The pause after the system could not accept, for example because descriptors have run out.
const ACCEPT_PAUSE: Duration = Duration::from_millis(10);

/// A port that listens and is not served yet.
#[derive(Debug)]
pub struct Bound {
    listener: TcpListener,
    address: SocketAddr,
}

/// What the urgent port takes, at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortSettings {
    /// Connections at once; default 256. One more takes the place of the one that has waited longest for a command of
    /// its own.
    pub places: usize,
    /// The time for each next complete command; default 10 s. Then the connection is closed.
    pub idle: Duration,
}

/// What has happened at an urgent port.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortCounts {
    /// Connections that were accepted.
    pub connections: u64,
    /// Of these, how many made room for another.
    pub evicted: u64,
    /// Commands with the right key.
    pub commands: u64,
    /// Commands with a wrong key.
    pub wrong_keys: u64,
    /// Commands that were not looked at, because of wrong keys before.
    pub waits: u64,
    /// Lines that are no command.
    pub malformed: u64,
}

/// The same, as it is counted: by one thread.
#[derive(Debug, Default)]
pub(crate) struct PortCounters {
    connections: AtomicU64,
    evicted: AtomicU64,
    commands: AtomicU64,
    wrong_keys: AtomicU64,
    waits: AtomicU64,
    malformed: AtomicU64,
}

/// What all connections of a port have in common.
pub(crate) struct Counter {
    pub(crate) desk: Arc<dyn Desk>,
    pub(crate) settings: PortSettings,
    pub(crate) counters: Arc<PortCounters>,
    pub(crate) breath: Rc<Breath>,
    pub(crate) sources: RefCell<Sources>,
}

impl Default for PortSettings {
    fn default() -> Self {
        Self { places: 256, idle: Duration::from_secs(10) }
    }
}

impl Bound {
    /// Listens at `address`; port 0 is one that is free.
    ///
    /// # Errors
    /// [`StartError::Bind`].
    pub fn bind(address: SocketAddr) -> Result<Self, StartError> {
        let listen = || {
            let socket =
                Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
            socket.set_reuse_address(true)?;
            socket.bind(&address.into())?;
            socket.listen(BACKLOG)?;
            Self::of(socket.into())
        };
        listen().map_err(|source| StartError::Bind { address, source })
    }

    /// Of a socket that listens already, for example one that another process has passed.
    ///
    /// # Errors
    /// The kernel's, when it is none.
    pub fn of(listener: TcpListener) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address })
    }

    /// Another handle of its socket.
    ///
    /// # Errors
    /// The kernel's, when there are too many open files.
    pub fn socket(&self) -> io::Result<TcpListener> {
        self.listener.try_clone()
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until it is dropped.
    pub(crate) async fn serve(self, counter: Rc<Counter>) -> io::Result<()> {
        let listener = tokio::net::TcpListener::from_std(self.listener)?;
        let places = Places::new(counter.settings.places);
        loop {
            counter.breath.draw();
            let (stream, peer) = match listener.accept().await {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(%error, "the urgent port cannot accept a connection");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            };
            count(&counter.counters.connections);
            let Some((place, evicted)) = places.take() else {
                // Whether it is heard is the client's business.
                let _ = answer(&stream, &Refusal::Busy.to_string());
                continue;
            };
            match evicted {
                Evicted::One => count(&counter.counters.evicted),
                Evicted::Nobody => {}
            }
            let turn = place.turn();
            let task = spawn_local(attend(stream, peer.ip(), place, Rc::clone(&counter)));
            places.belongs_to(turn, task.abort_handle());
            // It reads what has come with it before the next one is accepted, which might take its place.
            yield_now().await;
        }
    }
}

impl AsFd for Bound {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.listener.as_fd()
    }
}

impl PortCounters {
    pub(crate) fn snapshot(&self) -> PortCounts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        PortCounts {
            connections: read(&self.connections),
            evicted: read(&self.evicted),
            commands: read(&self.commands),
            wrong_keys: read(&self.wrong_keys),
            waits: read(&self.waits),
            malformed: read(&self.malformed),
        }
    }
}

/// Only its thread writes.
pub(crate) fn count(counter: &AtomicU64) {
    counter.store(counter.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
}
