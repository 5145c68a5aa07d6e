//! Real participants, the messages between them, their disks, and what was asked of them: one state of an exploration.

use std::hash::{BuildHasher, Hash, Hasher};
use std::sync::Arc;

use foldhash::fast::FixedState;
use palco_core::Time;
use palco_rambo::{
    Barrier, Body, Effect, Event, Message, NodeId, Participant, Phase, Record, Settings, Tag,
};

use super::judge::Judge;
use super::network::{Envelope, Network};

/// A number that stands for a value; that two values share one is as unlikely as it is for the checker's own.
pub(crate) fn print_of(value: &impl Hash) -> u64 {
    FixedState::with_seed(7).hash_one(value)
}

/// What happens to the answer that a request gets at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It is a message like any other.
    Travels,
    /// It is there at once: request and answer are one action.
    AtOnce,
    /// It is lost.
    Lost,
}

/// A node: participant, clock and disk.
#[derive(Clone, Debug)]
pub(crate) struct Host {
    pub(crate) participant: Participant,
    /// Moves when its timer fires, and no other's does.
    clock: Time,
    pub(crate) timer: Option<Time>,
    pub(crate) log: Vec<Record>,
    /// Records of earlier lives.
    before: usize,
    /// Of this life's records, how many are on disk.
    pub(crate) synced: Barrier,
    /// What waits for its barrier.
    held: Vec<(Barrier, NodeId, Message)>,
    print: u64,
}

impl Host {
    pub(crate) fn new(participant: Participant, effects: Vec<Effect>) -> Self {
        let mut host = Self {
            participant,
            clock: Time::START,
            timer: None,
            log: Vec::new(),
            before: 0,
            synced: 0,
            held: Vec::new(),
            print: 0,
        };
        host.begin(effects);
        host
    }

    /// A life begins when its first records are on disk: nothing is said before.
    fn begin(&mut self, effects: Vec<Effect>) {
        let mut last = 0;
        for effect in effects {
            match effect {
                Effect::Persist { barrier, record } => {
                    self.log.push(record);
                    last = barrier;
                }
                Effect::SetTimer { at } => self.timer = Some(at),
                Effect::Send { .. } | Effect::Reply { .. } => unreachable!("nobody asked yet"),
            }
        }
        self.synced = last;
        let mut more = Vec::new();
        self.participant.step(self.clock, Event::Persisted(last), &mut more);
        assert!(more.is_empty(), "{more:?}");
        self.printed();
    }

    /// The records of this life that a crash may take.
    pub(crate) fn unsynced(&self) -> Barrier {
        (self.log.len() - self.before) as Barrier - self.synced
    }

    fn printed(&mut self) {
        let Self { participant, clock, timer, log, before, synced, held, print } = self;
        *print = print_of(&(participant, clock, timer, log, before, synced, held));
    }
}

/// One state.
#[derive(Clone, Debug)]
pub(crate) struct World {
    pub(crate) hosts: Vec<Arc<Host>>,
    pub(crate) network: Network,
    pub(crate) judge: Arc<Judge>,
    /// Which of the script were asked, and which are over: answered, or lost with who was asked.
    pub(crate) asked: u32,
    pub(crate) over: u32,
    pub(crate) crashes: u8,
    pub(crate) ticks: u8,
    pub(crate) repeats: u8,
    pub(crate) mutes: u8,
    /// Whether answers to a phase that is over are as good as lost.
    pub(crate) tidies: bool,
    /// What is not lost for certain.
    pub(crate) carries: fn(&Body) -> bool,
}

impl World {
    fn whole(&self) -> impl PartialEq + Hash + '_ {
        let prints: Vec<u64> = self.hosts.iter().map(|host| host.print).collect();
        let spent = (self.asked, self.over, self.crashes, self.ticks, self.repeats, self.mutes);
        (prints, &self.network, &*self.judge, spent)
    }
}

impl PartialEq for World {
    fn eq(&self, other: &Self) -> bool {
        self.whole() == other.whole()
    }
}

impl Hash for World {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.whole().hash(hasher);
    }
}

impl World {
    pub(crate) fn participant(&self, node: u64) -> &Participant {
        &self.hosts[at(NodeId(node))].participant
    }

    /// Whether a node knows the configuration of this index, removed or not.
    pub(crate) fn knows(&self, node: u64, index: u64) -> bool {
        self.participant(node).map().is_some_and(|map| map.top().index() >= index)
    }

    pub(crate) fn all_know_only(&self, nodes: &[u64], index: u64) -> bool {
        nodes
            .iter()
            .all(|&node| self.participant(node).map().is_some_and(|map| map.base() == index))
    }

    /// One event at one node, and all that follows from it there.
    pub(crate) fn step(&mut self, node: NodeId, event: Event, answer: Answer) {
        let back = match (&event, answer) {
            (Event::Received { from, .. }, Answer::AtOnce | Answer::Lost) => Some(*from),
            _ => None,
        };
        let mut answers = Vec::new();
        let host = Arc::make_mut(&mut self.hosts[at(node)]);
        let before = Standing::of(&host.participant);
        let mut effects = Vec::new();
        host.participant.step(host.clock, event, &mut effects);
        if !Standing::of(&host.participant).may_follow(&before) {
            Arc::make_mut(&mut self.judge).objects("something held or promised went back");
        }
        if let Some(map) = host.participant.map().filter(|map| !self.judge.agrees(map)) {
            Arc::make_mut(&mut self.judge).hears(map);
        }
        for effect in effects {
            match effect {
                Effect::Send { message, .. } if !(self.carries)(&message.body) => {}
                Effect::Send { to, after, message } if after > host.synced => {
                    host.held.push((after, to, message));
                }
                Effect::Send { to, message, .. }
                    if back == Some(to) && message.body.is_answer() =>
                {
                    answers.push(message);
                }
                Effect::Send { to, message, .. } => {
                    self.network.send(Envelope::new(node, to, message));
                }
                Effect::Persist { record, .. } => host.log.push(record),
                Effect::Reply { request, outcome, .. } => {
                    self.over |= 1 << request;
                    Arc::make_mut(&mut self.judge).answered(request, &outcome);
                }
                Effect::SetTimer { at } => host.timer = Some(at),
            }
        }
        host.printed();
        self.tidy(node);
        if let Some(to) = back.filter(|_| answer == Answer::AtOnce) {
            for message in answers {
                self.step(to, Event::Received { from: node, message }, Answer::Travels);
            }
        }
    }

    /// What has waited for the disk leaves.
    fn release(&mut self, node: NodeId) {
        let host = Arc::make_mut(&mut self.hosts[at(node)]);
        let synced = host.synced;
        let (free, held) =
            std::mem::take(&mut host.held).into_iter().partition(|(after, ..)| *after <= synced);
        host.held = held;
        let free: Vec<_> = free;
        for (_, to, message) in free {
            self.network.send(Envelope::new(node, to, message));
        }
    }

    /// One more record is on disk.
    pub(crate) fn sync(&mut self, node: NodeId) {
        let host = Arc::make_mut(&mut self.hosts[at(node)]);
        host.synced += 1;
        let synced = host.synced;
        self.release(node);
        self.step(node, Event::Persisted(synced), Answer::Travels);
    }

    /// The node stops, with `kept` of the records that were not on disk yet, and begins its next life.
    pub(crate) fn crash(&mut self, node: NodeId, kept: Barrier, settings: Settings, lost: u32) {
        let host = Arc::make_mut(&mut self.hosts[at(node)]);
        host.log.truncate(host.before + (host.synced + kept) as usize);
        host.before = host.log.len();
        host.held.clear();
        let mut effects = Vec::new();
        host.participant = Participant::restore(settings, host.log.clone(), &mut effects)
            .expect("a life begins with a record on disk");
        host.begin(effects);
        self.over |= lost & self.asked;
        self.tidy(node);
    }

    /// The timer of a node fires; its clock is what it waited for.
    pub(crate) fn tick(&mut self, node: NodeId) {
        let host = Arc::make_mut(&mut self.hosts[at(node)]);
        host.clock = host.clock.max(host.timer.take().expect("fires only when it is set"));
        self.step(node, Event::Timer, Answer::Travels);
    }

    /// Messages that can change nothing any more, now that this node has moved on, are as good as lost: answers to
    /// phases that are over, the questions of such phases, and maps with nothing new.
    fn tidy(&mut self, node: NodeId) {
        if !self.tidies {
            return;
        }
        let host = &self.hosts[at(node)];
        let useless = |from: NodeId, message: &Message| {
            let mut participant = host.participant.clone();
            let mut effects = Vec::new();
            let event = Event::Received { from, message: message.clone() };
            participant.step(host.clock, event, &mut effects);
            effects.is_empty() && participant == host.participant
        };
        self.network.retain(|envelope| {
            if envelope.to == node && envelope.message.body.is_answer() {
                return !useless(envelope.from, &envelope.message);
            }
            if envelope.from == node
                && let Body::Query { phase, .. } = envelope.message.body
            {
                return !useless(envelope.to, &probe(phase, &envelope.message));
            }
            true
        });
    }
}

/// An answer to a query that says as little as an answer can.
fn probe(phase: Phase, question: &Message) -> Message {
    let body =
        Body::Queried { phase, tag: Tag::ZERO, value: Some(None), durable: true, confirmed: false };
    Message { version: question.version, map: None, body }
}

/// Nodes are numbered from 1 on.
pub(crate) fn at(node: NodeId) -> usize {
    usize::try_from(node.0 - 1).expect("a handful of nodes")
}

/// What may not go back within a life (I1, I3, I6 of RAMBO.md §1.8).
struct Standing {
    base: u64,
    end: u64,
    promised: palco_rambo::Ballot,
    accepted: Option<palco_rambo::Ballot>,
    held: Vec<Tag>,
}

impl Standing {
    fn of(participant: &Participant) -> Self {
        let (base, end) =
            participant.map().map_or((0, 0), |map| (map.version().base, map.version().end));
        let (promised, accepted) = participant.promised(end);
        Self {
            base,
            end,
            promised,
            accepted: accepted.map(|(ballot, _)| ballot),
            held: participant.registers().map(|(_, tagged)| tagged.tag).collect(),
        }
    }

    fn may_follow(&self, before: &Self) -> bool {
        let same = self.end == before.end;
        self.base >= before.base
            && self.end >= before.end
            && self.accepted.is_none_or(|accepted| accepted <= self.promised)
            && (!same || self.promised >= before.promised && self.accepted >= before.accepted)
            && before.held.iter().zip(&self.held).all(|(old, new)| old <= new)
    }
}

/// Maps arrive with what is asked and answered. Messages that carry nothing else would only add to the orders in which
/// the same is heard.
pub(crate) fn not_the_map_alone(body: &Body) -> bool {
    !matches!(body, Body::TellMap | Body::AskMap)
}

/// Whether a message answers another.
pub(crate) trait Answers {
    fn is_answer(&self) -> bool;
}

impl Answers for Body {
    fn is_answer(&self) -> bool {
        match self {
            Body::Queried { .. }
            | Body::Propagated { .. }
            | Body::CasPromised { .. }
            | Body::CasAccepted { .. }
            | Body::CasRefused { .. }
            | Body::Promised { .. }
            | Body::Accepted { .. }
            | Body::Refused { .. }
            | Body::Informed { .. }
            | Body::Collected { .. }
            | Body::Pulled { .. }
            | Body::Collecting { .. }
            | Body::TellMap => true,
            Body::Query { .. }
            | Body::Propagate { .. }
            | Body::CasPrepare { .. }
            | Body::CasAccept { .. }
            | Body::Prepare { .. }
            | Body::Accept { .. }
            | Body::Inform { .. }
            | Body::Collect { .. }
            | Body::Pull { .. }
            | Body::AskMap => false,
        }
    }
}
