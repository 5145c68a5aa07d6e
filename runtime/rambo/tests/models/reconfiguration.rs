//! Register operations across a reconfiguration (RAMBO.md §1.4, §1.6): clients that read and write in two phases while a
//! driver decides a configuration and removes the one before it.
//!
//! Calls are atomic, replies to a propagation may be lost, maps spread at any time. Tags stand for values, so nothing is
//! said about those. Not in here: ballots, stale phases, crashes; they have their own models.

mod disk;
mod driver;
#[cfg(feature = "exhaustive")]
pub(crate) mod larger;
mod operation;
pub(crate) mod removal;
mod told;
pub(crate) mod variants;

use stateright::{Model, Property};

use crate::{
    map::{Map, Members, Quorums, Set, each, has},
    report::{self, Mechanism},
    symmetry::{Names, moved, renamed, renamings},
    tags::{Floor, Tag},
    told::Step,
};
use disk::Disk;
pub(crate) use disk::Disks;
use driver::Driver;
use operation::{Client, Progress};
use removal::Stage;

/// Nodes, of which a configuration has two or three.
pub(crate) const NODES: usize = 6;
/// Clients, the writers first.
const CLIENTS: usize = 3;
/// Drivers of reconfigurations.
const DRIVERS: usize = 2;

/// A replica.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Node {
    tag: Tag,
    map: Map,
    disk: Disk,
}

/// Everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct State {
    nodes: [Node; NODES],
    clients: [Client; CLIENTS],
    drivers: [Driver; DRIVERS],
    floor: Floor,
    crashes: u8,
    /// Nodes that came back as somebody else, and answer no more.
    gone: Set,
    violated: bool,
}

/// Whether the caller hears the reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reply {
    Arrives,
    IsLost,
}

/// What can happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// A client begins its only operation.
    Begin { client: usize },
    /// A client's phase reaches a node.
    Call { client: usize, node: usize, reply: Reply },
    /// A client's phase has its quorums.
    Fix { client: usize },
    /// A driver's stage reaches a node.
    Drive { driver: usize, node: usize },
    /// A driver's stage has its quorums.
    NextStage { driver: usize },
    /// A node learns a driver's map.
    NodeLearns { driver: usize, node: usize },
    /// A client that has not begun learns a driver's map.
    ClientLearns { driver: usize, client: usize },
    /// A node's tag comes to its disk.
    Sync { node: usize },
    /// A node crashes and comes back with what its disk has.
    Crash { node: usize },
}

/// Whether a register's tag travels with every map: so with a single register, not so with many (§1.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tags {
    RideWithMaps,
    StayApart,
}

/// How a read may end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reads {
    /// After writing back, always.
    WriteBack,
    /// After the query, always.
    WithoutWriteBack,
    /// After the query if all who answered hold the same tag.
    OnceAllAgree,
    /// After the query if those with the largest tag hold a write quorum of each configuration (O1).
    OnceWriteQuorumHolds,
    /// After the query if an operation with this tag is known to have completed (O2).
    OnceConfirmed,
}

/// What a phase does when it hears that a configuration which it contacts is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OnRemoval {
    /// It needs that one's quorums nevertheless.
    Continue,
    /// It goes on without that one and keeps the acknowledgements.
    KeepAcks,
    /// It begins anew with the active configurations (O7).
    Restart,
}

/// Where a writer's tag comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Writes {
    /// From a query.
    AfterQuery,
    /// From what the writer wrote last.
    WithoutQuery,
}

/// How much may go wrong beside what the rules do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Network {
    /// Replies to propagations are lost, nodes learn maps at any time.
    Lossy,
    /// Neither.
    Calm,
}

/// One variant.
#[derive(Clone, Debug)]
pub(crate) struct Reconfiguration {
    pub(crate) members: Members,
    pub(crate) quorums: Quorums,
    pub(crate) clients: usize,
    pub(crate) writers: usize,
    /// What each driver does, one stage after the other; drivers beyond the list do not exist.
    pub(crate) drivers: &'static [&'static [Stage]],
    /// What the drivers know at first; everybody else knows c0.
    pub(crate) drivers_know: Map,
    pub(crate) tags: Tags,
    pub(crate) reads: Reads,
    pub(crate) writes: Writes,
    pub(crate) on_removal: OnRemoval,
    pub(crate) network: Network,
    /// What a crash leaves.
    pub(crate) disks: Disks,
    pub(crate) crashes_max: u8,
    /// The nodes that know of c1 at first.
    pub(crate) told: Set,
    /// Renamings under which a state is the same; empty for traces that keep the names of nodes.
    pub(crate) names: Vec<Names<NODES>>,
}

impl Reconfiguration {
    /// The same, with states counted once that differ in the names of nodes alone.
    pub(crate) fn up_to_names(mut self) -> Self {
        let [c0, c1, c2] = self.members.0;
        self.names = renamings(&[c0, c1, c2, self.told]);
        self
    }

    fn smallest(&self, state: State) -> State {
        let alike = self.names.iter().map(|names| {
            let mut other = state;
            other.nodes = moved(state.nodes, names);
            for client in &mut other.clients {
                client.acks = renamed(client.acks, names);
                client.durable = renamed(client.durable, names);
                client.seen = moved(client.seen, names);
            }
            for driver in &mut other.drivers {
                driver.acks = renamed(driver.acks, names);
            }
            other.gone = renamed(state.gone, names);
            other
        });
        // Readers of a variant differ in nothing but their number.
        let readers_sorted = |mut state: State| {
            if !self.names.is_empty() {
                state.clients[self.writers..self.clients].sort_unstable();
            }
            state
        };
        alike.chain([state]).map(readers_sorted).min().unwrap_or(state)
    }

    fn is_writer(&self, client: usize) -> bool {
        client < self.writers
    }

    fn needed(&self, progress: Progress) -> u32 {
        if progress == Progress::Querying { self.quorums.read } else { self.quorums.write }
    }

    fn calls_of(&self, client: usize, state: &State, actions: &mut Vec<Action>) {
        let of = &state.clients[client];
        for node in each(self.members.of(of.contacted) & !of.acks & !state.gone) {
            actions.push(Action::Call { client, node, reply: Reply::Arrives });
            let changes = of.progress == Progress::Propagating && state.nodes[node].tag < of.chosen;
            if self.network == Network::Lossy && changes {
                actions.push(Action::Call { client, node, reply: Reply::IsLost });
            }
        }
        if self.members.covered(of.contacted, of.acks, self.needed(of.progress)) {
            actions.push(Action::Fix { client });
        }
    }
}

impl Model for Reconfiguration {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let node = |node| {
            let mut map = Map::FIRST;
            if has(self.told, node) {
                map.decide(removal::C1);
            }
            Node { tag: Tag::ZERO, map, disk: self.disk_at_first(map) }
        };
        let mut clients = [Client::idle(); CLIENTS];
        for absent in &mut clients[self.clients..] {
            absent.progress = Progress::Done;
        }
        vec![State {
            nodes: std::array::from_fn(node),
            clients,
            drivers: [Driver::knowing(self.drivers_know); DRIVERS],
            floor: Floor::default(),
            crashes: 0,
            gone: 0,
            violated: false,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        if state.violated {
            return;
        }
        for (client, of) in state.clients.iter().enumerate() {
            match of.progress {
                Progress::Idle => {
                    actions.push(Action::Begin { client });
                    for driver in 0..self.drivers.len() {
                        actions.push(Action::ClientLearns { driver, client });
                    }
                }
                Progress::Querying | Progress::Propagating => {
                    self.calls_of(client, state, actions);
                }
                Progress::Done => {}
            }
        }
        self.disk_actions(state, actions);
        for driver in 0..self.drivers.len() {
            for node in each(self.members.of(0b111) & !state.gone) {
                actions.push(Action::Drive { driver, node });
                if self.network == Network::Lossy {
                    actions.push(Action::NodeLearns { driver, node });
                }
            }
            actions.push(Action::NextStage { driver });
        }
    }

    fn next_state(&self, before: &State, action: Action) -> Option<State> {
        let mut state = *before;
        match action {
            Action::Begin { client } => self.begin(&mut state, client),
            Action::Call { client, node, reply } => self.call(&mut state, client, node, reply),
            Action::Fix { client } => self.fix(&mut state, client),
            Action::Drive { driver, node } => self.drive(&mut state, driver, node)?,
            Action::NextStage { driver } => self.next_stage(&mut state, driver)?,
            Action::NodeLearns { driver, node } => {
                let of = state.drivers[driver];
                self.learn(&mut state.nodes[node], of.map);
                self.tag_rides(of.tag, &mut state.nodes[node].tag);
            }
            Action::Sync { node } => state.nodes[node].disk.tag = state.nodes[node].tag,
            Action::Crash { node } => self.crash(&mut state, node),
            Action::ClientLearns { driver, client } => {
                let of = state.drivers[driver];
                state.clients[client].map.learn(of.map);
                self.tag_rides(of.tag, &mut state.clients[client].tag);
            }
        }
        (state != *before).then(|| self.smallest(state))
    }

    fn properties(&self) -> Vec<Property<Self>> {
        report::properties()
    }
}

impl Reconfiguration {
    /// With a map that is sent, the sender's tag comes too, if it rides.
    fn tag_rides(&self, sent: Tag, known: &mut Tag) {
        if self.tags == Tags::RideWithMaps {
            *known = (*known).max(sent);
        }
    }
}

impl Mechanism for Reconfiguration {
    fn is_violated(&self, state: &State) -> bool {
        state.violated
    }

    /// All operations are done, all drivers have gone through their stages, and as many nodes crashed as may.
    fn is_ended(&self, state: &State) -> bool {
        state.clients.iter().all(|client| client.progress == Progress::Done)
            && (0..self.drivers.len()).all(|driver| self.stage(state, driver).is_none())
            && state.crashes == self.crashes_max
    }

    fn canonical(&self, state: State) -> State {
        self.smallest(state)
    }

    fn with_own_names(&self) -> Self {
        Self { names: Vec::new(), ..self.clone() }
    }

    fn step(&self, before: &State, action: &Action) -> Step {
        told::step(self, before, *action)
    }
}

/// Nodes as a set.
pub(crate) const fn nodes<const COUNT: usize>(list: [usize; COUNT]) -> Set {
    let (mut set, mut at) = (0, 0);
    while at < COUNT {
        set |= 1 << list[at];
        at += 1;
    }
    set
}

/// A state is a few dozen bytes, hashed as one: field by field costs more than everything else that a model does.
impl std::hash::Hash for State {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        let nodes = self.nodes.iter().flat_map(|node| {
            [node.tag.byte(), node.map.byte(), node.disk.tag.byte(), node.disk.map.byte()]
        });
        let clients = self.clients.iter().flat_map(|client| {
            let [a, b, c, d, e, f] = client.seen.map(Tag::byte);
            [
                client.progress as u8,
                client.tag.byte(),
                client.map.byte(),
                client.contacted,
                client.acks,
                client.durable,
                client.chosen.byte(),
                client.floor.tag().byte(),
                a,
                b,
                c,
                d,
                e,
                f,
            ]
        });
        let drivers = self
            .drivers
            .iter()
            .flat_map(|driver| [driver.stage, driver.tag.byte(), driver.map.byte(), driver.acks]);
        let rest = [self.floor.tag().byte(), self.crashes, self.gone, u8::from(self.violated)];
        let mut bytes = [0; 4 * NODES + 14 * CLIENTS + 4 * DRIVERS + 4];
        for (byte, of) in bytes.iter_mut().zip(nodes.chain(clients).chain(drivers).chain(rest)) {
            *byte = of;
        }
        state.write(&bytes);
    }
}
