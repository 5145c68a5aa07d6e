//! Echo: every byte comes back in order (RFC 862).
//!
//! The smallest service there is: no state, no session, no waiting. What it costs is what the server model costs.
//!
//! A request is whatever bytes have arrived, at most [`REQUEST_BYTES_MAX`]; where one request ends carries no meaning.
//! Deviation from RFC 862: none for TCP; UDP is not served.

use bytes::{Bytes, BytesMut};

use crate::{CallContext, CannotRelaunch, Codec, Malformed, Next, Peer, Relaunch, Service};

/// The most bytes that one request takes: 64 KiB. More input becomes several requests.
pub const REQUEST_BYTES_MAX: usize = 64 * 1024;

/// Answers with the bytes it was asked with.
#[derive(Clone, Copy, Debug, Default)]
pub struct EchoService;

impl Service for EchoService {
    type Request = Bytes;
    type Response = Bytes;
    type Session = ();

    fn open(&self, _peer: &Peer) {}

    async fn call(&self, _session: &mut (), request: Bytes, _cx: &CallContext<'_>) -> Bytes {
        request
    }
}

impl Relaunch for EchoService {
    const NAME: &'static str = "echo";
    type Config = ();
    type Codec = EchoCodec;

    fn relaunch((): &()) -> Result<(Self, EchoCodec), CannotRelaunch> {
        Ok((Self, EchoCodec))
    }
}

/// Bytes as they come; for any service from [`Bytes`] to [`Bytes`].
///
/// Never malformed, and `input` is empty or holds a request after every read.
#[derive(Clone, Copy, Debug, Default)]
pub struct EchoCodec;

impl<S: Service<Request = Bytes, Response = Bytes>> Codec<S> for EchoCodec {
    fn decode(&mut self, input: &mut BytesMut) -> Result<Option<Bytes>, Malformed> {
        if input.is_empty() {
            return Ok(None);
        }
        let taken = input.len().min(REQUEST_BYTES_MAX);
        Ok(Some(input.split_to(taken).freeze()))
    }

    fn encode(&mut self, response: &mut Bytes, output: &mut BytesMut) -> Next {
        output.extend_from_slice(response);
        Next::Keep
    }
}
