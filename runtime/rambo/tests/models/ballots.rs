//! Competing ballots for configuration k+1: Paxos with prepare on a read quorum and accept on a write quorum of c_k
//! (RAMBO.md §1.3, §1.5, rule O3), while acceptors crash and come back with what they persisted.
//!
//! Messages are never taken from the network: a prepare or an accept that was sent can arrive at any time, again too.
//! A vote counts when it is cast, whether or not its proposer hears of it. Each ballot is a proposer of its own, which
//! allows more than real proposers do, who give one up before they begin the next.

use stateright::{Model, Property};

use crate::{
    map::{Set, each},
    report::{
        self,
        Expected::{Safe, Unsafe},
        Mechanism, variants,
    },
    symmetry::{Names, moved, renamed, renamings},
    told::{Step, node_letter},
};

const NODES: usize = 3;
const BALLOTS: usize = 4;
/// A proposer each, who proposes its own configuration.
const VALUES: usize = 3;

/// A ballot and the value accepted with it; without one, below every other.
type Accepted = Option<(u8, u8)>;

/// What an acceptor must not forget.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Vows {
    /// The largest ballot promised.
    promised: u8,
    accepted: Accepted,
}

/// An acceptor: what it knows, and what its disk knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Acceptor {
    now: Vows,
    durable: Vows,
}

/// What became of a ballot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Attempt {
    is_prepared: bool,
    promises: Set,
    /// What the promises said about values accepted before.
    found: Accepted,
    /// The values that were sent to be accepted: one, if all is well.
    proposed: Set,
    /// Who voted for each value.
    votes: [Set; VALUES],
}

/// Everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct State {
    acceptors: [Acceptor; NODES],
    attempts: [Attempt; BALLOTS],
    crashes: u8,
}

/// What can happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    /// A ballot begins.
    Prepare { ballot: usize },
    /// Its prepare reaches an acceptor.
    Promise { ballot: usize, node: usize },
    /// A value is sent to be accepted.
    Propose { ballot: usize, value: usize },
    /// It reaches an acceptor.
    Accept { ballot: usize, value: usize, node: usize },
    /// An acceptor crashes and comes back.
    Crash { node: usize },
}

/// The rule that is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flaw {
    None,
    /// A promise is given before it is on disk.
    PromiseNotDurable,
    /// A vote is cast before it is on disk.
    AcceptedNotDurable,
    /// The owner of ballot 0 crashes, forgets that it used it, and uses it for another value.
    BallotZeroTwice,
    /// An acceptor votes in a ballot below its promise.
    AcceptsBelowPromise,
    /// A proposer keeps its own value whatever the promises say.
    AdoptsNothing,
    /// A proposer adopts the value of the lowest ballot that it hears of.
    AdoptsLowest,
}

/// One variant.
#[derive(Clone, Debug)]
struct Ballots {
    flaw: Flaw,
    read_quorum: u32,
    write_quorum: u32,
    /// Whose each ballot is.
    owners: [usize; BALLOTS],
    ballots: usize,
    crashes_max: u8,
    names: Vec<Names<NODES>>,
}

impl Ballots {
    fn smallest(&self, state: State) -> State {
        let alike = self.names.iter().map(|names| {
            let mut other = state;
            other.acceptors = moved(state.acceptors, names);
            for attempt in &mut other.attempts {
                attempt.promises = renamed(attempt.promises, names);
                attempt.votes = attempt.votes.map(|votes| renamed(votes, names));
            }
            other
        });
        alike.chain([state]).min().unwrap_or(state)
    }

    /// The values that a ballot's owner may propose now.
    fn proposals(&self, state: &State, ballot: usize) -> Set {
        let attempt = &state.attempts[ballot];
        let own = 1 << self.owners[ballot];
        if ballot == 0 {
            return match (attempt.proposed, self.flaw) {
                (0, _) => own,
                (_, Flaw::BallotZeroTwice) => own | own << 1,
                (
                    _,
                    Flaw::None
                    | Flaw::PromiseNotDurable
                    | Flaw::AcceptedNotDurable
                    | Flaw::AcceptsBelowPromise
                    | Flaw::AdoptsNothing
                    | Flaw::AdoptsLowest,
                ) => 0,
            };
        }
        if attempt.proposed != 0 || attempt.promises.count_ones() < self.read_quorum {
            return 0;
        }
        match attempt.found {
            Some((_, value)) if self.flaw != Flaw::AdoptsNothing => 1 << value,
            Some(_) | None => own,
        }
    }

    fn promise(&self, state: &mut State, ballot: usize, node: usize) -> Option<()> {
        let (attempt, acceptor) = (&mut state.attempts[ballot], &mut state.acceptors[node]);
        let number = number(ballot);
        if number <= acceptor.now.promised {
            return None;
        }
        acceptor.now.promised = number;
        if self.flaw != Flaw::PromiseNotDurable {
            acceptor.durable.promised = number;
        }
        attempt.promises |= 1 << node;
        attempt.found = match (self.flaw, attempt.found, acceptor.now.accepted) {
            (Flaw::AdoptsLowest, Some(found), Some(accepted)) => Some(found.min(accepted)),
            (_, found, accepted) => found.max(accepted),
        };
        Some(())
    }

    fn accept(&self, state: &mut State, ballot: usize, value: usize, node: usize) -> Option<()> {
        let (attempt, acceptor) = (&mut state.attempts[ballot], &mut state.acceptors[node]);
        let number = number(ballot);
        if number < acceptor.now.promised && self.flaw != Flaw::AcceptsBelowPromise {
            return None;
        }
        let accepted = Some((number, u8::try_from(value).expect("there are few values")));
        acceptor.now = Vows { promised: acceptor.now.promised.max(number), accepted };
        acceptor.durable = match self.flaw {
            Flaw::AcceptedNotDurable => {
                Vows { promised: acceptor.now.promised, ..acceptor.durable }
            }
            Flaw::PromiseNotDurable => Vows { accepted, ..acceptor.durable },
            Flaw::None
            | Flaw::BallotZeroTwice
            | Flaw::AcceptsBelowPromise
            | Flaw::AdoptsNothing
            | Flaw::AdoptsLowest => acceptor.now,
        };
        attempt.votes[value] |= 1 << node;
        Some(())
    }

    /// The values that a write quorum voted for in one ballot.
    fn decided(&self, state: &State) -> Set {
        let mut decided = 0;
        for attempt in &state.attempts {
            for (value, votes) in attempt.votes.iter().enumerate() {
                if votes.count_ones() >= self.write_quorum {
                    decided |= 1 << value;
                }
            }
        }
        decided
    }
}

/// Ballots count from 0; nothing promised is 0 too, for ballot 0 needs no promise.
fn number(ballot: usize) -> u8 {
    u8::try_from(ballot).expect("there are few ballots")
}

impl Model for Ballots {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State {
            acceptors: [Acceptor::default(); NODES],
            attempts: [Attempt::default(); BALLOTS],
            crashes: 0,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        if self.is_violated(state) {
            return;
        }
        for ballot in 0..self.ballots {
            let attempt = &state.attempts[ballot];
            if ballot > 0 && !attempt.is_prepared {
                actions.push(Action::Prepare { ballot });
            }
            let proposals = each(self.proposals(state, ballot) & !attempt.proposed);
            actions.extend(proposals.map(|value| Action::Propose { ballot, value }));
            for node in 0..NODES {
                if attempt.is_prepared {
                    actions.push(Action::Promise { ballot, node });
                }
                let proposed = each(attempt.proposed);
                actions.extend(proposed.map(|value| Action::Accept { ballot, value, node }));
            }
        }
        if state.crashes < self.crashes_max {
            actions.extend((0..NODES).map(|node| Action::Crash { node }));
        }
    }

    fn next_state(&self, before: &State, action: Action) -> Option<State> {
        let mut state = *before;
        match action {
            Action::Prepare { ballot } => state.attempts[ballot].is_prepared = true,
            Action::Promise { ballot, node } => self.promise(&mut state, ballot, node)?,
            Action::Propose { ballot, value } => state.attempts[ballot].proposed |= 1 << value,
            Action::Accept { ballot, value, node } => {
                self.accept(&mut state, ballot, value, node)?;
            }
            Action::Crash { node } => {
                state.acceptors[node].now = state.acceptors[node].durable;
                state.crashes += 1;
            }
        }
        (state != *before).then(|| self.smallest(state))
    }

    fn properties(&self) -> Vec<Property<Self>> {
        report::properties()
    }
}

impl Mechanism for Ballots {
    fn is_violated(&self, state: &State) -> bool {
        self.decided(state).count_ones() > 1
    }

    /// A value that the last ballot's owner adopted was decided in it after it had been decided before, and an acceptor
    /// crashed on the way.
    fn is_ended(&self, state: &State) -> bool {
        let last = &state.attempts[self.ballots - 1];
        let adopted = last.proposed & !(1 << self.owners[self.ballots - 1]);
        let votes = each(adopted).map(|value| last.votes[value].count_ones());
        state.crashes == self.crashes_max && votes.max() >= Some(self.write_quorum)
    }

    fn canonical(&self, state: State) -> State {
        self.smallest(state)
    }

    fn with_own_names(&self) -> Self {
        Self { names: Vec::new(), ..self.clone() }
    }

    fn step(&self, _: &State, action: &Action) -> Step {
        let letter = |value: usize| node_letter(number(value));
        match *action {
            Action::Prepare { ballot } => Step::alone(format!("ballot {ballot} begins")),
            Action::Promise { ballot, node } => Step::at(format!("ballot {ballot} prepares"), node),
            Action::Propose { ballot, value } => {
                Step::alone(format!("ballot {ballot} proposes {}", letter(value)))
            }
            Action::Accept { ballot, value, node } => {
                Step::at(format!("{} accepted in {ballot} by", letter(value)), node)
            }
            Action::Crash { node } => Step::at("crash of", node),
        }
    }
}

/// Ballot 0 and one of each other proposer, majorities.
fn sound() -> Ballots {
    Ballots {
        flaw: Flaw::None,
        read_quorum: 2,
        write_quorum: 2,
        owners: [0, 1, 2, 0],
        ballots: 3,
        crashes_max: 1,
        names: renamings(&[0b111]),
    }
}

fn flawed(flaw: Flaw) -> Ballots {
    Ballots { flaw, ..sound() }
}

variants! { "ballots":
    three_proposers_decide_once: "§1.5", "three proposers, majorities", Safe, sound();
    two_proposers_with_four_ballots_decide_once: "§1.5", "two proposers, four ballots", Safe, Ballots { owners: [0, 1, 0, 1], ballots: 4, ..sound() };
    prepare_on_one_accept_on_all: "§1.3", "three proposers, R=1 W=3", Safe, Ballots { read_quorum: 1, write_quorum: 3, ..sound() };
    prepare_on_all_accept_on_one: "§1.3", "three proposers, R=3 W=1", Safe, Ballots { read_quorum: 3, write_quorum: 1, ..sound() };
    a_promise_that_is_not_durable: "§6, 5", "promise not durable", Unsafe(10), flawed(Flaw::PromiseNotDurable);
    a_vote_that_is_not_durable: "§6, 5", "accepted not durable", Unsafe(10), flawed(Flaw::AcceptedNotDurable);
    ballot_zero_used_twice: "§1.6, O3", "ballot 0 used twice", Unsafe(6), flawed(Flaw::BallotZeroTwice);
    a_vote_below_the_promise: "§1.5", "accepts below the promise", Unsafe(9), flawed(Flaw::AcceptsBelowPromise);
    a_proposer_that_adopts_nothing: "§1.5", "adopts nothing", Unsafe(9), flawed(Flaw::AdoptsNothing);
    a_proposer_that_adopts_the_lowest: "§1.5", "adopts the lowest accepted", Unsafe(14), Ballots { owners: [0, 1, 2, 0], ballots: 4, ..flawed(Flaw::AdoptsLowest) };
    quorums_that_do_not_meet: "§1.3", "R=1 W=2, which do not meet", Unsafe(8), Ballots { read_quorum: 1, ..flawed(Flaw::None) };
}
