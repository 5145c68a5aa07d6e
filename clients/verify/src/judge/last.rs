//! What a key must still hold long after its history was judged: what is kept of it, and how last reads are judged by it.

use std::collections::HashSet;

use palco_core::Time;
use palco_rambo::{Key, Value};
use palco_sim::floor::Height;
use palco_sim::history::{
    Asked, Change, ClientId, Done, History, Invocation, Operation, OperationId, Outcome,
};

use super::{done, is_open};

/// Whoever did all that came before.
const BEFORE: ClientId = ClientId(u32::MAX);

/// The highest that was answered of a key, and what may still happen to it.
#[derive(Clone, Debug)]
pub(crate) struct Last {
    pub(crate) key: Key,
    height: Height,
    value: Value,
    /// Operations of unknown outcome that nobody has seen the effect of.
    open: Vec<Asked>,
}

impl Last {
    /// Of each key of a complete history.
    pub(crate) fn of(history: &History) -> Vec<Self> {
        history
            .per_key()
            .into_iter()
            .map(|(key, operations)| Self::of_key(key, &operations))
            .collect()
    }

    fn of_key(key: &Key, operations: &[Operation<'_>]) -> Self {
        let (mut height, mut last) = (Height::lowest(key.class), None);
        let mut seen: HashSet<&Value> = HashSet::new();
        for operation in operations {
            let Some(done) = done(operation) else { continue };
            let (at, value) = match (done, &operation.invocation.asked) {
                (Done::Wrote { tag }, Asked::Write(value)) => (Height::Tag(*tag), value),
                (Done::Read { tag, value }, _) => (Height::Tag(*tag), value),
                (
                    Done::Saw { version, value }
                    | Done::Changed { version, value }
                    | Done::Mismatch { version, value },
                    _,
                ) => (Height::Version(*version), value),
                (Done::Wrote { .. }, Asked::Read | Asked::Change(_)) => continue,
            };
            seen.insert(value);
            if at >= height {
                (height, last) = (at, value.clone());
            }
        }
        let open = operations.iter().filter(|operation| is_open(operation));
        let open = open.map(|operation| &operation.invocation.asked).filter(|asked| match asked {
            Asked::Read => false,
            Asked::Write(value) => !seen.contains(value),
            Asked::Change(Change::Set(value)) => !seen.contains(&Some(value.clone())),
            Asked::Change(Change::Swap { value: value @ Some(_), .. }) => !seen.contains(value),
            Asked::Change(_) => true,
        });
        let open = open.cloned().collect();
        Self { key: key.clone(), height, value: last, open }
    }

    /// The beginning of a history in which reads of the key that are made now can be judged. Versions begin anew with 1,
    /// so that what came before needs no more than one change.
    pub(crate) fn begin(&self, at: Time) -> LastReads<'_> {
        let mut reads = LastReads { last: self, history: History::default() };
        let before = match self.height {
            height if height.is_lowest() => None,
            Height::Tag(tag) => Some((Asked::Write(self.value.clone()), Done::Wrote { tag })),
            Height::Version(_) => {
                let change = self.value.clone().map_or(Change::Delete, Change::Set);
                let done = Done::Changed { version: 1, value: self.value.clone() };
                Some((Asked::Change(change), done))
            }
        };
        if let Some((asked, done)) = before {
            let operation = reads.call(BEFORE, asked, at);
            reads.history.end(operation, at, Outcome::Done(done));
        }
        for asked in &self.open {
            let asked = match asked {
                Asked::Change(Change::Swap { expected, value }) => {
                    // Of a lower version: it can never happen any more.
                    let Some(expected) = reads.version(*expected) else { continue };
                    Asked::Change(Change::Swap { expected, value: value.clone() })
                }
                other => other.clone(),
            };
            let operation = reads.call(BEFORE, asked, at);
            reads.history.end(operation, at, Outcome::Unknown);
        }
        reads
    }
}

/// Reads of one key at the end of a run.
#[derive(Debug)]
pub(crate) struct LastReads<'a> {
    last: &'a Last,
    pub(crate) history: History,
}

impl LastReads<'_> {
    pub(crate) fn call(&mut self, client: ClientId, asked: Asked, at: Time) -> OperationId {
        self.history.call(Invocation { client, key: self.last.key.clone(), asked, at })
    }

    pub(crate) fn end(&mut self, read: OperationId, at: Time, done: Done) {
        let done = match done {
            // Below what was answered: as low as possible, so that the checkers object.
            Done::Saw { version, value } => {
                Done::Saw { version: self.version(version).unwrap_or_default(), value }
            }
            other => other,
        };
        self.history.end(read, at, Outcome::Done(done));
    }

    fn version(&self, version: u64) -> Option<u64> {
        match self.last.height {
            Height::Version(0) | Height::Tag(_) => Some(version),
            Height::Version(last) => (version + 1).checked_sub(last),
        }
    }
}
