//! Why a request is not answered with a basket (RFC 9457, Problem Details for HTTP APIs).

use serde::{Deserialize, Serialize};
use serde_json::json;

/// What kind of problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// 400: the bytes or the target are wrong.
    BadRequest,
    /// 401: the cookie was good, and its time is over.
    CookieExpired,
    /// 401: the cookie was never good.
    CookieForged,
    /// 404: there is nothing but `/basket` and what is in it.
    NotFound,
    /// 405: of the basket.
    BasketMethod,
    /// 405: of an item.
    ItemMethod,
    /// 408: the request did not come in time.
    TooSlow,
    /// 413: requests have no content.
    Content,
    /// 431: the head is larger than its limits.
    HeadTooLarge,
    /// 500: nothing that the client could change.
    Failed,
    /// 501: nobody here knows the method.
    UnknownMethod,
    /// 503: not now.
    Unavailable,
    /// 507: no more goes into the basket.
    BasketFull,
}

/// What an answer says instead of the basket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    kind: Kind,
    detail: String,
    retry_after_s: Option<u64>,
}

impl Problem {
    /// Of this kind; the detail says what happened and what to do.
    #[must_use]
    pub fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into(), retry_after_s: None }
    }

    /// With a time to wait, in seconds.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after_s = Some(seconds);
        self
    }

    /// What kind it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// What happened and what to do.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// The time to wait before the request is sent again, in seconds.
    #[must_use]
    pub fn retry_after_s(&self) -> Option<u64> {
        self.retry_after_s
    }

    /// The content of the answer: one line of JSON.
    pub(super) fn content(&self) -> String {
        let (status, _) = self.kind.status();
        let (name, title) = self.kind.about();
        let kind = format!("urn:palco:basket:{name}");
        let detail = &self.detail;
        let problem = json!({ "type": kind, "title": title, "status": status, "detail": detail });
        format!("{problem}\n")
    }
}

impl Kind {
    /// The status code and its reason phrase.
    #[must_use]
    pub fn status(self) -> (u16, &'static str) {
        match self {
            Self::BadRequest => (400, "Bad Request"),
            Self::CookieExpired | Self::CookieForged => (401, "Unauthorized"),
            Self::NotFound => (404, "Not Found"),
            Self::BasketMethod | Self::ItemMethod => (405, "Method Not Allowed"),
            Self::TooSlow => (408, "Request Timeout"),
            Self::Content => (413, "Content Too Large"),
            Self::HeadTooLarge => (431, "Request Header Fields Too Large"),
            Self::Failed => (500, "Internal Server Error"),
            Self::UnknownMethod => (501, "Not Implemented"),
            Self::Unavailable => (503, "Service Unavailable"),
            Self::BasketFull => (507, "Insufficient Storage"),
        }
    }

    /// The last word of its `type`, and its title.
    fn about(self) -> (&'static str, &'static str) {
        match self {
            Self::BadRequest => ("bad-request", "This is no request"),
            Self::CookieExpired => ("cookie-expired", "The cookie has expired"),
            Self::CookieForged => ("cookie-forged", "The cookie is not genuine"),
            Self::NotFound => ("not-found", "There is only /basket"),
            Self::BasketMethod | Self::ItemMethod => ("method", "This cannot be done here"),
            Self::TooSlow => ("too-slow", "The request took too long"),
            Self::Content => ("content", "Requests have no content"),
            Self::HeadTooLarge => ("head-too-large", "The request is too large"),
            Self::Failed => ("failed", "The request failed"),
            Self::UnknownMethod => ("unknown-method", "Nobody knows this method"),
            Self::Unavailable => ("unavailable", "Not now"),
            Self::BasketFull => ("basket-full", "The basket is full"),
        }
    }

    /// What can be done there.
    pub(super) fn allow(self) -> Option<&'static str> {
        match self {
            Self::BasketMethod => Some("GET, HEAD, DELETE"),
            Self::ItemMethod => Some("PUT, DELETE"),
            Self::BadRequest
            | Self::CookieExpired
            | Self::CookieForged
            | Self::NotFound
            | Self::TooSlow
            | Self::Content
            | Self::HeadTooLarge
            | Self::Failed
            | Self::UnknownMethod
            | Self::Unavailable
            | Self::BasketFull => None,
        }
    }

    /// Whether the client should forget the cookie.
    pub(super) fn ends_cookie(self) -> bool {
        matches!(self, Self::CookieExpired | Self::CookieForged)
    }
}
