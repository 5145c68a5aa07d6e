//! A node among others, on other machines too: its directory, its place in the network, its replicas.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use palco_actors::{
    ActorRef, JoinError, Net, Parcel, PeerChange, Place, PlaceKind, SpawnError, SpawnOptions,
    Supervision, Supervisor, System, Watch,
};
use palco_rambo::{Member, NodeId, Quorums};
use palco_transport::libp2p::{self, Allowed, Libp2p};
use palco_transport::mdns::MdnsError;
use palco_transport::{Carrier, Introduction, NotAPeer, Peer};
use parking_lot::Mutex;

use crate::clerk::{Clerk, Met, Office, replica_name};
use crate::identity::{Identity, Keeping};
use crate::neighbours::Neighbours;
use crate::storage::{Arrival, HomeError};
use crate::{
    Begin, Book, Cluster, ClusterView, Domain, Entry, NodeView, Registers, Replica, ReplicaArgs,
    Viewing, node_of,
};

/// Letters and requests that may wait for a replica.
const MAILBOX_MESSAGES: usize = 1 << 12;

/// How to start a node.
#[derive(Clone, Debug)]
pub struct MemberOptions {
    /// What people call it.
    pub name: String,
    /// The cluster it belongs to: others are not talked to.
    pub cluster: String,
    /// Participants, each for its share of the keys; the same for all nodes of a cluster.
    pub shards: u16,
    /// Where it keeps what it promises.
    pub keeping: Keeping,
    /// Where it listens for other nodes, as `/ip4/127.0.0.1/tcp/7401`.
    pub listen: Vec<String>,
    /// Where others reach it, if that is elsewhere.
    pub advertise: Vec<String>,
    /// How it begins, if it is new.
    pub begin: Beginning,
    /// Nodes that are let in beside those it joins, and those that these let in.
    pub allowed: BTreeSet<Peer>,
    /// Whether nodes of the cluster are looked for on the local network, by multicast DNS. Those that are found are let in
    /// if they are allowed.
    pub discover: bool,
    /// Where replicas live. A task, a thread or a fiber. With tasks the network is on the first event loop too, else on a
    /// thread of its own.
    pub place: PlaceKind,
    /// Where clients reach it in the Redis protocol, for others to know.
    pub resp: Option<SocketAddr>,
    /// The same over HTTP.
    pub http: Option<SocketAddr>,
}

/// How a new node begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Beginning {
    /// As the only member of a new cluster.
    Found,
    /// Among others.
    Join(Vec<Contact>),
}

/// A node, and where it is: `/ip4/192.0.2.1/tcp/7401/p2p/12D3KooW…`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact {
    /// Who.
    pub peer: Peer,
    /// Where.
    pub address: String,
}

/// Why a node cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum MemberError {
    /// Its directory cannot be used.
    #[error("its directory cannot be used")]
    Home(#[from] HomeError),
    /// Nobody to join, and it is not to found a cluster.
    #[error(
        "node `{0}` is new here: either it founds a cluster, or it joins one, and then somebody of it must be named"
    )]
    Alone(String),
    /// Nodes cannot be looked for.
    #[error("it cannot look for nodes on the local network")]
    Discover(#[from] MdnsError),
    /// The network cannot be joined.
    #[error("it cannot be among others")]
    Join(#[from] JoinError<libp2p::StartError>),
    /// An actor cannot be started.
    #[error("its actors cannot be started")]
    Spawn(#[from] SpawnError),
}

/// A node that runs. Dropped, it is forgotten by nobody: others wait for it to come back.
#[derive(Debug)]
pub struct RunningMember {
    identity: Identity,
    office: Office,
    replicas: Vec<ActorRef<Replica>>,
    neighbours: Option<Neighbours>,
    _watch: Watch,
}

impl FromStr for Contact {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "`{text}` is no node and its address: expected /ip4/192.0.2.1/tcp/7401/p2p/12D3KooW…"
            )
        };
        let (address, peer) = text.rsplit_once("/p2p/").ok_or_else(wrong)?;
        let peer = peer.parse().map_err(|error: NotAPeer| error.to_string())?;
        Ok(Self { peer, address: address.to_owned() })
    }
}

impl RunningMember {
    /// Starts a node in this system, which must not have one yet.
    ///
    /// # Errors
    /// [`MemberError`]; what was started before ends with the system.
    pub fn start(system: &System, options: MemberOptions) -> Result<Self, MemberError> {
        let shards = options.shards.max(1);
        let identity = Identity::open(&options.keeping, &options.cluster, shards)?;
        let contacts = match &options.begin {
            Beginning::Join(contacts) => contacts.clone(),
            Beginning::Found => Vec::new(),
        };
        let is_new = *identity.arrival() != Arrival::Returned;
        let finds_others = options.discover && !options.allowed.is_empty();
        if is_new && options.begin == Beginning::Join(Vec::new()) && !finds_others {
            return Err(MemberError::Alone(options.name));
        }
        let (net, carrier) = join(system, &identity, &options, &contacts)?;
        let domain = Domain::start(system, shards, "desk")?;
        let me = identity.peer();
        let path = identity.book();
        let office = Office {
            me,
            net: net.clone(),
            carrier,
            domain: domain.clone(),
            shards,
            book: Arc::new(Mutex::new(path.as_deref().map_or_else(Book::default, Book::read))),
            path,
        };
        let mut addresses = options.advertise.clone();
        if addresses.is_empty() {
            addresses = net.carrier().addresses();
        }
        office.book.lock().learn(Entry {
            peer: me,
            name: options.name.clone(),
            addresses,
            resp: options.resp,
            http: options.http,
            version: milliseconds(),
        });
        let named = contacts.iter().map(|contact| contact.peer);
        let found = options.allowed.iter().copied().filter(|_| options.discover);
        let seeds: BTreeSet<NodeId> = named.chain(found).map(node_of).collect();
        let replicas = replicas(system, &identity, &options, &office, seeds)?;
        let clerk = {
            let office = office.clone();
            system.spawn(SpawnOptions::new().name("clerk"), move || Clerk::of(office.clone()))?
        };
        let domain = office.domain.clone();
        let watch = net.watch(move |change| match change {
            // Full: it is told with the next connection, or by another.
            PeerChange::Connected(peer) => drop(clerk.try_tell(Met(*peer))),
            PeerChange::Lost(peer) => domain.unreachable(node_of(*peer)),
            _ => {}
        });
        for contact in &contacts {
            office.open(contact.peer, std::slice::from_ref(&contact.address))?;
        }
        let known: Vec<Entry> = office.book.lock().entries().cloned().collect();
        for entry in known {
            office.open(entry.peer, &entry.addresses)?;
        }
        let neighbours = options.discover.then(|| Neighbours::look(&office, &options.cluster));
        let neighbours = neighbours.transpose()?;
        Ok(Self { identity, office, replicas, neighbours, _watch: watch })
    }

    /// Who it is here.
    #[must_use]
    pub fn arrival(&self) -> &Arrival {
        self.identity.arrival()
    }

    /// Its number in configurations.
    #[must_use]
    pub fn node(&self) -> NodeId {
        self.identity.node()
    }

    /// Who it is to other machines.
    #[must_use]
    pub fn peer(&self) -> Peer {
        self.identity.peer()
    }

    /// Its replicas, by shard.
    #[must_use]
    pub fn replicas(&self) -> &[ActorRef<Replica>] {
        &self.replicas
    }

    /// What others join it by.
    #[must_use]
    pub fn contacts(&self) -> Vec<String> {
        let book = self.office.book.lock();
        let own = book.find(self.office.me);
        own.map_or_else(Vec::new, |own| {
            own.addresses.iter().map(|at| format!("{at}/p2p/{}", own.peer)).collect()
        })
    }
}

fn join(
    system: &System,
    identity: &Identity,
    options: &MemberOptions,
    contacts: &[Contact],
) -> Result<(Net, Arc<Libp2p>), MemberError> {
    let introduction = Introduction {
        cluster: format!("{}, {} shards", options.cluster, identity.shards()),
        build: palco_actors::build(),
        name: options.name.clone(),
    };
    let is_loopback =
        |address: &String| address.starts_with("/ip4/127.") || address.starts_with("/ip6/::1/");
    let mut allowed = options.allowed.clone();
    allowed.extend(contacts.iter().map(|contact| contact.peer));
    let allowed = if options.listen.iter().all(is_loopback) && options.allowed.is_empty() {
        Allowed::Any
    } else {
        Allowed::Keys(allowed)
    };
    let settings = libp2p::Settings {
        listen: options.listen.clone(),
        allowed,
        ..libp2p::Settings::new(identity.key().clone(), introduction)
    };
    let mut made = None;
    let net = system.join(|hear| {
        // Replicas that are tasks live on the system's loops, and the network with them: no thread is woken between the two.
        let carrier = match options.place {
            PlaceKind::Task => Libp2p::start_on(system, settings, hear)?,
            _ => Libp2p::start(settings, hear)?,
        };
        let carrier = Arc::new(carrier);
        made = Some(Arc::clone(&carrier));
        Ok(carrier as Arc<dyn Carrier>)
    })?;
    Ok((net, made.expect("made when joined")))
}

fn replicas(
    system: &System,
    identity: &Identity,
    options: &MemberOptions,
    office: &Office,
    seeds: BTreeSet<NodeId>,
) -> Result<Vec<ActorRef<Replica>>, MemberError> {
    let policy = Supervision::default().with_intensity(3, Duration::from_secs(60));
    let supervisor = system
        .spawn(SpawnOptions::new().name("registers").place(Place::SystemLoop), move || {
            Supervisor::new(policy)
        })?;
    let seeds = Vec::from_iter(seeds);
    let mut replicas = Vec::new();
    for shard in 0..identity.shards() {
        let begin = match options.begin {
            Beginning::Found => Begin::Found {
                members: vec![Member { node: identity.node(), weight: 1 }],
                quorums: Quorums::Majority,
            },
            Beginning::Join(_) => Begin::Join,
        };
        let (node, keep) = (identity.node(), identity.keep(shard)?);
        let args = ReplicaArgs { shard, node, begin, keep, seeds: seeds.clone() };
        let spawn = SpawnOptions::new()
            .name(replica_name(shard))
            .place(options.place)
            .mailbox_messages_max(MAILBOX_MESSAGES)
            .restart(identity.restart());
        let outlet = office.domain.outlet();
        let replica = supervisor.supervise_portable::<Replica>(spawn, move || {
            Ok(Parcel::new(args.clone()).with_grant(outlet.clone()))
        })?;
        office.net.export(&replica_name(shard), &replica)?;
        office.domain.place(shard, &replica);
        replicas.push(replica);
    }
    Ok(replicas)
}

/// Since 1970: a later life has a larger number, unless the machine's clock was set back; then others keep the old entry
/// until it has passed.
fn milliseconds() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

impl Cluster for RunningMember {
    fn domain(&self) -> Domain {
        self.office.domain.clone()
    }

    fn allow(&self, peer: Peer) -> Result<(), String> {
        self.office.carrier.allow(peer);
        let found = self.neighbours.as_ref();
        let opened = found.map_or(Ok(()), |found| found.open(&self.office, peer));
        opened.map_err(|error| format!("it is let in, but there is no way to it: {error}"))
    }

    fn answering(&self) -> Vec<(NodeId, Domain)> {
        vec![(self.identity.node(), self.office.domain.clone())]
    }

    fn view(&self) -> Viewing {
        let office = self.office.clone();
        Box::pin(async move {
            let standings = office.domain.look().await;
            let connected: BTreeSet<Peer> = office
                .net
                .peers()
                .into_iter()
                .filter(|of| of.session.is_some())
                .map(|of| of.peer)
                .collect();
            let entries: Vec<Entry> = office.book.lock().entries().cloned().collect();
            let mut nodes: Vec<NodeView> = entries
                .into_iter()
                .map(|entry| NodeView {
                    node: entry.node(),
                    peer: Some(entry.peer),
                    is_connected: entry.peer == office.me || connected.contains(&entry.peer),
                    standings: if entry.peer == office.me { standings.clone() } else { Vec::new() },
                    name: entry.name,
                    addresses: entry.addresses,
                    resp: entry.resp,
                    http: entry.http,
                })
                .collect();
            nodes.sort_by(|one, other| one.name.cmp(&other.name));
            ClusterView { nodes }
        })
    }
}
