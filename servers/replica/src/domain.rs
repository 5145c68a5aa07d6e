//! This node's side of the registers: requests go to its replicas, answers come back, and letters find their way.
//!
//! Replicas never know where others are. What they say goes to the node's desk, which settles answers and hands letters to
//! the addresses it knows: actors of this program, or stand-ins for those of other nodes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use palco_actors::{
    ActorRef, AnyRef, AskError, Grant, Handler, Message, Recipient, SendError, SpawnError,
    SpawnOptions, System,
};
use palco_core::Time;
use palco_rambo::{Command, Failure, Key, NodeId, Outcome, Trail};
use parking_lot::{Mutex, RwLock};
use std::collections::HashMap;

use crate::desk::Desk;
use crate::pending::{Pending, Ticket};
use crate::replica::Replica;
use crate::trails::Trails;
use crate::words::{Follow, Held, Letters, Look, Out, Request, Requests, Scan, Unreachable};
use crate::{HELD_KEYS_MAX, Holding, Looking, Page, Registers, Running, Scanning, Standing};

/// How long a replica may take to say how it stands.
const LOOK_WITHIN: Duration = Duration::from_secs(2);

/// Requests in one message to a replica, at most.
pub(crate) const BATCH_MAX: usize = 4096;

/// Registers through this node: its replicas, and the ways to others.
#[derive(Clone, Debug)]
pub struct Domain {
    inner: Arc<Inner>,
    desk: ActorRef<Desk>,
}

/// What the desk and those who ask share.
#[derive(Debug)]
pub(crate) struct Inner {
    system: System,
    shards: RwLock<Vec<Option<ActorRef<Replica>>>>,
    routes: RwLock<HashMap<NodeId, Route>>,
    pub(crate) pending: Mutex<Pending>,
    pub(crate) trails: Mutex<Trails>,
    counts: Counts,
}

/// How letters reach a node.
#[derive(Debug)]
struct Route {
    /// For each shard.
    recipients: Vec<Recipient<Letters>>,
    /// Nothing goes there, as if the network were cut on this side.
    is_cut: bool,
}

/// What became of letters.
#[derive(Debug, Default)]
struct Counts {
    sent: AtomicU64,
    /// No room, nobody there, or cut.
    lost: AtomicU64,
}

impl Domain {
    /// With so many shards, at least one, and no replica yet; the desk is an actor of `system`.
    ///
    /// # Errors
    /// See [`SpawnError`].
    pub fn start(system: &System, shards: u16, name: &str) -> Result<Self, SpawnError> {
        let inner = Arc::new(Inner {
            system: system.clone(),
            shards: RwLock::new(vec![None; usize::from(shards.max(1))]),
            routes: RwLock::default(),
            pending: Mutex::default(),
            trails: Mutex::default(),
            counts: Counts::default(),
        });
        let shared = Arc::clone(&inner);
        let options = SpawnOptions::new().name(name).mailbox_messages_max(1 << 14);
        let desk = system.spawn(options, move || Desk::of(Arc::clone(&shared)))?;
        Ok(Self { inner, desk })
    }

    /// What a replica of this node takes along, so that what it says comes here.
    #[must_use]
    pub fn outlet(&self) -> Grant {
        Grant::of(self.desk.recipient::<Out>())
    }

    /// The replica of this shard is that actor, wherever it lives.
    pub fn place(&self, shard: u16, replica: &ActorRef<Replica>) {
        if let Some(place) = self.inner.shards.write().get_mut(usize::from(shard)) {
            *place = Some(replica.clone());
        }
    }

    /// Letters to `node` go there from now on: one recipient for each shard.
    pub fn route(&self, node: NodeId, recipients: Vec<Recipient<Letters>>) {
        self.inner.routes.write().insert(node, Route { recipients, is_cut: false });
    }

    /// Letters to `node` have nowhere to go any more.
    pub fn unroute(&self, node: NodeId) {
        self.inner.routes.write().remove(&node);
    }

    /// Nothing reaches `node` at this moment: replicas do not wait for what they asked it.
    pub fn unreachable(&self, node: NodeId) {
        for replica in self.replicas() {
            // Full or gone: then it finds out by itself.
            let _ = replica.try_tell(Unreachable { node });
        }
    }

    /// Loses all letters to `node` from now on, or no longer: to see what happens when a network is cut on this side.
    pub fn cut(&self, node: NodeId, is_cut: bool) {
        if let Some(route) = self.inner.routes.write().get_mut(&node) {
            route.is_cut = is_cut;
        }
    }

    /// Nodes that letters can be sent to, and whether they are cut off.
    #[must_use]
    pub fn routes(&self) -> Vec<(NodeId, bool)> {
        let routes = self.inner.routes.read();
        let mut routes: Vec<_> = routes.iter().map(|(node, route)| (*node, route.is_cut)).collect();
        routes.sort_unstable();
        routes
    }

    /// Letters handed over, and letters lost here, since the start.
    #[must_use]
    pub fn letters(&self) -> (u64, u64) {
        let counts = &self.inner.counts;
        (counts.sent.load(Ordering::Relaxed), counts.lost.load(Ordering::Relaxed))
    }

    /// As [`Registers::run`] for commands about a shard and not about a key: reconfigure, leave.
    pub fn run_on(&self, shard: u16, commands: Vec<Command>, within: Duration) -> Running {
        let inner = Arc::clone(&self.inner);
        let (ticket, requests) = inner.enter(commands, within);
        inner.ask(usize::from(shard), requests, within);
        Box::pin(ticket.outcomes())
    }

    /// Carries out a command about a key, and tells who answered in which of its rounds: nothing of that if its replica
    /// could not be asked, or follows too many. Dropped early, the command goes on.
    pub async fn follow(&self, command: Command, within: Duration) -> (Outcome, Option<Trail>) {
        let shard = self.shard_of(&command);
        let (ticket, requests) = self.inner.enter(vec![command], within);
        let request = requests.into_iter().next().expect("one command, one request");
        let followed = Followed::new(&self.inner, request.number);
        self.inner.hand_over(shard, Follow { within, request }, |follow| vec![follow.request]);
        let outcome = ticket.outcomes().await.into_iter().next();
        (outcome.unwrap_or(Outcome::Unknown { tag: None }), followed.trail())
    }

    /// What this node's replicas hold for these keys, in their order; nothing for a key whose replica does not answer, and
    /// for those after the first [`HELD_KEYS_MAX`].
    pub async fn held(&self, keys: &[Key]) -> Vec<Option<Holding>> {
        let shards: Vec<_> = self.inner.shards.read().clone();
        let mut parts: Vec<Vec<(usize, Key)>> = vec![Vec::new(); shards.len()];
        for (place, key) in keys.iter().enumerate().take(HELD_KEYS_MAX) {
            parts[shard_of(key, shards.len())].push((place, key.clone()));
        }
        let asked = shards.iter().zip(parts).filter(|(_, part)| !part.is_empty());
        let answers = asked.map(|(replica, part)| async move {
            let (places, keys): (Vec<_>, Vec<_>) = part.into_iter().unzip();
            let held = match replica {
                Some(replica) => replica.ask(Held { keys }, LOOK_WITHIN).await.unwrap_or_default(),
                None => Vec::new(),
            };
            places.into_iter().zip(held)
        });
        let mut held = vec![None; keys.len()];
        for (place, holding) in join_all(answers).await.into_iter().flatten() {
            held[place] = Some(holding);
        }
        held
    }

    /// The actors that are its replicas, by shard.
    #[must_use]
    pub fn actors(&self) -> Vec<AnyRef> {
        self.replicas().iter().map(ActorRef::any).collect()
    }

    fn shard_of(&self, command: &Command) -> usize {
        let shards = self.inner.shards.read().len();
        key_of_command(command).map_or(0, |key| shard_of(key, shards))
    }

    fn replicas(&self) -> Vec<ActorRef<Replica>> {
        self.inner.shards.read().iter().flatten().cloned().collect()
    }
}

impl Inner {
    pub(crate) fn now(&self) -> Time {
        self.system.clock().now()
    }

    fn enter(&self, commands: Vec<Command>, within: Duration) -> (Ticket, Vec<Request>) {
        self.pending.lock().enter(commands, self.now() + within)
    }

    fn ask(&self, shard: usize, requests: Vec<Request>, within: Duration) {
        self.hand_over(shard, Requests { within, requests }, |message| message.requests);
    }

    /// Hands requests to a shard's replica; what it cannot take is settled at once.
    fn hand_over<M: Message>(&self, shard: usize, message: M, inside: fn(M) -> Vec<Request>)
    where
        Replica: Handler<M>,
    {
        let replica = self.shards.read().get(shard).cloned().flatten();
        let (back, why) = match replica.map(|replica| replica.try_tell(message)) {
            Some(Ok(())) => return,
            Some(Err(SendError::Full(back))) => (back, Failure::Busy { limit: BATCH_MAX }),
            Some(Err(SendError::Closed(back))) => (back, Failure::NotJoined),
            None => return,
        };
        let mut pending = self.pending.lock();
        for request in inside(back) {
            pending.settle(request.number, Outcome::Failed(why.clone()));
        }
    }

    /// Brings a letter on its way.
    pub(crate) fn post(&self, shard: u16, to: NodeId, letters: Letters) {
        let routes = self.routes.read();
        let route = routes.get(&to).filter(|route| !route.is_cut);
        let recipient = route.and_then(|route| route.recipients.get(usize::from(shard)));
        let is_sent = recipient.is_some_and(|recipient| recipient.try_tell(letters).is_ok());
        drop(routes);
        let count = if is_sent { &self.counts.sent } else { &self.counts.lost };
        count.fetch_add(1, Ordering::Relaxed);
    }
}

/// A request that somebody follows; forgotten with this.
struct Followed<'a> {
    inner: &'a Inner,
    number: u64,
}

impl<'a> Followed<'a> {
    fn new(inner: &'a Inner, number: u64) -> Self {
        inner.trails.lock().expect(number);
        Self { inner, number }
    }

    fn trail(&self) -> Option<Trail> {
        self.inner.trails.lock().take(self.number)
    }
}

impl Drop for Followed<'_> {
    fn drop(&mut self) {
        self.trail();
    }
}

/// Which shard keeps a key: FNV-1a (Fowler, Noll, Vo) over its name, the same in every release.
fn shard_of(key: &Key, shards: usize) -> usize {
    let hash = key.name.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    usize::try_from(hash % shards as u64).unwrap_or_default()
}

fn key_of_command(command: &Command) -> Option<&Key> {
    match command {
        Command::Read(key)
        | Command::Write(key, _)
        | Command::Change(key, ..)
        | Command::Repeat(key, ..) => Some(key),
        Command::Reconfigure(_) | Command::Leave => None,
    }
}

impl Registers for Domain {
    fn run(&self, commands: Vec<Command>, within: Duration) -> Running {
        let shards = self.inner.shards.read().len();
        let (ticket, requests) = self.inner.enter(commands, within);
        let mut parts: Vec<Vec<Request>> = vec![Vec::new(); shards];
        for request in requests {
            let key = key_of_command(&request.command);
            parts[key.map_or(0, |key| shard_of(key, shards))].push(request);
        }
        for (shard, requests) in parts.into_iter().enumerate() {
            if !requests.is_empty() {
                self.inner.ask(shard, requests, within);
            }
        }
        Box::pin(ticket.outcomes())
    }

    fn scan(&self, from: u64, keys_max: usize) -> Scanning {
        // The shard is in the upper sixteen bits of where to go on.
        let replicas = self.replicas();
        Box::pin(async move {
            let shard = usize::try_from(from >> SHARD_SHIFT).unwrap_or(usize::MAX);
            let Some(replica) = replicas.get(shard) else { return Page::default() };
            let scan = Scan { from: from & ((1 << SHARD_SHIFT) - 1), keys_max: keys_max as u64 };
            let mut page = replica.ask(scan, LOOK_WITHIN).await.unwrap_or_default();
            let next_shard =
                || (shard + 1 < replicas.len()).then_some((shard as u64 + 1) << SHARD_SHIFT);
            page.next = match page.next {
                Some(next) => Some(next | ((shard as u64) << SHARD_SHIFT)),
                None => next_shard(),
            };
            page
        })
    }

    fn look(&self) -> Looking {
        let replicas = self.replicas();
        Box::pin(async move {
            let asked = replicas.iter().map(|replica| replica.ask(Look, LOOK_WITHIN));
            let answers: Vec<Result<Option<Standing>, AskError<Look>>> = join_all(asked).await;
            answers.into_iter().flatten().flatten().collect()
        })
    }
}

const SHARD_SHIFT: u32 = 48;
