//! Errors that say what redis says, for clients that look at the words.

use bytes::Bytes;

use super::Command;

/// Bytes of a client's words that an error repeats, as in redis.
const QUOTED_BYTES_MAX: usize = 128;

/// The error for a command that there is not.
#[must_use]
pub fn unknown_command(request: &Command) -> Bytes {
    let name = request.name();
    let mut text = b"ERR unknown command '".to_vec();
    text.extend_from_slice(&name[..name.len().min(QUOTED_BYTES_MAX)]);
    text.extend_from_slice(b"', with args beginning with: ");
    let start = text.len();
    for argument in request.rest() {
        let quoted = text.len() - start;
        if quoted >= QUOTED_BYTES_MAX {
            break;
        }
        text.push(b'\'');
        text.extend_from_slice(&argument[..argument.len().min(QUOTED_BYTES_MAX - quoted)]);
        text.extend_from_slice(b"' ");
    }
    text.into()
}

/// The error for too few or too many arguments.
#[must_use]
pub fn wrong_arity(name: &str) -> Bytes {
    format!("ERR wrong number of arguments for '{name}' command").into()
}

/// The error for a subcommand that there is not.
#[must_use]
pub fn unknown_subcommand(name: &str, subcommand: &[u8]) -> Bytes {
    let mut text = b"ERR unknown subcommand '".to_vec();
    text.extend_from_slice(&subcommand[..subcommand.len().min(QUOTED_BYTES_MAX)]);
    text.extend_from_slice(b"'. Try ");
    text.extend_from_slice(name.as_bytes());
    text.extend_from_slice(b" HELP.");
    text.into()
}

/// A number was expected.
pub const NOT_AN_INTEGER: &str = "ERR value is not an integer or out of range";
/// Arguments that make no sense together.
pub const SYNTAX_ERROR: &str = "ERR syntax error";
/// A sum that no integer holds.
pub const OVERFLOW: &str = "ERR increment or decrement would overflow";
