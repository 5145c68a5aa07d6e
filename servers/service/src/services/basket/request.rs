//! A request head, understood.

use super::items::{self, COUNT_MAX, ITEM_BYTES_MAX, Operation};
use super::{Kind, Problem};
use crate::Malformed;

/// The largest request head: 16 KiB.
pub const HEAD_BYTES_MAX: usize = 16 * 1024;
/// The most fields in a head: 64.
pub const FIELDS_MAX: usize = 64;

/// What [`Malformed::TooLarge`] calls content; there is none.
pub(super) const CONTENT: &str = "request content";

/// Whether the client wants to go on after the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Persistence {
    /// Yes, as HTTP/1.1 does by default.
    Keep,
    /// Yes, and it is HTTP/1.0, so the answer has to say so.
    KeepOld,
    /// No.
    Close,
}

/// One request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// What to do, or why that cannot be.
    pub operation: Result<Operation, Problem>,
    /// What the client has of cookies, of all servers of this host.
    cookies: String,
    pub(super) persistence: Persistence,
    /// Nobody expects content in the answer.
    pub(super) head_only: bool,
}

impl Request {
    /// Takes what a complete head says.
    pub(super) fn read(head: &httparse::Request<'_, '_>) -> Result<Self, Malformed> {
        let old = head.version == Some(0);
        let (mut hosts, mut lengths) = (0, 0);
        let (mut close, mut keep_alive) = (false, false);
        let mut cookies = String::new();
        for field in head.headers.iter() {
            let named = |name: &str| field.name.eq_ignore_ascii_case(name);
            if named("host") {
                hosts += 1;
            } else if named("transfer-encoding") {
                return Err(content());
            } else if named("content-length") {
                lengths += 1;
                let is_zero =
                    !field.value.is_empty() && field.value.iter().all(|byte| *byte == b'0');
                if !is_zero || lengths > 1 {
                    return Err(content());
                }
            } else if named("connection") {
                for option in field.value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii) {
                    close |= option.eq_ignore_ascii_case(b"close");
                    keep_alive |= option.eq_ignore_ascii_case(b"keep-alive");
                }
            } else if named("cookie")
                && let Ok(value) = std::str::from_utf8(field.value)
            {
                cookies.push_str(value);
                cookies.push(';');
            }
        }
        // RFC 9112 section 3.2: exactly one Host; HTTP/1.0 may do without.
        if hosts > 1 || (hosts == 0 && !old) {
            return Err(Malformed::Syntax("HTTP/1.1 requires exactly one Host".into()));
        }
        let method = head.method.unwrap_or_default();
        Ok(Self {
            operation: operation(method, head.path.unwrap_or_default()),
            cookies,
            persistence: match (old, close, keep_alive) {
                (false, false, _) => Persistence::Keep,
                (true, false, true) => Persistence::KeepOld,
                _ => Persistence::Close,
            },
            head_only: method == "HEAD",
        })
    }

    /// The value of a cookie; of several with this name the first.
    #[must_use]
    pub fn cookie(&self, name: &str) -> Option<&str> {
        let mut pairs = self.cookies.split(';').filter_map(|pair| pair.trim().split_once('='));
        pairs.find(|(found, _)| *found == name).map(|(_, value)| value)
    }
}

fn content() -> Malformed {
    Malformed::TooLarge { what: CONTENT, limit: 0 }
}

fn operation(method: &str, target: &str) -> Result<Operation, Problem> {
    // RFC 9112 section 3.2.2: a target may be a whole URI.
    let target = target
        .strip_prefix("http://")
        .map_or(target, |rest| rest.find('/').map_or("/", |slash| &rest[slash..]));
    let (path, query) = match target.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (target, None),
    };
    let item = match path.strip_prefix("/basket") {
        Some("" | "/") => None,
        Some(rest) if rest.starts_with('/') => Some(name(&rest[1..])?),
        Some(_) | None => {
            let detail = "There is /basket, and /basket/ITEM for what is in it.";
            return Err(Problem::new(Kind::NotFound, detail));
        }
    };
    match (method, item) {
        ("PUT", Some(item)) => Ok(Operation::Set { item, count: count(query)? }),
        (_, _) if query.is_some() => {
            Err(bad("Only PUT /basket/ITEM takes a query, and that is ?count=N."))
        }
        ("GET" | "HEAD", None) => Ok(Operation::Show),
        ("DELETE", None) => Ok(Operation::Empty),
        ("DELETE", Some(item)) => Ok(Operation::Remove { item }),
        ("GET" | "HEAD" | "PUT" | "POST" | "OPTIONS" | "PATCH" | "TRACE" | "CONNECT", item) => {
            let (kind, what) = match item {
                None => (Kind::BasketMethod, "GET shows the basket, DELETE empties it."),
                Some(_) => (Kind::ItemMethod, "PUT sets how many there are, DELETE takes all out."),
            };
            Err(Problem::new(kind, what))
        }
        _ => Err(Problem::new(Kind::UnknownMethod, "There are GET, HEAD, PUT and DELETE.")),
    }
}

fn name(item: &str) -> Result<String, Problem> {
    if items::is_name(item) {
        Ok(item.to_owned())
    } else {
        Err(bad(format!("An item is called by 1 to {ITEM_BYTES_MAX} letters, digits or -._~.")))
    }
}

fn count(query: Option<&str>) -> Result<u32, Problem> {
    let digits = query.and_then(|query| query.strip_prefix("count="));
    let digits = digits.filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
    let count = digits.and_then(|digits| digits.parse().ok());
    count.filter(|count| (1..=COUNT_MAX).contains(count)).ok_or_else(|| {
        bad(format!("Say how many with ?count=N, from 1 to {COUNT_MAX}; DELETE takes all out."))
    })
}

fn bad(detail: impl Into<String>) -> Problem {
    Problem::new(Kind::BadRequest, detail)
}
