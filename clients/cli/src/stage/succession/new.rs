//! The side of the stage that takes over.

use std::net::{SocketAddr, TcpListener};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use palco_models::Listen;

use super::{Offer, Offered, Open};
use crate::control::{Request, connect};
use crate::stage::{ServerEntry, Stage};
use crate::succession::{ANSWER_WITHIN, Released, receive, receive_sockets, send};

/// A change that has begun.
#[derive(Debug)]
pub(in crate::stage) struct Succession {
    stream: UnixStream,
    servers: Vec<(Offered, Arc<TcpListener>)>,
    urgent: Option<TcpListener>,
}

impl Succession {
    /// Asks the stage that runs for its sockets, which it goes on using.
    pub(in crate::stage) fn begin(control: Option<PathBuf>) -> Result<Self> {
        let stream = connect(control, &Request::TakeOver)?;
        stream.set_read_timeout(Some(ANSWER_WITHIN))?;
        let offer = receive(&stream).context("the stage that runs does not hand over")?;
        let (servers, urgent) = match offer {
            Offer::Made { servers, urgent } => (servers, urgent),
            Offer::Refused(why) => bail!("the stage that runs does not hand over: {why}"),
        };
        let count = servers.len() + usize::from(urgent.is_some());
        let mut sockets = receive_sockets(&stream, count)?.into_iter().map(TcpListener::from);
        let servers = servers.into_iter().zip(sockets.by_ref().map(Arc::new)).collect();
        Ok(Self { stream, servers, urgent: sockets.next() })
    }

    /// Where the old one listens.
    pub(in crate::stage) fn addresses(&self) -> Vec<SocketAddr> {
        self.servers.iter().map(|(offered, _)| offered.address).collect()
    }

    /// The same server, on the socket of the one before it: the one at its address, or of its name where any port will
    /// do.
    pub(in crate::stage) fn assigned(&self, entry: &ServerEntry) -> ServerEntry {
        let is_its = |(offered, _): &&(Offered, Arc<TcpListener>)| match entry.listen.port() {
            0 => offered.name == entry.name() && offered.address.ip() == entry.listen.ip(),
            _ => offered.address == entry.listen,
        };
        let found = self.servers.iter().find(is_its).filter(|_| entry.socket.is_none());
        let socket = found.map(|(_, socket)| Listen::Taken(Arc::clone(socket)));
        ServerEntry { socket: socket.or_else(|| entry.socket.clone()), ..entry.clone() }
    }

    /// The socket of the urgent port before this one.
    pub(in crate::stage) fn urgent(&self) -> Option<TcpListener> {
        self.urgent.as_ref().and_then(|socket| socket.try_clone().ok())
    }

    /// This one serves. From here on the control socket is free. Where the old one has gone meanwhile, this one goes on.
    pub(in crate::stage) fn done(self, stage: &Stage) {
        let served: Vec<SocketAddr> =
            stage.servers.iter().map(|(_, server)| server.address()).collect();
        let is_taken = |address: &SocketAddr| served.contains(address);
        let taken = self.addresses().into_iter().filter(is_taken).collect();
        stage.shared.lock().clear();
        let open = Open { pid: process::id(), taken };
        let released = send(&self.stream, &open).and_then(|()| receive::<Released>(&self.stream));
        if let Err(error) = released {
            tracing::warn!("the stage before this one has gone: {error:#}");
        }
    }
}
