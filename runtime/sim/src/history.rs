//! What clients asked and were told, in the order in which it happened.
//!
//! | file | what |
//! |---|---|
//! | `history/operation.rs` | [`Asked`], [`Change`], [`Done`], [`Outcome`]: one operation, and what a change does |
//! | `history/record.rs` | the rules by which events make a history |
//!
//! Knows nothing of replicas: what is here is all that a client could have written down.

mod operation;
mod record;

use std::{collections::HashMap, fmt};

use palco_core::Time;
use palco_rambo::Key;
use serde::{Deserialize, Serialize};

pub(crate) use operation::Shown;
pub use operation::{Asked, Change, Done, Outcome};
pub use record::Malformed;

/// Who asks. A client may have several operations under way.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct ClientId(pub u32);

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "c{}", self.0)
    }
}

/// Which operation of a history: they count from 0 in the order of their calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OperationId(pub u32);

/// An operation begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invocation {
    /// Who asks.
    pub client: ClientId,
    /// Of which register.
    pub key: Key,
    /// For what.
    pub asked: Asked,
    /// When.
    pub at: Time,
}

/// One thing that happened at the border between clients and registers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// An operation began. The n-th call of a history, from 0, is operation n.
    Call(Invocation),
    /// An operation ended.
    Return {
        /// Which.
        operation: OperationId,
        /// When.
        at: Time,
        /// How.
        outcome: Outcome,
    },
}

/// Calls and returns in the order in which they happened. The order of the events is what "before" means to the
/// checkers; times only tell people when it was.
///
/// Appending costs one push. Deserialising refuses what no run could have recorded: see [`Malformed`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Event>", into = "Vec<Event>")]
pub struct History {
    events: Vec<Event>,
    /// For each operation whether it ended.
    ended: Vec<bool>,
}

/// How an operation ended, and when.
#[derive(Clone, Copy, Debug)]
pub struct Return<'a> {
    /// Which event of the history this is.
    pub event: u32,
    /// When.
    pub at: Time,
    /// How.
    pub outcome: &'a Outcome,
}

/// An operation from call to return.
#[derive(Clone, Copy, Debug)]
pub struct Operation<'a> {
    /// Which.
    pub id: OperationId,
    /// Which event of the history its call is.
    pub event: u32,
    /// What was asked.
    pub invocation: &'a Invocation,
    /// Nothing when the history ends first, which tells the client as much as [`Outcome::Unknown`].
    pub returned: Option<Return<'a>>,
}

impl History {
    /// An operation begins now.
    ///
    /// # Panics
    ///
    /// After 2³¹ operations: nothing that long fits a memory.
    pub fn call(&mut self, invocation: Invocation) -> OperationId {
        assert!(self.ended.len() < 1 << 31, "a history of 2³¹ operations has no room for more");
        let id = OperationId(self.ended.len() as u32);
        self.ended.push(false);
        self.events.push(Event::Call(invocation));
        id
    }

    /// An operation ends now.
    ///
    /// # Panics
    ///
    /// When it was never called or has ended before: whoever records is wrong, and no verdict could be right.
    pub fn end(&mut self, operation: OperationId, at: Time, outcome: Outcome) {
        let ended = self.ended.get_mut(operation.0 as usize).expect("it was called");
        assert!(!*ended, "operation {} ends twice", operation.0);
        *ended = true;
        self.events.push(Event::Return { operation, at, outcome });
    }

    /// Everything that happened, in its order.
    #[must_use]
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// How many operations began.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ended.len()
    }

    /// Whether nothing began.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ended.is_empty()
    }

    /// All operations, in the order of their calls. Linear in the events.
    #[must_use]
    pub fn operations(&self) -> Vec<Operation<'_>> {
        let mut operations: Vec<Operation<'_>> = Vec::with_capacity(self.len());
        for (event, happened) in (0..).zip(&self.events) {
            match happened {
                Event::Call(invocation) => {
                    let id = OperationId(operations.len() as u32);
                    operations.push(Operation { id, event, invocation, returned: None });
                }
                Event::Return { operation, at, outcome } => {
                    let returned = Return { event, at: *at, outcome };
                    operations[operation.0 as usize].returned = Some(returned);
                }
            }
        }
        operations
    }

    /// The operations of each key, keys in the order in which they first appear, operations in that of their calls.
    /// Linear in the events.
    #[must_use]
    pub fn per_key(&self) -> Vec<(&Key, Vec<Operation<'_>>)> {
        let mut places: HashMap<&Key, usize> = HashMap::new();
        let mut keys: Vec<(&Key, Vec<Operation<'_>>)> = Vec::new();
        for operation in self.operations() {
            let key = &operation.invocation.key;
            let place = *places.entry(key).or_insert_with(|| {
                keys.push((key, Vec::new()));
                keys.len() - 1
            });
            keys[place].1.push(operation);
        }
        keys
    }
}

impl fmt::Display for Operation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Invocation { client, asked, at, .. } = self.invocation;
        write!(f, "{client} {asked}")?;
        match self.returned {
            Some(returned) => {
                write!(f, " → {} [{:?}, {:?}]", returned.outcome, since(*at), since(returned.at))
            }
            None => write!(f, " → no answer [{:?}, …]", since(*at)),
        }
    }
}

/// Times as people read them: from the start of the run.
fn since(at: Time) -> std::time::Duration {
    at - Time::START
}

#[cfg(test)]
mod tests;
