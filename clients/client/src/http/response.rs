//! A response, and what its head says about its body.

use super::Method;
use super::parser::FIELDS_MAX;
use crate::Malformed;

/// A response with its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The status code, as it came.
    pub status: u16,
    /// The text after the status code; often empty, and without meaning.
    pub reason: String,
    /// The header fields in their order, names as they came. Bytes that are not UTF-8 are U+FFFD.
    pub headers: Vec<(String, String)>,
    /// The content.
    pub body: Vec<u8>,
}

/// Where a body ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    /// After so many bytes more.
    Bytes(usize),
    /// Where the server closes.
    Close,
}

impl Response {
    /// The value of the first header field with this name, in any case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.values(name).next()
    }

    fn values(&self, name: &str) -> impl Iterator<Item = &str> {
        let named = self.headers.iter().filter(move |(key, _)| key.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.as_str())
    }

    /// Understands a complete head; the body is still empty.
    pub(super) fn parse(head: &[u8]) -> Result<Self, Malformed> {
        let mut fields = [httparse::EMPTY_HEADER; FIELDS_MAX];
        let mut parsed = httparse::Response::new(&mut fields);
        match parsed.parse(head) {
            Ok(httparse::Status::Complete(_)) => {}
            Ok(httparse::Status::Partial) => return Err(Malformed::syntax("half a head")),
            Err(httparse::Error::TooManyHeaders) => {
                return Err(Malformed::TooLarge { what: "header fields", limit: FIELDS_MAX });
            }
            Err(error) => return Err(Malformed::syntax(error.to_string())),
        }
        let status = parsed.code.ok_or_else(|| Malformed::syntax("no status code"))?;
        let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
        let headers = parsed.headers.iter().map(|field| (field.name.to_owned(), text(field.value)));
        Ok(Self {
            status,
            reason: parsed.reason.unwrap_or_default().to_owned(),
            headers: headers.collect(),
            body: Vec::new(),
        })
    }

    /// Whether the final response is still to come (RFC 9110 section 15.2).
    pub(super) fn is_interim(&self) -> bool {
        (100..200).contains(&self.status)
    }

    /// Where the body ends (RFC 9112 section 6.3).
    pub(super) fn extent(&self, method: Method) -> Result<Extent, Malformed> {
        if method == Method::Head || matches!(self.status, 204 | 304) {
            return Ok(Extent::Bytes(0));
        }
        if self.header("transfer-encoding").is_some() {
            return Err(Malformed::syntax(
                "the body has a transfer coding, which is not read here",
            ));
        }
        let mut lengths = self.values("content-length");
        let Some(first) = lengths.next() else { return Ok(Extent::Close) };
        if lengths.any(|other| other != first) {
            return Err(Malformed::syntax("several values of Content-Length"));
        }
        if first.is_empty() || !first.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Malformed::syntax("Content-Length is no length"));
        }
        // A length above what the machine can address is above every limit too.
        Ok(Extent::Bytes(first.parse().unwrap_or(usize::MAX)))
    }
}
