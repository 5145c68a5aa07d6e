//! Registers, through whichever of several nodes answers.
//!
//! A [`RegisterClient`] speaks the Redis protocol to one node at a time and goes on to the next when that one fails. What
//! it does then depends on what the command does, because asking twice must never write twice: a write that is sent again
//! after its outcome was lost would be a new write, and could bring an old value back.
//!
//! | what went wrong | [`Repeat::Freely`]: reads | [`Repeat::Compared`]: a comparison with a version | [`Repeat::Never`]: all other changes |
//! |---|---|---|---|
//! | not sent: no connection | the next node | the next node | the next node |
//! | `-TRYAGAIN`: it did not happen | again, after a pause | again, after a pause | again, after a pause |
//! | `-UNKNOWN`, or no answer to what was sent | again, after a pause | again, after a pause | [`RegisterError::Unknown`] |
//! | any other error | [`RegisterError::Refused`] | the same; [`RegisterError::Unknown`] if sent before | the same |
//! | the time is over | [`RegisterError::Unavailable`] | the same; [`RegisterError::Unknown`] if sent before | [`RegisterError::Unavailable`] |
//!
//! A comparison may be sent again because at most one of all attempts can find the version it asks for. If a later attempt
//! does, the change was made once, by it; if it finds another version, an earlier one may have made it, and the outcome is
//! unknown. To know more, read the key.
//!
//! Pauses begin with [`RegisterOptions::pause_min`], double up to [`RegisterOptions::pause_max`], and are cut short by lot
//! to between half and all of that, so that many clients do not come back at the same moment.
//!
//! | file | what |
//! |---|---|
//! | `options.rs` | [`RegisterOptions`]: limits |
//! | `pursuit.rs` | one command, from node to node until there is an answer or no time |
//! | `reply.rs` | what a reply says about the effect |
//! | `error.rs` | [`RegisterError`], [`Effect`] |

mod error;
mod options;
mod pursuit;
mod reply;

pub use error::{Effect, RegisterError};
pub use options::RegisterOptions;
pub use pursuit::Repeat;

use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::Connection;
use crate::pauses::Pauses;
use crate::resp::Value;
use reply::{bytes, count, integer, tag_of, tagged, versioned};

/// Between two reads of a key that is watched: begins with this, and grows by half each time.
const WATCH_PAUSE_MIN: Duration = Duration::from_millis(10);
/// Up to this.
const WATCH_PAUSE_MAX: Duration = Duration::from_millis(250);

/// A client of registers that knows several nodes. Blocking; one command at a time.
#[derive(Debug)]
pub struct RegisterClient {
    nodes: Vec<Node>,
    /// Which node is asked first.
    at: usize,
    options: RegisterOptions,
    pauses: Pauses,
}

/// A node, and the connection to it that was good when it was used last.
#[derive(Debug)]
struct Node {
    address: String,
    connection: Option<Connection>,
}

/// What a key of class cas holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Versioned {
    /// How many changes it took; 0 for none.
    pub version: u64,
    /// Nothing when never set, or deleted.
    pub value: Option<Vec<u8>>,
}

/// What a key of any class holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tagged {
    /// The tag of a plain register, the version of a key of class cas, as text; nothing if it was never written.
    pub tag: Option<String>,
    /// Nothing when never set, or deleted.
    pub value: Option<Vec<u8>>,
}

/// How a comparison ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Swap {
    /// The key was at that version, and is at this one now.
    Done(u64),
    /// The key is at another version. Nothing was changed.
    Mismatch,
}

/// What a watcher has seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Watched {
    /// The register has another tag now.
    Changed(Tagged),
    /// It had the same at every look.
    Unchanged,
}

impl RegisterClient {
    /// For these nodes: `127.0.0.1:7479` or `host:port`. Connects when it is first asked for something.
    ///
    /// # Errors
    /// [`RegisterError::NoNodes`]
    pub fn new(
        addresses: impl IntoIterator<Item = impl Into<String>>,
        options: RegisterOptions,
    ) -> Result<Self, RegisterError> {
        let node = |address: String| Node { address, connection: None };
        let nodes: Vec<_> = addresses.into_iter().map(|address| node(address.into())).collect();
        if nodes.is_empty() {
            return Err(RegisterError::NoNodes);
        }
        let pauses = Pauses::new(options.pause_min, options.pause_max);
        Ok(Self { nodes, at: 0, options, pauses })
    }

    /// The node that is asked first: the last one that has answered.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.nodes[self.at].address
    }

    /// What a key holds.
    ///
    /// # Errors
    /// All [`RegisterError`]s but [`Unknown`](RegisterError::Unknown).
    pub fn get(&mut self, key: &[u8]) -> Result<Option<Vec<u8>>, RegisterError> {
        self.ask(Repeat::Freely, &[b"GET", key], bytes)
    }

    /// What a key holds, and its tag or version.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub fn read(&mut self, key: &[u8]) -> Result<Tagged, RegisterError> {
        self.ask(Repeat::Freely, &[b"PALCO.GET", key], tagged)
    }

    /// The tag of a plain register's value, which orders its writes; nothing if it was never written.
    ///
    /// # Errors
    /// As [`get`](Self::get); [`RegisterError::Refused`] for keys of class cas.
    pub fn tag(&mut self, key: &[u8]) -> Result<Option<String>, RegisterError> {
        let tag = self.ask(Repeat::Freely, &[b"PALCO.TAG", key], bytes)?;
        Ok(tag.map(|tag| String::from_utf8_lossy(&tag).into_owned()))
    }

    /// What a key of class cas holds, and its version.
    ///
    /// # Errors
    /// As [`get`](Self::get); [`RegisterError::Refused`] for plain registers.
    pub fn get_versioned(&mut self, key: &[u8]) -> Result<Versioned, RegisterError> {
        self.ask(Repeat::Freely, &[b"PALCO.GETV", key], versioned)
    }

    /// Writes a value.
    ///
    /// # Errors
    /// Every [`RegisterError`]. After [`Unknown`](RegisterError::Unknown) it may have been written, or may be later.
    pub fn set(&mut self, key: &[u8], value: &[u8]) -> Result<(), RegisterError> {
        self.ask(Repeat::Never, &[b"SET", key, value], |value| match value {
            Value::Simple(ok) if ok == "OK" => Some(()),
            _ => None,
        })
    }

    /// Writes a value; the tag, or version, that it has.
    ///
    /// # Errors
    /// As [`set`](Self::set).
    pub fn write(&mut self, key: &[u8], value: &[u8]) -> Result<String, RegisterError> {
        self.ask(Repeat::Never, &[b"PALCO.SET", key, value], |value| tag_of(value).flatten())
    }

    /// Deletes a key; whether it held anything.
    ///
    /// # Errors
    /// As [`set`](Self::set).
    pub fn delete(&mut self, key: &[u8]) -> Result<bool, RegisterError> {
        self.ask(Repeat::Never, &[b"DEL", key], |value| count(value).map(|deleted| deleted > 0))
    }

    /// Gives a key of class cas this value, or deletes it, if it is at the version `expected`; 0 is that of a key that was
    /// never changed.
    ///
    /// # Errors
    /// As [`set`](Self::set); [`RegisterError::Refused`] for plain registers.
    pub fn compare_and_swap(
        &mut self,
        key: &[u8],
        expected: u64,
        value: Option<&[u8]>,
    ) -> Result<Swap, RegisterError> {
        let version = expected.to_string();
        let arguments: &[&[u8]] = match value {
            Some(value) => &[b"PALCO.CASV", key, version.as_bytes(), value],
            None => &[b"PALCO.DELV", key, version.as_bytes()],
        };
        self.ask(Repeat::Compared, arguments, |value| match value {
            Value::Null => Some(Swap::Mismatch),
            other => count(other).map(Swap::Done),
        })
    }

    /// Adds to the number in a key of class cas; the sum.
    ///
    /// # Errors
    /// As [`set`](Self::set); [`RegisterError::Refused`] for plain registers and for what is no number.
    pub fn increment(&mut self, key: &[u8], by: i64) -> Result<i64, RegisterError> {
        self.ask(Repeat::Never, &[b"INCRBY", key, by.to_string().as_bytes()], integer)
    }

    /// Appends to the value of a key of class cas; its length then, in bytes.
    ///
    /// # Errors
    /// As [`set`](Self::set); [`RegisterError::Refused`] for plain registers and for a value that would be too long.
    pub fn append(&mut self, key: &[u8], more: &[u8]) -> Result<u64, RegisterError> {
        self.ask(Repeat::Never, &[b"APPEND", key, more], count)
    }

    /// Reads a key until its tag is another than `known`, for this long. Values that came and went between two looks are not
    /// seen.
    ///
    /// # Errors
    /// As [`get`](Self::get), for the look that failed.
    pub fn watch(
        &mut self,
        key: &[u8],
        known: Option<&str>,
        within: Duration,
    ) -> Result<Watched, RegisterError> {
        let started = Instant::now();
        let mut pause = WATCH_PAUSE_MIN;
        loop {
            let found = self.read(key)?;
            if found.tag.as_deref() != known {
                return Ok(Watched::Changed(found));
            }
            let left = within.saturating_sub(started.elapsed());
            if left.is_zero() {
                return Ok(Watched::Unchanged);
            }
            sleep(pause.min(left));
            pause = (pause * 3 / 2).min(WATCH_PAUSE_MAX);
        }
    }

    /// What a node says of itself (`INFO`), as lines `name:value` under headings.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub fn status(&mut self) -> Result<String, RegisterError> {
        let text = self.ask(Repeat::Freely, &[b"INFO"], bytes)?;
        Ok(String::from_utf8_lossy(&text.unwrap_or_default()).into_owned())
    }

    /// Any other command, its name first. It must not be one that is answered differently when it is sent again, unless
    /// `repeat` says so.
    ///
    /// # Errors
    /// Every [`RegisterError`].
    pub fn call(&mut self, repeat: Repeat, arguments: &[&[u8]]) -> Result<Value, RegisterError> {
        self.ask(repeat, arguments, |value| Some(value.clone()))
    }
}
