//! Work: one line asks, one line answers.
//!
//! The answer is `ok …` or `error: …`; both are answers, and neither is an [`Error`].

use palco_core::Ticket;

use crate::{Connection, Error, Line, LineEnd, Malformed, Parser, Step, ticket};

/// Sends `line` and returns the line that answers it, both without line ends.
///
/// The numbered lines that `count` sends before its answer are dropped; they count for
/// [`Limits::answer_bytes_max`](crate::Limits::answer_bytes_max).
///
/// # Errors
/// Every [`Error`] but those of [`Connection::open`]; [`Error::Request`] if `line` holds a line end, because two lines
/// would have two answers.
pub fn call(connection: &mut Connection, line: &str) -> Result<String, Error> {
    if line.contains('\n') {
        return Err(Error::Request("it holds a line end; send one line at a time"));
    }
    connection.call(format!("{line}\n").as_bytes(), Answer(Line::new(LineEnd::Newline)))
}

/// Asks for the ticket of the next request of this connection.
///
/// # Errors
/// As [`call`], and [`Error::NoTicket`] if the server has no urgent port.
pub fn ticket(connection: &mut Connection) -> Result<Ticket, Error> {
    let answer = call(connection, "ticket")?;
    ticket::read(connection, answer.strip_prefix("ok ticket "), &answer)
}

/// The first line that is no number.
struct Answer(Line);

impl Parser for Answer {
    type Answer = String;

    fn feed(&mut self, piece: &[u8]) -> Result<Step<String>, Malformed> {
        let mut taken = 0;
        loop {
            let Step::Done { answer, used } = self.0.feed(&piece[taken..])? else {
                return Ok(Step::More);
            };
            taken += used;
            let is_number = !answer.is_empty() && answer.bytes().all(|byte| byte.is_ascii_digit());
            if !is_number {
                return Ok(Step::Done { answer, used: taken });
            }
        }
    }
}
