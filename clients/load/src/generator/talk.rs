//! What is asked: a protocol and one request of it.

use std::net::SocketAddr;

use super::protocol::Answers;
use super::{Error, Protocol};

/// One request, which is asked again and again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Talk {
    protocol: Protocol,
    request: String,
}

impl Talk {
    /// `request` is one request without its line end, for [`Protocol::Http`] a method and a path, and empty where
    /// nothing is asked; see [`Protocol::example`].
    ///
    /// # Errors
    /// [`Error::Value`] if it is not one request of this protocol.
    pub fn new(protocol: Protocol, request: impl Into<String>) -> Result<Self, Error> {
        let request = request.into();
        protocol.check(&request).map_err(Error::Value)?;
        Ok(Self { protocol, request })
    }

    /// What is spoken.
    #[must_use]
    pub const fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// The request as it was given.
    #[must_use]
    pub fn request(&self) -> &str {
        &self.request
    }

    /// The bytes that are sent; `is_last` tells a server that can hear it that the connection ends with this request.
    pub(super) fn bytes(&self, address: SocketAddr, is_last: bool) -> Vec<u8> {
        let mut bytes = self.protocol.bytes(&self.request, address);
        if is_last && self.protocol == Protocol::Http {
            bytes.truncate(bytes.len() - 2);
            bytes.extend_from_slice(b"Connection: close\r\n\r\n");
        }
        bytes
    }

    /// A reader of the answers of one connection.
    pub(super) fn answers(&self) -> Answers {
        self.protocol.answers(&self.request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_request_says_so() {
        let talk = Talk::new(Protocol::Http, "GET /x").unwrap();
        let address = ([127, 0, 0, 1], 80).into();
        let kept = String::from_utf8(talk.bytes(address, false)).unwrap();
        let last = String::from_utf8(talk.bytes(address, true)).unwrap();
        assert!(kept.starts_with("GET /x HTTP/1.1\r\n") && !kept.contains("close"), "{kept}");
        assert!(last.ends_with("\r\nConnection: close\r\n\r\n"), "{last}");
    }

    #[test]
    fn what_is_not_one_request_is_refused() {
        for (protocol, request) in
            [(Protocol::Connect, "x"), (Protocol::Http, "POST /"), (Protocol::Kv, "GET a\nGET b")]
        {
            assert!(matches!(Talk::new(protocol, request), Err(Error::Value(_))), "{request}");
        }
    }
}
