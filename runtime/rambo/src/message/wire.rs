//! Messages as bytes: postcard behind a byte that names the format, refused when anything in them cannot be.

use bytes::Bytes;

use super::{Body, Message};
use crate::key::{KEY_BYTES_MAX, VALUE_BYTES_MAX};
use crate::{Key, Tagged};

/// Bytes of a message, at most: the largest value, its key, and room for a map of the largest configurations.
pub const MESSAGE_BYTES_MAX: usize = VALUE_BYTES_MAX + (1 << 20);

/// The format of this release.
const FORMAT: u8 = 1;

/// Why bytes are no message.
#[derive(Debug, thiserror::Error)]
pub enum Malformed {
    /// Nothing at all.
    #[error("an empty message")]
    Empty,
    /// More than a message can be.
    #[error("a message of {0} bytes, at most {MESSAGE_BYTES_MAX} can be")]
    Long(usize),
    /// Written by another release.
    #[error(
        "a message in format {0}, this participant speaks {FORMAT}: run the same release everywhere"
    )]
    Format(u8),
    /// Not what a participant writes: cut short, or a map or configuration that cannot be.
    #[error("not a message")]
    Content(#[from] postcard::Error),
    /// Bytes behind its end.
    #[error("{0} bytes behind the end of a message")]
    Rest(usize),
    /// A key or value is too long.
    #[error("a {what} of {bytes} bytes, at most {limit} can be")]
    Oversized {
        /// Key or value.
        what: &'static str,
        /// Its length.
        bytes: usize,
        /// The most.
        limit: usize,
    },
}

impl Message {
    /// Appends the message to `bytes`.
    ///
    /// # Panics
    /// Never: every message can be written.
    pub fn encode(&self, bytes: &mut Vec<u8>) {
        bytes.push(FORMAT);
        let taken = std::mem::take(bytes);
        *bytes =
            postcard::to_extend(self, taken).expect("a message has no part that cannot be written");
    }

    /// Reads one message.
    ///
    /// # Errors
    /// Whatever a participant of this release would not have written; no bytes make it panic.
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        if bytes.len() > MESSAGE_BYTES_MAX {
            return Err(Malformed::Long(bytes.len()));
        }
        let (&format, content) = bytes.split_first().ok_or(Malformed::Empty)?;
        if format != FORMAT {
            return Err(Malformed::Format(format));
        }
        let (message, rest) = postcard::take_from_bytes::<Self>(content)?;
        if !rest.is_empty() {
            return Err(Malformed::Rest(rest.len()));
        }
        message.check_sizes()?;
        Ok(message)
    }

    fn check_sizes(&self) -> Result<(), Malformed> {
        let value =
            |bytes: Option<&Bytes>| limit("value", bytes.map_or(0, Bytes::len), VALUE_BYTES_MAX);
        let key = |key: &Key| limit("key", key.name.len(), KEY_BYTES_MAX);
        let held = |tagged: &Tagged| value(tagged.value.as_ref());
        if let Some(register) = self.map.as_ref().and_then(|knowledge| knowledge.register.as_ref())
        {
            held(register)?;
        }
        match &self.body {
            Body::Query { key: name, .. } | Body::CasPrepare { key: name, .. } => key(name),
            Body::Queried { value: told, .. } => value(told.as_ref().and_then(Option::as_ref)),
            Body::Propagate { key: name, tagged, .. } => key(name).and_then(|()| held(tagged)),
            Body::CasAccept { key: name, accept, .. } => key(name).and_then(|()| held(accept)),
            Body::CasPromised { accepted, .. } => held(accepted),
            Body::Pulled { registers, .. } => registers
                .iter()
                .try_for_each(|(name, tagged)| key(name).and_then(|()| held(tagged))),
            Body::Propagated { .. }
            | Body::CasAccepted { .. }
            | Body::CasRefused { .. }
            | Body::Prepare { .. }
            | Body::Promised { .. }
            | Body::Accept { .. }
            | Body::Accepted { .. }
            | Body::Refused { .. }
            | Body::Inform { .. }
            | Body::Informed { .. }
            | Body::Collect { .. }
            | Body::Collected { .. }
            | Body::Pull { .. }
            | Body::Collecting { .. }
            | Body::AskMap
            | Body::TellMap => Ok(()),
        }
    }
}

fn limit(what: &'static str, bytes: usize, limit: usize) -> Result<(), Malformed> {
    if bytes > limit { Err(Malformed::Oversized { what, bytes, limit }) } else { Ok(()) }
}
