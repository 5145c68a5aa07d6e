//! A request head, understood.

use super::conditions::Conditions;
use super::upload::Upload;
use super::{Refusal, Status};
use palco_service::Malformed;

/// The largest request head: 16 KiB.
pub const HEAD_BYTES_MAX: usize = 16 * 1024;
/// The most fields in a head: 64.
pub const FIELDS_MAX: usize = 64;
/// The largest request body that is skipped where none is wanted: 64 KiB.
pub const REQUEST_BODY_BYTES_MAX: usize = 64 * 1024;

/// The field in which a client asks for its ticket, and gets it.
pub(super) const TICKET: &str = "Palco-Ticket";

/// What [`Malformed::TooLarge`] calls a body.
pub(super) const BODY: &str = "request body";
/// What it calls a first line that does not end within [`HEAD_BYTES_MAX`].
pub(super) const TARGET: &str = "request target";
/// The longest idempotency key: 255 bytes.
const KEY_BYTES_MAX: usize = 255;

/// The methods that matter to a server of files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Head and content.
    Get,
    /// The same head without the content.
    Head,
    /// The content becomes the file.
    Put,
    /// The content is appended to the file.
    Post,
    /// The file goes away.
    Delete,
    /// Which methods there are.
    Options,
    /// A method that RFC 9110 or RFC 5789 defines and that files do not allow.
    NotAllowed,
    /// A method that nobody here knows.
    Unknown,
}

/// Whether the client wants to go on after the response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Persistence {
    /// Yes, as HTTP/1.1 does by default.
    Keep,
    /// Yes, and it is HTTP/1.0, so the response has to say so.
    KeepOld,
    /// No.
    Close,
}

impl Method {
    /// Whether a body of any length means something.
    pub(super) fn takes_content(self) -> bool {
        match self {
            Self::Put | Self::Post => true,
            Self::Get
            | Self::Head
            | Self::Delete
            | Self::Options
            | Self::NotAllowed
            | Self::Unknown => false,
        }
    }
}

/// How long a request's body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Length {
    /// Known, possibly 0.
    Bytes(u64),
    /// As long as its chunks are.
    Chunked,
}

/// What the field `Idempotency-Key` has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Missing,
    /// No string of RFC 9651, or too long, or more than one.
    Invalid,
    Is(Box<str>),
}

/// One request, without its body: that is in a file when it is there.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is one field of the head, there or not")]
pub struct Request {
    /// What to do.
    pub method: Method,
    /// The request target as it came: a path with an optional query, or an absolute URI.
    pub target: String,
    /// What happens to the connection afterwards.
    pub persistence: Persistence,
    /// A status that the head alone calls for; then the rest says nothing.
    pub refused: Option<Refusal>,
    /// How much content is announced.
    pub(super) length: Length,
    /// The client waits for `100 (Continue)` before it sends the content.
    pub(super) waits: bool,
    pub(super) key: Key,
    /// The client would rather have JSON than a page.
    pub(super) wants_json: bool,
    /// The content is meant as a part of the file (`Content-Range`).
    pub(super) is_partial: bool,
    /// Where the content is.
    pub(super) upload: Option<Upload>,
    /// The client asks for the ticket of this request.
    pub(super) asks_ticket: bool,
    pub(super) conditions: Conditions,
}

impl Request {
    /// A request that can only be refused, and after which the connection closes.
    fn refused(refusal: impl Into<Refusal>) -> Self {
        Self {
            method: Method::Get,
            target: String::new(),
            persistence: Persistence::Close,
            refused: Some(refusal.into()),
            length: Length::Bytes(0),
            waits: false,
            key: Key::Missing,
            wants_json: false,
            is_partial: false,
            upload: None,
            asks_ticket: false,
            conditions: Conditions::default(),
        }
    }

    /// The same without content, for whoever prepares to receive that.
    pub(super) fn head(&self) -> Self {
        Self {
            method: self.method,
            target: self.target.clone(),
            persistence: self.persistence,
            refused: self.refused,
            length: self.length,
            waits: self.waits,
            key: self.key.clone(),
            wants_json: self.wants_json,
            is_partial: self.is_partial,
            upload: None,
            asks_ticket: self.asks_ticket,
            conditions: self.conditions.clone(),
        }
    }

    /// Reads a complete head. A request that is not refused by it has its body behind it.
    pub(super) fn parse(head: &[u8]) -> Result<Self, Malformed> {
        let mut fields = [httparse::EMPTY_HEADER; FIELDS_MAX];
        let mut parsed = httparse::Request::new(&mut fields);
        match parsed.parse(head) {
            Ok(httparse::Status::Complete(_)) => {}
            Ok(httparse::Status::Partial) => return Err(syntax("an incomplete head")),
            Err(httparse::Error::TooManyHeaders) => {
                return Ok(Self::refused(Status::HeaderFieldsTooLarge));
            }
            Err(httparse::Error::Version) if names_http(head) => {
                return Ok(Self::refused(Status::VersionNotSupported));
            }
            Err(error) => return Err(syntax(error.to_string())),
        }
        let old = parsed.version == Some(0);
        let framing = Framing::read(parsed.headers, old)?;
        let method = method(parsed.method.unwrap_or_default());
        let length = match framing.body(method)? {
            Ok(length) => length,
            Err(refusal) => return Ok(Self::refused(refusal)),
        };
        let has = |name| parsed.headers.iter().any(|field| named(field, name));
        Ok(Self {
            method,
            target: parsed.path.unwrap_or_default().into(),
            persistence: framing.persistence(old),
            refused: None,
            length,
            waits: framing.expects && length != Length::Bytes(0),
            key: key(parsed.headers),
            wants_json: parsed.headers.iter().any(wants_json),
            is_partial: has("Content-Range"),
            upload: None,
            asks_ticket: has(TICKET),
            conditions: Conditions::read(parsed.headers),
        })
    }
}

fn syntax(text: impl Into<String>) -> Malformed {
    Malformed::Syntax(text.into())
}

/// Whether the first line ends in some version of HTTP.
fn names_http(head: &[u8]) -> bool {
    let line = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    line.rsplit(|byte| *byte == b' ').next().is_some_and(|word| word.starts_with(b"HTTP/"))
}

fn method(name: &str) -> Method {
    match name {
        "GET" => Method::Get,
        "HEAD" => Method::Head,
        "PUT" => Method::Put,
        "POST" => Method::Post,
        "DELETE" => Method::Delete,
        "OPTIONS" => Method::Options,
        "CONNECT" | "TRACE" | "PATCH" => Method::NotAllowed,
        _ => Method::Unknown,
    }
}

/// The fields that decide where this request ends and whether another follows.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is one option of a field, there or not")]
struct Framing {
    hosts: usize,
    length: Option<u64>,
    coding: Option<Coding>,
    close: bool,
    keep_alive: bool,
    expects: bool,
    /// Something else than `100-continue`.
    expects_other: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Coding {
    Chunked,
    Other,
}

impl Framing {
    fn read(fields: &[httparse::Header<'_>], old: bool) -> Result<Self, Malformed> {
        let mut framing = Self::default();
        for field in fields {
            let named = |name: &str| named(field, name);
            if named("host") {
                framing.hosts += 1;
                if !field.value.iter().all(|byte| host_byte(*byte)) {
                    return Err(syntax("an invalid Host"));
                }
            } else if named("content-length") {
                if framing.length.is_some() {
                    return Err(syntax("more than one Content-Length"));
                }
                framing.length = Some(length(field.value)?);
            } else if named("transfer-encoding") {
                if framing.coding.is_some() {
                    return Err(syntax("more than one Transfer-Encoding"));
                }
                let is_chunked = field.value.trim_ascii().eq_ignore_ascii_case(b"chunked");
                framing.coding = Some(if is_chunked { Coding::Chunked } else { Coding::Other });
            } else if named("connection") {
                for option in field.value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii) {
                    framing.close |= option.eq_ignore_ascii_case(b"close");
                    framing.keep_alive |= option.eq_ignore_ascii_case(b"keep-alive");
                }
            } else if named("expect") {
                framing.expects = true;
                framing.expects_other |=
                    !field.value.trim_ascii().eq_ignore_ascii_case(b"100-continue");
            }
        }
        // RFC 9112 section 6.1: two answers to where the request ends are an attempt to hide another one.
        if framing.coding.is_some() && (framing.length.is_some() || old) {
            return Err(syntax("a Transfer-Encoding with a Content-Length or in HTTP/1.0"));
        }
        // RFC 9112 section 3.2: exactly one Host; HTTP/1.0 may do without.
        if framing.hosts > 1 || (framing.hosts == 0 && !old) {
            return Err(syntax("HTTP/1.1 requires exactly one Host"));
        }
        Ok(framing)
    }

    /// How long the body is, or why the head is refused.
    fn body(&self, method: Method) -> Result<Result<Length, Refusal>, Malformed> {
        let takes_content = method.takes_content();
        Ok(match (&self.coding, self.length) {
            _ if self.expects_other => Err(Refusal {
                status: Status::ExpectationFailed,
                detail: "Only 100-continue can be expected.",
            }),
            (Some(Coding::Chunked), _) if takes_content => Ok(Length::Chunked),
            (Some(_), _) => Err(Refusal {
                status: Status::NotImplemented,
                detail: "The only transfer coding is chunked, of PUT and POST.",
            }),
            (None, None) if takes_content => Err(Refusal {
                status: Status::LengthRequired,
                detail: "Send Content-Length or Transfer-Encoding: chunked.",
            }),
            (None, Some(length)) if !takes_content && length > REQUEST_BODY_BYTES_MAX as u64 => {
                return Err(Malformed::TooLarge { what: BODY, limit: REQUEST_BODY_BYTES_MAX });
            }
            (None, length) => Ok(Length::Bytes(length.unwrap_or(0))),
        })
    }

    fn persistence(&self, old: bool) -> Persistence {
        match (old, self.close, self.keep_alive) {
            (false, false, _) => Persistence::Keep,
            (true, false, true) => Persistence::KeepOld,
            _ => Persistence::Close,
        }
    }
}

/// The bytes of a host and port, RFC 3986 section 3.2.2.
fn host_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:[]%".contains(&byte)
}

fn length(value: &[u8]) -> Result<u64, Malformed> {
    let text = std::str::from_utf8(value).ok();
    let Some(digits) =
        text.filter(|text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()))
    else {
        return Err(syntax("an invalid Content-Length"));
    };
    // More digits than a number has are too large as well.
    digits.parse().map_err(|_| Malformed::TooLarge { what: BODY, limit: usize::MAX })
}

fn named(field: &httparse::Header<'_>, name: &str) -> bool {
    field.name.eq_ignore_ascii_case(name)
}

/// Whether a field says that JSON is wanted, and a page is not.
fn wants_json(field: &httparse::Header<'_>) -> bool {
    let says = |what: &str| {
        let value = field.value.to_ascii_lowercase();
        value.windows(what.len()).any(|window| window == what.as_bytes())
    };
    named(field, "Accept") && says("application/json") && !says("text/html")
}

/// The idempotency key: a string of structured fields (RFC 9651 section 3.3.3), quotes included.
fn key(fields: &[httparse::Header<'_>]) -> Key {
    let mut found = fields.iter().filter(|field| named(field, "Idempotency-Key"));
    let Some(field) = found.next() else { return Key::Missing };
    let value = field.value.trim_ascii();
    let inner = value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\""));
    let Some(inner) = inner.filter(|inner| !inner.is_empty() && inner.len() <= KEY_BYTES_MAX)
    else {
        return Key::Invalid;
    };
    let mut key = String::new();
    let mut bytes = inner.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => match bytes.next() {
                Some(escaped @ (b'"' | b'\\')) => key.push(char::from(*escaped)),
                _ => return Key::Invalid,
            },
            b'"' => return Key::Invalid,
            0x20..=0x7e => key.push(char::from(*byte)),
            _ => return Key::Invalid,
        }
    }
    if found.next().is_none() { Key::Is(key.into()) } else { Key::Invalid }
}
