//! Work: one line asks, one line answers.
//!
//! The answer is `ok …` or `error: …`; both are answers, and neither is an [`Error`].

use crate::{Connection, Error, Line, LineEnd};

/// Sends `line` and returns the line that answers it, both without line ends.
///
/// # Errors
/// Every [`Error`] but those of [`Connection::open`]; [`Error::Request`] if `line` holds a line end, because two lines
/// would have two answers.
pub fn call(connection: &mut Connection, line: &str) -> Result<String, Error> {
    if line.contains('\n') {
        return Err(Error::Request("it holds a line end; send one line at a time"));
    }
    connection.call(format!("{line}\n").as_bytes(), Line::new(LineEnd::Newline))
}
