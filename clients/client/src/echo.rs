//! Echo (RFC 862): every byte comes back.
//!
//! The bytes are sent in pieces, and each piece is read back before the next is sent. Sent at once, a long request
//! would fill the buffers of both directions, and client and server would wait for each other.

use crate::exchange::{Exchange, PIECE_BYTES};
use crate::{Connection, Error, Exactly};

/// Sends `bytes` and returns as many as come back. Whether they are the same is the caller's to judge.
///
/// # Errors
/// Every [`Error`] but those of [`Connection::open`]; [`Error::TooLarge`] before anything is sent.
pub fn call(connection: &mut Connection, bytes: &[u8]) -> Result<Vec<u8>, Error> {
    let limit = connection.limits().answer_bytes_max;
    if bytes.len() > limit {
        let address = connection.address().to_owned();
        return Err(Error::TooLarge { address, what: "bytes", limit });
    }
    let mut exchange = Exchange::begin(connection)?;
    let mut echoed = Vec::new();
    for piece in bytes.chunks(PIECE_BYTES) {
        exchange.send(piece)?;
        echoed.extend(exchange.receive(&mut Exactly::new(piece.len()))?);
    }
    exchange.end();
    Ok(echoed)
}
