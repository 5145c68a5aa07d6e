//! Services over datagrams: one in, at most one out.

use std::hash::{BuildHasher, RandomState};
use std::net::SocketAddr;
use std::time::SystemTime;

use palco_service::services::time::TimeFormat;

use super::chargen::{LINE_BYTES, PATTERN, PATTERN_BYTES};
use super::clock;
use crate::Builtin;

/// The longest answer of chargen, in bytes.
const CHARGEN_BYTES_MAX: usize = 512;
/// So many lines have as much behind their begin.
const LINES_TO_BEGIN_WITH: usize = (PATTERN_BYTES - CHARGEN_BYTES_MAX) / LINE_BYTES;

/// Ports of services that answer anything: echo, daytime, quote of the day, chargen, time.
const ANSWERING_PORTS: [u16; 5] = [7, 13, 17, 19, 37];

impl Builtin {
    /// The answer to a datagram, in place of what is in `answer`; false if there is none.
    ///
    /// Who is about to be answered should not be another such service: see [`is_loop`]. [`Builtin::Tcpmux`] and
    /// [`Builtin::Redirect`] are no services of datagrams.
    pub fn answer(&self, request: &[u8], answer: &mut Vec<u8>) -> bool {
        answer.clear();
        match self {
            Self::Echo => answer.extend_from_slice(request),
            Self::Daytime => answer.extend_from_slice(&now(TimeFormat::Line)),
            Self::Time => answer.extend_from_slice(&now(TimeFormat::Binary)),
            Self::Chargen => {
                // RFC 864 wants a random length. Nothing depends on how random it is.
                let random = RandomState::new().hash_one(()) as usize;
                let (length, line) = (random % (CHARGEN_BYTES_MAX + 1), random / 1024);
                // From the begin of a line, as people know it.
                let start = line % LINES_TO_BEGIN_WITH * LINE_BYTES;
                answer.extend_from_slice(&PATTERN[start..start + length]);
            }
            Self::Discard | Self::Tcpmux | Self::Redirect(_) => return false,
        }
        true
    }
}

fn now(format: TimeFormat) -> bytes::BytesMut {
    clock::written(SystemTime::now(), format)
}

/// Whether an answer to `peer` would be answered, and so on for ever: it sends from port 0, from the port of a service that
/// answers anything, or from one of `served`, the ports that this superserver serves by UDP itself.
#[must_use]
pub fn is_loop(peer: SocketAddr, served: &[u16]) -> bool {
    let port = peer.port();
    port == 0 || ANSWERING_PORTS.contains(&port) || served.contains(&port)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(builtin: &Builtin, request: &[u8]) -> Option<Vec<u8>> {
        let mut answer = b"left over".to_vec();
        builtin.answer(request, &mut answer).then_some(answer)
    }

    #[test]
    fn every_service_answers_as_its_rfc_says() {
        assert_eq!(answer(&Builtin::Echo, b"\0x").unwrap(), b"\0x");
        assert_eq!(answer(&Builtin::Echo, b"").unwrap(), b"");
        assert_eq!(answer(&Builtin::Discard, b"x"), None);
        assert_eq!(answer(&Builtin::Time, b"").unwrap().len(), 4);
        assert!(answer(&Builtin::Daytime, b"").unwrap().ends_with(b"-UTC\r\n"));
        assert_eq!(answer(&Builtin::Tcpmux, b"help"), None);
        assert_eq!(answer(&Builtin::Redirect("h:1".into()), b"x"), None);
        let pattern = std::str::from_utf8(&PATTERN).unwrap();
        let texts: Vec<_> = (0..200).map(|_| answer(&Builtin::Chargen, b"").unwrap()).collect();
        for text in &texts {
            assert!(text.len() <= 512 && pattern.contains(std::str::from_utf8(text).unwrap()));
        }
        assert!(texts.iter().any(|text| text.len() != texts[0].len()));
    }

    #[test]
    fn who_would_answer_the_answer_is_a_loop() {
        let at = |port| SocketAddr::from(([127, 0, 0, 1], port));
        for port in [0, 7, 13, 17, 19, 37, 1007] {
            assert!(is_loop(at(port), &[1007]), "{port}");
        }
        assert!(!is_loop(at(1007), &[]));
        assert!(!is_loop(at(50_000), &[1007]));
    }
}
