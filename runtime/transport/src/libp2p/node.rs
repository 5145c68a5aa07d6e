//! What a node knows and does. Everything happens on one thread, one thing after the other.
//!
//! | file | what |
//! |---|---|
//! | `node/connections.rs` | connections from their beginning until they are sessions |
//! | `node/sessions.rs` | sessions: their lanes, their life, their end |
//! | `node/dialing.rs` | whom it dials, and when |

mod connections;
mod dialing;
mod sessions;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::panic::resume_unwind;
use std::sync::Arc;
use std::time::Duration;

use ::libp2p::core::upgrade::Version;
use ::libp2p::swarm::{self, ConnectionId, SwarmEvent};
use ::libp2p::{Multiaddr, Swarm, Transport, noise, tcp, yamux};
use futures_util::StreamExt;
use tokio::select;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use super::greeting::{Hello, Opening, Verdict};
use super::lanes::{Lanes, Opened};
use super::sought::Sought;
use super::wishes::Wishes;
use super::{Allowed, Settings, StartError};
use crate::event_loop::Stop;
use crate::lots::Lots;
use crate::{Event, Hear, Peer, Session};
use connections::{Connection, Streams};
use sessions::Current;

/// How long a connection may take to prove who is there, and then again to become a session.
const GREETING_MAX: Duration = Duration::from_secs(10);

/// Parts of the time after which a peer is lost: so often it is looked whether one is.
const LOOKS: u32 = 8;

/// A node on its thread.
pub(super) struct Node {
    swarm: Swarm<Lanes>,
    me: Peer,
    /// Drawn when it was started.
    boot: u64,
    settings: Settings,
    hear: Arc<dyn Hear>,
    wishes: Arc<Wishes>,
    allowed: Allowed,
    connections: HashMap<ConnectionId, Connection>,
    sessions: BTreeMap<Peer, Current>,
    session_last: Session,
    sought: BTreeMap<Peer, Sought>,
    /// Who is being dialed, until that has led to a session or to nothing.
    dials: HashMap<ConnectionId, Peer>,
    tasks: JoinSet<Told>,
    looked: Instant,
    /// Differ from node to node.
    lots: Lots,
}

/// What a task has found out.
enum Told {
    /// Both have said their opening.
    Met { id: ConnectionId, streams: Streams, theirs: Opening },
    /// The other, who decides, has decided.
    Judged { id: ConnectionId, streams: Streams, theirs: Hello, verdict: Verdict },
    /// The connection is of no use, and why.
    Failed { id: ConnectionId, why: String },
    /// The last word was said.
    Parted(ConnectionId),
    /// A lane of a session has ended, and why.
    LaneEnded { peer: Peer, session: Session, why: String },
    /// Where a peer is to be dialed.
    Resolved { peer: Peer, addresses: Vec<Multiaddr> },
}

impl Node {
    /// A node that listens.
    pub(super) async fn begin(
        settings: Settings,
        listen: Vec<Multiaddr>,
        hear: Arc<dyn Hear>,
        wishes: Arc<Wishes>,
    ) -> Result<Self, StartError> {
        let set_up = |why: &dyn std::fmt::Display| StartError::SetUp(why.to_string());
        let keypair = settings.key.keypair();
        let noise = noise::Config::new(&keypair).map_err(|error| set_up(&error))?;
        let transport = tcp::tokio::Transport::new(tcp::Config::default().nodelay(true))
            .upgrade(Version::V1Lazy)
            .authenticate(noise)
            .multiplex(yamux::Config::default())
            .timeout(GREETING_MAX)
            .boxed();
        let id = keypair.public().to_peer_id();
        let config = swarm::Config::with_tokio_executor();
        let boot = getrandom::u64().map_err(|error| set_up(&error))?;
        let mut node = Self {
            swarm: Swarm::new(transport, Lanes::default(), id, config),
            me: settings.key.peer(),
            boot,
            allowed: settings.allowed.clone(),
            settings,
            hear,
            wishes,
            connections: HashMap::new(),
            sessions: BTreeMap::new(),
            session_last: 0,
            sought: BTreeMap::new(),
            dials: HashMap::new(),
            tasks: JoinSet::new(),
            looked: Instant::now(),
            lots: Lots::new(boot),
        };
        node.listen(listen).await?;
        Ok(node)
    }

    async fn listen(&mut self, addresses: Vec<Multiaddr>) -> Result<(), StartError> {
        let failed = |address: &Multiaddr, why: String| StartError::Listen {
            address: address.to_string(),
            why,
        };
        for address in addresses {
            let listener = self.swarm.listen_on(address.clone());
            let listener = listener.map_err(|error| failed(&address, error.to_string()))?;
            let mut waiting = HashSet::from([listener]);
            while !waiting.is_empty() {
                let event = self.swarm.select_next_some().await;
                match &event {
                    SwarmEvent::NewListenAddr { listener_id, .. } => {
                        waiting.remove(listener_id);
                    }
                    SwarmEvent::ListenerClosed { listener_id, reason, .. }
                        if *listener_id == listener =>
                    {
                        return Err(failed(&address, format!("{reason:?}")));
                    }
                    _ => {}
                }
                self.on_swarm(event);
            }
        }
        Ok(())
    }

    /// Lives until told to stop.
    pub(super) async fn run(mut self, mut stop: Stop) {
        let mut looks = interval(self.settings.lost_after.max(Duration::from_millis(8)) / LOOKS);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let wishes = Arc::clone(&self.wishes);
        loop {
            self.dial_those_due();
            let due = self.dial_next();
            select! {
                // What tasks have found out first: why a lane has ended is known before the connection that breaks with it.
                biased;
                _ = &mut stop => break,
                Some(told) = self.tasks.join_next() => match told {
                    Ok(told) => self.on_told(told),
                    // Who hears has panicked: it is not this node's to hide that.
                    Err(error) if error.is_panic() => resume_unwind(error.into_panic()),
                    Err(_aborted) => {}
                },
                () = wishes.changed() => self.on_wishes(),
                _ = looks.tick() => self.look(),
                event = self.swarm.select_next_some() => self.on_swarm(event),
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {}
            }
        }
        for peer in self.sessions.keys().copied().collect::<Vec<_>>() {
            self.end_session(peer, "this node was closed");
        }
    }

    fn on_swarm(&mut self, event: SwarmEvent<Opened>) {
        match event {
            SwarmEvent::Behaviour(opened) => self.on_opened(opened),
            SwarmEvent::ConnectionEstablished { peer_id, connection_id, endpoint, .. } => {
                self.on_established(connection_id, peer_id, &endpoint);
            }
            SwarmEvent::ConnectionClosed { connection_id, cause, .. } => {
                let why =
                    cause.map_or_else(|| "it was closed".to_owned(), |cause| cause.to_string());
                self.on_closed(connection_id, &why);
            }
            SwarmEvent::OutgoingConnectionError { connection_id, error, .. } => {
                self.on_dial_failed(connection_id, &error);
            }
            SwarmEvent::NewListenAddr { address, .. } => self.wishes.listens(address),
            SwarmEvent::ExpiredListenAddr { address, .. } => self.wishes.listens_no_more(&address),
            SwarmEvent::IncomingConnectionError { send_back_addr, error, .. } => {
                tracing::debug!(address = %send_back_addr, %error, "somebody came who is no node");
            }
            SwarmEvent::ListenerClosed { addresses, reason, .. } => {
                tracing::warn!(?addresses, ?reason, "this node listens there no more");
            }
            other => tracing::trace!(?other, "of no interest"),
        }
    }

    fn on_told(&mut self, told: Told) {
        match told {
            Told::Met { id, streams, theirs } => self.on_met(id, streams, theirs),
            Told::Judged { id, streams, theirs, verdict } => {
                self.on_judged(id, streams, theirs, verdict);
            }
            Told::Failed { id, why } => self.on_failed(id, &why),
            Told::Parted(id) => self.close(id),
            Told::LaneEnded { peer, session, why } => self.on_lane_ended(peer, session, &why),
            Told::Resolved { peer, addresses } => self.on_resolved(peer, addresses),
        }
    }

    fn refused(&self, peer: Peer, address: &str, why: &str) {
        let (address, why) = (address.to_owned(), why.to_owned());
        self.hear.hear(Event::Refused { peer: Some(peer), address, why });
    }

    /// Whether this node decides for both which connection is kept.
    fn decides(&self, peer: Peer) -> bool {
        self.me < peer
    }
}
