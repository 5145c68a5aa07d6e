//! What is explored, and how: a first state, and all that may happen next.

use std::fmt;
use std::sync::Arc;

use palco_core::Time;
use palco_rambo::{
    Barrier, Body, Change, Command, Configuration, Event, Flaw, Flaws, Key, Mode, NodeId,
    OperationId, Participant, Settings, Storage, Target,
};
use stateright::{Checker, HasDiscoveries, Model, Property};
use std::time::Duration;

use super::network::{Envelope, Network};
use super::world::{Answer, Answers, Host, World};

pub(crate) fn n(node: u64) -> NodeId {
    NodeId(node)
}

pub(crate) fn x() -> Key {
    Key::register("x")
}

pub(crate) fn majority(index: u64, nodes: &[u64]) -> Configuration {
    Configuration::majority(index, nodes.iter().copied().map(n)).expect("majorities meet")
}

/// Something that is asked once, at any time from when it may be.
#[derive(Clone, Debug)]
pub(crate) struct Wish {
    node: u64,
    command: Command,
    /// Only when these of the script are over.
    after: Vec<usize>,
    /// Only when the node knows the configuration of this index.
    knowing: u64,
    deadline: Time,
}

impl Wish {
    fn new(node: u64, command: Command) -> Self {
        let deadline = Time::from_nanos(u64::MAX);
        Self { node, command, after: Vec::new(), knowing: 0, deadline }
    }

    pub(crate) fn read(node: u64) -> Self {
        Self::new(node, Command::Read(x()))
    }

    pub(crate) fn write(node: u64, value: &'static str) -> Self {
        Self::new(node, Command::Write(x(), Some(value.into())))
    }

    /// A client of its own appends its letter.
    pub(crate) fn append(node: u64, letter: &'static str) -> Self {
        let id = OperationId { client: u64::from(letter.as_bytes()[0]), number: 1 };
        Self::new(node, Command::Change(Key::cas("k"), Change::Append(letter.into()), id))
    }

    pub(crate) fn reconfigure(node: u64, target: Target) -> Self {
        Self::new(node, Command::Reconfigure(target))
    }

    pub(crate) fn after(self, earlier: &[usize]) -> Self {
        Self { after: earlier.to_vec(), ..self }
    }

    pub(crate) fn knowing(self, index: u64) -> Self {
        Self { knowing: index, ..self }
    }

    pub(crate) fn within(self, time: Duration) -> Self {
        Self { deadline: Time::START + time, ..self }
    }

    fn letter(&self) -> Option<u8> {
        match &self.command {
            Command::Change(_, Change::Append(letter), _) => Some(letter[0]),
            _ => None,
        }
    }
}

/// What may happen.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Action {
    Ask(usize),
    Deliver(Envelope),
    /// And it comes once more.
    Repeat(Envelope),
    /// And the answer is lost.
    Mute(Envelope),
    Sync(NodeId),
    Crash(NodeId, Barrier),
    Tick(NodeId),
}

/// What is explored.
#[derive(Clone)]
pub(crate) struct Setup {
    pub(crate) first: Configuration,
    /// Nodes 1 to this; who is no member of the first knows it too.
    pub(crate) nodes: u64,
    pub(crate) mode: Mode,
    pub(crate) flaws: Flaws,
    pub(crate) script: Vec<Wish>,
    pub(crate) answers: Answer,
    /// On disk, each record gets there by an action of its own; in memory nobody waits, and nobody crashes.
    pub(crate) storage: Storage,
    /// How often a message may come once more, an answer be lost, a timer fire, a node crash.
    pub(crate) repeats: u8,
    pub(crate) mutes: u8,
    pub(crate) ticks: u8,
    pub(crate) crashes: u8,
    /// Whose timers fire, and who crashes.
    pub(crate) moody: Vec<u64>,
    /// Which messages may arrive; the others are lost for certain.
    pub(crate) carries: fn(&Body) -> bool,
    /// Actions, at most; 0 for all there are.
    pub(crate) depth: usize,
    /// The end that must be reachable.
    pub(crate) end: fn(&World) -> bool,
}

impl Setup {
    pub(crate) fn new(first: Configuration, nodes: u64, script: Vec<Wish>) -> Self {
        Self {
            first,
            nodes,
            mode: Mode::Rambo2,
            flaws: Flaws::NONE,
            script,
            answers: Answer::Travels,
            storage: Storage::Memory,
            repeats: 0,
            mutes: 0,
            ticks: 0,
            crashes: 0,
            moody: Vec::new(),
            carries: |_| true,
            depth: 0,
            end: |_| true,
        }
    }

    pub(crate) fn without(&self, flaw: Flaw) -> Self {
        Self { flaws: self.flaws.with(flaw), ..self.clone() }
    }

    fn settings(&self, node: NodeId) -> Settings {
        // What is done for progress alone would only make the space larger.
        let never = Duration::from_secs(1 << 30);
        Settings {
            mode: self.mode.clone(),
            flaws: self.flaws,
            storage: self.storage,
            takeover: never,
            seed: 0,
            ..Settings::new(node)
        }
    }

    fn is_free(&self, world: &World, at: usize) -> bool {
        let wish = &self.script[at];
        world.asked & 1 << at == 0
            && wish.after.iter().all(|earlier| world.over & 1 << earlier != 0)
            && world.knows(wish.node, wish.knowing)
    }

    /// Explores all; panics if the judge objects or the end is not reached.
    pub(crate) fn exhausts(self, name: &str) {
        let bound = match self.depth {
            0 => "all there are".to_owned(),
            depth => format!("within {depth} actions"),
        };
        let checker = self.run();
        let (states, depth) = (checker.unique_state_count(), checker.max_depth());
        eprintln!("{name}: {states} states, {bound}, {depth} deep");
        if let Some(path) = checker.discovery(SOUND) {
            panic!("{name}: {}", told(path));
        }
        assert!(checker.discovery(END).is_some(), "{name}: the end is not reached");
    }

    /// Explores until the judge objects; panics if it does not. How many actions that takes at least.
    pub(crate) fn objects(self, name: &str, what: &str) -> usize {
        let checker = self.run();
        let states = checker.unique_state_count();
        let path = checker.discovery(SOUND);
        let path = path.unwrap_or_else(|| panic!("{name}: nobody objects in {states} states"));
        let actions = path.clone().into_actions().len();
        let objection = path.last_state().judge.objection.unwrap_or_default();
        eprintln!("{name}: {objection}, after {actions} actions, {states} states");
        assert_eq!(objection, what, "{name}: {}", told(path));
        actions
    }

    /// Goes one way: each step is the one action that is told with all of these words. Ends early where an objection or
    /// another way of doing things leaves no such action.
    pub(crate) fn walks(&self, steps: &[&[&str]]) -> World {
        let mut world = self.init_states().remove(0);
        for words in steps {
            let mut actions = Vec::new();
            self.actions(&world, &mut actions);
            let fits = |action: &Action| {
                let told = format!("{action:?}");
                words.iter().all(|word| told.contains(word))
            };
            let Some(at) = actions.iter().position(fits) else {
                eprintln!("nothing that is told with {words:?} can happen");
                return world;
            };
            let action = actions.swap_remove(at);
            world = self.next_state(&world, action).expect("every action leads somewhere");
        }
        world
    }

    fn run(self) -> impl Checker<Self> {
        let depth = self.depth;
        // The checker counts states, not actions, and does not look at those of the last depth.
        let builder = self.checker().finish_when(HasDiscoveries::AnyFailures);
        let builder = if depth > 0 { builder.target_max_depth(depth + 2) } else { builder };
        builder.spawn_bfs().join()
    }
}

const SOUND: &str = "nobody objects";
const END: &str = "the end is reached";

fn told(path: stateright::Path<World, Action>) -> String {
    let objection = path.last_state().judge.objection;
    let actions = path.into_actions();
    let lines: Vec<_> = actions.iter().map(|action| format!("  {action:?}")).collect();
    format!("{objection:?} after\n{}", lines.join("\n"))
}

impl fmt::Debug for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Setup").field("script", &self.script).finish_non_exhaustive()
    }
}

impl Model for Setup {
    type State = World;
    type Action = Action;

    fn init_states(&self) -> Vec<World> {
        let host = |node| {
            let mut effects = Vec::new();
            let participant =
                Participant::found(self.settings(n(node)), self.first.clone(), &mut effects);
            Arc::new(Host::new(participant, effects))
        };
        vec![World {
            hosts: (1..=self.nodes).map(host).collect(),
            network: Network::default(),
            judge: Arc::default(),
            asked: 0,
            over: 0,
            crashes: 0,
            ticks: 0,
            repeats: 0,
            mutes: 0,
            carries: self.carries,
            tidies: !self.flaws.has(Flaw::AnyPhase),
        }]
    }

    fn actions(&self, world: &World, actions: &mut Vec<Action>) {
        if world.judge.objection.is_some() {
            return;
        }
        actions
            .extend((0..self.script.len()).filter(|&at| self.is_free(world, at)).map(Action::Ask));
        for envelope in world.network.iter() {
            actions.push(Action::Deliver(envelope.clone()));
            if world.repeats < self.repeats {
                actions.push(Action::Repeat(envelope.clone()));
            }
            if world.mutes < self.mutes && !envelope.message.body.is_answer() {
                actions.push(Action::Mute(envelope.clone()));
            }
        }
        for (at, host) in world.hosts.iter().enumerate() {
            let node = n(at as u64 + 1);
            let unsynced = host.unsynced();
            if unsynced > 0 {
                actions.push(Action::Sync(node));
            }
            if !self.moody.contains(&node.0) {
                continue;
            }
            if world.crashes < self.crashes {
                actions.extend((0..=unsynced).map(|kept| Action::Crash(node, kept)));
            }
            if world.ticks < self.ticks && host.timer.is_some() {
                actions.push(Action::Tick(node));
            }
        }
    }

    fn next_state(&self, last: &World, action: Action) -> Option<World> {
        let mut world = last.clone();
        let deliver = |world: &mut World, envelope: Envelope, answer| {
            let Envelope { from, to, message, .. } = envelope;
            let event = Event::Received { from, message: (*message).clone() };
            world.step(to, event, answer);
        };
        match action {
            Action::Ask(at) => {
                let Wish { node, command, deadline, .. } = self.script[at].clone();
                world.asked |= 1 << at;
                let request = at as u64;
                Arc::make_mut(&mut world.judge).asked(request, self.script[at].letter());
                let event = Event::Asked { request, deadline, command };
                world.step(n(node), event, Answer::Travels);
            }
            Action::Deliver(envelope) => {
                world.network.take(&envelope);
                deliver(&mut world, envelope, self.answers);
            }
            Action::Repeat(envelope) => {
                world.repeats += 1;
                deliver(&mut world, envelope, self.answers);
            }
            Action::Mute(envelope) => {
                world.mutes += 1;
                world.network.take(&envelope);
                deliver(&mut world, envelope, Answer::Lost);
            }
            Action::Sync(node) => world.sync(node),
            Action::Crash(node, kept) => {
                world.crashes += 1;
                let mut lost = 0;
                for (at, wish) in self.script.iter().enumerate() {
                    if wish.node == node.0 && world.asked & !world.over & 1 << at != 0 {
                        lost |= 1 << at;
                        Arc::make_mut(&mut world.judge).lost(at as u64);
                    }
                }
                world.crash(node, kept, self.settings(node), lost);
            }
            Action::Tick(node) => {
                world.ticks += 1;
                world.tick(node);
            }
        }
        Some(world)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(SOUND, |_, world: &World| world.judge.objection.is_none()),
            Property::sometimes(END, |setup: &Self, world: &World| (setup.end)(world)),
        ]
    }
}
