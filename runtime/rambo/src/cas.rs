//! What a key of class cas holds, and how a change makes the next state of it (CASPaxos: the function in the middle).

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::key::VALUE_BYTES_MAX;
use crate::{Change, OperationId, Value, Versioned};

/// Bytes of the value of a key of class cas, at most: the state around it fits into a value too.
pub const CAS_VALUE_BYTES_MAX: usize = VALUE_BYTES_MAX - 4096;

/// Clients whose last change a key remembers.
pub const CLIENTS_MAX: usize = 32;

/// The state: stored as the value of the key, under the ballot it was accepted with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct State {
    /// Changes that were applied.
    pub version: u64,
    /// What they left.
    pub value: Value,
    /// The last change of each of the last [`CLIENTS_MAX`] clients: what is tried again is applied once.
    pub applied: Vec<Applied>,
    /// The version of the last change that is no longer among them.
    pub forgotten: u64,
}

/// A change that was applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Applied {
    /// Which.
    pub id: OperationId,
    /// The version it made.
    pub version: u64,
    /// The number that [`Change::Add`] made, the length that [`Change::Append`] made, else 0.
    pub result: i64,
}

/// What a change does to a state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Applying {
    /// This is the next state.
    Next(State),
    /// It was applied before.
    Before(Applied),
    /// It cannot be told whether it was.
    Forgotten,
    /// The comparison fails.
    Mismatch,
    /// It cannot be applied to what is there.
    Inapplicable,
}

impl State {
    /// From the value of a key; nothing is the state before the first change.
    ///
    /// # Errors
    /// Bytes that no participant of this release stores.
    pub fn decode(value: Option<&Bytes>) -> Result<Self, postcard::Error> {
        value.map_or_else(|| Ok(Self::default()), |bytes| postcard::from_bytes(bytes))
    }

    /// As the value of a key.
    pub(crate) fn encode(&self) -> Value {
        Some(
            postcard::to_extend(self, Vec::new())
                .expect("a state has no part that cannot be written")
                .into(),
        )
    }

    /// What a client is told.
    #[must_use]
    pub fn versioned(&self) -> Versioned {
        Versioned { version: self.version, value: self.value.clone() }
    }

    /// The state after a change that was first asked for when the key had the version `tried`, or is new.
    pub(crate) fn apply(&self, change: &Change, id: OperationId, tried: Option<u64>) -> Applying {
        match self.applied.iter().find(|applied| applied.id.client == id.client) {
            Some(&applied) if applied.id.number == id.number => return Applying::Before(applied),
            // Of a client's changes only the last is kept.
            Some(applied) if applied.id.number > id.number => return Applying::Forgotten,
            Some(_) => {}
            None if tried.is_some_and(|version| version < self.forgotten) => {
                return Applying::Forgotten;
            }
            None => {}
        }
        let (value, result) = match change {
            Change::Set(value) => (value.clone(), 0),
            Change::CompareAndSwap { expected, value } if *expected == self.version => {
                (value.clone(), 0)
            }
            Change::CompareAndSwap { .. } => return Applying::Mismatch,
            Change::Append(more) => {
                let old = self.value.as_deref().unwrap_or_default();
                if old.len() + more.len() > CAS_VALUE_BYTES_MAX {
                    return Applying::Inapplicable;
                }
                let joined = [old, more].concat();
                let length = joined.len() as i64;
                (Some(joined.into()), length)
            }
            Change::Add(more) => {
                let old = self.value.as_deref().unwrap_or(b"0");
                let number =
                    std::str::from_utf8(old).ok().and_then(|text| text.parse::<i64>().ok());
                match number.and_then(|number| number.checked_add(*more)) {
                    Some(sum) => (Some(sum.to_string().into()), sum),
                    None => return Applying::Inapplicable,
                }
            }
        };
        let version = self.version + 1;
        let mut next = Self { version, value, ..self.clone() };
        next.remember(Applied { id, version, result });
        Applying::Next(next)
    }

    fn remember(&mut self, applied: Applied) {
        self.applied.retain(|other| other.id.client != applied.id.client);
        if self.applied.len() >= CLIENTS_MAX {
            // In the order of their versions: the first is the oldest.
            self.forgotten = self.applied.remove(0).version;
        }
        self.applied.push(applied);
    }
}
