//! The stateless service: files over HTTP/1.1 and 1.0.
//!
//! Sources: RFC 9110 (semantics), RFC 9112 (HTTP/1.1), draft-ietf-httpapi-idempotency-key-header-07; request heads are
//! parsed by `httparse`.
//!
//! | file | what |
//! |---|---|
//! | `site.rs` | [`Config`]; the directory and what belongs to it |
//! | `request.rs` | [`Request`]: a head, understood |
//! | `codec.rs`, `chunks.rs` | [`HttpCodec`]: heads and content from bytes, pipelining, last words |
//! | `target.rs` | the request target as safe path segments |
//! | `answer.rs` | what is at a target: file, index, listing, redirect or error |
//! | `change.rs` | `PUT`, `POST`, `DELETE` |
//! | `upload.rs` | the content of a request on its way to the disk |
//! | `journal.rs` | appends that happen once |
//! | `conditions.rs`, `tags.rs`, `ranges.rs` | preconditions, entity tags, ranges |
//! | `listing.rs` | a directory as a page or as JSON |
//! | `response.rs`, `body.rs` | [`Response`] and its parts |
//!
//! What it does, and what its limits are, is in `docs/FILES.md`. It does no compression and makes no directories.
//!
//! Limits: [`HEAD_BYTES_MAX`] (431, or 414 for the first line), [`FIELDS_MAX`], [`REQUEST_BODY_BYTES_MAX`] (413),
//! [`Config::content_bytes_max`] (413), [`RANGES_MAX`], [`PART_BYTES`], [`LISTING_ENTRIES_MAX`].
//!
//! Files are touched only inside [`CallContext::block`]: one block finds, opens and reads the first part, and each
//! further part of a large file is one more, in either direction. A file that shrinks while it is sent ends the
//! connection; it is never padded. A file that changes without shrinking is sent as it is at each part's moment.
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
mod change;
mod chunks;
mod codec;
mod conditions;
mod journal;
mod listing;
mod ranges;
mod request;
mod response;
mod site;
mod tags;
mod target;
mod upload;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;

pub use body::PART_BYTES;
pub use codec::HttpCodec;
pub use listing::LISTING_ENTRIES_MAX;
pub use ranges::RANGES_MAX;
pub use request::{
    FIELDS_MAX, HEAD_BYTES_MAX, Method, Persistence, REQUEST_BODY_BYTES_MAX, Request,
};
pub use response::{Refusal, Response, Status};
pub use site::{Config, Keys};

use request::TICKET;
use site::Site;

use crate::{Access, TreeError, TreeErrorKind};
use palco_service::{CallContext, CannotRelaunch, Peer, Relaunch, Service};

/// What stands for a ticket where the server has no urgent port.
const NO_TICKET: &str = "none";

/// Why a path cannot be used, as a client is told.
fn refusal(error: &TreeError) -> Refusal {
    let (status, detail) = match error.kind() {
        TreeErrorKind::NotFound => (Status::NotFound, ""),
        TreeErrorKind::NoParent => {
            (Status::Conflict, "There is no directory for it; none is made.")
        }
        TreeErrorKind::Directory => (Status::MethodNotAllowed, "This is a directory."),
        TreeErrorKind::Exists => (Status::Conflict, "It is there already."),
        TreeErrorKind::NameTooLong => (Status::NotFound, "No file has a name so long."),
        TreeErrorKind::Denied => (Status::Forbidden, ""),
        TreeErrorKind::NoSpace => (Status::InsufficientStorage, "The disk is full."),
        TreeErrorKind::Failed => (Status::InternalServerError, ""),
    };
    Refusal { status, detail }
}

/// Serves one directory.
#[derive(Debug)]
pub struct HttpService {
    site: Arc<Site>,
}

impl HttpService {
    /// Serves what is below the root. The directory is opened now: if the path is a link that later changes, the old
    /// directory is still served. If it can be written to, what a killed server has left half done is completed.
    ///
    /// # Errors
    /// [`TreeError`] if the root cannot be opened or is no directory, or if it is to be written to and cannot.
    pub fn new(config: impl Into<Config>) -> Result<Self, TreeError> {
        Ok(Self { site: Arc::new(Site::open(config.into())?) })
    }

    /// The answer that a request gets without a look at any file.
    fn at_once(&self, request: &Request, now: SystemTime) -> Option<Response> {
        let methods = self.site.methods();
        let why: Refusal = match (request.refused, request.method) {
            (Some(refusal), _) => refusal,
            (None, Method::Get | Method::Head) => return None,
            (None, Method::Options) => {
                let mut response = Response::empty(request, now, Status::NoContent);
                response.add("Allow", methods);
                return Some(response);
            }
            (None, Method::Put | Method::Post | Method::Delete)
                if self.site.config.access == Access::ReadWrite =>
            {
                return None;
            }
            (None, Method::Put | Method::Post | Method::Delete | Method::NotAllowed) => {
                Status::MethodNotAllowed.into()
            }
            (None, Method::Unknown) => Status::NotImplemented.into(),
        };
        Some(self.refuse(request, now, why))
    }

    fn refuse(&self, request: &Request, now: SystemTime, why: Refusal) -> Response {
        let mut response = Response::error(request, now, why);
        if why.status == Status::MethodNotAllowed {
            response.add("Allow", self.site.methods());
        }
        response
    }

    async fn answer(&self, mut request: Request, cx: &CallContext<'_>) -> Response {
        let now = cx.wall_clock();
        if let Some(response) = self.at_once(&request, now) {
            return response;
        }
        if let Method::Get | Method::Head = request.method
            && let Some(answer) = answer::at_once(&self.site, &request, now)
        {
            return answer.unwrap_or_else(|why| self.refuse(&request, now, why));
        }
        let upload = request.upload.take();
        let request = Arc::new(request);
        let (site, asked) = (Arc::clone(&self.site), Arc::clone(&request));
        let answer = cx.block(move || match asked.method {
            Method::Get | Method::Head => answer::answer(&site, &asked, now),
            // Content of length 0 has no parts, so nothing has been prepared.
            Method::Put | Method::Post if upload.is_none() => change::begin(&site, &asked)
                .and_then(|upload| change::finish(&site, &asked, Some(upload), now)),
            _ => change::finish(&site, &asked, upload, now),
        });
        let answer = answer.await.unwrap_or_else(|| Err(Status::InternalServerError.into()));
        answer.unwrap_or_else(|why| self.refuse(&request, now, why))
    }
}

impl Relaunch for HttpService {
    const NAME: &'static str = "http";
    type Config = Config;
    type Codec = HttpCodec;

    fn relaunch(config: &Config) -> Result<(Self, HttpCodec), CannotRelaunch> {
        let service = Self::new(config.clone()).map_err(CannotRelaunch::because)?;
        Ok((service, HttpCodec::default()))
    }

    fn read_paths(config: &Config) -> Vec<PathBuf> {
        vec![config.root.clone()]
    }

    fn write_paths(config: &Config) -> Vec<PathBuf> {
        match config.access {
            Access::ReadOnly => Vec::new(),
            Access::ReadWrite => vec![config.root.clone()],
        }
    }
}

impl Service for HttpService {
    type Request = Request;
    type Response = Response;
    type Session = ();

    fn open(&self, _peer: &Peer) {}

    async fn wants_parts(&self, (): &mut (), request: &mut Request, cx: &CallContext<'_>) -> bool {
        if self.at_once(request, cx.wall_clock()).is_some() {
            return false;
        }
        let head = request.head();
        let site = Arc::clone(&self.site);
        let begun = cx.block(move || change::begin(&site, &head)).await;
        match begun.unwrap_or_else(|| Err(Status::InternalServerError.into())) {
            Ok(upload) => request.upload = Some(upload),
            Err(refusal) => request.refused = Some(refusal),
        }
        request.upload.is_some()
    }

    async fn part(
        &self,
        (): &mut (),
        request: &mut Request,
        part: Bytes,
        cx: &CallContext<'_>,
    ) -> bool {
        let Some(mut upload) = request.upload.take() else { return false };
        let written = cx.block(move || upload.write(&part).map(|()| upload)).await;
        match written.unwrap_or_else(|| Err(Status::InternalServerError.into())) {
            Ok(upload) => request.upload = Some(upload),
            Err(refusal) => request.refused = Some(refusal),
        }
        request.upload.is_some()
    }

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
