//! One response, its head and its parts.

use std::borrow::Cow;
use std::fmt::Write;
use std::time::SystemTime;

use bytes::{Bytes, BytesMut};

use super::body::Body;
use super::conditions::http_date;
use super::request::{Method, Persistence, Request};
use palco_service::Next;

/// Seconds after which a client that was turned away may try again.
const RETRY_AFTER_SECONDS: &str = "1";

pub(super) const HTML: &str = "text/html; charset=utf-8";
pub(super) const JSON: &str = "application/json";

/// The status codes of this server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
#[expect(missing_docs, reason = "the names are those of RFC 9110 section 15")]
pub enum Status {
    Ok = 200,
    Created = 201,
    NoContent = 204,
    PartialContent = 206,
    MovedPermanently = 301,
    NotModified = 304,
    BadRequest = 400,
    Forbidden = 403,
    NotFound = 404,
    MethodNotAllowed = 405,
    RequestTimeout = 408,
    Conflict = 409,
    LengthRequired = 411,
    PreconditionFailed = 412,
    ContentTooLarge = 413,
    UriTooLong = 414,
    RangeNotSatisfiable = 416,
    ExpectationFailed = 417,
    UnprocessableContent = 422,
    PreconditionRequired = 428,
    HeaderFieldsTooLarge = 431,
    InternalServerError = 500,
    NotImplemented = 501,
    ServiceUnavailable = 503,
    VersionNotSupported = 505,
    InsufficientStorage = 507,
}

/// Why a request is not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The status.
    pub status: Status,
    /// What to do about it, as a sentence; empty where the status says it all.
    pub detail: &'static str,
}

impl From<Status> for Refusal {
    fn from(status: Status) -> Self {
        Self { status, detail: "" }
    }
}

impl Status {
    /// The number.
    #[must_use]
    pub fn code(self) -> u16 {
        self as u16
    }

    /// The phrase that goes with the number.
    #[must_use]
    pub fn reason(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Created => "Created",
            Self::NoContent => "No Content",
            Self::Conflict => "Conflict",
            Self::LengthRequired => "Length Required",
            Self::UriTooLong => "URI Too Long",
            Self::ExpectationFailed => "Expectation Failed",
            Self::UnprocessableContent => "Unprocessable Content",
            Self::PreconditionRequired => "Precondition Required",
            Self::InsufficientStorage => "Insufficient Storage",
            Self::PartialContent => "Partial Content",
            Self::MovedPermanently => "Moved Permanently",
            Self::NotModified => "Not Modified",
            Self::BadRequest => "Bad Request",
            Self::Forbidden => "Forbidden",
            Self::NotFound => "Not Found",
            Self::MethodNotAllowed => "Method Not Allowed",
            Self::RequestTimeout => "Request Timeout",
            Self::PreconditionFailed => "Precondition Failed",
            Self::ContentTooLarge => "Content Too Large",
            Self::RangeNotSatisfiable => "Range Not Satisfiable",
            Self::HeaderFieldsTooLarge => "Request Header Fields Too Large",
            Self::InternalServerError => "Internal Server Error",
            Self::NotImplemented => "Not Implemented",
            Self::ServiceUnavailable => "Service Unavailable",
            Self::VersionNotSupported => "HTTP Version Not Supported",
        }
    }
}

/// One response: its head, and the part of its content that is to be written next.
#[derive(Clone, Debug)]
pub struct Response {
    status: Status,
    date: Option<String>,
    persistence: Persistence,
    /// Beside those that every response has.
    fields: Vec<(&'static str, Cow<'static, str>)>,
    /// Of the content that a `GET` gets; `None` where the status has no content.
    length: Option<u64>,
    head_written: bool,
    pub(super) body: Body,
}

impl Response {
    /// A response whose content is at hand.
    #[must_use]
    pub fn new(
        request: &Request,
        now: SystemTime,
        status: Status,
        content_type: &'static str,
        content: impl Into<Bytes>,
    ) -> Self {
        let content = content.into();
        let length = content.len() as u64;
        let fields = vec![("Content-Type", content_type.into())];
        Self::with_body(request, now, status, fields, Some(length), Body::Ready(content))
    }

    /// A small page that says what went wrong.
    #[must_use]
    pub fn error(request: &Request, now: SystemTime, why: impl Into<Refusal>) -> Self {
        let Refusal { status, detail } = why.into();
        Self::new(request, now, status, HTML, page(status, detail))
    }

    /// A response without content.
    pub(super) fn empty(request: &Request, now: SystemTime, status: Status) -> Self {
        let length = if status == Status::NoContent { None } else { Some(0) };
        Self::with_body(request, now, status, Vec::new(), length, Body::Empty)
    }

    /// The connection ends after it.
    pub(super) fn close(&mut self) {
        self.persistence = Persistence::Close;
    }

    pub(super) fn with_body(
        request: &Request,
        now: SystemTime,
        status: Status,
        fields: Vec<(&'static str, Cow<'static, str>)>,
        length: Option<u64>,
        body: Body,
    ) -> Self {
        let body = if request.method == Method::Head { Body::Empty } else { body };
        Self {
            status,
            date: http_date(now),
            persistence: request.persistence,
            fields,
            length,
            head_written: false,
            body,
        }
    }

    /// Adds a field. The value must have no line end; a service builds it from numbers, dates and encoded paths.
    pub fn add(&mut self, name: &'static str, value: impl Into<Cow<'static, str>>) {
        self.fields.push((name, value.into()));
    }

    /// The status.
    #[must_use]
    pub fn status(&self) -> Status {
        self.status
    }

    /// Appends the head if it is still to be written, and the current part.
    pub(super) fn write_part(&mut self, output: &mut BytesMut) -> Next {
        if !self.head_written {
            self.head_written = true;
            let head = Head {
                status: self.status,
                date: self.date.as_deref(),
                persistence: self.persistence,
                fields: &self.fields,
                length: self.length,
            };
            head.write(output);
        }
        output.extend_from_slice(self.body.part());
        let close = self.body.is_broken() || self.persistence == Persistence::Close;
        if close { Next::Close } else { Next::Keep }
    }

    /// Whether the current part is the last.
    pub(super) fn is_written(&self) -> bool {
        self.head_written && self.body.is_last_part()
    }
}

/// A status line and fields, about to be written.
struct Head<'a> {
    status: Status,
    date: Option<&'a str>,
    persistence: Persistence,
    fields: &'a [(&'static str, Cow<'static, str>)],
    length: Option<u64>,
}

impl Head<'_> {
    fn write(&self, output: &mut BytesMut) {
        self.try_write(output).expect("a buffer grows");
    }

    fn try_write(&self, output: &mut BytesMut) -> std::fmt::Result {
        write!(output, "HTTP/1.1 {} {}\r\n", self.status.code(), self.status.reason())?;
        if let Some(date) = self.date {
            write!(output, "Date: {date}\r\n")?;
        }
        match self.persistence {
            Persistence::Keep => {}
            Persistence::KeepOld => output.write_str("Connection: keep-alive\r\n")?,
            Persistence::Close => output.write_str("Connection: close\r\n")?,
        }
        if let Some(length) = self.length {
            write!(output, "Content-Length: {length}\r\n")?;
        }
        for (name, value) in self.fields {
            write!(output, "{name}: {value}\r\n")?;
        }
        output.write_str("X-Content-Type-Options: nosniff\r\n\r\n")
    }
}

/// Appends a whole response that ends the connection; it has no date, because a codec has no clock.
pub(super) fn write_farewell(status: Status, detail: &str, head_only: bool, output: &mut BytesMut) {
    let page = page(status, detail);
    let mut fields = vec![("Content-Type", HTML.into())];
    if status == Status::ServiceUnavailable {
        fields.push(("Retry-After", RETRY_AFTER_SECONDS.into()));
    }
    let head = Head {
        status,
        date: None,
        persistence: Persistence::Close,
        fields: &fields,
        length: Some(page.len() as u64),
    };
    head.write(output);
    if !head_only {
        output.extend_from_slice(page.as_bytes());
    }
}

fn page(status: Status, detail: &str) -> String {
    let (code, reason) = (status.code(), status.reason());
    let detail =
        if detail.is_empty() { String::new() } else { format!("<p>{}</p>\n", escape(detail)) };
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <title>{code} {reason}</title>\n<h1>{code} {reason}</h1>\n{detail}</html>\n"
    )
}

/// Text inside HTML.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            plain => escaped.push(plain),
        }
    }
    escaped
}
