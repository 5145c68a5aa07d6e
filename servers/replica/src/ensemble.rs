//! Several nodes of one domain in one program: each with a desk and replicas of its own, as if they were on several
//! machines, in any place of this one.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use std::{fs, io};

use futures_util::future::join_all;
use palco_actors::{
    ActorRef, AnyRef, Confinement, FileAccess, Parcel, Place, PlaceKind, ProcessOptions, Restart,
    SpawnError, SpawnOptions, Status, Supervision, Supervisor, System,
};
use palco_rambo::{Member, NodeId, Quorums};
use palco_transport::Peer;
use parking_lot::Mutex;

use crate::storage::{Arrival, Home, HomeError};
use crate::{
    Begin, Cluster, ClusterView, Domain, Keep, NodeHost, NodeView, Registers, Replica, ReplicaArgs,
    Viewing,
};

/// Letters and requests that may wait for a replica.
const MAILBOX_MESSAGES: usize = 1 << 12;

/// A letter with the largest message fits: 4 MiB.
const FRAME_BYTES_MAX: usize = 4 << 20;

/// The cluster that the directories of an ensemble say they are of.
const CLUSTER: &str = "ensemble";

/// How to start an ensemble.
#[derive(Clone, Debug)]
pub struct EnsembleOptions {
    /// The path of its supervisor. Default: `registers`.
    pub name: String,
    /// Nodes, at least one, called n1, n2, n3 …; all of them members of the first configuration. Default: 3.
    pub nodes: u16,
    /// Participants of each node, each for its share of the keys; at least one. Default: 1.
    pub shards: u16,
    /// Where replicas live. Default: each in a process of its own.
    pub place: PlaceKind,
    /// A directory in which each node has one, by its name; nodes that have one already come back. Nothing for memory
    /// alone. Default: memory.
    pub directory: Option<PathBuf>,
}

impl Default for EnsembleOptions {
    fn default() -> Self {
        Self {
            name: "registers".to_owned(),
            nodes: 3,
            shards: 1,
            place: PlaceKind::Process,
            directory: None,
        }
    }
}

/// Why an ensemble, or a node of it, cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum EnsembleError {
    /// An actor cannot.
    #[error("its actors cannot be started")]
    Spawn(#[from] SpawnError),
    /// A node's directory cannot be used.
    #[error("a node's directory cannot be used")]
    Home(#[from] HomeError),
    /// The directory of the directories cannot be read.
    #[error("`{}` cannot be read", directory.display())]
    Directory {
        /// Which.
        directory: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

/// Nodes side by side.
#[derive(Debug)]
pub struct Ensemble {
    system: System,
    options: EnsembleOptions,
    supervisor: ActorRef<Supervisor>,
    nodes: Mutex<Vec<Arc<Node>>>,
}

/// One of them.
#[derive(Debug)]
pub struct Node {
    /// What people call it.
    pub name: String,
    /// Who it is to the others.
    pub id: NodeId,
    /// Registers through it.
    pub domain: Domain,
    /// Its replicas, by shard.
    pub replicas: Vec<ActorRef<Replica>>,
    /// Its directory, unless it keeps everything in memory.
    pub home: Option<Home>,
    /// Where clients reach it in the Redis protocol, once somebody has opened a gateway.
    pub gateway: OnceLock<SocketAddr>,
    /// The same over HTTP.
    pub http: OnceLock<SocketAddr>,
}

/// Who is to be started.
struct Newcomer {
    number: u16,
    id: NodeId,
    home: Option<Home>,
}

impl Newcomer {
    /// Whether it has lived before.
    fn returns(&self) -> bool {
        self.home.as_ref().is_some_and(|home| *home.arrival() == Arrival::Returned)
    }
}

impl Ensemble {
    /// Starts all nodes. Where none has kept anything they found a domain; else those that come back know its members, and
    /// those that are new, or have lost their directory, join as somebody new.
    ///
    /// # Errors
    /// See [`EnsembleError`]; what was started before is stopped with the system.
    pub fn start(system: &System, options: EnsembleOptions) -> Result<Self, EnsembleError> {
        let policy = Supervision::default().with_intensity(100, Duration::from_secs(60));
        let supervisor = system.spawn(
            SpawnOptions::new().name(options.name.as_str()).place(Place::SystemLoop),
            move || Supervisor::new(policy),
        )?;
        let system = system.clone();
        let ensemble = Self { system, options, supervisor, nodes: Mutex::default() };
        let numbers = ensemble.numbers()?;
        let newcomers: Vec<_> = numbers
            .into_iter()
            .map(|number| ensemble.newcomer(number))
            .collect::<Result<_, _>>()?;
        let ids: Vec<NodeId> = newcomers.iter().map(|newcomer| newcomer.id).collect();
        let is_first = !newcomers.iter().any(Newcomer::returns);
        let members = ids.iter().map(|node| Member { node: *node, weight: 1 }).collect();
        let found = Begin::Found { members, quorums: Quorums::Majority };
        for newcomer in newcomers {
            let begin = if is_first { found.clone() } else { Begin::Join };
            ensemble.enter(newcomer, begin, &ids)?;
        }
        Ok(ensemble)
    }

    /// One more node. It is no member before a reconfiguration makes it one.
    ///
    /// # Errors
    /// See [`EnsembleError`].
    pub fn add(&self) -> Result<Arc<Node>, EnsembleError> {
        let nodes = self.nodes();
        let number = (1..=u16::MAX).find(|number| !nodes.iter().any(|of| of.name == name(*number)));
        let newcomer = self.newcomer(number.unwrap_or(u16::MAX))?;
        let seeds: Vec<NodeId> = nodes.iter().map(|node| node.id).collect();
        self.enter(newcomer, Begin::Join, &seeds)
    }

    /// The nodes that are wanted, and those that have a directory already.
    fn numbers(&self) -> Result<BTreeSet<u16>, EnsembleError> {
        let mut numbers: BTreeSet<u16> = (1..=self.options.nodes.max(1)).collect();
        let Some(directory) = &self.options.directory else { return Ok(numbers) };
        let unread = |source| EnsembleError::Directory { directory: directory.clone(), source };
        fs::create_dir_all(directory).map_err(unread)?;
        for entry in fs::read_dir(directory).map_err(unread)? {
            let name = entry.map_err(unread)?.file_name();
            let number = name.to_str().and_then(|name| name.strip_prefix('n')?.parse().ok());
            numbers.extend(number.filter(|number: &u16| *number > 0));
        }
        Ok(numbers)
    }

    fn newcomer(&self, number: u16) -> Result<Newcomer, EnsembleError> {
        let Some(directory) = &self.options.directory else {
            return Ok(Newcomer { number, id: NodeId(number.into()), home: None });
        };
        let home = Home::open(&directory.join(name(number)), CLUSTER, self.options.shards.max(1))?;
        if let Arrival::Foreign { .. } = home.arrival() {
            tracing::warn!(node = name(number), "{}", home.arrival());
        }
        Ok(Newcomer { number, id: home.node(), home: Some(home) })
    }

    /// All nodes, in the order in which they came.
    #[must_use]
    pub fn nodes(&self) -> Vec<Arc<Node>> {
        self.nodes.lock().clone()
    }

    /// The node of this number.
    #[must_use]
    pub fn find(&self, id: NodeId) -> Option<Arc<Node>> {
        self.nodes.lock().iter().find(|node| node.id == id).cloned()
    }

    /// Loses all letters between two nodes from now on, or no longer.
    pub fn cut(&self, one: NodeId, other: NodeId, is_cut: bool) {
        for (from, to) in [(one, other), (other, one)] {
            if let Some(node) = self.find(from) {
                node.domain.cut(to, is_cut);
            }
        }
    }

    /// The pairs that are cut on either side, the smaller number first.
    #[must_use]
    pub fn cuts(&self) -> Vec<(NodeId, NodeId)> {
        let cuts: BTreeSet<_> = self
            .nodes()
            .iter()
            .flat_map(|node| {
                let cut = node.domain.routes().into_iter().filter(|(_, is_cut)| *is_cut);
                let id = node.id;
                cut.map(move |(other, _)| (id.min(other), id.max(other)))
            })
            .collect();
        cuts.into_iter().collect()
    }

    fn enter(
        &self,
        newcomer: Newcomer,
        begin: Begin,
        seeds: &[NodeId],
    ) -> Result<Arc<Node>, EnsembleError> {
        let Newcomer { number, id, home } = newcomer;
        let shards = self.options.shards.max(1);
        let domain = Domain::start(&self.system, shards, &format!("desk-{}", name(number)))?;
        let seeds: Vec<NodeId> = seeds.iter().copied().filter(|seed| *seed != id).collect();
        let mut replicas = Vec::new();
        for shard in 0..shards {
            let keep = match &home {
                Some(home) => Keep::Directory(home.medium(shard)?.path().to_owned()),
                None => Keep::Memory,
            };
            let (begin, seeds) = (begin.clone(), seeds.clone());
            let args = ReplicaArgs { shard, node: id, begin, keep, seeds };
            let replica = self.replica(&name(number), args, &domain)?;
            domain.place(shard, &replica);
            replicas.push(replica);
        }
        for other in self.nodes() {
            other.domain.route(id, replicas.iter().map(ActorRef::recipient).collect());
            domain.route(other.id, other.replicas.iter().map(ActorRef::recipient).collect());
        }
        let (gateway, http) = (OnceLock::new(), OnceLock::new());
        let node = Arc::new(Node { name: name(number), id, domain, replicas, home, gateway, http });
        self.nodes.lock().push(Arc::clone(&node));
        Ok(node)
    }

    fn replica(
        &self,
        name: &str,
        args: ReplicaArgs,
        domain: &Domain,
    ) -> Result<ActorRef<Replica>, SpawnError> {
        // Who keeps nothing must not come back as the same.
        let (restart, write) = match &args.keep {
            Keep::Directory(directory) => (Restart::Always, vec![directory.clone()]),
            Keep::Memory => (Restart::Never, Vec::new()),
        };
        let file_access = FileAccess::Only { read: Vec::new(), write };
        let confinement = Confinement { memory_bytes: None, file_access, ..Confinement::service() };
        let process =
            ProcessOptions::new().confinement(confinement).frame_bytes_max(FRAME_BYTES_MAX);
        let options = SpawnOptions::new()
            .name(format!("replica-{name}-{}", args.shard))
            .place(self.options.place)
            .mailbox_messages_max(MAILBOX_MESSAGES)
            .restart(restart)
            .process(process);
        let outlet = domain.outlet();
        self.supervisor.supervise_portable::<Replica>(options, move || {
            Ok(Parcel::new(args.clone()).with_grant(outlet.clone()))
        })
    }
}

fn name(number: u16) -> String {
    format!("n{number}")
}

impl Node {
    /// Whether its replicas can answer now: they have not ended, and do not rest.
    fn can_answer(&self) -> bool {
        self.replicas.iter().all(|replica| match replica.any().snapshot().status {
            Status::Starting | Status::Idle | Status::Busy => true,
            Status::Suspending
            | Status::Suspended
            | Status::Restarting
            | Status::Stopping
            | Status::Ended => false,
        })
    }

    async fn look(&self) -> NodeView {
        // Who cannot answer would be waited for.
        let standings = if self.can_answer() { self.domain.look().await } else { Vec::new() };
        NodeView {
            name: self.name.clone(),
            node: self.id,
            peer: None,
            addresses: Vec::new(),
            resp: self.gateway.get().copied(),
            http: self.http.get().copied(),
            is_connected: !standings.is_empty(),
            standings,
        }
    }
}

impl Cluster for Arc<Ensemble> {
    /// That of the first node that can answer.
    fn domain(&self) -> Domain {
        let nodes = self.nodes();
        let node = nodes.iter().find(|node| node.can_answer()).unwrap_or(&nodes[0]);
        node.domain.clone()
    }

    fn allow(&self, _: Peer) -> Result<(), String> {
        Err("these nodes are on one stage, and others cannot join them: run `palco node`"
            .to_owned())
    }

    fn view(&self) -> Viewing {
        let nodes = self.nodes();
        Box::pin(async move {
            ClusterView { nodes: join_all(nodes.iter().map(|node| node.look())).await }
        })
    }

    fn answering(&self) -> Vec<(NodeId, Domain)> {
        let nodes = self.nodes().into_iter().filter(|node| node.can_answer());
        nodes.map(|node| (node.id, node.domain.clone())).collect()
    }

    fn host(&self) -> Option<&dyn NodeHost> {
        Some(&**self)
    }
}

impl NodeHost for Ensemble {
    fn replicas(&self, node: NodeId) -> Vec<AnyRef> {
        let found = self.find(node);
        found.map_or_else(Vec::new, |node| node.replicas.iter().map(ActorRef::any).collect())
    }

    fn cut(&self, one: NodeId, other: NodeId, is_cut: bool) {
        Self::cut(self, one, other, is_cut);
    }

    fn cuts(&self) -> Vec<(NodeId, NodeId)> {
        Self::cuts(self)
    }

    fn add(&self) -> Result<NodeId, EnsembleError> {
        Self::add(self).map(|node| node.id)
    }
}
