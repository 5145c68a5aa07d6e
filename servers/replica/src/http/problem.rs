//! Every error, as RFC 9457 (Problem Details for HTTP APIs) writes it.

use std::error::Error;
use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::{
    ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_TYPE, ETAG, HeaderName, HeaderValue, RETRY_AFTER,
    WWW_AUTHENTICATE,
};
use actix_web::{HttpRequest, HttpResponse, ResponseError};
use palco_rambo::{Failure, Outcome, Part};
use serde_json::{Map, Value, json};

use super::etag::Etag;
use super::kind::Kind;

/// Where kinds are described: `type` is this and the kind's name.
pub(crate) const TYPES: &str = "/v1/problems/";

/// Seconds after which to ask again.
const RETRY_SECONDS: HeaderValue = HeaderValue::from_static("1");

/// Why a request is not answered as it was meant.
#[derive(Debug)]
pub(crate) struct Problem {
    kind: Kind,
    detail: String,
    /// Members beside those of the standard.
    more: Map<String, Value>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Problem {
    pub(crate) fn new(kind: Kind, detail: impl Into<String>) -> Self {
        let mut headers = Vec::new();
        if kind == Kind::NoToken {
            headers.push((WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")));
        }
        if matches!(kind, Kind::Unavailable | Kind::TooManyWatchers) {
            headers.push((RETRY_AFTER, RETRY_SECONDS));
        }
        if matches!(kind, Kind::TooLarge | Kind::SlowBody) {
            // What is left of the body is not waited for.
            headers.push((CONNECTION, HeaderValue::from_static("close")));
        }
        Self { kind, detail: detail.into(), more: Map::new(), headers }
    }

    /// With one more member.
    pub(crate) fn with(mut self, name: &str, value: Value) -> Self {
        self.more.insert(name.to_owned(), value);
        self
    }

    /// With the entity tag of what is there.
    pub(crate) fn at(mut self, etag: &Etag) -> Self {
        self.headers.push((ETAG, etag.header()));
        self
    }

    pub(crate) fn too_large(limit: usize) -> Self {
        let detail = format!("the body has more than {limit} bytes");
        Self::new(Kind::TooLarge, detail).with("limit", json!(limit))
    }

    pub(crate) fn not_allowed(request: &HttpRequest, allow: &str) -> Self {
        let detail = format!("{} does not answer {}", request.path(), request.method());
        let mut problem = Self::new(Kind::MethodNotAllowed, detail);
        if let Ok(allow) = HeaderValue::from_str(allow) {
            problem.headers.push((ALLOW, allow));
        }
        problem
    }

    pub(crate) fn ending() -> Self {
        Self::new(Kind::Unavailable, "this gateway is ending; another node may answer")
    }

    /// Why there is no value. A read that ran out of time has changed nothing, whatever became of it.
    pub(crate) fn of_read(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Unknown { .. } => Failure::Timeout.into(),
            Outcome::Failed(failure) => failure.clone().into(),
            other => Self::stray(other),
        }
    }

    /// Why a change was not made, or why nobody knows.
    pub(crate) fn of_change(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Unknown { tag } => {
                let detail = "time ran out after other nodes may have taken it up";
                let problem = Self::new(Kind::OutcomeUnknown, detail);
                match tag {
                    Some(tag) => problem.with("etag", json!(Etag::of_tag(tag).quoted())),
                    None => problem,
                }
            }
            Outcome::Failed(failure) => failure.into(),
            other => Self::stray(&other),
        }
    }

    fn stray(outcome: &Outcome) -> Self {
        Self::new(Kind::Broken, format!("the outcome was {outcome:?}"))
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        let detail = failure.to_string();
        match failure {
            Failure::NotJoined | Failure::Busy { .. } | Failure::Timeout => {
                Self::new(Kind::Unavailable, detail)
            }
            Failure::Class(_) | Failure::OtherKey(_) => Self::new(Kind::NotCas, detail),
            Failure::Oversized { what, limit, .. } => {
                let kind = match what {
                    Part::Key => Kind::KeyTooLong,
                    Part::Value => Kind::TooLarge,
                };
                Self::new(kind, detail).with("limit", json!(limit))
            }
            Failure::Driving => Self::new(Kind::Driving, detail),
            Failure::Configuration(ref why) => {
                Self::new(Kind::Impossible, detail).with("reasons", json!(reasons(why)))
            }
            Failure::Dead { silent, .. } => {
                let reasons: Vec<_> =
                    silent.iter().map(|node| format!("{node} does not answer")).collect();
                Self::new(Kind::Impossible, detail)
                    .with("reasons", json!(reasons))
                    .with("silent", json!(silent))
            }
            Failure::Member { .. } => Self::new(Kind::Impossible, detail),
        }
    }
}

/// An error and what it came from, outermost first.
fn reasons(error: &dyn Error) -> Vec<String> {
    let mut reasons = vec![error.to_string()];
    let mut inner = error.source();
    while let Some(error) = inner {
        reasons.push(error.to_string());
        inner = error.source();
    }
    reasons
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.kind.about().status
    }

    fn error_response(&self) -> HttpResponse {
        let about = self.kind.about();
        let mut response = HttpResponse::build(about.status);
        response.insert_header((CACHE_CONTROL, "no-store"));
        for header in &self.headers {
            response.insert_header(header.clone());
        }
        response.insert_header((CONTENT_TYPE, "application/problem+json"));
        let mut body = self.more.clone();
        for (name, value) in [
            ("type", json!(format!("{TYPES}{}", about.name))),
            ("title", json!(about.title)),
            ("status", json!(about.status.as_u16())),
            ("detail", json!(self.detail)),
            ("advice", json!(about.advice)),
        ] {
            body.insert(name.to_owned(), value);
        }
        response.body(Value::Object(body).to_string())
    }
}
