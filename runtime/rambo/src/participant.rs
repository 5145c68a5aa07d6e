//! A participant: all of the protocol that one node carries out, as one function from events to effects.
//!
//! | file | what |
//! |---|---|
//! | `begin.rs` | founding, joining, coming back |
//! | `knowledge.rs` | the configuration map: learned, asked for, told (R0, R1) |
//! | `operations.rs` | what is under way |
//! | `reader_writer.rs` | reads and writes: query, propagate, start over (R2, O1, O2) |
//! | `frugal.rs` | whom a query asks first |
//! | `compare_and_swap.rs` | changes of keys of class cas: prepare, accept |
//! | `replica.rs` | what a member answers to those |
//! | `recon.rs` | reconfiguration as its driver does it: preflight, stages |
//! | `proposal.rs` | the decision, as the proposer sees it |
//! | `consensus.rs` | the decision, as the acceptors see it |
//! | `upgrade.rs` | removal of old configurations: inform, collect, drop (U1 to U3) |
//! | `fetch.rs` | a member of the new configuration fetches what the old ones hold |
//! | `timers.rs` | what is asked again, given up or taken over |
//! | `standing.rs` | when two participants are the same |
//! | `trail.rs` | who answered what is followed |

mod begin;
mod compare_and_swap;
mod consensus;
mod fetch;
mod frugal;
mod knowledge;
mod operations;
mod proposal;
mod reader_writer;
mod recon;
mod replica;
mod standing;
mod timers;
mod trail;
mod upgrade;

use std::collections::{BTreeMap, VecDeque};

use palco_core::Time;

pub use begin::RestoreError;
pub use recon::Stage;
pub use trail::{FOLLOWED_MAX, ROUNDS_MAX, Round, Step, Trail};

use crate::flaw::flawed;
use crate::store::Store;
use crate::{
    Ballot, Barrier, Body, Boot, Command, Configuration, ConfigurationMap, Cursor, Effect, Event,
    Index, Key, Message, NodeId, Outcome, Phase, Record, Refusals, Settings, Storage, Tagged,
    Version,
};

/// One node: replica while a configuration has it as a member, acceptor for the next, coordinator of whatever it is
/// asked, driver of a reconfiguration.
#[derive(Clone, Debug)]
pub struct Participant {
    settings: Settings,
    boot: Boot,
    map: Option<ConfigurationMap>,
    store: Store,
    acceptor: consensus::Acceptor,
    operations: operations::Operations,
    drive: Option<Box<recon::Drive>>,
    fetch: Option<Box<fetch::Fetch>>,
    /// Per source, from where the next fetch may go on.
    fetched: BTreeMap<NodeId, Cursor>,
    /// The last barrier given out, the last reached, and that of the newest map.
    barrier: Barrier,
    durable: Barrier,
    learned: Barrier,
    /// Messages to itself: those that may be looked at, and those that wait for their barrier.
    own: VecDeque<Message>,
    own_waiting: VecDeque<(Barrier, Message)>,
    /// Numbers used up in this life: of phases, and of tags.
    phases: u64,
    tags: u32,
    /// The highest round of a ballot that was used or heard of, over all reconfigurations driven in this life.
    rounds: u64,
    dice: u64,
    timers: timers::Timers,
    doubts: frugal::Doubts,
    refusals: Refusals,
    /// Mostly nothing.
    followed: Vec<trail::Followed>,
    /// Room for a list of nodes, used again.
    nodes: Vec<NodeId>,
}

/// What a step has at hand.
struct Turn<'a> {
    now: Time,
    effects: &'a mut Vec<Effect>,
}

impl Turn<'_> {
    fn reply(&mut self, request: u64, outcome: Outcome, rounds: u32) {
        self.effects.push(Effect::Reply { request, outcome, rounds });
    }
}

impl Participant {
    /// Takes in one event and appends what is to be done. Same participant, same time, same event: same effects.
    pub fn step(&mut self, now: Time, event: Event, effects: &mut Vec<Effect>) {
        let mut turn = Turn { now, effects };
        match event {
            Event::Received { from, message } => self.received(from, message, &mut turn),
            Event::Asked { request, deadline, command } => {
                self.asked(request, deadline, command, &mut turn)
            }
            Event::Persisted(barrier) => self.persisted(barrier),
            Event::Unreachable(node) => self.unreachable(node, &mut turn),
            Event::Timer => self.timer(&mut turn),
        }
        while let Some(message) = self.own.pop_front() {
            self.received(self.settings.node, message, &mut turn);
        }
        self.set_timer(&mut turn);
    }

    fn asked(&mut self, request: u64, deadline: Time, command: Command, turn: &mut Turn<'_>) {
        match command {
            Command::Read(key) => self.start(request, deadline, key, operations::Wish::Read, turn),
            Command::Write(key, value) => {
                self.start(request, deadline, key, operations::Wish::Write(value), turn)
            }
            Command::Change(key, change, id) => {
                self.start(
                    request,
                    deadline,
                    key,
                    operations::Wish::Change(change, id, None),
                    turn,
                );
            }
            Command::Repeat(key, change, id, tried) => {
                self.start(
                    request,
                    deadline,
                    key,
                    operations::Wish::Change(change, id, Some(tried)),
                    turn,
                );
            }
            Command::Reconfigure(target) => self.reconfigure(request, deadline, target, turn),
            Command::Leave => turn.reply(request, self.leave(), 0),
        }
    }

    fn received(&mut self, from: NodeId, message: Message, turn: &mut Turn<'_>) {
        let Message { version, map, body } = message;
        self.doubts.heard(from, turn.now);
        // Before anything else: an answer must not count for a phase that knows less than who answered (R1).
        if let Some(knowledge) = map
            && !self.learn(&knowledge, turn)
        {
            return;
        }
        let mine = self.version();
        if version.knows_more_than(mine) {
            self.ask_map(from, turn);
        }
        if mine == Version::default() {
            // Without a map nobody is a member of anything, and nothing was asked.
            self.refusals.unready += u64::from(!matches!(body, Body::TellMap));
            return;
        }
        let asker = Asker { node: from, version };
        match body {
            Body::Query { phase, key, want } => self.queried(asker, phase, &key, want, turn),
            Body::Queried { phase, tag, value, durable, confirmed } => {
                self.on_queried(
                    from,
                    phase,
                    Tagged { tag, value: value.flatten() },
                    durable,
                    confirmed,
                    turn,
                );
            }
            Body::Propagate { phase, key, tagged } => {
                self.propagated(asker, phase, &key, &tagged, turn)
            }
            Body::Propagated { phase } => self.on_propagated(from, phase, turn),
            Body::CasPrepare { phase, key, ballot } => {
                self.cas_prepared(asker, phase, &key, ballot, turn)
            }
            Body::CasPromised { phase, accepted, voted } => {
                self.on_cas_promised(from, phase, accepted, voted, turn)
            }
            Body::CasAccept { phase, key, accept } => {
                self.cas_accepted(asker, phase, &key, &accept, turn)
            }
            Body::CasAccepted { phase } => self.on_cas_accepted(from, phase, turn),
            Body::CasRefused { phase, promised } => {
                self.on_cas_refused(from, phase, promised, turn)
            }
            Body::Prepare { phase, index, ballot } => {
                self.prepared(asker, phase, index, ballot, turn)
            }
            Body::Promised { phase, accepted } => self.on_promised(from, phase, accepted, turn),
            Body::Accept { phase, ballot, configuration } => {
                self.accepted(asker, phase, ballot, &configuration, turn)
            }
            Body::Accepted { phase } => self.on_accepted(from, phase, turn),
            Body::Refused { phase, promised } => self.on_refused(phase, promised, turn),
            Body::Inform { phase, target } => self.informed(asker, phase, target, turn),
            Body::Informed { phase } => self.on_informed(from, phase, turn),
            Body::Collect { phase, target } => self.collect(asker, phase, target, turn),
            Body::Collecting { phase } => self.on_collecting(from, phase),
            Body::Collected { phase } => self.on_collected(from, phase, turn),
            Body::Pull { phase, from: cursor } => self.pulled(asker, phase, cursor, turn),
            Body::Pulled { phase, from: cursor, registers, then, last } => {
                self.on_pulled(from, phase, cursor, &registers, then, last, turn);
            }
            Body::AskMap => self.tell_map(from, turn),
            Body::TellMap => {
                if mine.knows_more_than(version) {
                    self.tell_map(from, turn);
                }
            }
        }
    }

    fn persisted(&mut self, barrier: Barrier) {
        self.durable = self.durable.max(barrier).min(self.barrier);
        let mut at = 0;
        while at < self.own_waiting.len() {
            if self.own_waiting[at].0 <= self.durable {
                let (_, message) = self.own_waiting.remove(at).expect("it is there");
                self.own.push_back(message);
            } else {
                at += 1;
            }
        }
    }

    /// Has a record stored; what is said because of it must wait for the barrier.
    fn persist(&mut self, record: Record, turn: &mut Turn<'_>) -> Barrier {
        match self.settings.storage {
            Storage::Disk => {
                self.barrier += 1;
                turn.effects.push(Effect::Persist { barrier: self.barrier, record });
                self.barrier
            }
            Storage::Memory => 0,
        }
    }

    /// The barrier of what is stored next.
    fn next_barrier(&self) -> Barrier {
        match self.settings.storage {
            Storage::Disk => self.barrier + 1,
            Storage::Memory => 0,
        }
    }

    fn is_durable(&self, barrier: Barrier) -> bool {
        barrier <= self.durable || flawed!(self.settings.flaws, AnswerBeforeDisk)
    }

    /// Sends once `after` is reached, and the newest map is on disk (R1).
    fn send(
        &mut self,
        to: NodeId,
        after: Barrier,
        attach: Attach,
        body: Body,
        turn: &mut Turn<'_>,
    ) {
        let version = self.version();
        let map = match attach {
            Attach::Map => self.knowledge(),
            Attach::IfNews(known) if version.knows_more_than(known) => self.knowledge(),
            // The original's one message carries everything always, and slide 28 hangs on it.
            Attach::IfNews(_) | Attach::Nothing if self.is_single() => self.knowledge(),
            Attach::IfNews(_) | Attach::Nothing => None,
        };
        let after = if flawed!(self.settings.flaws, AnswerBeforeDisk) {
            0
        } else {
            after.max(self.learned)
        };
        let message = Message { version, map, body };
        if to != self.settings.node {
            turn.effects.push(Effect::Send { to, after, message });
        } else if after <= self.durable {
            self.own.push_back(message);
        } else {
            self.own_waiting.push_back((after, message));
        }
    }

    /// Answers a request, with the map if the asker knows less.
    fn answer(&mut self, asker: Asker, after: Barrier, body: Body, turn: &mut Turn<'_>) {
        self.send(asker.node, after, Attach::IfNews(asker.version), body, turn);
    }

    /// A phase that nobody has answered yet.
    fn fresh_phase(&mut self) -> u64 {
        self.phases += 1;
        self.phases
    }

    fn phase(&self, slot: u32, number: u64) -> Phase {
        Phase { boot: self.boot, slot, number }
    }

    /// Whether an answer is for this life.
    fn is_mine(&self, phase: Phase) -> bool {
        phase.boot == self.boot || flawed!(self.settings.flaws, AnyPhase)
    }

    /// A number that nobody else draws; SplitMix64 (Steele, Lea, Flood 2014).
    fn draw(&mut self) -> u64 {
        self.dice = self.dice.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.dice;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

/// Who asked, and how much it knew when it did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Asker {
    node: NodeId,
    version: Version,
}

/// When a message takes the map along.
#[derive(Clone, Copy, Debug)]
enum Attach {
    Map,
    IfNews(Version),
    Nothing,
}

/// What others may see of it.
impl Participant {
    /// Who it is.
    #[must_use]
    pub fn node(&self) -> NodeId {
        self.settings.node
    }

    /// Which life this is.
    #[must_use]
    pub fn boot(&self) -> Boot {
        self.boot
    }

    /// What it knows of the configurations; nothing before it has joined.
    #[must_use]
    pub fn map(&self) -> Option<&ConfigurationMap> {
        self.map.as_ref()
    }

    /// What it holds for a key, on disk or not.
    #[must_use]
    pub fn held(&self, key: &Key) -> Tagged {
        self.store.find(key).map(|entry| entry.tagged.clone()).unwrap_or_default()
    }

    /// Whether the tag it holds is known to be with a write quorum of every configuration (rule O2).
    #[must_use]
    pub fn is_confirmed(&self, key: &Key) -> bool {
        self.store.find(key).is_some_and(|entry| entry.confirmed)
    }

    /// All it holds, in the order in which it first heard of the keys.
    pub fn registers(&self) -> impl ExactSizeIterator<Item = (&Key, &Tagged)> {
        self.store.entries().map(|(key, entry)| (key, &entry.tagged))
    }

    /// What it has promised and accepted for the configuration of this index.
    #[must_use]
    pub fn promised(&self, index: Index) -> (Ballot, Option<(Ballot, &Configuration)>) {
        self.acceptor.look(index)
    }

    /// Operations under way.
    #[must_use]
    pub fn operations(&self) -> usize {
        self.operations.len()
    }

    /// What it is doing about a reconfiguration.
    #[must_use]
    pub fn driving(&self) -> Option<Stage> {
        self.drive.as_ref().map(|drive| drive.stage)
    }

    /// What it received and did not use.
    #[must_use]
    pub fn refusals(&self) -> &Refusals {
        &self.refusals
    }
}
