//! A compare-and-swap register by CASPaxos, across a reconfiguration (RAMBO.md §2): two proposers that each append their
//! name to the value, while a driver upgrades {0,1,2} to {1,2,3}.
//!
//! Calls are atomic. Values are the lists of appended names, so what was applied twice or lost is seen in them.

mod log;

use stateright::{Model, Property};

use crate::{
    map::{Map, Members, Quorums, Set, each, has},
    report::{
        self,
        Expected::{Safe, Unsafe},
        Mechanism, variants,
    },
    symmetry::{Names, moved, renamed, renamings},
    told::Step,
};
use log::Log;

const NODES: usize = 4;
const PROPOSERS: usize = 2;
const C0: Set = 1;
const C1: Set = 2;

/// An acceptor of the register.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Node {
    promised: u8,
    accepted: u8,
    value: Log,
    map: Map,
}

/// How far a proposer is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Progress {
    #[default]
    Idle,
    Preparing,
    Accepting,
    /// It was refused, or has to begin anew.
    Rejected,
    Done,
}

/// A proposer and its only change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Proposer {
    progress: Progress,
    attempts: u8,
    ballot: u8,
    /// What it proposes, or has got through.
    value: Log,
    /// The largest ballot with which a value was accepted, as far as it heard.
    found: u8,
    found_value: Log,
    contacted: Set,
    acks: Set,
    map: Map,
}

/// Who upgrades.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Driver {
    stage: u8,
    acks: Set,
    accepted: u8,
    value: Log,
    map: Map,
}

/// Everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct State {
    nodes: [Node; NODES],
    proposers: [Proposer; PROPOSERS],
    driver: Driver,
    violated: bool,
}

/// What can happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    /// A proposer begins an attempt, its first or another.
    Begin { proposer: usize },
    /// Its phase reaches a node.
    Call { proposer: usize, node: usize },
    /// Its phase has its quorums.
    Fix { proposer: usize },
    /// The driver's stage reaches a node.
    Drive { node: usize },
    /// The driver's stage has its quorums.
    NextStage,
    /// A proposer that has not begun learns the driver's map.
    Learn { proposer: usize },
}

/// What a proposer does that hears of a configuration while values are accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum OnDiscovery {
    /// It needs that one's quorums too.
    ExtendAccept,
    /// It prepares anew, with a larger ballot.
    PrepareAnew,
}

/// Whether a proposer knows its change in a value that it finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum OperationIds {
    Kept,
    Absent,
}

/// One variant.
#[derive(Clone, Debug)]
struct Cas {
    on_discovery: OnDiscovery,
    operation_ids: OperationIds,
    attempts_max: u8,
    members: Members,
    names: Vec<Names<NODES>>,
}

impl Cas {
    fn smallest(&self, state: State) -> State {
        let alike = self.names.iter().map(|names| {
            let mut other = state;
            other.nodes = moved(state.nodes, names);
            for proposer in &mut other.proposers {
                proposer.acks = renamed(proposer.acks, names);
            }
            other.driver.acks = renamed(state.driver.acks, names);
            other
        });
        alike.chain([state]).min().unwrap_or(state)
    }

    fn begin(state: &mut State, proposer: usize) {
        let of = &mut state.proposers[proposer];
        let attempts = of.attempts + 1;
        let number = u8::try_from(proposer).expect("there are two proposers");
        *of = Proposer {
            progress: Progress::Preparing,
            attempts,
            ballot: attempts * 2 + number,
            contacted: of.map.active(),
            map: of.map,
            ..Proposer::default()
        };
    }

    fn call(&self, state: &mut State, proposer: usize, node: usize) {
        let (of, at) = (&mut state.proposers[proposer], &mut state.nodes[node]);
        let is_accept = of.progress == Progress::Accepting;
        at.map.learn(of.map);
        let newest = at.promised.max(at.accepted);
        let taken = if is_accept { of.ballot >= newest } else { of.ballot > newest };
        if taken {
            at.promised = of.ballot;
            of.acks |= 1 << node;
            if is_accept {
                at.accepted = of.ballot;
                at.value = of.value;
            } else if at.accepted > of.found {
                of.found = at.accepted;
                of.found_value = at.value;
            }
        }
        let discovered = at.map.active() & !of.contacted;
        of.map.learn(at.map);
        let begins_anew =
            is_accept && discovered != 0 && self.on_discovery == OnDiscovery::PrepareAnew;
        if !begins_anew {
            of.contacted |= discovered;
        }
        if !taken || begins_anew {
            of.progress = Progress::Rejected;
        }
    }

    fn fix(&self, state: &mut State, proposer: usize) {
        let of = &mut state.proposers[proposer];
        if of.progress == Progress::Preparing {
            let is_applied =
                self.operation_ids == OperationIds::Kept && of.found_value.count(proposer) > 0;
            of.value = if is_applied { of.found_value } else { of.found_value.with(proposer) };
            of.progress = Progress::Accepting;
            of.acks = 0;
            return;
        }
        *of = Proposer {
            progress: Progress::Done,
            attempts: of.attempts,
            value: of.value,
            map: of.map,
            ..Proposer::default()
        };
        state.violated |= Self::is_wrong(state);
    }

    /// Every change is in its own result once, in others at most once, and of two results one begins with the other.
    fn is_wrong(state: &State) -> bool {
        let done = |of: &&(usize, &Proposer)| of.1.progress == Progress::Done;
        let all: Vec<(usize, &Proposer)> = state.proposers.iter().enumerate().collect();
        all.iter().filter(done).any(|(mine, of)| {
            of.value.count(*mine) != 1
                || all.iter().filter(done).any(|(_, other)| {
                    !of.value.is_prefix_or_extension_of(other.value) || other.value.count(*mine) > 1
                })
        })
    }

    fn drive(&self, state: &mut State, node: usize) -> Option<()> {
        let (of, at) = (&mut state.driver, &mut state.nodes[node]);
        let target = match of.stage {
            0 => C0,
            1 => C1,
            2.. => return None,
        };
        if has(of.acks, node) || !has(self.members.of(target), node) {
            return None;
        }
        of.map.decide(C1);
        at.map.learn(of.map);
        if target == C0 && at.accepted > of.accepted {
            (of.accepted, of.value) = (at.accepted, at.value);
        }
        if target == C1 && of.accepted > at.accepted {
            (at.accepted, at.value) = (of.accepted, of.value);
        }
        of.acks |= 1 << node;
        Some(())
    }

    fn next_stage(&self, state: &mut State) -> Option<()> {
        let of = &mut state.driver;
        let (target, removed) = match of.stage {
            0 => (C0, 0),
            1 => (C1, C0),
            2.. => return None,
        };
        if !self.members.covered(target, of.acks, Quorums::MAJORITY.both()) {
            return None;
        }
        of.acks = 0;
        of.stage += 1;
        of.map.remove(removed);
        if removed != 0 {
            (of.accepted, of.value) = (0, Log::default());
        }
        Some(())
    }
}

impl Model for Cas {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let map = Map::FIRST;
        vec![State {
            nodes: [Node { map, ..Node::default() }; NODES],
            proposers: [Proposer { map, ..Proposer::default() }; PROPOSERS],
            driver: Driver { map, ..Driver::default() },
            violated: false,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        if state.violated {
            return;
        }
        for (proposer, of) in state.proposers.iter().enumerate() {
            match of.progress {
                Progress::Idle => {
                    actions.extend([Action::Begin { proposer }, Action::Learn { proposer }]);
                }
                Progress::Preparing | Progress::Accepting => {
                    let members = self.members.of(of.contacted);
                    actions.extend(
                        each(members & !of.acks).map(|node| Action::Call { proposer, node }),
                    );
                    if self.members.covered(of.contacted, of.acks, Quorums::MAJORITY.both()) {
                        actions.push(Action::Fix { proposer });
                    }
                }
                Progress::Rejected if of.attempts < self.attempts_max => {
                    actions.push(Action::Begin { proposer });
                }
                Progress::Rejected | Progress::Done => {}
            }
        }
        actions.extend((0..NODES).map(|node| Action::Drive { node }));
        actions.push(Action::NextStage);
    }

    fn next_state(&self, before: &State, action: Action) -> Option<State> {
        let mut state = *before;
        match action {
            Action::Begin { proposer } => Self::begin(&mut state, proposer),
            Action::Call { proposer, node } => self.call(&mut state, proposer, node),
            Action::Fix { proposer } => self.fix(&mut state, proposer),
            Action::Drive { node } => self.drive(&mut state, node)?,
            Action::NextStage => self.next_stage(&mut state)?,
            Action::Learn { proposer } => {
                let map = state.driver.map;
                state.proposers[proposer].map.learn(map);
            }
        }
        (state != *before).then(|| self.smallest(state))
    }

    fn properties(&self) -> Vec<Property<Self>> {
        report::properties()
    }
}

impl Mechanism for Cas {
    fn is_violated(&self, state: &State) -> bool {
        state.violated
    }

    /// Both changes are done, and c0 is removed.
    fn is_ended(&self, state: &State) -> bool {
        state.proposers.iter().all(|of| of.progress == Progress::Done)
            && has(state.driver.map.removed(), 0)
    }

    fn canonical(&self, state: State) -> State {
        self.smallest(state)
    }

    fn with_own_names(&self) -> Self {
        Self { names: Vec::new(), ..self.clone() }
    }

    fn step(&self, before: &State, action: &Action) -> Step {
        let name = |proposer: usize| ["p", "q"][proposer];
        match *action {
            Action::Begin { proposer } => {
                let attempt = state_attempt(before, proposer);
                Step::alone(format!("{} begins attempt {attempt}", name(proposer)))
            }
            Action::Call { proposer, node } => {
                let verb = match before.proposers[proposer].progress {
                    Progress::Accepting => "asks to accept",
                    Progress::Idle | Progress::Preparing | Progress::Rejected | Progress::Done => {
                        "prepares"
                    }
                };
                Step::at(format!("{} {verb}", name(proposer)), node)
            }
            Action::Fix { proposer } => {
                let mut after = *before;
                self.fix(&mut after, proposer);
                let of = &after.proposers[proposer];
                let verb = if of.progress == Progress::Done { "ends with" } else { "proposes" };
                Step::alone(format!("{} {verb} {:?}", name(proposer), of.value))
            }
            Action::Drive { node } => {
                let verb = if before.driver.stage == 0 {
                    "informs and collects from"
                } else {
                    "pushes to"
                };
                Step::at(format!("D {verb}"), node)
            }
            Action::NextStage => {
                Step::alone(if before.driver.stage == 0 { "D goes on" } else { "D removes c0" })
            }
            Action::Learn { proposer } => Step::alone(format!("{} learns D's map", name(proposer))),
        }
    }
}

fn state_attempt(state: &State, proposer: usize) -> u8 {
    state.proposers[proposer].attempts + 1
}

fn sound(attempts_max: u8) -> Cas {
    let members = Members([0b0111, 0b1110, 0b1110]);
    Cas {
        on_discovery: OnDiscovery::PrepareAnew,
        operation_ids: OperationIds::Kept,
        attempts_max,
        members,
        names: renamings(&members.0),
    }
}

variants! { "cas":
    p0_prepared_anew_one_attempt: "§2", "P0 prepares anew, one attempt", Safe, sound(1);
    p1_accept_extended: "§2", "P1 extends the accept phase", Unsafe(21), Cas { on_discovery: OnDiscovery::ExtendAccept, ..sound(1) };
    p3_without_operation_ids: "§2", "P3 prepares anew, no operation ids", Unsafe(13), Cas { operation_ids: OperationIds::Absent, ..sound(2) };
}
