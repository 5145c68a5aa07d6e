//! One connection that somebody else has accepted, an inetd for example: served in this process, which has no other.

use std::fmt;
use std::net::TcpStream;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use palco_actors::{AnyRef, ExitReason, PlaceKind, Signal, SpawnOptions, System};
use palco_service::{Peer, Relaunch};
use socket2::SockRef;

use crate::StartError;
use crate::acceptor::ConnectionActor;
use crate::admission::Limits;
use crate::books::{Books, Ledger, Own};
use crate::deadlines::Deadlines;
use crate::requests::{Lines, Serving};
use crate::scoreboard::Scores;
use crate::serve::{Accepted, Shared};
use crate::stream::Stream;

/// A connection that is being served by an actor of its own, on a thread. The same as under any server: what was asked is
/// answered before a stop, and last words are said.
pub struct Single {
    actor: AnyRef,
    ledger: Ledger,
}

impl Single {
    /// Serves the connection `socket`: a connected stream socket, of TCP or Unix. It blocks from now on, for all who have it.
    /// `name` is the actor's; `peer` is whom the service is told of; a stop may take `drain_within`.
    ///
    /// # Errors
    /// [`StartError`]; the connection is closed then, unless somebody else has it.
    pub fn serve<S: Relaunch>(
        system: &System,
        name: &str,
        socket: OwnedFd,
        peer: impl Into<Box<str>>,
        drain_within: Duration,
        config: &S::Config,
    ) -> Result<Self, StartError> {
        let (service, codec) = S::relaunch(config)?;
        // Whatever its family: std's type is no more than the calls that all stream sockets have.
        let stream = TcpStream::from(socket);
        stream.set_nonblocking(false).map_err(StartError::Inherited)?;
        // A Unix socket has no such thing, and no such need.
        let _ = SockRef::from(&stream).set_tcp_nodelay(true);
        let books = Own::new(Limits { connections_max: 1, ..Limits::default() });
        let record = Books::Own(Arc::clone(&books)).try_admit().expect("there is no other");
        let line = Serving::new(Lines::create(1).map_err(StartError::Memory)?, None).take();
        let (stream, peer) = (Stream::Blocking(stream), Peer::new(peer));
        let accepted = Accepted { line, stream, address: None, peer, record };
        let deadlines = Deadlines::default();
        let shared = Arc::new(Shared { service: Arc::new(service), codec, deadlines });
        let options =
            SpawnOptions::new().name(name).place(PlaceKind::Thread).stop_within(drain_within);
        let actor = system.spawn(options, ConnectionActor::life(accepted, shared))?;
        Ok(Self { actor: actor.any(), ledger: Ledger::Own(books) })
    }

    /// Asks for the end: a request in progress is answered, within `drain_within`.
    pub fn stop(&self) {
        self.actor.signal(Signal::Stop);
    }

    /// Completes when the connection has ended, in whatever way; [`scores`](Self::scores) tell.
    pub async fn ended(&self) -> ExitReason {
        self.actor.exited().await
    }

    /// What has been done: one connection accepted, and in the end one ending.
    #[must_use]
    pub fn scores(&self) -> Scores {
        self.ledger.scores()
    }
}

impl fmt::Debug for Single {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Single").field("scores", &self.scores()).finish_non_exhaustive()
    }
}
