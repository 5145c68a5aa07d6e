//! Connections from their beginning until they are sessions, or are turned away.

use ::libp2p::core::ConnectedPoint;
use ::libp2p::swarm::{ConnectionId, Stream};
use libp2p_identity::PeerId;
use tokio::time::Instant;

use super::super::greeting::{Decided, Hello, Opening, Verdict, encoded, meet, part, verdict};
use super::super::lanes::Opened;
use super::{GREETING_MAX, Node, Told};
use crate::{Lane, Peer, other_key};

/// Connections that are only kept to tell the other why it is turned away.
const REFUSED_MAX: usize = 64;

/// Connections to one peer at the same time, while it is not clear which is kept.
const OF_PEER_MAX: usize = 16;

/// The streams of the lanes, in the order of [`Lane::ALL`].
pub(super) type Streams = [Stream; 3];

/// A connection that has proved who is at the other end.
pub(super) struct Connection {
    pub(super) peer: Peer,
    address: String,
    stage: Stage,
    /// Until when it must have become a session.
    deadline: Instant,
    /// Why this node does not talk over it.
    refusal: Option<String>,
}

enum Stage {
    /// Not all streams are there.
    Opening(Box<[Option<Stream>; 3]>),
    /// A task says and hears openings and the verdict.
    Greeting,
    Session,
    /// It ends.
    Leaving,
}

impl Node {
    pub(super) fn on_established(
        &mut self,
        id: ConnectionId,
        peer: PeerId,
        endpoint: &ConnectedPoint,
    ) {
        let address = endpoint.get_remote_address().to_string();
        let Ok(peer) = Peer::try_from(peer) else {
            tracing::debug!(%peer, address, "a node has a key of a kind that is not used here");
            return self.close(id);
        };
        let refusal = self.refusal(self.dials.get(&id).copied(), peer);
        let now = |stage: &Stage| !matches!(stage, Stage::Leaving);
        let refused = self.connections.values().filter(|c| now(&c.stage) && c.refusal.is_some());
        let of_peer = self.connections.values().filter(|c| now(&c.stage) && c.peer == peer);
        let is_crowded =
            (refusal.is_some() && refused.count() >= REFUSED_MAX) || of_peer.count() >= OF_PEER_MAX;
        let stage = Stage::Opening(Box::default());
        let deadline = Instant::now() + GREETING_MAX;
        self.connections.insert(id, Connection { peer, address, stage, deadline, refusal });
        if is_crowded {
            self.close(id);
        }
    }

    /// Why this node does not talk to one who has proved to be `peer`.
    fn refusal(&self, dialed: Option<Peer>, peer: Peer) -> Option<String> {
        match dialed {
            Some(sought) if sought != peer => Some(other_key(sought, peer)),
            _ if !self.allowed.allows(peer) => Some(format!(
                "the key of node {peer} is not among those that node {} allows",
                self.me
            )),
            _ => None,
        }
    }

    pub(super) fn on_opened(&mut self, Opened { connection: id, lane }: Opened) {
        let (lane, stream) = match lane {
            Ok(opened) => opened,
            Err(why) => return self.on_failed(id, &why),
        };
        let Some(connection) = self.connections.get_mut(&id) else { return };
        let Stage::Opening(streams) = &mut connection.stage else { return };
        streams[lane.index()] = Some(stream);
        if !streams.iter().all(Option::is_some) {
            return;
        }
        let [Some(urgent), Some(normal), Some(bulk)] = std::mem::take(&mut **streams) else {
            return;
        };
        connection.stage = Stage::Greeting;
        let over = self.sought.get(&connection.peer).and_then(|sought| sought.over);
        let mine = match &connection.refusal {
            Some(why) => Opening::Refusal(why.clone()),
            None => {
                let introduction = self.settings.introduction.clone();
                Opening::Hello(Hello { introduction, boot: self.boot, over })
            }
        };
        self.tasks.spawn(async move {
            let mut streams = [urgent, normal, bulk];
            match meet(&mut streams[Lane::Normal.index()], &mine).await {
                Ok(theirs) => Told::Met { id, streams, theirs },
                Err(error) => Told::Failed { id, why: error.to_string() },
            }
        });
    }

    pub(super) fn on_met(&mut self, id: ConnectionId, streams: Streams, theirs: Opening) {
        let Some(connection) = self.greeting(id) else { return };
        let (mine, address, peer) =
            (connection.refusal.clone(), connection.address.clone(), connection.peer);
        let hello = match (mine, theirs) {
            (Some(why), _) | (None, Opening::Refusal(why)) => Err(why),
            (None, Opening::Hello(hello)) => {
                let objection = self.settings.introduction.objection(&hello.introduction);
                objection.map_or(Ok(hello), Err)
            }
        };
        match hello {
            Err(why) => {
                self.refused(peer, &address, &why);
                self.part(id, streams, None);
            }
            Ok(hello) if self.decides(peer) => self.decide(id, peer, streams, hello),
            Ok(theirs) => {
                self.tasks.spawn(async move {
                    let mut streams = streams;
                    match verdict(&mut streams[Lane::Normal.index()]).await {
                        Ok(verdict) => Told::Judged { id, streams, theirs, verdict },
                        Err(error) => Told::Failed { id, why: error.to_string() },
                    }
                });
            }
        }
    }

    /// Keeps the connection, unless there is one that the other does not know to be over.
    fn decide(&mut self, id: ConnectionId, peer: Peer, streams: Streams, hello: Hello) {
        let own = hello.over.filter(|over| over.boot == self.boot).map_or(0, |over| over.number);
        let is_another = self
            .sessions
            .get(&peer)
            .is_some_and(|current| current.boot == hello.boot && current.decided.number > own);
        if is_another {
            return self.part(id, streams, Some(Verdict::Another));
        }
        self.end_session(peer, "the other node has lost it and made another");
        let decided = Decided { boot: self.boot, number: self.session_last + 1 };
        match encoded(&Verdict::Kept(decided)) {
            Ok(first) => self.begin_session(id, peer, streams, hello, decided, first),
            Err(error) => self.on_failed(id, &error.to_string()),
        }
    }

    pub(super) fn on_judged(
        &mut self,
        id: ConnectionId,
        streams: Streams,
        theirs: Hello,
        verdict: Verdict,
    ) {
        let Some(peer) = self.greeting(id).map(|connection| connection.peer) else { return };
        let Verdict::Kept(decided) = verdict else { return self.close(id) };
        let is_older = self.sessions.get(&peer).is_some_and(|current| {
            current.decided.boot == decided.boot && current.decided.number >= decided.number
        });
        if is_older {
            return self.close(id);
        }
        self.end_session(peer, "the other node has lost it and kept another");
        self.begin_session(id, peer, streams, theirs, decided, Vec::new());
    }

    /// Says a last word and leaves.
    fn part(&mut self, id: ConnectionId, streams: Streams, last: Option<Verdict>) {
        self.leave(id);
        self.tasks.spawn(async move {
            let [_urgent, normal, _bulk] = streams;
            part(normal, last).await;
            Told::Parted(id)
        });
    }

    fn greeting(&self, id: ConnectionId) -> Option<&Connection> {
        self.connections.get(&id).filter(|connection| matches!(connection.stage, Stage::Greeting))
    }

    pub(super) fn is_session(&mut self, id: ConnectionId) {
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.stage = Stage::Session;
        }
        self.dials.remove(&id);
    }

    fn leave(&mut self, id: ConnectionId) {
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.stage = Stage::Leaving;
        }
    }

    pub(super) fn close(&mut self, id: ConnectionId) {
        self.leave(id);
        self.swarm.close_connection(id);
        self.dialed_in_vain(id);
    }

    pub(super) fn on_failed(&mut self, id: ConnectionId, why: &str) {
        if let Some(connection) = self.connections.get(&id) {
            tracing::debug!(peer = %connection.peer, address = connection.address, why, "no session came of a connection");
        }
        self.close(id);
    }

    pub(super) fn on_closed(&mut self, id: ConnectionId, why: &str) {
        self.dialed_in_vain(id);
        let Some(connection) = self.connections.remove(&id) else { return };
        if matches!(connection.stage, Stage::Session) {
            self.end_session(connection.peer, why);
        }
    }

    /// Ends all connections to a peer.
    pub(super) fn close_all(&mut self, peer: Peer, why: &str) {
        self.end_session(peer, why);
        self.close_those(|connection| connection.peer == peer);
    }

    /// Ends connections that take too long to become sessions.
    pub(super) fn close_overdue(&mut self, now: Instant) {
        self.close_those(|connection| connection.deadline <= now);
    }

    fn close_those(&mut self, which: impl Fn(&Connection) -> bool) {
        let unfinished = self.connections.iter().filter(|(_, connection)| match connection.stage {
            Stage::Opening(_) | Stage::Greeting => which(connection),
            Stage::Session | Stage::Leaving => false,
        });
        for id in unfinished.map(|(id, _)| *id).collect::<Vec<_>>() {
            self.close(id);
        }
    }
}
