//! A shopping basket over HTTP, whose state is kept by the client or by the server: cookies both ways (RFC 6265).
//!
//! | request | what it does |
//! |---|---|
//! | `GET /basket` | shows the basket as JSON |
//! | `PUT /basket/ITEM?count=N` | so many of the item are in it |
//! | `DELETE /basket/ITEM` | none of the item is in it |
//! | `DELETE /basket` | nothing is in it |
//!
//! Every answer but an error is the basket afterwards; errors are `application/problem+json` (RFC 9457). Requests have no
//! content.
//!
//! | file | what |
//! |---|---|
//! | `items.rs` | [`Items`], and the [`Operation`]s on them |
//! | `signed.rs` | [`Signed`]: the cookie is the state; nothing is remembered here |
//! | `sessions.rs`, `table.rs` | [`Sessions`]: the cookie names a session in a table, which one or several processes share |
//! | `secret.rs` | what signs a cookie |
//! | `request.rs`, `codec.rs`, `response.rs`, `problem.rs` | HTTP/1.1 and 1.0, for requests without content |
//!
//! Who keeps the state is a type: a [`BasketService`]`<Signed>` has no table and no way to share one. For both the
//! [`Session`](Service::Session) of a connection is `()`: requests of one basket may come on any connections.
//!
//! Both kinds are soft state: a basket lasts for [`ttl`](SignedConfig::ttl) after the last request that showed its cookie.
//! Times are those of the calendar clock, because a cookie outlives the process that has made it; a clock that is set on
//! makes baskets expire early, one that is set back late.
//!
//! Limits: [`HEAD_BYTES_MAX`], [`FIELDS_MAX`], [`ITEM_BYTES_MAX`], [`COUNT_MAX`], [`COOKIE_BYTES_MAX`],
//! [`SessionsConfig`].

mod codec;
mod items;
mod problem;
mod request;
mod response;
mod secret;
mod sessions;
mod signed;
mod table;

use std::future::Future;
use std::time::{Duration, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

pub use codec::BasketCodec;
pub use items::{COUNT_MAX, ITEM_BYTES_MAX, Items, Operation};
pub use problem::{Kind, Problem};
pub use request::{FIELDS_MAX, HEAD_BYTES_MAX, Request};
pub use response::Response;
pub use secret::Secret;
pub use sessions::{Sessions, SessionsConfig};
pub use signed::{COOKIE_BYTES_MAX, Signed, SignedConfig};

use crate::{CallContext, Peer, Service};

/// How long a basket lasts after the last request if nothing else is said: 10 minutes.
pub const TTL_DEFAULT: Duration = Duration::from_mins(10);

/// One request, as whoever keeps the state needs it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// The value of the cookie, if there is one.
    pub cookie: Option<String>,
    /// What to do.
    pub operation: Operation,
    /// The calendar clock, in milliseconds since 1970.
    pub now_ms: u64,
}

/// The basket afterwards.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// What is in it.
    pub items: Items,
    /// The value of the cookie from now on; none if there is nothing to keep yet.
    pub cookie: Option<String>,
    /// What the client should know.
    pub note: Option<String>,
}

/// Who keeps a basket between requests.
pub trait Keep: Send + Sync + 'static {
    /// The name of the cookie. Each kind has its own: cookies do not tell ports apart (RFC 6265 section 8.5).
    const COOKIE: &'static str;
    /// The side that has the state, as answers say.
    const SIDE: &'static str;

    /// How long a basket lasts after a request.
    fn ttl(&self) -> Duration;

    /// Finds the basket, changes it and keeps it.
    fn serve(&self, question: Question) -> impl Future<Output = Result<Kept, Problem>>;
}

/// The basket of whoever asks, kept by `K`.
#[derive(Debug)]
pub struct BasketService<K> {
    keep: K,
}

impl<K: Keep> BasketService<K> {
    /// Baskets that are kept so.
    #[must_use]
    pub fn new(keep: K) -> Self {
        Self { keep }
    }
}

impl<K: Keep> Service for BasketService<K> {
    type Request = Request;
    type Response = Response;
    type Session = ();

    fn open(&self, _peer: &Peer) {}

    async fn call(&self, (): &mut (), request: Request, cx: &CallContext<'_>) -> Response {
        let now = cx.wall_clock();
        let since_1970 = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        let cookie = request.cookie(K::COOKIE).map(str::to_owned);
        let kept = match request.operation.clone() {
            Err(problem) => Err(problem),
            Ok(operation) => {
                let now_ms = u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX);
                self.keep.serve(Question { cookie, operation, now_ms }).await
            }
        };
        match kept {
            Ok(kept) => Response::basket::<K>(&request, now, kept, self.keep.ttl()),
            Err(problem) => Response::problem::<K>(&request, now, &problem),
        }
    }
}
