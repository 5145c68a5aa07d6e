//! The actor that keeps a node's book, tells other nodes what is in it, and finds the way to those it hears of.

use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::Arc;

use palco_actors::{
    Actor, Context, Disconnected, Failure, Handler, Luggage, Message, MessageTable, Net, Portable,
    Recipient, RemoteOptions, SpawnError, SpawnOptions,
};
use palco_transport::Peer;
use palco_transport::libp2p::Libp2p;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use crate::replica::Replica;
use crate::words::Letters;
use crate::{Book, Domain, Entry, node_of};

/// Under this name clerks reach each other.
const NAME: &str = "clerk";

/// Letters that may wait for a node; more are lost, as letters may be.
const LETTERS_MAX: usize = 1 << 12;

/// The name under which a replica is reached from other nodes.
pub(crate) fn replica_name(shard: u16) -> String {
    format!("replica-{shard}")
}

/// Keeps the book.
#[derive(Debug)]
pub(crate) struct Clerk {
    office: Office,
}

/// What a clerk works with.
#[derive(Clone, Debug)]
pub(crate) struct Office {
    pub(crate) me: Peer,
    pub(crate) net: Net,
    pub(crate) carrier: Arc<Libp2p>,
    pub(crate) domain: Domain,
    pub(crate) shards: u16,
    pub(crate) book: Arc<Mutex<Book>>,
    /// Where it is kept, if it is.
    pub(crate) path: Option<PathBuf>,
}

/// A connection has begun.
#[derive(Debug)]
pub(crate) struct Met(pub(crate) Peer);

/// What one node has in its book.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Tell {
    entries: Vec<Entry>,
}

impl Message for Met {
    type Reply = ();
}

impl Message for Tell {
    type Reply = ();
}

impl Clerk {
    pub(crate) fn of(office: Office) -> Self {
        Self { office }
    }

    /// Tells a node all there is to know. Lost, it is told with the next connection.
    fn tell(&self, peer: Peer) {
        let entries = self.office.book.lock().entries().cloned().collect();
        match self.office.net.find::<Self>(peer, NAME) {
            Ok(clerk) => drop(clerk.try_tell(Tell { entries })),
            Err(error) => tracing::warn!(%peer, %error, "its clerk cannot be found"),
        }
    }
}

impl Office {
    /// Opens the way to a node: it is let in, sought, and letters to it go there.
    pub(crate) fn open(&self, peer: Peer, addresses: &[String]) -> Result<(), SpawnError> {
        if peer == self.me {
            return Ok(());
        }
        self.carrier.allow(peer);
        if let Err(text) = self.net.carrier().seek(peer, addresses) {
            tracing::warn!(%peer, text, "is not sought there");
        }
        let options = || {
            SpawnOptions::new()
                .mailbox_messages_max(LETTERS_MAX)
                .remote(RemoteOptions::new().disconnected(Disconnected::Drop))
        };
        let recipients: Result<Vec<Recipient<Letters>>, SpawnError> = (0..self.shards)
            .map(|shard| {
                let name = replica_name(shard);
                Ok(self.net.find_with::<Replica>(peer, &name, options())?.recipient())
            })
            .collect();
        self.domain.route(node_of(peer), recipients?);
        Ok(())
    }
}

impl Actor for Clerk {
    async fn started(&mut self, cx: &mut Context<Self>) -> Result<(), Failure> {
        self.office.net.export(NAME, &cx.actor_ref())?;
        Ok(())
    }
}

impl Portable for Clerk {
    type Args = ();

    fn kind() -> Cow<'static, str> {
        "clerk".into()
    }

    fn messages(table: &mut MessageTable<Self>) {
        table.handles::<Tell>();
    }

    fn make((): (), _: Luggage) -> Result<Self, Failure> {
        Err(Failure::new("a clerk belongs to its node"))
    }
}

impl Handler<Met> for Clerk {
    async fn handle(&mut self, message: Met, _: &mut Context<Self>) {
        self.tell(message.0);
    }
}

impl Handler<Tell> for Clerk {
    async fn handle(&mut self, message: Tell, _: &mut Context<Self>) {
        let mut has_news = false;
        for entry in message.entries.into_iter().take(crate::NODES_MAX) {
            // Who this node is, nobody else says.
            if entry.peer == self.office.me || !self.office.book.lock().learn(entry.clone()) {
                continue;
            }
            has_news = true;
            if let Err(error) = self.office.open(entry.peer, &entry.addresses) {
                tracing::warn!(node = entry.name, %error, "there is no way to it");
            }
        }
        if has_news {
            if let Some(path) = &self.office.path
                && let Err(error) = self.office.book.lock().write(path)
            {
                tracing::warn!(path = %path.display(), %error, "the book is not kept");
            }
            let connected = self.office.net.peers().into_iter().filter(|of| of.session.is_some());
            connected.for_each(|of| self.tell(of.peer));
        }
    }
}
