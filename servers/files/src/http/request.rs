//! A request head, understood.

use super::Status;
use super::conditions::Conditions;
use palco_service::Malformed;

/// The largest request head: 16 KiB.
pub const HEAD_BYTES_MAX: usize = 16 * 1024;
/// The most fields in a head: 64.
pub const FIELDS_MAX: usize = 64;
/// The largest request body that is skipped: 64 KiB.
pub const REQUEST_BODY_BYTES_MAX: usize = 64 * 1024;

/// The field in which a client asks for its ticket, and gets it.
pub(super) const TICKET: &str = "Palco-Ticket";

/// What [`Malformed::TooLarge`] calls a body.
pub(super) const BODY: &str = "request body";

/// The methods that matter to a server of files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Head and content.
    Get,
    /// The same head without the content.
    Head,
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

/// One request, without its body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// What to do.
    pub method: Method,
    /// The request target as it came: a path with an optional query, or an absolute URI.
    pub target: String,
    /// What happens to the connection afterwards.
    pub persistence: Persistence,
    /// A status that the head alone calls for; then the rest says nothing.
    pub refused: Option<Status>,
    /// The client asks for the ticket of this request.
    pub(super) asks_ticket: bool,
    pub(super) conditions: Conditions,
}

impl Request {
    /// A request that can only be refused, and after which the connection closes.
    fn refused(status: Status) -> Self {
        Self {
            method: Method::Get,
            target: String::new(),
            persistence: Persistence::Close,
            refused: Some(status),
            asks_ticket: false,
            conditions: Conditions::default(),
        }
    }

    /// Reads a complete head; returns the length of the body that follows it too.
    pub(super) fn parse(head: &[u8]) -> Result<(Self, usize), Malformed> {
        let mut fields = [httparse::EMPTY_HEADER; FIELDS_MAX];
        let mut parsed = httparse::Request::new(&mut fields);
        match parsed.parse(head) {
            Ok(httparse::Status::Complete(_)) => {}
            Ok(httparse::Status::Partial) => return Err(syntax("an incomplete head")),
            Err(httparse::Error::TooManyHeaders) => {
                return Ok((Self::refused(Status::HeaderFieldsTooLarge), 0));
            }
            Err(httparse::Error::Version) if names_http(head) => {
                return Ok((Self::refused(Status::VersionNotSupported), 0));
            }
            Err(error) => return Err(syntax(error.to_string())),
        }
        let old = parsed.version == Some(0);
        let framing = Framing::read(parsed.headers, old)?;
        if framing.transfer_encoding {
            return Ok((Self::refused(Status::NotImplemented), 0));
        }
        let request = Self {
            method: method(parsed.method.unwrap_or_default()),
            target: parsed.path.unwrap_or_default().into(),
            persistence: framing.persistence(old),
            refused: None,
            asks_ticket: parsed.headers.iter().any(|field| field.name.eq_ignore_ascii_case(TICKET)),
            conditions: Conditions::read(parsed.headers),
        };
        Ok((request, framing.length.unwrap_or(0)))
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
        "POST" | "PUT" | "DELETE" | "CONNECT" | "OPTIONS" | "TRACE" | "PATCH" => Method::NotAllowed,
        _ => Method::Unknown,
    }
}

/// The fields that decide where this request ends and whether another follows.
#[derive(Debug, Default)]
struct Framing {
    hosts: usize,
    length: Option<usize>,
    transfer_encoding: bool,
    close: bool,
    keep_alive: bool,
    expects: bool,
}

impl Framing {
    fn read(fields: &[httparse::Header<'_>], old: bool) -> Result<Self, Malformed> {
        let mut framing = Self::default();
        for field in fields {
            let named = |name: &str| field.name.eq_ignore_ascii_case(name);
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
                framing.transfer_encoding = true;
            } else if named("connection") {
                for option in field.value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii) {
                    framing.close |= option.eq_ignore_ascii_case(b"close");
                    framing.keep_alive |= option.eq_ignore_ascii_case(b"keep-alive");
                }
            } else if named("expect") {
                framing.expects = true;
            }
        }
        // RFC 9112 section 3.2: exactly one Host; HTTP/1.0 may do without.
        if framing.hosts > 1 || (framing.hosts == 0 && !old) {
            return Err(syntax("HTTP/1.1 requires exactly one Host"));
        }
        Ok(framing)
    }

    fn persistence(&self, old: bool) -> Persistence {
        // A client that expects a `100 (Continue)` sends its body or not; after a final status nobody knows.
        let body_unknown = self.expects && self.length.is_some_and(|length| length > 0);
        match (old, self.close || body_unknown, self.keep_alive) {
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

fn length(value: &[u8]) -> Result<usize, Malformed> {
    let text = std::str::from_utf8(value).ok();
    let Some(digits) =
        text.filter(|text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()))
    else {
        return Err(syntax("an invalid Content-Length"));
    };
    match digits.parse() {
        Ok(length) if length <= REQUEST_BODY_BYTES_MAX => Ok(length),
        // More digits than a number has are too large as well.
        _ => Err(Malformed::TooLarge { what: BODY, limit: REQUEST_BODY_BYTES_MAX }),
    }
}
