//! Participants whose messages arrive in order and at once, unless their receiver is switched off.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use palco_core::Time;
use palco_rambo::{
    Command, Configuration, Effect, Event, Key, Message, NodeId, Outcome, Participant, Record,
    Settings, Stage, Target,
};

pub(crate) struct Cluster {
    pub(crate) nodes: BTreeMap<NodeId, Participant>,
    pub(crate) off: BTreeSet<NodeId>,
    pub(crate) now: Time,
    /// A driver that is switched off when it has come that far; what it has sent by then arrives.
    pub(crate) cut: Option<(NodeId, Stage)>,
    pub(crate) sent: u64,
    logs: BTreeMap<NodeId, Vec<Record>>,
    timers: BTreeMap<NodeId, Time>,
    queue: VecDeque<(NodeId, NodeId, Message)>,
    answers: BTreeMap<u64, (Outcome, u32)>,
    requests: u64,
    settings: fn(NodeId) -> Settings,
}

pub(crate) fn n(node: u64) -> NodeId {
    NodeId(node)
}

pub(crate) fn x() -> Key {
    Key::register("x")
}

impl Cluster {
    /// Nodes 1 to `count`, members of the first configuration if they are in it; the others join.
    pub(crate) fn new(count: u64, first: &Configuration, settings: fn(NodeId) -> Settings) -> Self {
        let mut cluster = Self {
            nodes: BTreeMap::new(),
            off: BTreeSet::new(),
            cut: None,
            now: Time::START,
            sent: 0,
            logs: BTreeMap::new(),
            timers: BTreeMap::new(),
            queue: VecDeque::new(),
            answers: BTreeMap::new(),
            requests: 0,
            settings,
        };
        for node in (1..=count).map(n) {
            let mut effects = Vec::new();
            let settings = Settings { seeds: first.nodes().collect(), ..settings(node) };
            let participant = if first.contains(node) {
                Participant::found(settings, first.clone(), &mut effects)
            } else {
                Participant::join(settings, &mut effects)
            };
            cluster.nodes.insert(node, participant);
            cluster.carry_out(node, effects);
        }
        cluster.pass(Duration::from_millis(1));
        cluster
    }

    /// Majorities of the first three of five.
    pub(crate) fn three_of_five() -> Self {
        Self::new(
            5,
            &Configuration::majority(0, [1, 2, 3].map(n)).expect("majorities meet"),
            Settings::new,
        )
    }

    pub(crate) fn ask(&mut self, node: u64, command: Command) -> (Outcome, u32) {
        let request = self.begin(node, command);
        for _ in 0..200 {
            if let Some(answer) = self.answers.remove(&request) {
                return answer;
            }
            self.pass(Duration::from_millis(100));
        }
        panic!("no answer to request {request} of n{node}")
    }

    pub(crate) fn begin(&mut self, node: u64, command: Command) -> u64 {
        self.requests += 1;
        let (request, deadline) = (self.requests, self.now + Duration::from_secs(15));
        self.step(n(node), Event::Asked { request, deadline, command });
        self.settle();
        request
    }

    pub(crate) fn answer(&mut self, request: u64) -> Option<(Outcome, u32)> {
        self.answers.remove(&request)
    }

    pub(crate) fn write(&mut self, node: u64, value: &'static str) -> u32 {
        match self.ask(node, Command::Write(x(), Some(value.into()))) {
            (Outcome::Written(_), rounds) => rounds,
            (other, _) => panic!("{other:?}"),
        }
    }

    pub(crate) fn read(&mut self, node: u64) -> (Option<String>, u32) {
        match self.ask(node, Command::Read(x())) {
            (Outcome::Read(tagged), rounds) => (
                tagged.value.map(|value| String::from_utf8(value.to_vec()).expect("a word")),
                rounds,
            ),
            (other, _) => panic!("{other:?}"),
        }
    }

    pub(crate) fn reconfigure(&mut self, driver: u64, expected: u64, nodes: &[u64]) -> Outcome {
        let target = Target::majority(expected, nodes.iter().copied().map(n));
        self.ask(driver, Command::Reconfigure(target)).0
    }

    /// Stops a node and starts it with what it stored.
    pub(crate) fn restart(&mut self, node: u64) {
        let mut effects = Vec::new();
        let log = self.logs[&n(node)].clone();
        let participant =
            Participant::restore((self.settings)(n(node)), log, &mut effects).expect("its own log");
        self.nodes.insert(n(node), participant);
        self.carry_out(n(node), effects);
        self.settle();
    }

    pub(crate) fn log(&self, node: u64) -> &[Record] {
        &self.logs[&n(node)]
    }

    /// Lets time pass, in steps that no timer is shorter than by much.
    pub(crate) fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        loop {
            let due = self.timers.iter().min_by_key(|(_, at)| **at).map(|(node, at)| (*node, *at));
            match due {
                Some((node, at)) if at <= end => {
                    self.now = self.now.max(at);
                    self.timers.remove(&node);
                    self.step(node, Event::Timer);
                    self.settle();
                }
                _ => break,
            }
        }
        self.now = end;
        self.settle();
    }

    /// A node is told that another cannot be reached.
    pub(crate) fn cannot_reach(&mut self, node: u64, other: u64) {
        self.step(n(node), Event::Unreachable(n(other)));
        self.settle();
    }

    fn step(&mut self, node: NodeId, event: Event) {
        if self.off.contains(&node) {
            return;
        }
        let Some(participant) = self.nodes.get_mut(&node) else { return };
        let mut effects = Vec::new();
        participant.step(self.now, event, &mut effects);
        if participant.driving().is_some_and(|stage| self.cut == Some((node, stage))) {
            self.off.insert(node);
        }
        self.carry_out(node, effects);
    }

    fn carry_out(&mut self, node: NodeId, effects: Vec<Effect>) {
        let mut stored = 0;
        for effect in effects {
            match effect {
                Effect::Send { to, message, .. } => {
                    assert_ne!(to, node, "nobody sends to itself");
                    self.sent += 1;
                    self.queue.push_back((node, to, message));
                }
                Effect::Persist { barrier, record } => {
                    self.logs.entry(node).or_default().push(record);
                    stored = barrier;
                }
                Effect::Reply { request, outcome, rounds } => {
                    assert!(
                        self.answers.insert(request, (outcome, rounds)).is_none(),
                        "answered twice"
                    );
                }
                Effect::SetTimer { at } => {
                    self.timers.insert(node, at);
                }
            }
        }
        if stored > 0 {
            self.step(node, Event::Persisted(stored));
        }
    }

    fn settle(&mut self) {
        while let Some((from, to, message)) = self.queue.pop_front() {
            let mut bytes = Vec::new();
            message.encode(&mut bytes);
            assert_eq!(
                Message::decode(&bytes).expect("a message"),
                message,
                "what is sent can be read"
            );
            self.step(to, Event::Received { from, message });
        }
    }
}
