//! Whether a history could have been that of one register, found by search: knows nothing of tags.
//!
//! | file | what |
//! |---|---|
//! | `linearizability/model.rs` | what a key does when operations come one at a time |
//! | `linearizability/problem.rs` | the operations of a key as the search wants them |
//! | `linearizability/search.rs` | the search for an order |
//! | `linearizability/explanation.rs` | what is told when there is none |
//!
//! A history is judged key by key: objects that are linearizable are so together (Herlihy & Wing, Linearizability: A
//! Correctness Condition for Concurrent Objects, 1990, §3.3). For one key the search is that of Wing & Gong (Testing and
//! Verifying Concurrent Objects, 1993) with the memory of Lowe (Testing for Linearizability, 2017).

mod explanation;
mod model;
mod problem;
mod search;

use palco_rambo::{Class, Key};

use crate::history::{History, Operation};

pub use explanation::{Extent, Violation};
use model::{CasKey, Model, Register};
use problem::Problem;
use search::{Found, Search};

/// How far a search may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Steps of a search over one key, each the question whether one operation may come next. 20 million by default,
    /// about a second. Telling the smallest part of a history that breaks takes some searches more, each with this limit.
    pub steps_max: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { steps_max: 20_000_000 }
    }
}

/// What a search found out.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a history may be refused"]
pub enum Verdict {
    /// There is an order for each key.
    Linearizable,
    /// There is none for this key.
    Violated(Box<Violation>),
    /// The limit came first. Not a pass.
    Undecided {
        /// The first key it came for.
        key: Key,
        /// The limit.
        steps_max: u64,
    },
}

impl Verdict {
    /// # Panics
    ///
    /// With the whole explanation, unless there is an order: for tests, whose runs must be judged to the end.
    #[track_caller]
    pub fn expect_linearizable(self) {
        match self {
            Self::Linearizable => {}
            Self::Violated(violation) => panic!("{violation}"),
            Self::Undecided { key, steps_max } => {
                panic!(
                    "key {key}: undecided after {steps_max} steps; shorten the history or raise `steps_max`"
                )
            }
        }
    }
}

/// Judges all keys of a history. A violation of any key is found even if another key is undecided.
pub fn check(history: &History, limits: Limits) -> Verdict {
    let mut verdict = Verdict::Linearizable;
    for (key, operations) in history.per_key() {
        match (check_key(key, &operations, limits), &verdict) {
            (violated @ Verdict::Violated(_), _) => return violated,
            (undecided @ Verdict::Undecided { .. }, Verdict::Linearizable) => verdict = undecided,
            (Verdict::Linearizable | Verdict::Undecided { .. }, _) => {}
        }
    }
    verdict
}

/// Judges the operations of one key, which are in the order of their calls.
pub fn check_key(key: &Key, operations: &[Operation<'_>], limits: Limits) -> Verdict {
    match key.class {
        Class::Register => judge::<Register>(key, operations, limits),
        Class::Cas => judge::<CasKey>(key, operations, limits),
    }
}

fn judge<M: Model>(key: &Key, operations: &[Operation<'_>], limits: Limits) -> Verdict {
    match find::<M>(operations, limits) {
        Found::Order => Verdict::Linearizable,
        Found::Limit => Verdict::Undecided { key: key.clone(), steps_max: limits.steps_max },
        Found::None(dead_end) => {
            let violation = explanation::explain::<M>(key, operations, &dead_end, limits);
            Verdict::Violated(Box::new(violation))
        }
    }
}

fn find<M: Model>(operations: &[Operation<'_>], limits: Limits) -> Found {
    let model = M::of(operations);
    let problem = Problem::new(operations, &model);
    Search::new(&problem, &model).run(limits)
}
