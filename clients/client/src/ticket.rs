//! A ticket from the words of an answer.

use palco_core::Ticket;

use crate::{Connection, Error, Excerpt};

/// The ticket that `text` is, if there is one; otherwise what was `answered` instead.
pub(crate) fn read(
    connection: &Connection,
    text: Option<&str>,
    answered: &str,
) -> Result<Ticket, Error> {
    text.and_then(|text| text.parse().ok()).ok_or_else(|| Error::NoTicket {
        address: connection.address().to_owned(),
        came: Excerpt::from(answered.as_bytes()),
    })
}
