//! The HTTP/1.1 codec of requests without content.

use bytes::{Buf, BytesMut};

use super::request::{CONTENT, FIELDS_MAX, HEAD_BYTES_MAX, Request};
use super::response::{Response, write_farewell};
use super::{Kind, Problem};
use crate::{Codec, Farewell, Malformed, Next, Service};

/// HTTP/1.1 and 1.0; for any service from [`Request`] to [`Response`].
///
/// A request with content ends the connection: nothing here wants any.
#[derive(Clone, Debug, Default)]
pub struct BasketCodec {
    /// The request being answered is a `HEAD`: nobody expects content.
    head_only: bool,
    /// The connection ends after the next response.
    ends: bool,
}

impl<S: Service<Request = Request, Response = Response>> Codec<S> for BasketCodec {
    /// Parses from the start as long as a head is incomplete: with its limit that costs little.
    fn decode(&mut self, input: &mut BytesMut) -> Result<Option<Request>, Malformed> {
        self.head_only = false;
        if input.is_empty() {
            return Ok(None);
        }
        let mut fields = [httparse::EMPTY_HEADER; FIELDS_MAX];
        let mut head = httparse::Request::new(&mut fields);
        let (request, length) = match head.parse(&input[..input.len().min(HEAD_BYTES_MAX)]) {
            Ok(httparse::Status::Complete(length)) => (Request::read(&head)?, length),
            Ok(httparse::Status::Partial) if input.len() < HEAD_BYTES_MAX => return Ok(None),
            Ok(httparse::Status::Partial) => {
                return Err(Malformed::TooLarge { what: "request head", limit: HEAD_BYTES_MAX });
            }
            Err(error) => return Err(Malformed::Syntax(error.to_string())),
        };
        input.advance(length);
        self.head_only = request.head_only;
        Ok(Some(request))
    }

    fn ends(&mut self) {
        self.ends = true;
    }

    fn encode(&mut self, response: &mut Response, output: &mut BytesMut) -> Next {
        if self.ends {
            response.close();
        }
        response.write(output)
    }

    fn farewell(&self, why: &Farewell, output: &mut BytesMut) {
        let problem = match why {
            // A client would take it for the answer to its next request.
            Farewell::Idle => return,
            Farewell::TooSlow => Problem::new(Kind::TooSlow, "The request took too long to come."),
            Farewell::Malformed(Malformed::TooLarge { what, .. }) if *what == CONTENT => {
                Problem::new(Kind::Content, "Send neither Content-Length nor Transfer-Encoding.")
            }
            Farewell::Malformed(malformed @ Malformed::TooLarge { .. }) => {
                Problem::new(Kind::HeadTooLarge, format!("The {malformed}."))
            }
            Farewell::Malformed(malformed) => {
                Problem::new(Kind::BadRequest, format!("This is no HTTP request: {malformed}."))
            }
            Farewell::Busy => {
                Problem::new(Kind::Unavailable, "There are too many connections.").retry_after(1)
            }
            Farewell::Failed => Problem::new(Kind::Failed, "The request failed."),
            Farewell::Interrupted => {
                Problem::new(Kind::Unavailable, "The request was interrupted.").retry_after(1)
            }
        };
        write_farewell(&problem, self.head_only, output);
    }
}
