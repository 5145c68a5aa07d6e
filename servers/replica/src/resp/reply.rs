//! One reply, and its bytes in both versions of the protocol.
//!
//! Source: the Redis serialization protocol specification, RESP2 and RESP3.

use bytes::{Bytes, BytesMut};
use palco_service::services::resp::{words, write_bulk, write_header, write_length, write_line};

/// Which version of the protocol a connection speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Protocol {
    /// What every connection begins with.
    #[default]
    Resp2,
    /// After `HELLO 3`.
    Resp3,
}

/// One reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// No byte: the client wants no replies.
    Nothing,
    /// `+text`
    Status(&'static str),
    /// `+text`, after which the connection closes.
    Closing(&'static str),
    /// `-text`; starts with its code, usually `ERR`. Line ends in it become spaces.
    Error(Bytes),
    /// `:number`
    Integer(i64),
    /// A string with its length.
    Bulk(Bytes),
    /// Text for people to read: a verbatim string in RESP3.
    Verbatim(Bytes),
    /// No value.
    Null,
    /// No array, which is no value in RESP3.
    NullArray,
    /// Items in order.
    Array(Vec<Reply>),
    /// Items in no order.
    Set(Vec<Reply>),
    /// Names and what they stand for: one after the other in RESP2.
    Map(Vec<(Reply, Reply)>),
    /// From here on, this reply included, the connection speaks another version.
    Speaks(Protocol, Box<Reply>),
}

impl Reply {
    pub(super) const OK: Self = Self::Status("OK");
    pub(super) const NOT_AN_INTEGER: Self = Self::error(words::NOT_AN_INTEGER);
    pub(super) const SYNTAX_ERROR: Self = Self::error(words::SYNTAX_ERROR);

    /// An error with a fixed text, its code included.
    #[must_use]
    pub const fn error(text: &'static str) -> Self {
        Self::Error(Bytes::from_static(text.as_bytes()))
    }

    pub(super) fn refusal(text: impl Into<String>) -> Self {
        Self::Error(text.into().into())
    }

    pub(super) const fn name(text: &'static str) -> Self {
        Self::Bulk(Bytes::from_static(text.as_bytes()))
    }

    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::Bulk(text.into().into())
    }

    pub(super) fn count(count: impl TryInto<i64>) -> Self {
        Self::Integer(count.try_into().unwrap_or(i64::MAX))
    }

    pub(super) fn bulk_or_null(value: Option<Bytes>) -> Self {
        value.map_or(Self::Null, Self::Bulk)
    }

    /// Appends it in the version that `protocol` says; changes that if the reply does.
    pub(super) fn write(&self, protocol: &mut Protocol, output: &mut BytesMut) {
        match self {
            Self::Nothing => {}
            Self::Status(text) | Self::Closing(text) => write_line(b'+', text.as_bytes(), output),
            Self::Error(text) => write_line(b'-', text, output),
            Self::Integer(value) => write_header(b':', *value, output),
            Self::Bulk(bytes) => write_bulk(bytes, output),
            Self::Verbatim(text) => write_verbatim(text, *protocol, output),
            Self::Null => output.extend_from_slice(null(*protocol, b"$-1\r\n")),
            Self::NullArray => output.extend_from_slice(null(*protocol, b"*-1\r\n")),
            Self::Array(items) => {
                write_length(b'*', items.len(), output);
                items.iter().for_each(|item| item.write(protocol, output));
            }
            Self::Set(items) => {
                write_length(either(*protocol, b'*', b'~'), items.len(), output);
                items.iter().for_each(|item| item.write(protocol, output));
            }
            Self::Map(pairs) => {
                let (prefix, parts) = either(*protocol, (b'*', 2), (b'%', 1));
                write_length(prefix, parts * pairs.len(), output);
                for (name, value) in pairs {
                    name.write(protocol, output);
                    value.write(protocol, output);
                }
            }
            Self::Speaks(other, reply) => {
                *protocol = *other;
                reply.write(protocol, output);
            }
        }
    }

    pub(super) fn closes(&self) -> bool {
        matches!(self, Self::Closing(_))
    }
}

fn either<T>(protocol: Protocol, two: T, three: T) -> T {
    match protocol {
        Protocol::Resp2 => two,
        Protocol::Resp3 => three,
    }
}

fn null(protocol: Protocol, two: &'static [u8]) -> &'static [u8] {
    either(protocol, two, b"_\r\n")
}

fn write_verbatim(text: &[u8], protocol: Protocol, output: &mut BytesMut) {
    match protocol {
        Protocol::Resp2 => write_bulk(text, output),
        Protocol::Resp3 => {
            let format = b"txt:";
            write_length(b'=', format.len() + text.len(), output);
            for part in [&format[..], text, b"\r\n"] {
                output.extend_from_slice(part);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(reply: &Reply, mut protocol: Protocol) -> String {
        let mut output = BytesMut::new();
        reply.write(&mut protocol, &mut output);
        String::from_utf8(output.to_vec()).unwrap()
    }

    #[test]
    fn each_version_has_its_own_bytes() {
        let map = Reply::Map(vec![(Reply::name("a"), Reply::Null)]);
        for (reply, two, three) in [
            (Reply::Null, "$-1\r\n", "_\r\n"),
            (Reply::NullArray, "*-1\r\n", "_\r\n"),
            (Reply::Verbatim("hi".into()), "$2\r\nhi\r\n", "=6\r\ntxt:hi\r\n"),
            (Reply::Set(vec![Reply::Integer(1)]), "*1\r\n:1\r\n", "~1\r\n:1\r\n"),
            (map, "*2\r\n$1\r\na\r\n$-1\r\n", "%1\r\n$1\r\na\r\n_\r\n"),
            (Reply::error("ERR a\r\nb"), "-ERR a  b\r\n", "-ERR a  b\r\n"),
            (Reply::Nothing, "", ""),
        ] {
            assert_eq!(written(&reply, Protocol::Resp2), two);
            assert_eq!(written(&reply, Protocol::Resp3), three);
        }
    }

    #[test]
    fn a_reply_that_changes_the_version_is_written_in_the_new_one() {
        let mut protocol = Protocol::Resp2;
        let mut output = BytesMut::new();
        Reply::Speaks(Protocol::Resp3, Reply::Null.into()).write(&mut protocol, &mut output);
        assert_eq!((&output[..], protocol), (&b"_\r\n"[..], Protocol::Resp3));
    }
}
