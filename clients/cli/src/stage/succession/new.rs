//! The side of the stage that takes over.

use std::net::{SocketAddr, TcpListener};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use palco_models::Listen;

use super::{Offer, Offered, Open};
use crate::control::{ControlSocket, Request, connect};
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

    /// This one serves: whoever asks on the control socket is from here on asked here. Where the old one has gone
    /// meanwhile, this one goes on.
    ///
    /// # Errors
    ///
    /// The old one has not let go: it serves on, and this one must leave.
    pub(in crate::stage) fn done(
        self,
        stage: &Stage,
        control: Option<PathBuf>,
    ) -> Result<ControlSocket> {
        let served: Vec<SocketAddr> =
            stage.servers.iter().map(|(_, server)| server.address()).collect();
        let is_taken = |address: &SocketAddr| served.contains(address);
        let taken = self.addresses().into_iter().filter(is_taken).collect();
        let open = Open { pid: process::id(), taken };
        let released = send(&self.stream, &open).and_then(|()| receive::<Released>(&self.stream));
        let socket = ControlSocket::claim(control).context("the stage before this one goes on")?;
        if let Err(error) = released {
            tracing::warn!("the stage before this one has gone: {error:#}");
        }
        stage.shared.lock().clear();
        Ok(socket)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader};
    use std::thread;

    use super::*;
    use crate::succession::send_sockets;

    /// A predecessor that has offered its only server, and the stage that takes over from it.
    struct Change {
        control: PathBuf,
        old: ControlSocket,
        conversation: UnixStream,
        succession: Succession,
        stage: Stage,
        _directory: tempfile::TempDir,
    }

    impl Change {
        fn begin() -> Self {
            let directory = tempfile::tempdir().unwrap();
            let control = directory.path().join("control.sock");
            let old = ControlSocket::claim(Some(control.clone())).unwrap();
            let asked = old.listener().unwrap();
            let answers = thread::spawn(move || {
                let (stream, _) = asked.accept().unwrap();
                let mut request = String::new();
                BufReader::new(&stream).read_line(&mut request).unwrap();
                let server = TcpListener::bind("127.0.0.1:0").unwrap();
                let address = server.local_addr().unwrap();
                let servers = vec![Offered { name: "echo".to_owned(), address }];
                send(&stream, &Offer::Made { servers, urgent: None }).unwrap();
                send_sockets(&stream, &[server.into()]).unwrap();
                stream
            });
            let succession = Succession::begin(Some(control.clone())).unwrap();
            let conversation = answers.join().unwrap();
            let stage = Stage::empty().unwrap();
            *stage.shared.lock() = succession.addresses();
            Self { control, old, conversation, succession, stage, _directory: directory }
        }
    }

    #[test]
    fn one_whose_predecessor_is_killed_goes_on() {
        let Change { control, old, conversation, succession, stage, _directory } = Change::begin();
        drop((conversation, old));
        let socket = succession.done(&stage, Some(control.clone())).unwrap();
        assert_eq!(socket.path(), control);
        assert_eq!(*stage.shared.lock(), [], "its sockets are its own");
    }

    #[test]
    fn one_whose_predecessor_has_not_waited_leaves_it_alone() {
        let Change { control, old, conversation, succession, stage, _directory } = Change::begin();
        drop(conversation);
        let error = format!("{:#}", succession.done(&stage, Some(control)).unwrap_err());
        assert!(error.contains("the stage before this one goes on: a stage is running"), "{error}");
        assert_eq!(stage.shared.lock().len(), 1, "the other listens there");
        drop(old);
    }
}
