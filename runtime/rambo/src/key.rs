//! What a register is called, and what it holds.

use std::fmt;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// How a key may be changed. Part of the key itself, so that one name under two classes is two registers: a plain write
/// and a compare-and-swap can never meet on one register, which would lose the latter (RAMBO.md §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Class {
    /// Read and write, two rounds at most, without consensus.
    Register,
    /// Read and change by a function of what is there: one consensus per key (CASPaxos).
    Cas,
}

/// The name of a register.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Key {
    /// How it may be changed.
    pub class: Class,
    /// Any bytes, at most [`KEY_BYTES_MAX`].
    pub name: Bytes,
}

/// Bytes of a key's name, at most.
pub const KEY_BYTES_MAX: usize = 1024;

/// Bytes of a value, at most: 1 MiB.
pub const VALUE_BYTES_MAX: usize = 1 << 20;

impl Key {
    /// A key of class [`Class::Register`].
    #[must_use]
    pub fn register(name: impl Into<Bytes>) -> Self {
        Self { class: Class::Register, name: name.into() }
    }

    /// A key of class [`Class::Cas`].
    #[must_use]
    pub fn cas(name: impl Into<Bytes>) -> Self {
        Self { class: Class::Cas, name: name.into() }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.class == Class::Cas {
            f.write_str("cas:")?;
        }
        write!(f, "{}", self.name.escape_ascii())
    }
}

/// What a register holds: bytes, or nothing. Nothing with a tag above zero is a tombstone: it was deleted.
/// Tombstones stay for good (pitfall 20).
pub type Value = Option<Bytes>;

/// What a replica keeps for a key: the value and what it is ordered by. For keys of class [`Class::Cas`] the tag is the
/// ballot under which the value was accepted, and the value an encoded state with the operations it came from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Tagged {
    /// [`Tag::ZERO`](crate::Tag::ZERO) when never written.
    pub tag: crate::Tag,
    /// Nothing when never written or deleted.
    pub value: Value,
}
