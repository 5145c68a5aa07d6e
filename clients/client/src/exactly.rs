//! An answer of a known number of bytes.

use std::mem;

use crate::{Malformed, Parser, Step};

/// Takes a fixed number of bytes; for [`echo`](crate::echo) and the binary [`time`](crate::time).
#[derive(Clone, Debug)]
pub struct Exactly {
    count: usize,
    bytes: Vec<u8>,
}

impl Exactly {
    /// An answer of `count` bytes.
    #[must_use]
    pub fn new(count: usize) -> Self {
        Self { count, bytes: Vec::new() }
    }
}

impl Parser for Exactly {
    type Answer = Vec<u8>;

    fn feed(&mut self, piece: &[u8]) -> Result<Step<Vec<u8>>, Malformed> {
        let used = piece.len().min(self.count - self.bytes.len());
        self.bytes.extend_from_slice(&piece[..used]);
        if self.bytes.len() < self.count {
            return Ok(Step::More);
        }
        Ok(Step::Done { answer: mem::take(&mut self.bytes), used })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_after_the_last_are_left() {
        let mut parser = Exactly::new(4);
        assert_eq!(parser.feed(b"ab"), Ok(Step::More));
        let done = Step::Done { answer: b"abcd".to_vec(), used: 2 };
        assert_eq!(parser.feed(b"cdef"), Ok(done));
    }

    #[test]
    fn no_bytes_are_complete_at_once() {
        let done = Step::Done { answer: Vec::new(), used: 0 };
        assert_eq!(Exactly::new(0).feed(b"ab"), Ok(done));
    }

    #[test]
    fn a_large_count_reserves_nothing() {
        let mut parser = Exactly::new(usize::MAX);
        assert_eq!(parser.feed(b"a"), Ok(Step::More));
        assert!(parser.bytes.capacity() < 64);
    }
}
