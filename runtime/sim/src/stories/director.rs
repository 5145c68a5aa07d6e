//! Places messages by hand: each waits until the director lets it arrive, or loses it. Disks are at once.

use std::collections::BTreeMap;
use std::time::Duration;

use palco_core::Time;
use palco_rambo::{
    Body, Command, Configuration, Effect, Event, Key, Message, NodeId, Outcome, Participant,
    Settings,
};

use super::Told;
use crate::scenario::TraceWish;
use crate::trace::{Happening, Recorder, Sent};

/// A message takes this long.
const FLIGHT: Duration = Duration::from_millis(1);

/// More than any story has events.
const ROOM: usize = 10_000;

pub(super) struct Director {
    nodes: BTreeMap<NodeId, Participant>,
    waiting: Vec<Waiting>,
    now: Time,
    recorder: Recorder,
    answers: Vec<(u64, Outcome)>,
    requests: u64,
    title: String,
    says: Vec<String>,
}

struct Waiting {
    from: NodeId,
    to: NodeId,
    message: Message,
    sent: Sent,
}

pub(super) fn n(node: u64) -> NodeId {
    NodeId(node)
}

impl Director {
    pub(super) fn new(title: &str) -> Self {
        Self {
            nodes: BTreeMap::new(),
            waiting: Vec::new(),
            now: Time::START,
            recorder: Recorder::new(TraceWish::Last(ROOM)),
            answers: Vec::new(),
            requests: 0,
            title: title.to_owned(),
            says: Vec::new(),
        }
    }

    /// Somebody who knows the first configuration from the beginning.
    pub(super) fn founded(&mut self, settings: Settings, first: &Configuration) {
        let mut effects = Vec::new();
        let node = settings.node;
        let participant = Participant::found(settings, first.clone(), &mut effects);
        self.nodes.insert(node, participant);
        self.recorder.appears(node);
        let map = self.nodes[&node].map().expect("founded with one").clone();
        self.recorder.record(self.now, || Happening::Learned { node, map });
        self.carry_out(node, effects);
    }

    pub(super) fn say(&mut self, what: impl Into<String>) {
        self.says.push(what.into());
    }

    pub(super) fn node(&self, node: u64) -> &Participant {
        &self.nodes[&n(node)]
    }

    /// A client asks, and the messages that this makes wait.
    pub(super) fn ask(&mut self, node: u64, what: &str, command: Command) -> u64 {
        self.requests += 1;
        let request = self.requests;
        self.now = self.now + FLIGHT;
        let (client, what) = (u32::try_from(request).expect("few"), what.to_owned());
        self.recorder.record(self.now, || Happening::Asked {
            client,
            node: n(node),
            request,
            what,
        });
        let deadline = self.now + Duration::from_secs(3600);
        self.step(n(node), Event::Asked { request, deadline, command });
        request
    }

    pub(super) fn answer(&self, request: u64) -> Option<&Outcome> {
        self.answers.iter().find(|(other, _)| *other == request).map(|(_, outcome)| outcome)
    }

    /// Lets arrive all that waits between these, and what that makes, as long as there is any.
    pub(super) fn deliver(&mut self, between: impl Fn(u64, u64, &Body) -> bool) {
        let fits = |waiting: &Waiting| between(waiting.from.0, waiting.to.0, &waiting.message.body);
        while let Some(at) = self.waiting.iter().position(fits) {
            let Waiting { from, to, message, sent } = self.waiting.remove(at);
            self.now = self.now + FLIGHT;
            self.recorder.arrived(sent, Some(self.now));
            self.step(to, Event::Received { from, message });
        }
    }

    /// Loses all that waits.
    pub(super) fn lose_the_rest(&mut self) {
        self.waiting.clear();
    }

    /// Time passes for one of them.
    pub(super) fn wait(&mut self, node: u64, time: Duration) {
        self.now = self.now + time;
        self.step(n(node), Event::Timer);
    }

    pub(super) fn violation(&mut self, what: String) {
        self.recorder.record(self.now, || Happening::Violation { what });
    }

    pub(super) fn end(self, holds: bool) -> Told {
        let trace = self.recorder.into_trace().expect("a story is recorded");
        Told { title: self.title, says: self.says, holds, trace }
    }

    fn step(&mut self, node: NodeId, event: Event) {
        let Some(participant) = self.nodes.get_mut(&node) else { return };
        let before = (participant.map().cloned(), tags(participant));
        let mut effects = Vec::new();
        participant.step(self.now, event, &mut effects);
        let after = (participant.map().cloned(), tags(participant));
        if before.0 != after.0
            && let Some(map) = after.0
        {
            self.recorder.record(self.now, || Happening::Learned { node, map });
        }
        for (key, tag) in after.1.into_iter().filter(|held| !before.1.contains(held)) {
            self.recorder.record(self.now, || Happening::Held { node, key: key.to_string(), tag });
        }
        self.carry_out(node, effects);
    }

    fn carry_out(&mut self, node: NodeId, effects: Vec<Effect>) {
        let mut stored = None;
        for effect in effects {
            match effect {
                Effect::Send { to, message, .. } => {
                    let sent = self.recorder.sent(self.now, (node, to), &message, None);
                    self.waiting.push(Waiting { from: node, to, message, sent });
                }
                Effect::Persist { barrier, .. } => stored = Some(barrier),
                Effect::Reply { request, outcome, rounds } => {
                    let client = u32::try_from(request).expect("few");
                    let (what, tag) = told(&outcome, rounds);
                    self.recorder.record(self.now, || Happening::Told {
                        client,
                        node,
                        request,
                        what,
                        tag,
                    });
                    self.answers.push((request, outcome));
                }
                // Nothing is asked again here.
                Effect::SetTimer { .. } => {}
            }
        }
        if let Some(barrier) = stored {
            self.step(node, Event::Persisted(barrier));
        }
    }
}

fn tags(participant: &Participant) -> Vec<(Key, palco_rambo::Tag)> {
    participant.registers().map(|(key, tagged)| (key.clone(), tagged.tag)).collect()
}

fn told(outcome: &Outcome, rounds: u32) -> (String, Option<palco_rambo::Tag>) {
    match outcome {
        Outcome::Read(tagged) => {
            let value = tagged
                .value
                .as_ref()
                .map_or("nothing".into(), |value| value.escape_ascii().to_string());
            (format!("{value}, tag {}, in {rounds}", tagged.tag), Some(tagged.tag))
        }
        Outcome::Written(tag) => (format!("written under {tag}, in {rounds}"), Some(*tag)),
        Outcome::Reconfigured(done) => (format!("{} is installed", done.configuration), None),
        Outcome::Superseded(other) => (format!("{other} was decided instead"), None),
        other => (format!("{other:?}"), None),
    }
}
