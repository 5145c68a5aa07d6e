//! The Redis protocol as it comes over a connection: commands, and the pieces of replies.
//!
//! Source: the Redis serialization protocol specification, and redis 7.0 (`networking.c`, `sds.c`) where that is silent.
//!
//! | file | what |
//! |---|---|
//! | `command.rs` | [`Command`]: the arguments of one request, without an allocation each |
//! | `parser.rs`, `inline.rs` | [`Parser`]: arrays of bulk strings and inline commands, incremental |
//! | `writer.rs` | [`write_command`], [`write_bulk`], [`write_line`], [`write_header`]: what replies are made of |
//! | [`glob`] | patterns of names |
//! | [`integer`] | redis' strict integers |
//! | [`words`] | errors that say what redis says |
//!
//! Deviations from redis:
//!
//! * A bulk string must end in CRLF; redis skips two bytes unseen.
//! * A wrong `$` is refused as soon as it is there; redis waits for the end of its line.
//! * A NUL in an inline command is an ordinary byte.
//! * A command has a limit as a whole ([`Limits::command_bytes_max`]).

mod command;
mod inline;
mod parser;
mod writer;

pub mod glob;
pub mod integer;
pub mod words;

pub use command::{Arguments, Command};
pub use parser::Parser;
pub use writer::{write_bulk, write_command, write_header, write_length, write_line};

/// What a [`Parser`] accepts. Not above 4 GiB, whatever is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Arguments of one command, its name included.
    pub arguments_max: usize,
    /// Bytes of one argument.
    pub argument_bytes_max: usize,
    /// Bytes of one inline command.
    pub inline_bytes_max: usize,
    /// Bytes of one command with its lengths. This bounds a connection's memory.
    pub command_bytes_max: usize,
}
