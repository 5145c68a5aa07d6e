//! Which request: the name of a request that is being served, and the secret that gives power over it.
//!
//! As in PostgreSQL's cancellation: whoever shows the secret may interrupt, nobody else. It is issued once for each
//! connection, and a client that counts its requests knows the name of each without being told.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The longest name of a request that is read, in bytes.
pub const REQUEST_BYTES_MAX: usize = 256;

/// One request: the `number`-th of one connection of one server, counted from 1.
///
/// As text `server/connection.number`, for example `work/17.2`.
///
/// ```
/// # use palco_core::RequestId;
/// let request: RequestId = "work/17.2".parse().unwrap();
/// assert_eq!((&*request.server, request.connection, request.number), ("work", 17, 2));
/// assert_eq!(request.to_string(), "work/17.2");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct RequestId {
    /// The server's name.
    pub server: Box<str>,
    /// The connection's serial number there; never used again.
    pub connection: u64,
    /// Which request of that connection, from 1.
    pub number: u64,
}

/// What gives power over the requests of one connection: 128 bits that nobody can guess. As text, 32 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Key([u8; 16]);

/// A request, the key to it, and the urgent port at which both are to be shown.
///
/// As text `request:key@address`, for example `work/17.2:0123456789abcdef0123456789abcdef@127.0.0.1:7009`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// The request.
    pub request: RequestId,
    /// The key to all requests of its connection.
    pub key: Key,
    /// Where the urgent port listens.
    pub address: SocketAddr,
}

/// Why a text names no request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoRequest {
    /// It is no request.
    Request,
    /// It has no key, or one that is not 32 hexadecimal digits.
    Key,
    /// It does not say where the urgent port is.
    Address,
}

impl Key {
    /// Of these bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Its bytes, to be compared in a time that does not depend on them.
    #[must_use]
    pub const fn bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl Ticket {
    /// The same connection's request of another number.
    #[must_use]
    pub fn with_number(mut self, number: u64) -> Self {
        self.request.number = number;
        self
    }

    /// What is shown at the urgent port: `request:key`.
    #[must_use]
    pub fn claim(&self) -> String {
        format!("{}:{}", self.request, self.key)
    }
}

/// Reads `request:key`, as [`Ticket::claim`] writes it.
///
/// # Errors
/// [`NoRequest`] says which part is wrong.
pub fn parse_claim(text: &str) -> Result<(RequestId, Key), NoRequest> {
    let (request, key) = text.rsplit_once(':').ok_or(NoRequest::Key)?;
    Ok((request.parse()?, key.parse()?))
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}.{}", self.server, self.connection, self.number)
    }
}

impl FromStr for RequestId {
    type Err = NoRequest;

    fn from_str(text: &str) -> Result<Self, NoRequest> {
        let parts = || {
            let (server, rest) = text.rsplit_once('/')?;
            let (connection, number) = rest.split_once('.')?;
            let is_name = !server.is_empty() && !server.contains(char::is_control);
            let is_short = text.len() <= REQUEST_BYTES_MAX;
            (is_name && is_short).then_some((server, whole(connection)?, whole(number)?))
        };
        let (server, connection, number) = parts().ok_or(NoRequest::Request)?;
        Ok(Self { server: server.into(), connection, number })
    }
}

/// Digits alone: no sign, no leading zero, nothing that is too large.
fn whole(text: &str) -> Option<u64> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    text.parse().ok().filter(|_| is_plain)
}

impl From<RequestId> for String {
    fn from(request: RequestId) -> Self {
        request.to_string()
    }
}

impl TryFrom<String> for RequestId {
    type Error = NoRequest;

    fn try_from(text: String) -> Result<Self, NoRequest> {
        text.parse()
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Not the secret itself: what is debugged ends up in logs.
impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

impl FromStr for Key {
    type Err = NoRequest;

    fn from_str(text: &str) -> Result<Self, NoRequest> {
        let is_key = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = u128::from_str_radix(text, 16).ok().filter(|_| is_key);
        number.map(|number| Self(number.to_be_bytes())).ok_or(NoRequest::Key)
    }
}

impl fmt::Display for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}@{}", self.request, self.key, self.address)
    }
}

impl FromStr for Ticket {
    type Err = NoRequest;

    fn from_str(text: &str) -> Result<Self, NoRequest> {
        let (claim, address) = text.rsplit_once('@').ok_or(NoRequest::Address)?;
        let address = address.parse().map_err(|_| NoRequest::Address)?;
        let (request, key) = parse_claim(claim)?;
        Ok(Self { request, key, address })
    }
}

impl fmt::Display for NoRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Request => "a request is written server/connection.number, as in work/17.2",
            Self::Key => {
                "a key of 32 hexadecimal digits belongs after the request, as in work/17.2:0123…cdef"
            }
            Self::Address => {
                "the address of the urgent port belongs after the key, as in …cdef@127.0.0.1:7009"
            }
        })
    }
}

impl std::error::Error for NoRequest {}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "00112233445566778899aabbccddeeff";

    #[test]
    fn a_ticket_is_read_as_it_is_written_whatever_the_server_is_called() {
        for server in ["work", "a/b", "with space", "x:y@z", "ação"] {
            let text = format!("{server}/17.2:{KEY}@[::1]:7009");
            let ticket: Ticket = text.parse().unwrap();
            assert_eq!(ticket.to_string(), text);
            assert_eq!(&*ticket.request.server, server);
            assert_eq!(parse_claim(&ticket.claim()), Ok((ticket.request.clone(), ticket.key)));
        }
    }

    #[test]
    fn what_is_no_request_says_what_is_missing() {
        for text in
            ["", "work", "work/17", "work/17.", "/1.1", "w/0.1", "w/1.+2", "w/1.01", "w\n/1.1"]
        {
            assert_eq!(text.parse::<RequestId>(), Err(NoRequest::Request), "{text:?}");
        }
        assert_eq!(
            format!("{}/1.1", "x".repeat(300)).parse::<RequestId>(),
            Err(NoRequest::Request)
        );
        assert_eq!(parse_claim("work/1.1"), Err(NoRequest::Key));
        assert_eq!(parse_claim("work/1.1:+0112233445566778899aabbccddeeff"), Err(NoRequest::Key));
        assert_eq!(format!("work/1.1:{KEY}").parse::<Ticket>(), Err(NoRequest::Address));
    }

    #[test]
    fn a_key_does_not_show_itself() {
        let key: Key = KEY.parse().unwrap();
        assert_eq!(format!("{key:?}"), "Key(…)");
        assert_eq!(key.to_string(), KEY);
    }
}
