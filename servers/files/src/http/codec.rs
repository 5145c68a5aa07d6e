//! The HTTP/1.1 codec: heads from bytes, skipped bodies, last words.

use bytes::{Buf, BytesMut};

use super::request::{BODY, HEAD_BYTES_MAX, Method, Request};
use super::response::{Response, Status, write_farewell};
use palco_service::{Codec, Farewell, Malformed, Next, Service};

/// HTTP/1.1 and 1.0; for any service from [`Request`] to [`Response`].
///
/// A request is yielded when its head is complete; its body is skipped as it arrives, so no body is ever held.
#[derive(Clone, Debug, Default)]
pub struct HttpCodec {
    /// Bytes of the last request's body that are still to be skipped.
    skip: usize,
    /// Bytes at the front of the input that hold no end of a head.
    scanned: usize,
    /// The request being answered is a `HEAD`: nobody expects content.
    head_only: bool,
    /// The response being written has parts to come.
    responding: bool,
}

impl HttpCodec {
    fn read(&mut self, input: &mut BytesMut) -> Result<Option<Request>, Malformed> {
        self.head_only = false;
        let skipped = self.skip.min(input.len());
        input.advance(skipped);
        self.skip -= skipped;
        if self.skip > 0 || !self.starts(input)? {
            return Ok(None);
        }
        let Some(end) = self.find_end(input)? else { return Ok(None) };
        let (request, body) = Request::parse(&input.split_to(end))?;
        self.scanned = 0;
        self.skip = body;
        self.head_only = request.method == Method::Head;
        Ok(Some(request))
    }

    /// Drops empty lines before a request line (RFC 9112 section 2.2); whether a request line has begun.
    fn starts(&self, input: &mut BytesMut) -> Result<bool, Malformed> {
        loop {
            match input[..] {
                [] | [b'\r'] => return Ok(false),
                [b'\n', ..] => input.advance(1),
                [b'\r', b'\n', ..] => input.advance(2),
                // Other protocols, TLS among them, need not wait for an empty line that never comes.
                [byte, ..] if !byte.is_ascii_graphic() => {
                    return Err(Malformed::Syntax("no HTTP request".into()));
                }
                _ => return Ok(true),
            }
        }
    }

    /// The length of the head, its empty line included.
    fn find_end(&mut self, input: &[u8]) -> Result<Option<usize>, Malformed> {
        let window = &input[..input.len().min(HEAD_BYTES_MAX)];
        let mut from = self.scanned;
        while let Some(offset) = window[from..].iter().position(|byte| *byte == b'\n') {
            let after = from + offset + 1;
            match window[after..] {
                [b'\n', ..] => return Ok(Some(after + 1)),
                [b'\r', b'\n', ..] => return Ok(Some(after + 2)),
                // The end of this line may be the end of the head: look again when there is more.
                [] | [b'\r'] => {
                    self.scanned = after - 1;
                    return self.incomplete(input);
                }
                _ => from = after,
            }
        }
        self.scanned = window.len();
        self.incomplete(input)
    }

    fn incomplete(&self, input: &[u8]) -> Result<Option<usize>, Malformed> {
        if input.len() < HEAD_BYTES_MAX {
            return Ok(None);
        }
        Err(Malformed::TooLarge { what: "request head", limit: HEAD_BYTES_MAX })
    }
}

impl<S: Service<Request = Request, Response = Response>> Codec<S> for HttpCodec {
    fn decode(&mut self, input: &mut BytesMut) -> Result<Option<Request>, Malformed> {
        self.read(input)
    }

    fn encode(&mut self, response: &mut Response, output: &mut BytesMut) -> Next {
        let next = response.write_part(output);
        self.responding = !response.is_written();
        next
    }

    /// Says nothing while a response is half written: the client would take it for content.
    fn farewell(&self, why: &Farewell, output: &mut BytesMut) {
        if self.responding {
            return;
        }
        let status = match why {
            Farewell::Malformed(Malformed::TooLarge { what, .. }) if *what == BODY => {
                Status::ContentTooLarge
            }
            Farewell::Malformed(Malformed::TooLarge { .. }) => Status::HeaderFieldsTooLarge,
            Farewell::Malformed(_) => Status::BadRequest,
            Farewell::Busy | Farewell::Interrupted => Status::ServiceUnavailable,
            Farewell::Failed => Status::InternalServerError,
        };
        let detail = match why {
            Farewell::Malformed(malformed) => malformed.to_string(),
            Farewell::Busy => "There are too many connections.".into(),
            Farewell::Failed => "The request failed.".into(),
            Farewell::Interrupted => "The request was interrupted.".into(),
        };
        write_farewell(status, &detail, self.head_only, output);
    }
}
