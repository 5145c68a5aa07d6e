//! What a system knows of the others: connections, what it exports, and whom it asks.

use std::any::Any;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::{fmt, io};

use palco_transport::{Carrier, Event, Guest, Hear, Host, Introduction, Outbox, Peer};
use parking_lot::Mutex;

use super::export::Exported;
use super::peers::{Known, PeerChange, PeerView, Watch, Watchers};
use super::session::Session;
use super::wire::Frame;
use crate::placement::Place;
use crate::system::WeakSystem;
use crate::vitals::{AnyCell, Cell};
use crate::{Restart, SpawnError, SpawnOptions, Supervision, Supervisor, System};

/// The supervisor above all that has to do with other nodes.
const ROOT: &str = "remote";

/// A system's node: its place among others, over a [`Carrier`]. Cheap to clone.
#[derive(Clone)]
pub struct Net {
    pub(super) system: System,
    pub(super) shared: Arc<Shared>,
}

/// Why a system has no node.
#[derive(thiserror::Error, Debug)]
#[non_exhaustive]
pub enum JoinError<E> {
    /// It has one already.
    #[error("this system has its node already")]
    Twice,
    /// Its own actors for other nodes could not be started.
    #[error("the actors for other nodes could not be started")]
    Spawn(#[from] SpawnError),
    /// There is no carrier.
    #[error("the carrier could not be made")]
    Carrier(#[source] E),
}

/// The first of a system's event loops for tasks, for a carrier to live on: between actors of that loop and the network no
/// thread is woken then.
impl Host for System {
    fn take_in(&self, guest: Guest) -> io::Result<()> {
        self.loops().map_err(io::Error::other)?.take_in(guest)
    }
}

/// The stand-ins, weakly and without their types, by whom they stand for.
type StandIns = HashMap<(Peer, Box<str>), Box<dyn Any + Send + Sync>>;

/// What the system keeps; it must not keep the system.
pub(crate) struct Shared {
    pub(super) system: WeakSystem,
    carrier: OnceLock<Arc<dyn Carrier>>,
    build: String,
    pub(super) hosts: AtomicBool,
    has_left: AtomicBool,
    root: OnceLock<Weak<Cell<Supervisor>>>,
    peers: Mutex<HashMap<Peer, Known>>,
    pub(super) exports: Mutex<HashMap<Box<str>, Arc<dyn Exported>>>,
    pub(super) stand_ins: Mutex<StandIns>,
    watchers: Arc<Watchers>,
}

/// Hears for a system as long as there is one.
struct Ears(Weak<Shared>);

impl Hear for Ears {
    fn hear(&self, event: Event) {
        if let Some(shared) = self.0.upgrade() {
            shared.hear(event);
        }
    }
}

impl System {
    /// Gives this system its node: `connect` makes the carrier, which tells its events to what it is given. The introduction
    /// that the carrier makes must have [`build`](crate::build) as its build.
    ///
    /// # Errors
    /// [`JoinError`]; the system has no node then.
    pub fn join<E>(
        &self,
        connect: impl FnOnce(Arc<dyn Hear>) -> Result<Arc<dyn Carrier>, E>,
    ) -> Result<Net, JoinError<E>> {
        let shared = Arc::new(Shared {
            system: self.downgrade(),
            carrier: OnceLock::new(),
            build: super::build(),
            hosts: AtomicBool::new(false),
            has_left: AtomicBool::new(false),
            root: OnceLock::new(),
            peers: Mutex::default(),
            exports: Mutex::default(),
            stand_ins: Mutex::default(),
            watchers: Arc::default(),
        });
        if !self.set_net(Arc::clone(&shared)) {
            return Err(JoinError::Twice);
        }
        // Lasting, and so stopped after those that were started later.
        let options =
            SpawnOptions::new().name(ROOT).place(Place::SystemLoop).restart(Restart::OnFailure);
        let root = self.spawn(options, || Supervisor::new(Supervision::default()))?;
        let _ = shared.root.set(root.downgrade());
        let ears = Arc::new(Ears(Arc::downgrade(&shared)));
        let carrier = connect(ears).map_err(JoinError::Carrier)?;
        let _ = shared.carrier.set(carrier);
        Ok(Net { system: self.clone(), shared })
    }

    /// This system's node, if it has joined others.
    #[must_use]
    pub fn net(&self) -> Option<Net> {
        let shared = self.joined()?;
        shared.carrier.get()?;
        Some(Net { system: self.clone(), shared })
    }
}

impl Net {
    /// Who this node is to others.
    #[must_use]
    pub fn me(&self) -> Peer {
        self.carrier().me()
    }

    /// What carries frames to others.
    ///
    /// # Panics
    /// Never: a `Net` is made once there is one.
    #[must_use]
    pub fn carrier(&self) -> &Arc<dyn Carrier> {
        self.shared.carrier.get().expect("a net is made with its carrier")
    }

    /// Whether lives of other nodes' actors may take place here; at first not.
    pub fn host(&self, may: bool) {
        self.shared.hosts.store(may, Ordering::Release);
    }

    /// All peers that this node has heard of, in the order of their keys.
    #[must_use]
    pub fn peers(&self) -> Vec<PeerView> {
        let peers = self.shared.peers.lock();
        let mut views: Vec<_> = peers.iter().map(|(peer, known)| known.view(*peer)).collect();
        views.sort_by_key(|view| view.peer);
        views
    }

    /// One peer.
    #[must_use]
    pub fn peer(&self, peer: Peer) -> Option<PeerView> {
        self.shared.peers.lock().get(&peer).map(|known| known.view(peer))
    }

    /// Calls `news` at every connection that begins and ends, on the carrier's own loop: it must be quick and must not
    /// block. What is already connected is not told.
    pub fn watch(&self, news: impl Fn(&PeerChange) + Send + Sync + 'static) -> Watch {
        self.shared.watchers.add(news)
    }
}

impl Shared {
    pub(super) fn carrier(&self) -> Option<&Arc<dyn Carrier>> {
        self.carrier.get()
    }

    /// The connection to a peer, if there is one.
    pub(super) fn session(&self, peer: Peer) -> Option<Arc<Session>> {
        let peers = self.peers.lock();
        let session = peers.get(&peer)?.session.as_ref()?;
        (!session.is_lost()).then(|| Arc::clone(session))
    }

    pub(super) fn sessions(&self) -> Vec<Arc<Session>> {
        self.peers.lock().values().filter_map(|known| known.session.clone()).collect()
    }

    /// Has an address woken when a connection to `peer` begins and ends.
    pub(super) fn attach(&self, peer: Peer, cell: &Arc<dyn AnyCell>) {
        let mut peers = self.peers.lock();
        let relays = &mut peers.entry(peer).or_default().relays;
        relays.retain(|relay| relay.strong_count() > 0);
        relays.push(Arc::downgrade(cell));
    }

    /// The supervisor above what has to do with one peer.
    pub(super) fn parent(&self, peer: Peer) -> Result<Arc<Cell<Supervisor>>, SpawnError> {
        let mut peers = self.peers.lock();
        let known = peers.entry(peer).or_default();
        if let Some(parent) = known.parent.as_ref().and_then(Weak::upgrade)
            && parent.vitals.exit().is_none()
        {
            return Ok(parent);
        }
        let root = self.root.get().and_then(Weak::upgrade);
        let root = root.ok_or_else(|| SpawnError::ParentStopping(ROOT.into()))?;
        let options = SpawnOptions::new()
            .name(peer.to_string())
            .place(Place::SystemLoop)
            .restart(Restart::OnFailure);
        let supervisor = || Supervisor::new(Supervision::default());
        let parent = crate::ActorRef::new(root).supervise(options, supervisor)?.shared();
        known.parent = Some(Arc::downgrade(&parent));
        Ok(parent)
    }

    fn hear(self: &Arc<Self>, event: Event) {
        match event {
            Event::Connected { peer, session, introduction, outbox } => {
                self.connected(peer, session, introduction, outbox);
            }
            Event::Frames { peer, session, lane, frames } => {
                let Some(session) = self.session(peer).filter(|known| known.number == session)
                else {
                    return; // it is over already
                };
                session.has_received(&frames);
                for frame in &frames {
                    if let Err(nonsense) = self.take(&session, lane, frame) {
                        session.end(&nonsense.to_string());
                        return;
                    }
                }
            }
            Event::Lost { peer, session, why } => self.lost(peer, session, why),
            Event::Refused { peer, address, why } => {
                tracing::warn!(?peer, address, why, "no connection");
                if let Some(peer) = peer {
                    self.peers.lock().entry(peer).or_default().trouble = Some(why);
                }
            }
        }
    }

    fn connected(
        self: &Arc<Self>,
        peer: Peer,
        number: u64,
        introduction: Introduction,
        outbox: Outbox,
    ) {
        let Some(system) = self.system.upgrade() else { return outbox.close() };
        if self.has_left.load(Ordering::Acquire) {
            return outbox.close();
        }
        if introduction.build != self.build {
            let (its, own) = (&introduction.build, &self.build);
            let why = format!("it is another build: it is `{its}`, this node is `{own}`");
            tracing::warn!(%peer, why, "no connection");
            self.peers.lock().entry(peer).or_default().trouble = Some(why);
            return outbox.close();
        }
        let session = Session::new(&system, peer, number, outbox);
        let (before, relays) = {
            let mut peers = self.peers.lock();
            let known = peers.entry(peer).or_default();
            known.sessions += 1;
            known.name = Some(introduction.name);
            (known.session.replace(session), known.living_relays())
        };
        if let Some(before) = before {
            before.lose();
        }
        tracing::info!(%peer, session = number, "connected");
        relays.iter().for_each(|relay| relay.wake());
        self.watchers.tell(&PeerChange::Connected(peer));
    }

    fn lost(&self, peer: Peer, number: u64, why: String) {
        let (session, relays) = {
            let mut peers = self.peers.lock();
            let Some(known) = peers.get_mut(&peer) else { return };
            if known.session.as_ref().is_none_or(|session| session.number != number) {
                return;
            }
            tracing::info!(%peer, session = number, why, "connection lost");
            known.trouble = Some(why);
            (known.session.take(), known.living_relays())
        };
        if let Some(session) = session {
            session.lose();
        }
        relays.iter().for_each(|relay| relay.wake());
        self.watchers.tell(&PeerChange::Lost(peer));
    }

    /// The system ends: no connections any more.
    pub(crate) fn leave(&self) {
        self.has_left.store(true, Ordering::Release);
        let known: Vec<_> = self.peers.lock().keys().copied().collect();
        let sessions = self.sessions();
        for peer in known {
            if let Some(carrier) = self.carrier.get() {
                carrier.forget(peer);
            }
        }
        for session in sessions {
            session.lose();
        }
        self.exports.lock().clear();
    }

    /// Says that there is no such channel.
    pub(super) fn refuse(session: &Arc<Session>, channel: u64, why: String) {
        session.drop_their(channel);
        session.send(0, &Frame::Refused { channel, why }, &[]);
    }
}

impl fmt::Debug for Net {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Net").field("carrier", self.carrier()).finish_non_exhaustive()
    }
}
