//! The codec: all whole commands that have come are one batch, all answers that are there are written.

use bytes::{Bytes, BytesMut};
use palco_rambo::{KEY_BYTES_MAX, VALUE_BYTES_MAX};
use palco_service::services::resp::{Command, Limits, Parser, write_line};
use palco_service::{Codec, Farewell, Malformed, Next};

use super::{Answers, Gateway, Protocol};

/// Bytes that one part of an answer has, or a little more: 64 KiB.
const PART_BYTES: usize = 64 * 1024;
/// Commands of a batch; what comes behind them is the next one.
const COMMANDS_MAX: usize = 1024;
/// Bytes of the commands of a batch, more or less: what comes behind them is the next one.
const BATCH_BYTES_MAX: usize = 1 << 20;

/// Arguments of a command, its name included.
const ARGUMENTS_MAX: usize = 65_536;
/// Longer arguments end the connection. Values that are only too long for a register come through, to be refused in words.
const ARGUMENT_BYTES_MAX: usize = 8 * VALUE_BYTES_MAX;
const COMMAND_BYTES_MAX: usize = 16 * VALUE_BYTES_MAX;
/// A line from a person, or a script: as in redis.
const INLINE_BYTES_MAX: usize = 64 * KEY_BYTES_MAX;

/// Commands that came together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// At least one, in their order.
    pub commands: Vec<Command>,
}

/// RESP2, and RESP3 after `HELLO 3`.
#[derive(Clone, Debug)]
pub struct RespCodec {
    parser: Parser,
    /// What is wrong with the bytes behind the last batch.
    malformed: Option<Malformed>,
    protocol: Protocol,
}

impl RespCodec {
    /// For a connection that begins.
    #[must_use]
    pub fn new() -> Self {
        Self::with_limits(Limits {
            arguments_max: ARGUMENTS_MAX,
            argument_bytes_max: ARGUMENT_BYTES_MAX,
            inline_bytes_max: INLINE_BYTES_MAX,
            command_bytes_max: COMMAND_BYTES_MAX,
        })
    }

    fn with_limits(limits: Limits) -> Self {
        Self { parser: Parser::new(limits), malformed: None, protocol: Protocol::default() }
    }
}

impl Default for RespCodec {
    fn default() -> Self {
        Self::new()
    }
}

impl Codec<Gateway> for RespCodec {
    fn decode(&mut self, input: &mut BytesMut) -> Result<Option<Batch>, Malformed> {
        if let Some(malformed) = &self.malformed {
            return Err(malformed.clone());
        }
        let whole = input.len();
        let mut batch = Batch::default();
        while batch.commands.len() < COMMANDS_MAX && whole - input.len() < BATCH_BYTES_MAX {
            match self.parser.read(input) {
                Ok(Some(command)) => batch.commands.push(command),
                Ok(None) => break,
                // What came before it is answered first.
                Err(malformed) => {
                    self.malformed = Some(malformed.clone());
                    if batch.commands.is_empty() {
                        return Err(malformed);
                    }
                    break;
                }
            }
        }
        Ok(Some(batch).filter(|batch| !batch.commands.is_empty()))
    }

    fn encode(&mut self, answers: &mut Answers, output: &mut BytesMut) -> Next {
        let end = output.len() + PART_BYTES;
        while output.len() < end {
            let Some(reply) = answers.next_reply() else { break };
            reply.write(&mut self.protocol, output);
            if reply.closes() {
                return Next::Close;
            }
        }
        Next::Keep
    }

    fn farewell(&self, why: &Farewell, output: &mut BytesMut) {
        let text = match why {
            Farewell::Malformed(Malformed::TooLarge { what, limit }) => {
                format!("ERR Protocol error: too big {what}: at most {limit} bytes can be").into()
            }
            Farewell::Malformed(malformed) => {
                Bytes::from(format!("ERR Protocol error: {malformed}"))
            }
            Farewell::Busy => Bytes::from_static(b"ERR max number of clients reached"),
            Farewell::Failed => Bytes::from_static(b"UNKNOWN outcome: an internal error"),
            Farewell::Interrupted => {
                Bytes::from_static(b"UNKNOWN outcome: interrupted; it may have happened")
            }
            Farewell::TooSlow => Bytes::from_static(b"ERR the request took too long"),
            // A client would take it for the answer to its next request.
            Farewell::Idle => return,
        };
        write_line(b'-', &text, output);
    }
}

#[cfg(test)]
mod tests;
