//! One operation: what is asked, how it ends, and what a change does to what is there.

use std::fmt;

use bytes::Bytes;
use palco_rambo::{Tag, Value};
use serde::{Deserialize, Serialize};

/// What a client wants of a key.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Asked {
    /// To know what it holds. Both classes.
    Read,
    /// That it holds this, whatever it held; nothing is a delete. Keys of class `Register` only.
    Write(Value),
    /// That it changes by what it holds. Keys of class `Cas` only.
    Change(Change),
}

/// A change of a key of class `Cas`. What takes effect raises the key's version by one, also when the value stays the
/// same; the version of a key that was never changed is 0.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Change {
    /// To this value, if the version is this one.
    Swap {
        /// 0 if the key must never have been changed.
        expected: u64,
        /// Nothing is a delete.
        value: Value,
    },
    /// By these bytes at the end. Nothing counts as no bytes.
    Append(Bytes),
    /// By this number. The value is a decimal `i64` in ASCII; nothing counts as 0.
    Add(i64),
    /// To this value, whatever the version.
    Set(Bytes),
    /// To nothing, whatever the version.
    Delete,
}

impl Change {
    /// What is there after this change of `value` at `version`; `None` if it does not fit what is there and therefore
    /// changes nothing: another version, no number, a sum beyond `i64`.
    #[must_use]
    pub fn apply(&self, version: u64, value: &Value) -> Option<Value> {
        match self {
            Self::Swap { expected, value } => (*expected == version).then(|| value.clone()),
            Self::Append(more) => {
                let present = value.as_deref().unwrap_or_default();
                Some(Some(Bytes::from([present, more].concat())))
            }
            Self::Add(number) => {
                let present = match value {
                    Some(text) => std::str::from_utf8(text).ok()?.parse::<i64>().ok()?,
                    None => 0,
                };
                Some(Some(Bytes::from(present.checked_add(*number)?.to_string())))
            }
            Self::Set(value) => Some(Some(value.clone())),
            Self::Delete => Some(None),
        }
    }
}

/// What a completed operation told its client.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Done {
    /// A register was read.
    Read {
        /// `Tag::ZERO` when it was never written.
        tag: Tag,
        /// What it holds.
        value: Value,
    },
    /// A register was written.
    Wrote {
        /// The tag of what was written.
        tag: Tag,
    },
    /// A key of class `Cas` was read.
    Saw {
        /// 0 when it was never changed.
        version: u64,
        /// What it holds.
        value: Value,
    },
    /// The change took effect.
    Changed {
        /// The version that the change made.
        version: u64,
        /// What the key holds by it.
        value: Value,
    },
    /// The change did not fit what was there, and changed nothing.
    Mismatch {
        /// The version that was there.
        version: u64,
        /// What was there.
        value: Value,
    },
}

impl Done {
    /// Whether the key was left as it was.
    #[must_use]
    pub fn left_unchanged(&self) -> bool {
        match self {
            Self::Read { .. } | Self::Saw { .. } | Self::Mismatch { .. } => true,
            Self::Wrote { .. } | Self::Changed { .. } => false,
        }
    }
}

/// How an operation ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// It took effect between call and return, and this is what it found.
    Done(Done),
    /// It did not happen and never will.
    Failed,
    /// It may have happened, and may still happen at any later time, once at most.
    Unknown,
}

impl Outcome {
    /// What the client was told, if it was told anything.
    #[must_use]
    pub fn done(&self) -> Option<&Done> {
        match self {
            Self::Done(done) => Some(done),
            Self::Failed | Self::Unknown => None,
        }
    }
}

/// A value as people read it, shortened.
pub(crate) struct Shown<'a>(pub(crate) &'a Value);

/// Bytes of a value in a message, at most.
const SHOWN_BYTES_MAX: usize = 64;

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(value) = self.0 else { return f.write_str("nothing") };
        match value.get(..SHOWN_BYTES_MAX) {
            Some(start) if value.len() > SHOWN_BYTES_MAX => {
                write!(f, "\"{}…\" ({} bytes)", start.escape_ascii(), value.len())
            }
            Some(_) | None => write!(f, "\"{}\"", value.escape_ascii()),
        }
    }
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read => f.write_str("read"),
            Self::Write(value) => write!(f, "write {}", Shown(value)),
            Self::Change(change) => change.fmt(f),
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = |bytes: &Bytes| Some(bytes.clone());
        match self {
            Self::Swap { expected, value } => {
                write!(f, "swap version {expected} for {}", Shown(value))
            }
            Self::Append(more) => write!(f, "append {}", Shown(&bytes(more))),
            Self::Add(number) => write!(f, "add {number}"),
            Self::Set(value) => write!(f, "set {}", Shown(&bytes(value))),
            Self::Delete => f.write_str("delete"),
        }
    }
}

impl fmt::Display for Done {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read { tag, value } => write!(f, "{} (tag {tag})", Shown(value)),
            Self::Wrote { tag } => write!(f, "done (tag {tag})"),
            Self::Saw { version, value } => write!(f, "{} (version {version})", Shown(value)),
            Self::Changed { version, value } => {
                write!(f, "changed to {} (version {version})", Shown(value))
            }
            Self::Mismatch { version, value } => {
                write!(f, "no fit for {} (version {version})", Shown(value))
            }
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done(done) => done.fmt(f),
            Self::Failed => f.write_str("failed"),
            Self::Unknown => f.write_str("unknown"),
        }
    }
}
