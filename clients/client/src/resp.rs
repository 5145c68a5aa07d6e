//! The key-value store: RESP2, as redis speaks it.
//!
//! Source: the Redis serialization protocol specification; how values look is `redis-cli`'s (`cliFormatReplyTTY` in
//! redis 7.0 `redis-cli.c`, `sdscatrepr` in `sds.c`).
//!
//! | file | what |
//! |---|---|
//! | `value.rs` | [`Value`], and its bytes |
//! | `parser.rs` | [`ValueParser`]: values from bytes in pieces |
//! | `display.rs` | a value as `redis-cli` shows it |
//! | `json.rs` | a value as data |

mod display;
mod json;
mod parser;
mod value;

pub use parser::{ARRAYS_NESTED_MAX, VALUES_MAX, ValueParser};
pub use value::Value;

use palco_core::Ticket;

use crate::{Connection, Error, ticket};

/// Sends the command `arguments`, its name first, and returns the reply.
///
/// An error reply is a [`Value::Error`], not an [`Error`].
///
/// # Errors
/// Every [`Error`] but those of [`Connection::open`]; [`Error::Request`] if there are no arguments, because nothing
/// answers an empty command.
pub fn call(connection: &mut Connection, arguments: &[&[u8]]) -> Result<Value, Error> {
    if arguments.is_empty() {
        return Err(Error::Request("a command has at least a name"));
    }
    let parser = ValueParser::new(connection.limits().answer_bytes_max);
    connection.call(&command(arguments), parser)
}

/// Asks for the ticket of the next command of this connection.
///
/// # Errors
/// As [`call`], and [`Error::NoTicket`] if the server has no urgent port, or is no palco.
pub fn ticket(connection: &mut Connection) -> Result<Ticket, Error> {
    let value = call(connection, &[b"PALCO.TICKET"])?;
    let text = match &value {
        Value::Bulk(bytes) => str::from_utf8(bytes).ok(),
        Value::Simple(_) | Value::Error(_) | Value::Integer(_) | Value::Null | Value::Array(_) => {
            None
        }
    };
    ticket::read(connection, text, &value.to_string())
}

/// The bytes of a command: an array of bulk strings.
#[must_use]
pub fn command(arguments: &[&[u8]]) -> Vec<u8> {
    let mut bytes = Vec::new();
    value::write_header(b'*', arguments.len(), &mut bytes);
    for argument in arguments {
        value::write_bulk(argument, &mut bytes);
    }
    bytes
}
