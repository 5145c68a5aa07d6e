//! The search for an order: Wing & Gong's, with Lowe's memory of where it has been.
//!
//! An order grows from its beginning. Next may come whoever was called before the first return among those that are not
//! in the order yet. Where two ways lead to the same set of operations and the same state, the second is not followed.
//! Deviations from the papers, each of which leaves the verdict as it is:
//!
//! * An operation that changes nothing and fits comes at once and is never taken back: any order that has it later may
//!   have it here, for it was called already and nobody notices.
//! * An operation of unknown outcome may come next or never; the order is complete without it. A write that nobody sees
//!   before the next one leaves no trace, so such a write is only taken when a read waits for its value.
//! * A set is remembered by the first return outside it and by what it holds beyond that. Its size is that of the
//!   concurrency: long histories need no cutting at the points where nothing is under way, since all ways through such a
//!   point that agree in state are one.

use std::collections::HashSet;

use foldhash::fast::FixedState;

use super::{
    Limits,
    model::Model,
    problem::{Completed, Problem},
};
use crate::history::OperationId;

/// How a search ended.
#[derive(Debug)]
pub(super) enum Found {
    /// There is an order.
    Order,
    /// There is none.
    None(DeadEnd),
    /// The limit came first.
    Limit,
}

/// The way that came furthest.
#[derive(Clone, Debug, Default)]
pub(super) struct DeadEnd {
    /// How many returns it explained: all with a lower rank.
    pub(super) explained: u32,
    /// The order that does it.
    pub(super) order: Vec<Taken>,
}

/// An operation that is in the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// Index among the completed ones.
    Completed(u32),
    /// Index of those that ask the same, and which of them.
    Unknown(u32, u32),
}

impl Taken {
    pub(super) fn id(self, problem: &Problem<'_>) -> OperationId {
        match self {
            Self::Completed(operation) => problem.completed[operation as usize].id,
            Self::Unknown(group, n) => problem.unknowns[group as usize].calls[n as usize].0,
        }
    }
}

/// A place from which several ways lead on.
#[derive(Debug)]
struct Fork<S> {
    /// Length of the order here.
    length: usize,
    first: u32,
    ahead: Vec<u32>,
    state: S,
    next: Next,
}

/// The way to try next: completed operations first, since the others need not come at all.
#[derive(Clone, Copy, Debug)]
enum Next {
    Completed(u32),
    Unknown(u32),
}

#[derive(Debug)]
pub(super) struct Search<'p, M: Model> {
    problem: &'p Problem<'p>,
    model: &'p M,
    waiting: Waiting,
    /// The lowest rank outside the order.
    first: u32,
    /// The ranks above `first` inside the order, ascending.
    ahead: Vec<u32>,
    /// How many of each group of unknown outcome are inside.
    used: Vec<u32>,
    state: M::State,
    order: Vec<Taken>,
    forks: Vec<Fork<M::State>>,
    visited: HashSet<(Box<[u32]>, M::State), FixedState>,
    furthest: DeadEnd,
    /// How much of `furthest.order` is also the beginning of `order`: spares copying it.
    shared: usize,
    steps: u64,
}

impl<'p, M: Model> Search<'p, M> {
    pub(super) fn new(problem: &'p Problem<'p>, model: &'p M) -> Self {
        Self {
            problem,
            model,
            waiting: Waiting::new(problem.completed.len()),
            first: 0,
            ahead: Vec::new(),
            used: vec![0; problem.unknowns.len()],
            state: model.initial(),
            order: Vec::new(),
            forks: Vec::new(),
            visited: HashSet::default(),
            furthest: DeadEnd::default(),
            shared: 0,
            steps: 0,
        }
    }

    pub(super) fn run(mut self, limits: Limits) -> Found {
        loop {
            self.take_all_that_fit();
            if self.first as usize == self.problem.returns.len() {
                return Found::Order;
            }
            if self.visited.insert((self.place(), self.state.clone())) {
                self.forks.push(Fork {
                    length: self.order.len(),
                    first: self.first,
                    ahead: self.ahead.clone(),
                    state: self.state.clone(),
                    next: Next::Completed(self.waiting.first()),
                });
            }
            self.compare_with_furthest();
            if !self.take_another_way(limits) {
                return if self.steps > limits.steps_max {
                    Found::Limit
                } else {
                    Found::None(self.furthest)
                };
            }
        }
    }

    /// Takes the operations that change nothing and fit the state.
    fn take_all_that_fit(&mut self) {
        let mut operation = self.waiting.first();
        while let Some(completed) = self.candidate(operation) {
            let following = self.waiting.after(operation);
            if completed.told.left_unchanged() {
                self.steps += 1;
                if self.model.explains(&self.state, completed.asked, completed.told) {
                    self.take(operation);
                }
            }
            operation = following;
        }
    }

    /// Goes on from the last fork that has a way left; `false` when there is none, or the limit came.
    fn take_another_way(&mut self, limits: Limits) -> bool {
        while let Some(mut fork) = self.forks.pop() {
            self.go_back_to(&fork);
            while let Some((next, following)) = self.way(fork.next) {
                fork.next = following;
                self.steps += 1;
                if self.steps > limits.steps_max {
                    return false;
                }
                if let Some(state) = self.state_after(next) {
                    match next {
                        Next::Completed(operation) => self.take(operation),
                        Next::Unknown(group) => {
                            let used = &mut self.used[group as usize];
                            self.order.push(Taken::Unknown(group, *used));
                            *used += 1;
                        }
                    }
                    self.state = state;
                    self.forks.push(fork);
                    return true;
                }
            }
        }
        false
    }

    /// The first way from here on, and where to look for the one after it.
    fn way(&self, from: Next) -> Option<(Next, Next)> {
        let group = match from {
            Next::Completed(operation) if self.candidate(operation).is_some() => {
                return Some((from, Next::Completed(self.waiting.after(operation))));
            }
            Next::Completed(_) => 0,
            Next::Unknown(group) => group,
        };
        let deadline = self.problem.deadline(self.first);
        let mattering = self.problem.mattering(self.first);
        let group = (group.max(mattering.start)..mattering.end).find(|group| {
            let calls = &self.problem.unknowns[*group as usize].calls;
            let next = calls.get(self.used[*group as usize] as usize);
            next.is_some_and(|(_, called)| *called < deadline)
        })?;
        Some((Next::Unknown(group), Next::Unknown(group + 1)))
    }

    fn state_after(&self, next: Next) -> Option<M::State> {
        match next {
            Next::Completed(operation) => {
                let completed = &self.problem.completed[operation as usize];
                if completed.told.left_unchanged() {
                    return None;
                }
                self.model.changed(&self.state, completed.asked, completed.told)
            }
            Next::Unknown(group) => {
                let asked = self.problem.unknowns[group as usize].asked;
                let state = self.model.happened(&self.state, asked)?;
                (!M::UNSEEN_LEAVES_NO_TRACE || self.is_awaited(&state)).then_some(state)
            }
        }
    }

    /// Whether an operation that changes nothing would fit this state now.
    fn is_awaited(&self, state: &M::State) -> bool {
        let mut operation = self.waiting.first();
        while let Some(completed) = self.candidate(operation) {
            if completed.told.left_unchanged()
                && self.model.explains(state, completed.asked, completed.told)
            {
                return true;
            }
            operation = self.waiting.after(operation);
        }
        false
    }

    /// The waiting operation, if there is one and it may come next.
    fn candidate(&self, operation: u32) -> Option<&'p Completed<'p>> {
        let completed = self.problem.completed.get(operation as usize)?;
        (completed.called < self.problem.deadline(self.first)).then_some(completed)
    }

    fn take(&mut self, operation: u32) {
        self.waiting.remove(operation);
        self.order.push(Taken::Completed(operation));
        let rank = self.problem.completed[operation as usize].rank;
        if rank != self.first {
            let place = self.ahead.partition_point(|ahead| *ahead < rank);
            self.ahead.insert(place, rank);
            return;
        }
        let reached = (self.first + 1..).zip(&self.ahead).take_while(|(a, b)| a == *b).count();
        self.ahead.drain(..reached);
        self.first += 1 + reached as u32;
    }

    fn go_back_to(&mut self, fork: &Fork<M::State>) {
        if self.order.len() == fork.length {
            return;
        }
        for taken in self.order.drain(fork.length..).rev() {
            match taken {
                Taken::Completed(operation) => self.waiting.put_back(operation),
                Taken::Unknown(group, _) => self.used[group as usize] -= 1,
            }
        }
        self.shared = self.shared.min(fork.length);
        self.first = fork.first;
        self.ahead.clone_from(&fork.ahead);
        self.state = fork.state.clone();
    }

    /// The set of operations in the order, as short as it can be said.
    fn place(&self) -> Box<[u32]> {
        let mattering = self.problem.mattering(self.first);
        let used = mattering.map(|group| [group, self.used[group as usize]]);
        let used = used.filter(|[_, used]| *used > 0).flatten();
        [self.first, self.ahead.len() as u32]
            .into_iter()
            .chain(self.ahead.iter().copied())
            .chain(used)
            .collect()
    }

    fn compare_with_furthest(&mut self) {
        let here = (self.first, self.order.len());
        if here > (self.furthest.explained, self.furthest.order.len()) {
            self.furthest.explained = self.first;
            self.furthest.order.truncate(self.shared);
            self.furthest.order.extend_from_slice(&self.order[self.shared..]);
            self.shared = self.order.len();
        }
    }
}

/// The completed operations outside the order, in the order of their calls: a list in which who was removed last can be
/// put back (Knuth, Dancing Links, 2000).
#[derive(Debug)]
struct Waiting {
    /// For each operation the one after it; the last entry is the border, which is before the first and after the last.
    after: Vec<u32>,
    before: Vec<u32>,
}

impl Waiting {
    fn new(operations: usize) -> Self {
        let border = operations as u32;
        let after = (1..=border).chain([0]).collect();
        let before = std::iter::once(border).chain(0..border).collect();
        Self { after, before }
    }

    /// The first, or a number that is no operation's.
    fn first(&self) -> u32 {
        self.after[self.after.len() - 1]
    }

    /// The one behind this, or a number that is no operation's.
    fn after(&self, operation: u32) -> u32 {
        self.after[operation as usize]
    }

    fn remove(&mut self, operation: u32) {
        let (before, after) = (self.before[operation as usize], self.after[operation as usize]);
        self.after[before as usize] = after;
        self.before[after as usize] = before;
    }

    fn put_back(&mut self, operation: u32) {
        let (before, after) = (self.before[operation as usize], self.after[operation as usize]);
        self.after[before as usize] = operation;
        self.before[after as usize] = operation;
    }
}
