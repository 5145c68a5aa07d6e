//! `GET` and `HEAD` of a directory over HTTP/1.1 and 1.0.
//!
//! Source: RFC 9110 (semantics) and RFC 9112 (HTTP/1.1); request heads are parsed by `httparse`.
//!
//! | file | what |
//! |---|---|
//! | `request.rs` | [`Request`]: a head, understood |
//! | `codec.rs` | [`HttpCodec`]: heads from bytes, pipelining, skipped bodies, last words |
//! | `target.rs` | the request target as safe path segments |
//! | `root.rs` | the directory, and that nothing outside it is found |
//! | `answer.rs` | what is at a target: file, index, listing, redirect or error |
//! | `conditions.rs` | preconditions and ranges |
//! | `listing.rs` | a directory as a page |
//! | `response.rs`, `body.rs` | [`Response`] and its parts |
//!
//! It does: keep-alive and `Connection: close`, `Last-Modified` with `If-Modified-Since` and `If-Unmodified-Since`, a
//! single byte range with a date in `If-Range`, `index.html` or a listing. It does not: entity tags, compression,
//! several ranges at once (the whole file is sent, as RFC 9110 allows), any method that changes something.
//!
//! Limits: [`HEAD_BYTES_MAX`], [`FIELDS_MAX`], [`REQUEST_BODY_BYTES_MAX`], [`PART_BYTES`], [`LISTING_ENTRIES_MAX`]. Too
//! large a head is 431, too large a body 413; both close the connection.
//!
//! Files are touched only inside [`CallContext::block`]: one block finds, opens and reads the first part, and each
//! further part of a large file is one more. A file that shrinks while it is sent ends the connection; it is never
//! padded. A file that changes without shrinking is sent as it is at each part's moment.
//!
//! # What is served
//!
//! Regular files and directories below the root whose names do not start with a dot. A symbolic link is followed if
//! what it leads to is below the root and not hidden either. The target is canonicalized, compared with the canonical
//! root, and then opened by its canonical path. Between the two, somebody who can write below the root can put a link
//! in place of a component; who may do that is trusted. Hard links and mounts below the root count as its contents.
//!
//! # Tickets
//!
//! A request with a field `Palco-Ticket`, whatever its value, gets `Palco-Ticket: http/17.2:key@address` in the head of
//! its response: what gives the client power, at the urgent port, over this very request while its content is sent.
//! Without an urgent port the value is `none`. Requests of a connection are numbered from 1, refused ones too.
//!
//! Last words carry no `Date`, because a codec has no clock.

mod answer;
mod body;
mod codec;
mod conditions;
mod listing;
mod request;
mod response;
mod root;
mod target;

use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use body::PART_BYTES;
pub use codec::HttpCodec;
pub use listing::LISTING_ENTRIES_MAX;
pub use request::{
    FIELDS_MAX, HEAD_BYTES_MAX, Method, Persistence, REQUEST_BODY_BYTES_MAX, Request,
};
pub use response::{Response, Status};
pub use root::HttpRootError;

use request::TICKET;
use root::Root;

use palco_service::{CallContext, CannotRelaunch, Peer, Relaunch, Service};

/// What stands for a ticket where the server has no urgent port.
const NO_TICKET: &str = "none";

/// Serves one directory.
#[derive(Debug)]
pub struct HttpService {
    root: Arc<Root>,
}

impl HttpService {
    /// Serves what is below `root`. The directory is resolved now: if the path is a link that later changes, the old
    /// directory is still served.
    ///
    /// # Errors
    /// [`HttpRootError`] if `root` cannot be resolved or is no directory.
    pub fn new(root: impl AsRef<Path>) -> Result<Self, HttpRootError> {
        Ok(Self { root: Arc::new(Root::new(root.as_ref())?) })
    }

    async fn answer(&self, request: Request, cx: &CallContext<'_>) -> Response {
        let now = cx.wall_clock();
        let request = Arc::new(request);
        if let Some(status) = answer::refusal(&request) {
            return Response::error(&request, now, status);
        }
        let root = Arc::clone(&self.root);
        let asked = Arc::clone(&request);
        cx.block(move || answer::answer(&root, &asked, now))
            .await
            .unwrap_or_else(|| Response::error(&request, now, Status::InternalServerError))
    }
}

impl Relaunch for HttpService {
    const NAME: &'static str = "http";
    /// The directory.
    type Config = PathBuf;
    type Codec = HttpCodec;

    fn relaunch(root: &PathBuf) -> Result<(Self, HttpCodec), CannotRelaunch> {
        let service = Self::new(root).map_err(CannotRelaunch::because)?;
        Ok((service, HttpCodec::default()))
    }

    fn read_paths(root: &PathBuf) -> Vec<PathBuf> {
        vec![root.clone()]
    }
}

impl Service for HttpService {
    type Request = Request;
    type Response = Response;
    type Session = ();

    fn open(&self, _peer: &Peer) {}

    async fn call(&self, _session: &mut (), request: Request, cx: &CallContext<'_>) -> Response {
        let ticket = request.asks_ticket.then(|| cx.ticket());
        let mut response = self.answer(request, cx).await;
        if let Some(ticket) = ticket {
            let text = ticket.map_or(NO_TICKET.into(), |ticket| ticket.to_string());
            response.add(TICKET, text);
        }
        response
    }

    async fn more(&self, response: &mut Response, cx: &CallContext<'_>) -> bool {
        response.body.next_part(cx).await
    }
}
