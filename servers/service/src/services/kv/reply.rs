//! One reply, and its bytes.

use bytes::{Bytes, BytesMut};

use crate::Next;
use crate::services::resp::{words, write_bulk, write_header, write_length, write_line};

/// A long array leaves in parts of about this size: 64 KiB, or one item if that is larger.
pub const PART_BYTES: usize = 64 * 1024;

/// One RESP2 reply.
#[derive(Clone, Debug)]
pub enum Reply {
    /// `+text`
    Status(&'static str),
    /// `+text`, after which the connection closes.
    Closing(&'static str),
    /// `-text`; starts with its code, usually `ERR`. Line ends in it become spaces.
    Error(Bytes),
    /// `:number`
    Integer(i64),
    /// `$length` and the bytes.
    Bulk(Bytes),
    /// The null bulk string.
    Null,
    /// The null array.
    NullArray,
    /// `*count` and the items. The items stay references to their bytes until their part is written.
    Array(Items),
}

/// The items of an array that are still to be written.
#[derive(Clone, Debug)]
pub struct Items {
    items: std::vec::IntoIter<Reply>,
    started: bool,
}

impl Reply {
    /// An error with a fixed text, its code included.
    #[must_use]
    pub const fn error(text: &'static str) -> Self {
        Self::Error(Bytes::from_static(text.as_bytes()))
    }

    /// A bulk string of text.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::Bulk(text.into().into())
    }

    /// An array of these items.
    #[must_use]
    pub fn array(items: Vec<Self>) -> Self {
        Self::Array(Items { items: items.into_iter(), started: false })
    }

    /// A bulk string, or null.
    #[must_use]
    pub fn bulk_or_null(value: Option<Bytes>) -> Self {
        value.map_or(Self::Null, Self::Bulk)
    }

    /// An integer reply of a count.
    #[must_use]
    pub fn count(count: usize) -> Self {
        Self::Integer(i64::try_from(count).unwrap_or(i64::MAX))
    }

    /// Whether a part is still to be written; what a service answers to `more`.
    #[must_use]
    pub fn has_more(&self) -> bool {
        matches!(self, Self::Array(items) if !items.started || items.items.len() > 0)
    }

    /// Appends the next part.
    pub(super) fn write_part(&mut self, output: &mut BytesMut) -> Next {
        let Self::Array(items) = self else { return self.write(output) };
        let end = output.len() + PART_BYTES;
        items.start(output);
        while output.len() < end {
            let Some(mut item) = items.items.next() else { break };
            item.write(output);
        }
        Next::Keep
    }

    /// Appends everything.
    fn write(&mut self, output: &mut BytesMut) -> Next {
        match self {
            Self::Status(text) | Self::Closing(text) => write_line(b'+', text.as_bytes(), output),
            Self::Error(text) => write_line(b'-', text, output),
            Self::Integer(value) => write_header(b':', *value, output),
            Self::Bulk(bytes) => write_bulk(bytes, output),
            Self::Null => output.extend_from_slice(b"$-1\r\n"),
            Self::NullArray => output.extend_from_slice(b"*-1\r\n"),
            Self::Array(items) => {
                items.start(output);
                for mut item in items.items.by_ref() {
                    item.write(output);
                }
            }
        }
        if matches!(self, Self::Closing(_)) { Next::Close } else { Next::Keep }
    }
}

impl Iterator for Items {
    type Item = Reply;

    fn next(&mut self) -> Option<Reply> {
        self.items.next()
    }
}

impl Items {
    pub(super) fn as_slice(&self) -> &[Reply] {
        self.items.as_slice()
    }

    fn start(&mut self, output: &mut BytesMut) {
        if !self.started {
            self.started = true;
            write_length(b'*', self.items.len(), output);
        }
    }
}

/// The error for too few or too many arguments.
pub(super) fn wrong_arity(name: &str) -> Reply {
    Reply::Error(words::wrong_arity(name))
}

/// The error for a subcommand that there is not.
pub(super) fn unknown_subcommand(name: &str, subcommand: &[u8]) -> Reply {
    Reply::Error(words::unknown_subcommand(name, subcommand))
}

pub(super) const NOT_AN_INTEGER: Reply = Reply::error(words::NOT_AN_INTEGER);
pub(super) const SYNTAX_ERROR: Reply = Reply::error(words::SYNTAX_ERROR);
