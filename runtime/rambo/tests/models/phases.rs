//! Stale phase numbers (RAMBO.md §1.2, §1.5, pitfalls 1, 2 and 7): one coordinator that crashes and comes back in its next
//! boot, over a network that keeps every message, so that any can arrive at any time, again, in any order, or never.
//!
//! Replicas do not crash here. Tags stand for values: two writes with one tag are a violation by themselves.

mod told;
pub(crate) mod variants;
mod wire;

use stateright::{Model, Property};

use crate::{
    map::{Set, each},
    report::{self, Mechanism},
    symmetry::{Names, moved, renamed},
    told::Step,
};
use wire::{Label, PhaseTag, TagSet};

const NODES: usize = 3;
const MAJORITY: u32 = 2;
/// Operations of a run, at most.
const OPERATIONS: usize = 3;
/// Each has a query and a propagation.
const PHASES: usize = 2 * OPERATIONS;

/// What an operation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Write,
    Read,
}

/// How far an operation is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Progress {
    #[default]
    Waiting,
    Querying,
    Propagating,
    Done,
    /// Its coordinator crashed: the outcome is unknown.
    Abandoned,
}

/// An operation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Operation {
    progress: Progress,
    /// The nodes whose acknowledgements count in this phase.
    acks: Set,
    /// The largest tag that the query found; then what is propagated.
    tag: PhaseTag,
    /// The largest tag of a completed operation when this one began.
    floor: PhaseTag,
}

/// The coordinator: what it forgets in a crash, but for `boot`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Coordinator {
    boot: u8,
    /// Phases begun in this boot.
    phases: u8,
    /// Tags made in this boot.
    writes: u8,
}

/// Everything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct State {
    replicas: [PhaseTag; NODES],
    coordinator: Coordinator,
    operations: [Operation; OPERATIONS],
    /// The number that each phase was sent with.
    labels: [Option<Label>; PHASES],
    /// What each node has answered in each phase.
    replies: [[TagSet; NODES]; PHASES],
    floor: PhaseTag,
    violated: bool,
}

/// What can happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    Begin {
        operation: usize,
    },
    /// A request arrives, whether or not it did before.
    Deliver {
        phase: usize,
        node: usize,
    },
    /// A reply arrives, whether or not it did before, at an operation that takes it for its own.
    Hear {
        operation: usize,
        phase: usize,
        node: usize,
        tag: PhaseTag,
    },
    /// A phase has its quorum.
    Fix {
        operation: usize,
    },
    /// The coordinator crashes and comes back.
    Crash,
}

/// The rule that is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flaw {
    None,
    /// An acknowledgement counts whatever phase it is for.
    AnyPhase,
    /// An acknowledgement counts whatever boot it is for.
    AnyBoot,
    /// Tags do not say in which boot they were made.
    TagsWithoutBoot,
    /// Tags do not say which of the boot's writes made them.
    TagsWithoutCount,
}

/// One variant.
#[derive(Clone, Debug)]
struct Phases {
    flaw: Flaw,
    operations: &'static [Kind],
    /// Replicas, of which [`MAJORITY`] are needed.
    nodes: usize,
    /// Operations under way together.
    alive_max: usize,
    crashes_max: u8,
    names: Vec<Names<NODES>>,
}

impl Phases {
    fn smallest(&self, state: State) -> State {
        let alike = self.names.iter().map(|names| {
            let mut other = state;
            other.replicas = moved(state.replicas, names);
            for operation in &mut other.operations {
                operation.acks = renamed(operation.acks, names);
            }
            other.replies = state.replies.map(|replies| moved(replies, names));
            other
        });
        alike.chain([state]).min().unwrap_or(state)
    }

    /// The phase that an operation is in.
    fn phase(state: &State, operation: usize) -> Option<usize> {
        match state.operations[operation].progress {
            Progress::Querying => Some(2 * operation),
            Progress::Propagating => Some(2 * operation + 1),
            Progress::Waiting | Progress::Done | Progress::Abandoned => None,
        }
    }

    fn may_begin(&self, state: &State, operation: usize) -> bool {
        let is_next = |at: usize| state.operations[at].progress != Progress::Waiting;
        let alive = (0..OPERATIONS).filter(|&at| Self::phase(state, at).is_some()).count();
        state.operations[operation].progress == Progress::Waiting
            && (0..operation).all(is_next)
            && alive < self.alive_max
    }

    /// Whether an operation in one phase counts what was sent for another, or for the same.
    fn counts(&self, state: &State, open: usize, sent: usize) -> bool {
        let (open, sent) = (state.labels[open], state.labels[sent]);
        match self.flaw {
            Flaw::None | Flaw::TagsWithoutBoot | Flaw::TagsWithoutCount => open == sent,
            Flaw::AnyPhase => true,
            Flaw::AnyBoot => open.map(|label| label.phase) == sent.map(|label| label.phase),
        }
    }

    /// A phase begins: it has a number that no other has.
    fn begin_phase(state: &mut State, operation: usize) {
        state.coordinator.phases += 1;
        let Coordinator { boot, phases: phase, .. } = state.coordinator;
        state.operations[operation].acks = 0;
        let at = Self::phase(state, operation).expect("an operation that begins a phase is in it");
        state.labels[at] = Some(Label { boot, phase });
    }

    fn fix(&self, state: &mut State, operation: usize) {
        let kind = self.operations[operation];
        let of = state.operations[operation];
        if of.progress == Progress::Propagating {
            let allowed = match kind {
                Kind::Write => of.tag > of.floor,
                Kind::Read => of.tag >= of.floor,
            };
            state.violated |= !allowed;
            state.floor = state.floor.max(of.tag);
            let tag = of.tag;
            state.operations[operation] =
                Operation { progress: Progress::Done, tag, ..Operation::default() };
            return;
        }
        let tag = match kind {
            Kind::Read => of.tag,
            Kind::Write => self.mint(state, of.tag),
        };
        let is_taken = (0..self.operations.len()).any(|other| {
            other != operation
                && self.operations[other] == Kind::Write
                && state.labels[2 * other + 1].is_some()
                && state.operations[other].tag == tag
        });
        state.violated |= kind == Kind::Write && is_taken;
        let of = &mut state.operations[operation];
        (of.tag, of.progress) = (tag, Progress::Propagating);
        Self::begin_phase(state, operation);
    }

    /// A tag above what a query found.
    fn mint(&self, state: &mut State, found: PhaseTag) -> PhaseTag {
        let Coordinator { boot, writes, .. } = state.coordinator;
        state.coordinator.writes += 1;
        match self.flaw {
            Flaw::None | Flaw::AnyPhase | Flaw::AnyBoot => found.next(boot, writes),
            Flaw::TagsWithoutBoot => found.next(0, writes),
            Flaw::TagsWithoutCount => found.next(boot, 0),
        }
    }
}

impl Model for Phases {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State::default()]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        if state.violated {
            return;
        }
        for operation in 0..self.operations.len() {
            if self.may_begin(state, operation) {
                actions.push(Action::Begin { operation });
            }
            let Some(open) = Self::phase(state, operation) else { continue };
            if state.operations[operation].acks.count_ones() >= MAJORITY {
                actions.push(Action::Fix { operation });
            }
            for phase in (0..PHASES).filter(|&sent| self.counts(state, open, sent)) {
                for node in 0..self.nodes {
                    let tags = state.replies[phase][node].iter();
                    actions.extend(tags.map(|tag| Action::Hear { operation, phase, node, tag }));
                }
            }
        }
        for phase in (0..PHASES).filter(|&phase| state.labels[phase].is_some()) {
            actions.extend((0..self.nodes).map(|node| Action::Deliver { phase, node }));
        }
        if state.coordinator.boot < self.crashes_max {
            actions.push(Action::Crash);
        }
    }

    fn next_state(&self, before: &State, action: Action) -> Option<State> {
        let mut state = *before;
        match action {
            Action::Begin { operation } => {
                let of = &mut state.operations[operation];
                (of.progress, of.floor) = (Progress::Querying, before.floor);
                Self::begin_phase(&mut state, operation);
            }
            Action::Deliver { phase, node } => {
                let at = &mut state.replicas[node];
                if phase % 2 == 1 {
                    *at = (*at).max(state.operations[phase / 2].tag);
                }
                state.replies[phase][node].insert(*at);
            }
            Action::Hear { operation, node, tag, .. } => {
                let of = &mut state.operations[operation];
                of.acks |= 1 << node;
                if of.progress == Progress::Querying {
                    of.tag = of.tag.max(tag);
                }
            }
            Action::Fix { operation } => self.fix(&mut state, operation),
            Action::Crash => {
                state.coordinator =
                    Coordinator { boot: before.coordinator.boot + 1, ..Coordinator::default() };
                for at in each(0b111).filter(|&at| Self::phase(before, at).is_some()) {
                    let of = &mut state.operations[at];
                    let tag = of.tag;
                    *of = Operation { progress: Progress::Abandoned, tag, ..Operation::default() };
                }
            }
        }
        (state != *before).then(|| self.smallest(state))
    }

    fn properties(&self) -> Vec<Property<Self>> {
        report::properties()
    }
}

impl Mechanism for Phases {
    fn is_violated(&self, state: &State) -> bool {
        state.violated
    }

    /// An operation was abandoned in each crash, while its messages were about, and the last one is done.
    fn is_ended(&self, state: &State) -> bool {
        let operations = &state.operations[..self.operations.len()];
        let abandoned = operations.iter().filter(|of| of.progress == Progress::Abandoned).count();
        abandoned == usize::from(self.crashes_max)
            && operations.last().is_some_and(|of| of.progress == Progress::Done)
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
