//! What a key does when operations come one at a time: the sequential specification of each class.

use std::{
    collections::{HashMap, HashSet},
    fmt::Debug,
    hash::Hash,
};

use foldhash::fast::FixedState;
use palco_rambo::Value;

use crate::history::{Asked, Change, Done, Operation, Shown};

/// A sequential specification. It looks at the values and versions of answers and never at their tags.
///
/// What it remembers of a history only spares steps that lead nowhere; it never admits one.
pub(super) trait Model: Sized {
    /// What the key holds.
    type State: Clone + Debug + Eq + Hash;

    /// Whether a change that no operation sees before the next change may be left out of any order.
    const UNSEEN_LEAVES_NO_TRACE: bool;

    /// For these operations of one key.
    fn of(operations: &[Operation<'_>]) -> Self;

    /// What is there before the first operation.
    fn initial(&self) -> Self::State;

    /// Whether an operation that changed nothing could have been told this here.
    fn explains(&self, state: &Self::State, asked: &Asked, told: &Done) -> bool;

    /// What is there after an operation that changed something and was told this, or `None` if it could not have been.
    fn changed(&self, state: &Self::State, asked: &Asked, told: &Done) -> Option<Self::State>;

    /// What is there after an operation of unknown outcome took effect here, or `None` if it would have none, or none
    /// that agrees with what others were told.
    fn happened(&self, state: &Self::State, asked: &Asked) -> Option<Self::State>;

    /// Up to which event an operation of unknown outcome, called at this one, can make a difference to another; `None`
    /// if it cannot.
    fn matters_until(&self, asked: &Asked, called: u32) -> Option<u32>;

    /// The state as people read it.
    fn show(state: &Self::State) -> String;
}

/// Reads, writes, deletes.
#[derive(Debug)]
pub(super) struct Register {
    /// For each value that was read the event at which the last such read ended.
    read: HashMap<Value, u32, FixedState>,
}

impl Model for Register {
    type State = Value;

    const UNSEEN_LEAVES_NO_TRACE: bool = true;

    fn of(operations: &[Operation<'_>]) -> Self {
        let mut read: HashMap<Value, u32, FixedState> = HashMap::default();
        for (event, done) in answers(operations) {
            if let Done::Read { value, .. } = done {
                let last = read.entry(value.clone()).or_insert(event);
                *last = event.max(*last);
            }
        }
        Self { read }
    }

    fn initial(&self) -> Value {
        None
    }

    fn explains(&self, state: &Value, asked: &Asked, told: &Done) -> bool {
        match (asked, told) {
            (Asked::Read, Done::Read { value, .. }) => value == state,
            (Asked::Read | Asked::Write(_) | Asked::Change(_), _) => false,
        }
    }

    fn changed(&self, _: &Value, asked: &Asked, told: &Done) -> Option<Value> {
        match (asked, told) {
            (Asked::Write(value), Done::Wrote { .. }) => Some(value.clone()),
            (Asked::Read | Asked::Write(_) | Asked::Change(_), _) => None,
        }
    }

    fn happened(&self, _: &Value, asked: &Asked) -> Option<Value> {
        match asked {
            Asked::Write(value) => Some(value.clone()),
            Asked::Read | Asked::Change(_) => None,
        }
    }

    fn matters_until(&self, asked: &Asked, called: u32) -> Option<u32> {
        match asked {
            Asked::Write(value) => self.read.get(value).copied().filter(|ended| *ended > called),
            Asked::Read | Asked::Change(_) => None,
        }
    }

    fn show(state: &Value) -> String {
        Shown(state).to_string()
    }
}

/// Reads and changes, with versions.
#[derive(Debug)]
pub(super) struct CasKey {
    /// What somebody was told that a version holds.
    told: HashMap<u64, Value, FixedState>,
    /// Versions that changes were told to have made: no change of unknown outcome made them.
    claimed: HashSet<u64, FixedState>,
    /// The highest version that somebody was told.
    highest: u64,
}

/// What a key of class `Cas` holds.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Versioned {
    version: u64,
    value: Value,
}

impl Versioned {
    fn is(&self, version: u64, value: &Value) -> bool {
        self.version == version && self.value == *value
    }

    /// After this change, `None` if it does not fit.
    fn after(&self, change: &Change) -> Option<Self> {
        let value = change.apply(self.version, &self.value)?;
        Some(Self { version: self.version.checked_add(1)?, value })
    }
}

impl Model for CasKey {
    type State = Versioned;

    const UNSEEN_LEAVES_NO_TRACE: bool = false;

    fn of(operations: &[Operation<'_>]) -> Self {
        let mut model = Self { told: HashMap::default(), claimed: HashSet::default(), highest: 0 };
        for (_, done) in answers(operations) {
            let (version, value) = match done {
                Done::Changed { version, value } => {
                    model.claimed.insert(*version);
                    (*version, value)
                }
                Done::Saw { version, value } | Done::Mismatch { version, value } => {
                    (*version, value)
                }
                Done::Read { .. } | Done::Wrote { .. } => continue,
            };
            model.highest = model.highest.max(version);
            model.told.entry(version).or_insert_with(|| value.clone());
        }
        model
    }

    fn initial(&self) -> Versioned {
        Versioned { version: 0, value: None }
    }

    fn explains(&self, state: &Versioned, asked: &Asked, told: &Done) -> bool {
        match (asked, told) {
            (Asked::Read, Done::Saw { version, value }) => state.is(*version, value),
            (Asked::Change(change), Done::Mismatch { version, value }) => {
                state.is(*version, value) && state.after(change).is_none()
            }
            (Asked::Read | Asked::Write(_) | Asked::Change(_), _) => false,
        }
    }

    fn changed(&self, state: &Versioned, asked: &Asked, told: &Done) -> Option<Versioned> {
        match (asked, told) {
            // The version is compared first: it is cheap and almost always tells.
            (Asked::Change(change), Done::Changed { version, value })
                if state.version.checked_add(1) == Some(*version) =>
            {
                state.after(change).filter(|after| after.value == *value)
            }
            (Asked::Read | Asked::Write(_) | Asked::Change(_), _) => None,
        }
    }

    fn happened(&self, state: &Versioned, asked: &Asked) -> Option<Versioned> {
        let Asked::Change(change) = asked else { return None };
        let version = state.version.checked_add(1)?;
        if version > self.highest || self.claimed.contains(&version) {
            return None;
        }
        let after = state.after(change)?;
        self.told.get(&version).is_none_or(|value| *value == after.value).then_some(after)
    }

    fn matters_until(&self, asked: &Asked, _: u32) -> Option<u32> {
        matches!(asked, Asked::Change(_)).then_some(u32::MAX)
    }

    fn show(state: &Versioned) -> String {
        format!("{} (version {})", Shown(&state.value), state.version)
    }
}

/// What was told, and at which event.
fn answers<'a>(operations: &[Operation<'a>]) -> impl Iterator<Item = (u32, &'a Done)> {
    operations.iter().filter_map(|operation| {
        let returned = operation.returned?;
        Some((returned.event, returned.outcome.done()?))
    })
}
