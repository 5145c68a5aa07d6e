//! What every parser of answers is: bytes in, in pieces of any size, and no socket.

/// Recognizes one answer in bytes that come in pieces.
///
/// Where the pieces are cut changes nothing. A parser holds memory in proportion to the bytes that it was fed, never to
/// a length that they announce.
pub trait Parser {
    /// What the bytes mean.
    type Answer;

    /// Takes the next piece, which may be empty. After [`Step::Done`] the parser starts over with the next answer.
    ///
    /// # Errors
    /// [`Malformed`] if no further bytes can make this an answer; then the parser is of no more use.
    fn feed(&mut self, piece: &[u8]) -> Result<Step<Self::Answer>, Malformed>;

    /// The server has closed: the answer, if closing is what ends it.
    fn finish(&mut self) -> Option<Self::Answer> {
        None
    }
}

/// What a piece has led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step<A> {
    /// The whole piece is taken, and the answer is not complete.
    More,
    /// The answer is complete.
    Done {
        /// The answer.
        answer: A,
        /// Bytes of this piece that belong to it; the rest is not part of it.
        used: usize,
    },
}

/// Why bytes are no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// They break the protocol; the text says where.
    #[error("{0}")]
    Syntax(String),
    /// They break a limit.
    #[error("more than {limit} {what}")]
    TooLarge {
        /// What there is too much of, in the plural.
        what: &'static str,
        /// How much there may be.
        limit: usize,
    },
}

impl Malformed {
    pub(crate) fn syntax(why: impl Into<String>) -> Self {
        Self::Syntax(why.into())
    }

    /// The limit of a whole answer, which a length can break before its bytes come.
    pub(crate) fn answer_bytes(limit: usize) -> Self {
        Self::TooLarge { what: "bytes", limit }
    }
}
