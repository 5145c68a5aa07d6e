//! The service: one answer for one request, for one client's session.

use std::fmt;
use std::future::{self, Future};

use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;

use crate::CallContext;

/// What is remembered about a client, whenever it is asked.
pub type Remembers = Arc<dyn Fn() -> Value + Send + Sync>;

/// Who is at the other end of a connection, as text that logs and services may show.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Peer(Box<str>);

impl Peer {
    /// Names a peer, usually `address:port`.
    #[must_use]
    pub fn new(name: impl Into<Box<str>>) -> Self {
        Self(name.into())
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What is served. Written once; runs under every server model.
///
/// One service value is shared by all connections of a server, so its own state needs locks. Calls of one connection
/// run one after another, in the order of the requests; calls of different connections may run at the same time.
pub trait Service: Send + Sync + 'static {
    /// One decoded request, or the head of a long one.
    type Request;
    /// One response, or the first part of a long one.
    type Response;
    /// What the server remembers about one client between requests. `()` *is* what stateless means.
    type Session;

    /// Called once for every connection, before its first byte is read.
    fn open(&self, peer: &Peer) -> Self::Session;

    /// What is remembered about a client, for people who look at its connection: called once, after
    /// [`open`](Self::open); what it returns is asked at any time, from anywhere, so it must be quick. The default is
    /// nothing.
    fn remembers(&self, session: &Self::Session) -> Option<Remembers> {
        let _ = session;
        None
    }

    /// Whether answering `request` may take its time: then the answers to the requests before it are written first.
    /// Otherwise answers to requests that came together go out together, which costs less. The default is no.
    fn takes_time(&self, request: &Self::Request) -> bool {
        let _ = request;
        false
    }

    /// Whether the parts of `request`, which follow its head, are wanted; what takes them can be prepared here. Asked once
    /// for every request after which [`Codec::receives`](crate::Codec::receives), before any part is read. If not, the
    /// request is answered without them. The default wants none.
    fn wants_parts(
        &self,
        session: &mut Self::Session,
        request: &mut Self::Request,
        cx: &CallContext<'_>,
    ) -> impl Future<Output = bool> {
        let _ = (session, request, cx);
        future::ready(false)
    }

    /// Takes the next part of `request`: a few KiB at a time, before [`call`](Self::call). False if no more is wanted,
    /// for example because it cannot be stored; then the request is answered at once. This is how a request larger than
    /// memory is received: the next part is not read before this one has been taken.
    ///
    /// A request whose parts end early is dropped without a call, so that whatever it has filled goes away with it.
    fn part(
        &self,
        session: &mut Self::Session,
        request: &mut Self::Request,
        part: Bytes,
        cx: &CallContext<'_>,
    ) -> impl Future<Output = bool> {
        let _ = (session, request, part, cx);
        future::ready(false)
    }

    /// Answers one request.
    ///
    /// Must not block the thread except through [`CallContext::block`]. May be dropped at any await point, when the
    /// call is interrupted or its server is killed: state shared with other calls must be consistent there.
    fn call(
        &self,
        session: &mut Self::Session,
        request: Self::Request,
        cx: &CallContext<'_>,
    ) -> impl Future<Output = Self::Response>;

    /// Loads the next part of `response` after the previous part has been written, or returns false when there is
    /// none. The default has none. This is how a response larger than memory is sent: the client's reading speed
    /// decides when the next part is made.
    fn more(
        &self,
        response: &mut Self::Response,
        cx: &CallContext<'_>,
    ) -> impl Future<Output = bool> {
        let _ = (response, cx);
        future::ready(false)
    }

    /// Called once when the connection has ended, whatever ended it (not after a kill).
    fn close(&self, session: Self::Session) {
        drop(session);
    }
}
