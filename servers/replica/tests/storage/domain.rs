//! Participants that talk to each other at once, for what they store.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use palco_core::Time;
use palco_rambo::{
    Change, Command, Configuration, Effect, Event, Key, Message, NodeId, OperationId, Participant,
    Record, Settings, Target,
};

/// What somebody wants, of which participant.
pub(crate) type Wish = (u64, Want, u64);

#[derive(Clone, Copy, Debug)]
pub(crate) enum Want {
    Write,
    Delete,
    Add,
    Swap,
    Reconfigure,
    Restart,
    Pass,
}

/// Four participants, of which three are members at first.
#[derive(Debug, Default)]
pub(crate) struct Domain {
    nodes: BTreeMap<NodeId, Participant>,
    logs: BTreeMap<NodeId, Vec<Record>>,
    timers: BTreeMap<NodeId, Time>,
    queue: VecDeque<(NodeId, NodeId, Message)>,
    now: Time,
    requests: u64,
}

impl Domain {
    pub(crate) fn new() -> Self {
        let mut domain = Self::default();
        let first = Configuration::majority(0, (1..=3).map(NodeId)).expect("majorities meet");
        for node in (1..=4).map(NodeId) {
            let settings = Settings { seeds: vec![NodeId(1)], ..Settings::new(node) };
            let mut effects = Vec::new();
            let participant = if first.contains(node) {
                Participant::found(settings, first.clone(), &mut effects)
            } else {
                Participant::join(settings, &mut effects)
            };
            domain.nodes.insert(node, participant);
            domain.carry_out(node, effects);
        }
        domain.pass();
        domain
    }

    pub(crate) fn wish(&mut self, (node, want, key): Wish) {
        let node = NodeId(1 + node % 4);
        self.requests += 1;
        let number = self.requests;
        let name = vec![b'k', (key % 4) as u8];
        let id = OperationId { client: key % 3, number };
        let change = |change| Command::Change(Key::cas(name.clone()), change, id);
        let command = match want {
            Want::Write => Command::Write(Key::register(name), Some(vec![7; 40].into())),
            Want::Delete => Command::Write(Key::register(name), None),
            Want::Add => change(Change::Add(1)),
            Want::Swap => change(Change::CompareAndSwap { expected: key % 5, value: None }),
            Want::Reconfigure => {
                let expected = self.nodes[&node].map().map_or(0, |map| map.top().index());
                let members = (1..=4).filter(|member| key % 5 != *member).map(NodeId);
                Command::Reconfigure(Target::majority(expected, members))
            }
            Want::Restart => return self.restart(node),
            Want::Pass => return self.pass(),
        };
        let deadline = self.now + Duration::from_secs(5);
        self.step(node, Event::Asked { request: number, deadline, command });
        self.settle();
    }

    /// What each has stored.
    pub(crate) fn into_logs(self) -> BTreeMap<NodeId, Vec<Record>> {
        self.logs
    }

    fn restart(&mut self, node: NodeId) {
        let mut effects = Vec::new();
        let log = self.logs[&node].clone();
        let participant = Participant::restore(Settings::new(node), log, &mut effects);
        self.nodes.insert(node, participant.expect("its own log"));
        self.carry_out(node, effects);
        self.settle();
    }

    fn pass(&mut self) {
        let end = self.now + Duration::from_millis(400);
        while let Some((node, at)) =
            self.timers.iter().min_by_key(|(_, at)| **at).map(|(node, at)| (*node, *at))
            && at <= end
        {
            self.timers.remove(&node);
            self.now = self.now.max(at);
            self.step(node, Event::Timer);
            self.settle();
        }
        self.now = end;
    }

    fn settle(&mut self) {
        while let Some((from, to, message)) = self.queue.pop_front() {
            self.step(to, Event::Received { from, message });
        }
    }

    fn step(&mut self, node: NodeId, event: Event) {
        let mut effects = Vec::new();
        let participant = self.nodes.get_mut(&node).expect("one of four");
        participant.step(self.now, event, &mut effects);
        self.carry_out(node, effects);
    }

    fn carry_out(&mut self, node: NodeId, effects: Vec<Effect>) {
        let mut stored = None;
        for effect in effects {
            match effect {
                Effect::Send { to, message, .. } => self.queue.push_back((node, to, message)),
                Effect::Persist { barrier, record } => {
                    self.logs.entry(node).or_default().push(record);
                    stored = Some(barrier);
                }
                Effect::SetTimer { at } => {
                    self.timers.insert(node, at);
                }
                Effect::Reply { .. } => {}
            }
        }
        if let Some(barrier) = stored {
            self.step(node, Event::Persisted(barrier));
        }
    }
}
