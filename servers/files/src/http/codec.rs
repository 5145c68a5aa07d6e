//! The HTTP/1.1 codec: heads from bytes, skipped bodies, last words.

use bytes::{Buf, Bytes, BytesMut};

use super::body::PART_BYTES;
use super::chunks::Chunks;
use super::request::{
    BODY, HEAD_BYTES_MAX, Length, Method, REQUEST_BODY_BYTES_MAX, Request, TARGET,
};
use super::response::{Response, Status, write_farewell};
use palco_service::{Codec, Farewell, Malformed, Next, Service};

/// HTTP/1.1 and 1.0; for any service from [`Request`] to [`Response`].
///
/// A request is yielded when its head is complete; its body comes in parts, or is skipped as it arrives, so no body is
/// ever held.
#[derive(Clone, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is one fact about the request on its way")]
pub struct HttpCodec {
    /// Bytes of the last request's body that are still to be skipped.
    skip: u64,
    /// What is still to come of the content of the request that was decoded last.
    content: Content,
    /// Its client waits for `100 (Continue)`.
    waits: bool,
    /// The end of its content will not be found, or nobody is there to read on.
    closes: bool,
    /// Bytes at the front of the input that hold no end of a head.
    scanned: usize,
    /// The request being answered is a `HEAD`: nobody expects content.
    head_only: bool,
    /// The response being written has parts to come.
    responding: bool,
}

/// The content of a request on its way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Content {
    #[default]
    None,
    Bytes(u64),
    Chunked(Chunks),
}

impl HttpCodec {
    fn read(&mut self, input: &mut BytesMut) -> Result<Option<Request>, Malformed> {
        self.head_only = false;
        let skipped = usize::try_from(self.skip).unwrap_or(usize::MAX).min(input.len());
        input.advance(skipped);
        self.skip -= skipped as u64;
        if self.skip > 0 || !self.starts(input)? {
            return Ok(None);
        }
        let Some(end) = self.find_end(input)? else { return Ok(None) };
        let request = Request::parse(&input.split_to(end))?;
        self.scanned = 0;
        self.waits = request.waits;
        match (request.method.takes_content(), request.length) {
            (true, Length::Chunked) => self.content = Content::Chunked(Chunks::default()),
            (true, Length::Bytes(length @ 1..)) => self.content = Content::Bytes(length),
            (_, Length::Bytes(length)) => self.skip = length,
            (false, Length::Chunked) => self.closes = true,
        }
        // A client that waits sends its body or not; after a final status nobody knows.
        self.closes |= self.waits && !request.method.takes_content();
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
        let is_first_line = !input[..HEAD_BYTES_MAX].contains(&b'\n');
        let what = if is_first_line { TARGET } else { "request head" };
        Err(Malformed::TooLarge { what, limit: HEAD_BYTES_MAX })
    }
}

impl<S: Service<Request = Request, Response = Response>> Codec<S> for HttpCodec {
    fn decode(&mut self, input: &mut BytesMut) -> Result<Option<Request>, Malformed> {
        self.read(input)
    }

    fn receives(&self) -> bool {
        self.content != Content::None
    }

    fn invite(&mut self, input: &BytesMut, output: &mut BytesMut) {
        if std::mem::take(&mut self.waits) && input.is_empty() {
            output.extend_from_slice(b"HTTP/1.1 100 Continue\r\n\r\n");
        }
    }

    fn part(&mut self, input: &mut BytesMut) -> Result<Option<Bytes>, Malformed> {
        match &mut self.content {
            Content::None => Ok(None),
            Content::Bytes(remaining) => {
                let there = usize::try_from(*remaining).unwrap_or(usize::MAX).min(input.len());
                let part = input.split_to(there.min(PART_BYTES)).freeze();
                *remaining -= part.len() as u64;
                if *remaining == 0 {
                    self.content = Content::None;
                }
                Ok((!part.is_empty()).then_some(part))
            }
            Content::Chunked(chunks) => {
                let part = chunks.part(input)?;
                if *chunks == Chunks::Done {
                    self.content = Content::None;
                }
                Ok(part)
            }
        }
    }

    /// What is left of a short body is skipped; after a long one, or one that may never come, nobody looks.
    fn decline(&mut self) {
        match std::mem::take(&mut self.content) {
            Content::None => {}
            Content::Bytes(rest) if !self.waits && rest <= REQUEST_BODY_BYTES_MAX as u64 => {
                self.skip = rest;
            }
            Content::Bytes(_) | Content::Chunked(_) => self.closes = true,
        }
    }

    fn ends(&mut self) {
        self.closes = true;
    }

    fn encode(&mut self, response: &mut Response, output: &mut BytesMut) -> Next {
        if self.closes {
            response.close();
        }
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
            // A client would take it for the answer to its next request (RFC 9110 §15.5.9 is about a request).
            Farewell::Idle => return,
            Farewell::TooSlow => Status::RequestTimeout,
            Farewell::Malformed(Malformed::TooLarge { what, .. }) if *what == BODY => {
                Status::ContentTooLarge
            }
            Farewell::Malformed(Malformed::TooLarge { what, .. }) if *what == TARGET => {
                Status::UriTooLong
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
            Farewell::TooSlow | Farewell::Idle => "The request took too long to come.".into(),
        };
        write_farewell(status, &detail, self.head_only, output);
    }
}
