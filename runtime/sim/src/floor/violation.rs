//! What the floor objects to, in words.

use std::fmt;

use palco_core::Time;
use palco_rambo::{Class, Key, Tag, Value};

use crate::history::{Asked, Change, ClientId, Done, Shown};

/// What orders the values of a key. Those of one key are of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Height {
    /// Of a key of class `Register`.
    Tag(Tag),
    /// Of a key of class `Cas`.
    Version(u64),
}

impl Height {
    /// That of a key which was never written.
    #[must_use]
    pub fn lowest(class: Class) -> Self {
        match class {
            Class::Register => Self::Tag(Tag::ZERO),
            Class::Cas => Self::Version(0),
        }
    }

    /// Whether this is that of a key which was never written.
    #[must_use]
    pub fn is_lowest(self) -> bool {
        match self {
            Self::Tag(tag) => tag == Tag::ZERO,
            Self::Version(version) => version == 0,
        }
    }
}

impl fmt::Display for Height {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tag(tag) => write!(f, "tag {tag}"),
            Self::Version(version) => write!(f, "version {version}"),
        }
    }
}

/// A completed operation, by who asked and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Party {
    /// Who asked.
    pub client: ClientId,
    /// When it began.
    pub called: Time,
    /// When it ended.
    pub returned: Time,
}

impl fmt::Display for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [called, returned] = [self.called, self.returned].map(|at| at - Time::START);
        write!(f, "{} [{called:?}, {returned:?}]", self.client)
    }
}

/// A rule that an operation broke.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// An operation returned less than what was complete when it began; a write or change, not more.
    #[error(
        "key {key}: {by} asked `{asked}` and returned {height}, which is not {} {floor} of {}, completed before \
         (RAMBO.md §1.8, L3)",
        more(height, floor), whose(*floor_by)
    )]
    Below {
        /// Of which key.
        key: Key,
        /// Whose operation.
        by: Party,
        /// What it asked.
        asked: Asked,
        /// What it returned.
        height: Height,
        /// The floor when it began.
        floor: Height,
        /// Who completed there; nobody for the lowest.
        floor_by: Option<Party>,
    },
    /// A read returned another value than the one of its tag or version.
    #[error(
        "key {key}: {by} saw {} at {height}, where {} was written (RAMBO.md §1.8)",
        Shown(found),
        Shown(written)
    )]
    OtherValue {
        /// Of which key.
        key: Key,
        /// Who read.
        by: Party,
        /// At which tag or version.
        height: Height,
        /// What it returned.
        found: Value,
        /// What the tag or version is known to hold.
        written: Value,
    },
    /// Two writes, or two changes, have one tag or version.
    #[error(
        "key {key}: {height} was made twice: of {} by {}, of {} by {} (RAMBO.md §1.8, I4)",
        Shown(first), whose(*first_by), Shown(second), whose(*second_by)
    )]
    Shared {
        /// Of which key.
        key: Key,
        /// The tag or version.
        height: Height,
        /// One value.
        first: Value,
        /// Whose, if that operation completed.
        first_by: Option<Party>,
        /// The other value; the same when one of two operations repeats the other's.
        second: Value,
        /// Whose, if that operation completed.
        second_by: Option<Party>,
    },
    /// A read returned what only later was asked to be written.
    #[error(
        "key {key}: {reader} saw {height}, whose write by {writer} had not begun (RAMBO.md §1.8)"
    )]
    FromTheFuture {
        /// Of which key.
        key: Key,
        /// Who read.
        reader: Party,
        /// The tag or version.
        height: Height,
        /// Who wrote.
        writer: Party,
    },
    /// A read returned a tag that no write has.
    #[error("key {key}: {by} saw {height}, which no write was given (RAMBO.md §1.8)")]
    NeverIssued {
        /// Of which key.
        key: Key,
        /// Who read.
        by: Party,
        /// Which tag.
        height: Height,
    },
    /// A change did not begin with the value before it.
    #[error(
        "key {key}: {by} asked `{change}` and made {} of {} at version {version}: an update was lost or came twice \
         (RAMBO.md §2)",
        Shown(made),
        Shown(before)
    )]
    Lost {
        /// Of which key.
        key: Key,
        /// Who changed.
        by: Party,
        /// How.
        change: Change,
        /// The version that it made.
        version: u64,
        /// The value of the version before.
        before: Value,
        /// The value that it made.
        made: Value,
    },
    /// A key has more versions than there were changes: one took effect twice.
    #[error(
        "key {key}: version {version} after {changed} changes and {open} whose outcome is unknown: one came twice \
         (RAMBO.md §2)"
    )]
    MoreThanChanges {
        /// Of which key.
        key: Key,
        /// The highest version that an operation returned.
        version: u64,
        /// Changes that completed.
        changed: u64,
        /// Changes that may have taken effect.
        open: u64,
    },
    /// The answer is none to what was asked.
    #[error(
        "key {key}: {by} asked `{asked}`, and `{done}` cannot be the answer (RAMBO.md §1.8, §2)"
    )]
    Misfit {
        /// Of which key.
        key: Key,
        /// Who asked.
        by: Party,
        /// What.
        asked: Asked,
        /// What it was told.
        done: Done,
    },
}

fn more(height: &Height, floor: &Height) -> &'static str {
    if height < floor { "at least" } else { "above" }
}

/// A write that did not complete has no party.
fn whose(party: Option<Party>) -> String {
    party.map_or_else(|| "a write under way".to_owned(), |party| party.to_string())
}
