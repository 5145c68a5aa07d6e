//! What a client of registers waits for and takes, at most.

use std::fmt;
use std::time::Duration;

/// Limits of a [`RegisterClient`](super::RegisterClient).
#[derive(Clone)]
pub struct RegisterOptions {
    /// What to say in `AUTH` on each new connection. Default: nothing.
    pub password: Option<String>,
    /// No attempt begins later than this after the first; the last one has its whole time, because a write that is given
    /// up early is one whose outcome nobody knows. Default: 30 s.
    pub within: Duration,
    /// One attempt to connect. Default: 2 s.
    pub connect_within: Duration,
    /// One attempt to get an answer. Longer than the time after which a gateway says itself that the outcome is unknown
    /// (5 s), for it knows more. Default: 8 s.
    pub answer_within: Duration,
    /// Bytes of one answer with its framing. Default: 64 MiB.
    pub answer_bytes_max: usize,
    /// The first pause between two attempts. Default: 10 ms.
    pub pause_min: Duration,
    /// The longest. Default: 1 s.
    pub pause_max: Duration,
}

impl Default for RegisterOptions {
    fn default() -> Self {
        Self {
            password: None,
            within: Duration::from_secs(30),
            connect_within: Duration::from_secs(2),
            answer_within: Duration::from_secs(8),
            answer_bytes_max: 64 << 20,
            pause_min: Duration::from_millis(10),
            pause_max: Duration::from_secs(1),
        }
    }
}

impl fmt::Debug for RegisterOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RegisterOptions")
            .field("password", &self.password.as_ref().map(|_| "…"))
            .field("within", &self.within)
            .field("connect_within", &self.connect_within)
            .field("answer_within", &self.answer_within)
            .field("answer_bytes_max", &self.answer_bytes_max)
            .field("pause_min", &self.pause_min)
            .field("pause_max", &self.pause_max)
            .finish()
    }
}
