//! The codec: bytes to requests, responses to bytes; incremental, bounded, without I/O.

use bytes::{Bytes, BytesMut};

use crate::Service;

/// Why bytes from a client cannot be a request. The connection sends [`Codec::farewell`] and closes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Malformed {
    /// The bytes break the protocol; the text names what was found and what was expected.
    #[error("{0}")]
    Syntax(String),
    /// A limit was exceeded before the request was complete.
    #[error("{what} exceeds the limit of {limit} bytes")]
    TooLarge {
        /// What grew too large, for example `request line`.
        what: &'static str,
        /// The limit in bytes.
        limit: usize,
    },
}

/// Why the server ends a connection on its own account; a codec says it in its protocol's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Farewell {
    /// The client's bytes are no request.
    Malformed(Malformed),
    /// An admission limit refused the connection.
    Busy,
    /// The call panicked.
    Failed,
    /// The call was interrupted.
    Interrupted,
    /// A request did not come to its end in time.
    TooSlow,
    /// Nothing was asked for too long.
    Idle,
}

/// What a connection does after a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Go on with the next request.
    Keep,
    /// Write out what is buffered, then close.
    Close,
}

/// Bytes to requests and responses to bytes.
///
/// A codec is pure: the same bytes give the same requests however they are cut. One clone serves one connection and
/// may keep parsing state in itself.
pub trait Codec<S: Service>: Clone + Send + 'static {
    /// Whether the protocol has a meaning for TCP urgent data, as Telnet and FTP have. Then an urgent byte stays where it
    /// is among the others (`SO_OOBINLINE`), and [`Codec::interrupts`] and [`Codec::urgent`] are called. Otherwise
    /// urgent data never reaches the codec; it is the server's.
    const USES_URGENT_DATA: bool = false;

    /// Takes one request from the front of `input`, or returns `None` and leaves an incomplete one there.
    ///
    /// Called once with empty input when the connection opens (a protocol in which the server speaks first yields a
    /// request then), after every read, and after every response while input is left.
    ///
    /// # Errors
    /// [`Malformed`] when the bytes can never become a request, however many follow, or exceed a limit. An
    /// implementation must not let `input` grow without bound while it returns `None`.
    fn decode(&mut self, input: &mut BytesMut) -> Result<Option<S::Request>, Malformed>;

    /// Whether parts of the request that was decoded last are still to come. The default is never.
    fn receives(&self) -> bool {
        false
    }

    /// The parts are wanted: appends what a client waits for that does not send them unasked. Called once, after
    /// [`decode`](Self::decode) and before [`part`](Self::part).
    fn invite(&mut self, input: &BytesMut, output: &mut BytesMut) {
        let _ = (input, output);
    }

    /// Takes the next part from the front of `input`, never an empty one. `None` if more bytes are needed, or if there is
    /// no further part: then [`receives`](Self::receives) is false.
    ///
    /// # Errors
    /// As [`decode`](Self::decode).
    fn part(&mut self, input: &mut BytesMut) -> Result<Option<Bytes>, Malformed> {
        let _ = input;
        Ok(None)
    }

    /// The rest of the parts is not wanted. Afterwards [`receives`](Self::receives) is false, and
    /// [`encode`](Self::encode) ends the connection if the next request cannot be found behind them.
    fn decline(&mut self) {}

    /// The connection ends after the response that is encoded next, unless more has come by then: a protocol that can say so
    /// does, and its client asks elsewhere next time. The default says nothing.
    fn ends(&mut self) {}

    /// Appends the bytes of `response` (of its current part) to `output`; says whether the connection goes on
    /// afterwards. The answer for the last part counts.
    fn encode(&mut self, response: &mut S::Response, output: &mut BytesMut) -> Next;

    /// Urgent data has come while a request is being served: whether it ends that request. `unread` is what has come since
    /// the last read, up to the urgent byte and with it.
    fn interrupts(&self, unread: &[u8]) -> bool {
        let _ = unread;
        false
    }

    /// Urgent data has come, and no request is being served (any more). `input` is all that has not been decoded, up to
    /// the urgent byte and with it; what the codec leaves there is decoded next.
    fn urgent(&mut self, input: &mut BytesMut) {
        let _ = input;
    }

    /// The running request was given up: appends what the client is told instead of a response (of the rest of it), and
    /// says whether the connection goes on. The default says farewell and closes.
    fn interrupted(&mut self, output: &mut BytesMut) -> Next {
        self.farewell(&Farewell::Interrupted, output);
        Next::Close
    }

    /// Appends the protocol's last words to `output`; nothing if the protocol has none.
    fn farewell(&self, why: &Farewell, output: &mut BytesMut) {
        let _ = (why, output);
    }
}
