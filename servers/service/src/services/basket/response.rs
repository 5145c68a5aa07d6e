//! Answers and their bytes.

use std::fmt::Write;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::BytesMut;
use serde::Serialize;

use super::request::{Persistence, Request};
use super::{Items, Keep, Kept, Problem};
use crate::Next;

/// What a cookie has beside its value, at its longest.
const COOKIE_BESIDE: &str =
    "basket=; Max-Age=18446744073709551615; HttpOnly; SameSite=Strict; Path=/";
/// The bytes of that.
pub(super) const COOKIE_BESIDE_BYTES_MAX: usize = COOKIE_BESIDE.len();

/// Where years have five digits, which no date of HTTP has.
const DATE_END: Duration = Duration::from_secs(253_402_300_800);

const JSON: &str = "application/json";
const PROBLEM: &str = "application/problem+json";

/// One answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    status: (u16, &'static str),
    fields: Vec<(&'static str, String)>,
    content: String,
    persistence: Persistence,
    head_only: bool,
}

/// What is shown of a basket.
#[derive(Serialize)]
struct Shown<'a> {
    items: &'a Items,
    /// Who has the state.
    kept_by: &'a str,
    /// When it expires if nothing more is asked; none if nothing is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_in_s: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

impl Response {
    /// A basket, and the cookie for it.
    pub(super) fn basket<K: Keep>(
        request: &Request,
        now: SystemTime,
        kept: Kept,
        ttl: Duration,
    ) -> Self {
        let Kept { items, cookie, note } = kept;
        let ttl_s = seconds(ttl);
        let expires_in_s = cookie.is_some().then_some(ttl_s);
        let shown = Shown { items: &items, kept_by: K::SIDE, expires_in_s, note };
        let mut content = serde_json::to_string(&shown).expect("names and numbers are JSON");
        content.push('\n');
        let mut response = Self::new(request, now, (200, "OK"), JSON, content);
        if let Some(value) = cookie {
            response.set_cookie::<K>(&value, ttl_s);
        }
        response
    }

    /// An error; deletes the cookie if that is what is wrong.
    pub(super) fn problem<K: Keep>(request: &Request, now: SystemTime, problem: &Problem) -> Self {
        let status = problem.kind().status();
        let mut response = Self::new(request, now, status, PROBLEM, problem.content());
        response.fields.extend(fields_of(problem));
        if problem.kind().ends_cookie() {
            // RFC 9110 section 15.5.2 wants a challenge. No scheme for cookies is registered; this one is draft-broyer-http-cookie-auth.
            let challenge = format!("Cookie realm=\"basket\", cookie-name=\"{}\"", K::COOKIE);
            response.fields.push(("WWW-Authenticate", challenge));
            response.set_cookie::<K>("", 0);
        }
        response
    }

    fn new(
        request: &Request,
        now: SystemTime,
        status: (u16, &'static str),
        content_type: &str,
        content: String,
    ) -> Self {
        let since = now.duration_since(UNIX_EPOCH).ok().filter(|since| *since < DATE_END);
        let date = since.map(|since| ("Date", httpdate::fmt_http_date(UNIX_EPOCH + since)));
        let mut fields = Vec::from_iter(date);
        fields.push(("Content-Type", content_type.to_owned()));
        let Request { persistence, head_only, .. } = *request;
        Self { status, fields, content, persistence, head_only }
    }

    fn set_cookie<K: Keep>(&mut self, value: &str, max_age_s: u64) {
        let cookie = format!(
            "{}={value}; Max-Age={max_age_s}; HttpOnly; SameSite=Strict; Path=/",
            K::COOKIE
        );
        self.fields.push(("Set-Cookie", cookie));
    }

    /// The connection ends after it.
    pub(super) fn close(&mut self) {
        self.persistence = Persistence::Close;
    }

    /// Appends all of it.
    pub(super) fn write(&self, output: &mut BytesMut) -> Next {
        self.try_write(output).expect("a buffer grows");
        match self.persistence {
            Persistence::Keep | Persistence::KeepOld => Next::Keep,
            Persistence::Close => Next::Close,
        }
    }

    fn try_write(&self, output: &mut BytesMut) -> std::fmt::Result {
        let (code, reason) = self.status;
        write!(output, "HTTP/1.1 {code} {reason}\r\n")?;
        match self.persistence {
            Persistence::Keep => {}
            Persistence::KeepOld => output.write_str("Connection: keep-alive\r\n")?,
            Persistence::Close => output.write_str("Connection: close\r\n")?,
        }
        for (name, value) in &self.fields {
            write!(output, "{name}: {value}\r\n")?;
        }
        write!(output, "Content-Length: {}\r\n", self.content.len())?;
        output.write_str("Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n\r\n")?;
        if self.head_only { Ok(()) } else { output.write_str(&self.content) }
    }
}

/// Appends a whole answer that ends the connection; it has no date, because a codec has no clock.
pub(super) fn write_farewell(problem: &Problem, head_only: bool, output: &mut BytesMut) {
    let mut fields = vec![("Content-Type", PROBLEM.to_owned())];
    fields.extend(fields_of(problem));
    let farewell = Response {
        status: problem.kind().status(),
        fields,
        content: problem.content(),
        persistence: Persistence::Close,
        head_only,
    };
    farewell.write(output);
}

fn fields_of(problem: &Problem) -> impl Iterator<Item = (&'static str, String)> {
    let allow = problem.kind().allow().map(|methods| ("Allow", methods.to_owned()));
    let wait = problem.retry_after_s().map(|seconds| ("Retry-After", seconds.to_string()));
    allow.into_iter().chain(wait)
}

/// Whole seconds, rounded up: a client that deletes its cookie never does so too early.
pub(super) fn seconds(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}
