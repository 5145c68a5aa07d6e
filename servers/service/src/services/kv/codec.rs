//! The RESP2 codec.

use bytes::{Bytes, BytesMut};

use super::{Command, Limits, Reply};
use crate::services::resp::{self, Parser, write_line};
use crate::{Codec, Farewell, Malformed, Next, Service};

/// RESP2 as redis 7 reads and writes it; for any service from [`Command`] to [`Reply`].
#[derive(Clone, Debug)]
pub struct RespCodec {
    parser: Parser,
    /// The reply being written has parts to come.
    replying: bool,
}

impl RespCodec {
    /// A codec that enforces the limits on arguments, lines and commands.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        let parser = Parser::new(resp::Limits {
            arguments_max: limits.arguments_max,
            argument_bytes_max: limits.value_bytes_max,
            inline_bytes_max: limits.inline_bytes_max,
            command_bytes_max: limits.command_bytes_max,
        });
        Self { parser, replying: false }
    }
}

impl Default for RespCodec {
    fn default() -> Self {
        Self::new(Limits::default())
    }
}

impl<S: Service<Request = Command, Response = Reply>> Codec<S> for RespCodec {
    fn decode(&mut self, input: &mut BytesMut) -> Result<Option<Command>, Malformed> {
        self.parser.read(input)
    }

    fn encode(&mut self, response: &mut Reply, output: &mut BytesMut) -> Next {
        let next = response.write_part(output);
        self.replying = response.has_more();
        next
    }

    /// Says nothing while an array is half written: the client would take it for an item.
    fn farewell(&self, why: &Farewell, output: &mut BytesMut) {
        if self.replying {
            return;
        }
        let text = match why {
            Farewell::Malformed(Malformed::Syntax(text)) => {
                Bytes::from(format!("ERR Protocol error: {text}"))
            }
            Farewell::Malformed(Malformed::TooLarge { what, .. }) => {
                Bytes::from(format!("ERR Protocol error: too big {what}"))
            }
            Farewell::Busy => Bytes::from_static(b"ERR max number of clients reached"),
            Farewell::Failed => Bytes::from_static(b"ERR internal error"),
            Farewell::Interrupted => Bytes::from_static(b"ERR interrupted"),
            Farewell::TooSlow => Bytes::from_static(b"ERR the request took too long"),
            // A client would take it for the answer to its next request.
            Farewell::Idle => return,
        };
        write_line(b'-', &text, output);
    }
}
