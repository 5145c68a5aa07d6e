//! Responses from bytes in pieces.

use std::mem;

use super::Method;
use super::response::{Extent, Response};
use crate::{Malformed, Parser, Step};

/// The largest head: 64 KiB.
pub const HEAD_BYTES_MAX: usize = 64 * 1024;

/// The most header fields.
pub const FIELDS_MAX: usize = 128;

/// What every head begins with. Checked as it comes, because another protocol may never send an empty line.
const BEGINNING: &[u8] = b"HTTP/1.";

/// Takes one response; interim ones (1xx) before it are dropped.
///
/// A `Content-Length` above the limit is refused before the content comes.
#[derive(Clone, Debug)]
pub struct ResponseParser {
    method: Method,
    body_bytes_max: usize,
    state: State,
}

#[derive(Clone, Debug)]
enum State {
    /// What has come of the head.
    Head(Vec<u8>),
    /// The response, with what has come of its body, and where the body ends.
    Body(Response, Extent),
}

impl ResponseParser {
    /// A parser for what answers `method`, with a body of at most `body_bytes_max` bytes.
    #[must_use]
    pub fn new(method: Method, body_bytes_max: usize) -> Self {
        Self { method, body_bytes_max, state: State::Head(Vec::new()) }
    }

    /// Understands a complete head.
    fn begin_body(&mut self, head: &[u8]) -> Result<(), Malformed> {
        let response = Response::parse(head)?;
        if response.is_interim() {
            return Ok(());
        }
        let extent = response.extent(self.method)?;
        if matches!(extent, Extent::Bytes(length) if length > self.body_bytes_max) {
            return Err(Malformed::answer_bytes(self.body_bytes_max));
        }
        self.state = State::Body(response, extent);
        Ok(())
    }

    /// The response, and a fresh start.
    fn take_response(&mut self) -> Option<Response> {
        match mem::replace(&mut self.state, State::Head(Vec::new())) {
            State::Head(_) => None,
            State::Body(response, _) => Some(response),
        }
    }
}

impl Parser for ResponseParser {
    type Answer = Response;

    fn feed(&mut self, piece: &[u8]) -> Result<Step<Response>, Malformed> {
        let mut rest = piece;
        loop {
            match &mut self.state {
                State::Head(head) => {
                    if !take_line(head, &mut rest)? {
                        return Ok(Step::More);
                    }
                    if head.ends_with(b"\n\r\n") || head.ends_with(b"\n\n") {
                        let head = mem::take(head);
                        self.begin_body(&head)?;
                    }
                }
                State::Body(response, extent) => {
                    if !take_body(&mut response.body, extent, self.body_bytes_max, &mut rest)? {
                        return Ok(Step::More);
                    }
                    let Some(answer) = self.take_response() else { continue };
                    return Ok(Step::Done { answer, used: piece.len() - rest.len() });
                }
            }
        }
    }

    fn finish(&mut self) -> Option<Response> {
        match self.state {
            State::Head(_) | State::Body(_, Extent::Bytes(_)) => None,
            State::Body(_, Extent::Close) => self.take_response(),
        }
    }
}

/// Moves up to a line end from `piece` to `head`; whether there was one.
fn take_line(head: &mut Vec<u8>, piece: &mut &[u8]) -> Result<bool, Malformed> {
    let newline = piece.iter().position(|&byte| byte == b'\n');
    let (taken, rest) = piece.split_at(newline.map_or(piece.len(), |at| at + 1));
    let begins_right = head.iter().chain(taken).zip(BEGINNING).all(|(came, due)| came == due);
    if !begins_right {
        return Err(Malformed::syntax("an HTTP/1 response begins with HTTP/1."));
    }
    if head.len() + taken.len() > HEAD_BYTES_MAX {
        return Err(Malformed::TooLarge { what: "bytes in a head", limit: HEAD_BYTES_MAX });
    }
    head.extend_from_slice(taken);
    *piece = rest;
    Ok(newline.is_some())
}

/// Moves what belongs to the body from `piece`; whether the body is complete.
fn take_body(
    body: &mut Vec<u8>,
    extent: &mut Extent,
    bytes_max: usize,
    piece: &mut &[u8],
) -> Result<bool, Malformed> {
    let left = match extent {
        Extent::Bytes(left) => *left,
        Extent::Close if piece.len() > bytes_max - body.len() => {
            return Err(Malformed::answer_bytes(bytes_max));
        }
        Extent::Close => piece.len(),
    };
    let (taken, rest) = piece.split_at(left.min(piece.len()));
    body.extend_from_slice(taken);
    *piece = rest;
    match extent {
        Extent::Bytes(left) => {
            *left -= taken.len();
            Ok(*left == 0)
        }
        Extent::Close => Ok(false),
    }
}

#[cfg(test)]
mod tests;
