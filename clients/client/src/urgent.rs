//! Out of band: ask about a request that is being served, at the server's urgent port or beside its own connection.
//!
//! | way | what | reaches |
//! |---|---|---|
//! | the urgent port | [`ask`], [`UrgentLine`] | any request whose ticket one has |
//! | TCP urgent data | [`Urgency`], of [`Connection::urgent`](crate::Connection::urgent) | the request that this connection waits for |

mod urgency;

use std::net::SocketAddr;
use std::thread;
use std::time::Duration;

use palco_core::{Answer, Refusal, Ticket, Verb};

pub use self::urgency::{Urgency, UrgencyError};
use crate::{Connection, Error, Excerpt, Limits, Line, LineEnd, Malformed};

/// Asks once about the request of the ticket, on a connection of its own; see [`UrgentLine::ask`].
///
/// # Errors
/// As [`UrgentLine::open`] and [`UrgentLine::ask`].
pub fn ask(ticket: &Ticket, verb: Verb, limits: &Limits) -> Result<Answer, Error> {
    UrgentLine::open(ticket.address, *limits)?.ask(ticket, verb)
}

/// A connection to an urgent port; closes when it is dropped. The server may close it before, when it has said nothing for a
/// while or others need the place.
#[derive(Debug)]
pub struct UrgentLine {
    connection: Connection,
    port: SocketAddr,
}

impl UrgentLine {
    /// Connects to an urgent port.
    ///
    /// # Errors
    /// As [`Connection::open`].
    pub fn open(port: SocketAddr, limits: Limits) -> Result<Self, Error> {
        Ok(Self { connection: Connection::open(port, limits)?, port })
    }

    /// Asks about the request of the ticket and waits for what has come of it. If the port is to be left alone for a while
    /// that is no longer than [`Limits::answer_within`], waits and asks again, once.
    ///
    /// # Errors
    /// [`Error::Urgent`] when the port refuses; [`Error::Request`] for a ticket of another port; otherwise as
    /// [`Connection::call`].
    pub fn ask(&mut self, ticket: &Ticket, verb: Verb) -> Result<Answer, Error> {
        if ticket.address != self.port {
            return Err(Error::Request("the ticket is for another urgent port"));
        }
        let command = format!("{verb} {}\n", ticket.claim());
        match self.say(&command) {
            Err(Error::Urgent { refusal: Refusal::Wait(ms), address }) => {
                let wait = Duration::from_millis(ms);
                if wait > self.connection.limits().answer_within {
                    return Err(Error::Urgent { refusal: Refusal::Wait(ms), address });
                }
                thread::sleep(wait);
                self.say(&command)
            }
            said => said,
        }
    }

    fn say(&mut self, command: &str) -> Result<Answer, Error> {
        let line = self.connection.call(command.as_bytes(), Line::new(LineEnd::Newline))?;
        let address = self.connection.address().to_owned();
        match (line.parse(), line.parse()) {
            (Ok(answer), _) => Ok(answer),
            (Err(_), Ok(refusal)) => Err(Error::Urgent { address, refusal }),
            (Err(why), Err(_)) => {
                let came = Excerpt::from(line.as_bytes());
                Err(Error::Malformed { address, came, source: Malformed::syntax(why) })
            }
        }
    }
}
