//! One connection without I/O: bytes in, calls, bytes out.
//!
//! Who owns it reads into [`Connection::input`], lets it [`advance`](Connection::advance), and does what the
//! [`Step`] says. Requests are answered in their order; pipelined ones in one go, until so much output waits that
//! the client should read first. That bound is what makes a slow reader slow instead of expensive.

use std::fmt;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use palco_service::{CallContext, Codec, Farewell, Malformed, Next, Peer, Remembers, Service};

/// No more responses are made while this many bytes wait to be written.
const OUTPUT_BYTES_HIGH: usize = 64 << 10;

/// Told as the requests of a connection begin; asked whether they may.
pub trait Progress {
    /// A request has been decoded, the `number`-th of its connection, and these bytes behind it have not. False gives it
    /// up before it begins.
    fn begins(&self, number: u64, queued: &[u8]) -> bool;

    /// Whether nothing more is to be decoded for now.
    fn pauses(&self) -> bool;
}

/// Nobody to tell.
impl Progress for () {
    fn begins(&self, _: u64, _: &[u8]) -> bool {
        true
    }

    fn pauses(&self) -> bool {
        false
    }
}

/// What the owner of a connection does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The request that was decoded last is not to begin: say so, see [`Connection::interrupt`].
    Interrupted,
    /// Nothing is decoded, as [`Progress::pauses`] wanted it.
    Paused,
    /// Write out [`Connection::output`], then advance again.
    Write,
    /// Read more into [`Connection::input`], or call [`Connection::end_of_input`], then advance again.
    Read,
    /// Write out what is left, then close.
    Close,
}

/// The state of one connection.
pub struct Connection<S: Service, C: Codec<S>> {
    service: Arc<S>,
    codec: C,
    session: Option<S::Session>,
    /// Bytes read and not yet decoded. The codec bounds it.
    input: BytesMut,
    /// Bytes encoded and not yet written; a little more than 64 KiB and one response part at most.
    output: BytesMut,
    /// A request that waits until the answers before it have been written.
    waiting: Option<S::Request>,
    /// A request that has begun and of which more parts may follow.
    receiving: Option<S::Request>,
    /// A response of which more parts may follow, and what comes after its last.
    response: Option<(S::Response, Next)>,
    /// More parts have followed: each is written before the next is made.
    in_parts: bool,
    input_ended: bool,
    closing: bool,
    /// The service is at work on a request.
    calling: bool,
    malformed: Option<Malformed>,
    requests: u64,
}

impl<S: Service, C: Codec<S>> Connection<S, C> {
    /// Opens a session for `peer`.
    #[must_use]
    pub fn new(service: Arc<S>, codec: C, peer: &Peer) -> Self {
        let session = Some(service.open(peer));
        Self {
            service,
            codec,
            session,
            input: BytesMut::new(),
            output: BytesMut::new(),
            waiting: None,
            receiving: None,
            response: None,
            in_parts: false,
            input_ended: false,
            closing: false,
            calling: false,
            malformed: None,
            requests: 0,
        }
    }

    /// What the service remembers about this client.
    #[must_use]
    pub fn remembers(&self) -> Option<Remembers> {
        self.service.remembers(self.session.as_ref()?)
    }

    /// Where to put what was read.
    pub fn input(&mut self) -> &mut BytesMut {
        &mut self.input
    }

    /// What to write; take from the front what has been written.
    pub fn output(&mut self) -> &mut BytesMut {
        &mut self.output
    }

    /// The client will send no more. What it sent before is still answered.
    pub fn end_of_input(&mut self) {
        self.input_ended = true;
    }

    /// Whether a response is being sent of which more parts follow.
    #[must_use]
    pub fn is_answering(&self) -> bool {
        self.response.is_some()
    }

    /// Whether a request has begun of which parts are still to be read.
    #[must_use]
    pub fn is_receiving(&self) -> bool {
        self.receiving.is_some()
    }

    /// Gives the running request up and tells the client so in the protocol's words. True if the connection goes on.
    pub fn interrupt(&mut self) -> bool {
        self.response = None;
        self.receiving = None;
        self.calling = false;
        self.closing = self.codec.interrupted(&mut self.output) == Next::Close;
        !self.closing
    }

    /// What came until the urgent byte, and with it; for codecs that use urgent data.
    pub fn urgent(&mut self, unread: &[u8]) {
        self.input.extend_from_slice(unread);
        self.codec.urgent(&mut self.input);
    }

    /// Whether the service is at work on a request; also true when that was given up half done.
    #[must_use]
    pub fn is_calling(&self) -> bool {
        self.calling
    }

    /// How many requests have been decoded.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.requests
    }

    /// Why the client's bytes were refused, if they were.
    #[must_use]
    pub fn malformed(&self) -> Option<&Malformed> {
        self.malformed.as_ref()
    }

    /// Appends the protocol's last words and lets the connection end. For reasons that only the owner knows.
    pub fn bid_farewell(&mut self, why: &Farewell) {
        self.response = None;
        self.receiving = None;
        self.closing = true;
        self.codec.farewell(why, &mut self.output);
    }

    /// Decodes, calls and encodes as far as it gets.
    ///
    /// Dropped at an await point, the running call is lost and the connection is only good for
    /// [`interrupt`](Self::interrupt) and [`bid_farewell`](Self::bid_farewell).
    pub async fn advance(&mut self, cx: &CallContext<'_>, progress: &impl Progress) -> Step {
        loop {
            if self.closing {
                return Step::Close;
            }
            if self.output.len() >= OUTPUT_BYTES_HIGH {
                return Step::Write;
            }
            if self.in_parts && !self.output.is_empty() {
                return Step::Write;
            }
            if let Some((response, next)) = &mut self.response {
                self.calling = true;
                let more = self.service.more(response, cx).await;
                self.calling = false;
                self.in_parts = more;
                if more {
                    *next = self.codec.encode(response, &mut self.output);
                } else {
                    self.closing = *next == Next::Close;
                    self.response = None;
                }
                continue;
            }
            if progress.pauses() {
                return Step::Paused;
            }
            if self.receiving.is_some() {
                match self.codec.part(&mut self.input) {
                    Ok(Some(part)) => self.receive(part, cx).await,
                    Ok(None) if self.codec.receives() => return self.lacks_input(),
                    Ok(None) => {
                        let request = self.receiving.take().expect("it is being received");
                        self.call(request, cx).await;
                    }
                    Err(malformed) => self.refuse(malformed),
                }
                continue;
            }
            let decoded = match self.waiting.take() {
                Some(request) => Ok(Some(request)),
                None => self.codec.decode(&mut self.input),
            };
            match decoded {
                Ok(Some(request)) => {
                    if !self.output.is_empty() && self.service.takes_time(&request) {
                        self.waiting = Some(request);
                        return Step::Write;
                    }
                    self.requests += 1;
                    if !progress.begins(self.requests, &self.input) {
                        return Step::Interrupted;
                    }
                    if self.codec.receives() {
                        self.prepare(request, cx).await;
                    } else {
                        self.call(request, cx).await;
                    }
                }
                Ok(None) => return self.lacks_input(),
                Err(malformed) => self.refuse(malformed),
            }
        }
    }

    /// Nothing goes on without more input.
    fn lacks_input(&mut self) -> Step {
        if !self.output.is_empty() {
            Step::Write
        } else if self.input_ended {
            self.receiving = None;
            Step::Close
        } else {
            Step::Read
        }
    }

    fn refuse(&mut self, malformed: Malformed) {
        self.malformed = Some(malformed.clone());
        self.bid_farewell(&Farewell::Malformed(malformed));
    }

    /// Begins to receive `request`, or answers it without its parts.
    async fn prepare(&mut self, mut request: S::Request, cx: &CallContext<'_>) {
        let session = self.session.as_mut().expect("open until the drop");
        self.calling = true;
        let wanted = self.service.wants_parts(session, &mut request, cx).await;
        self.calling = false;
        if wanted {
            self.codec.invite(&self.input, &mut self.output);
            self.receiving = Some(request);
        } else {
            self.codec.decline();
            self.call(request, cx).await;
        }
    }

    /// Hands `part` to the service, and answers the request if it wants no more.
    async fn receive(&mut self, part: Bytes, cx: &CallContext<'_>) {
        let session = self.session.as_mut().expect("open until the drop");
        let request = self.receiving.as_mut().expect("it is being received");
        self.calling = true;
        let wanted = self.service.part(session, request, part, cx).await;
        self.calling = false;
        if !wanted {
            self.codec.decline();
            let request = self.receiving.take().expect("it is being received");
            self.call(request, cx).await;
        }
    }

    async fn call(&mut self, request: S::Request, cx: &CallContext<'_>) {
        let session = self.session.as_mut().expect("open until the drop");
        self.calling = true;
        let mut response = self.service.call(session, request, cx).await;
        self.calling = false;
        if self.input.is_empty() && cx.is_last(self.requests) {
            self.codec.ends();
        }
        let next = self.codec.encode(&mut response, &mut self.output);
        self.response = Some((response, next));
    }
}

impl<S: Service, C: Codec<S>> Drop for Connection<S, C> {
    fn drop(&mut self) {
        if let Some(session) = self.session.take() {
            self.service.close(session);
        }
    }
}

impl<S: Service, C: Codec<S>> fmt::Debug for Connection<S, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("input_bytes", &self.input.len())
            .field("output_bytes", &self.output.len())
            .field("requests", &self.requests)
            .field("closing", &self.closing)
            .finish_non_exhaustive()
    }
}
