//! An answer of one line of text.

use std::mem;

use crate::{Malformed, Parser, Step};

/// The longest line, without its end: 64 KiB.
pub const LINE_BYTES_MAX: usize = 64 * 1024;

/// What completes a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineEnd {
    /// LF or CRLF. A line that the server's closing cuts off is no answer.
    Newline,
    /// LF, CRLF, or the server's closing after at least one byte.
    NewlineOrClose,
}

/// Takes one line, without its end; for [`work`](crate::work) and the textual [`time`](crate::time).
///
/// Bytes that are not UTF-8 become U+FFFD.
#[derive(Clone, Debug)]
pub struct Line {
    end: LineEnd,
    bytes: Vec<u8>,
}

impl Line {
    /// A line that ends so.
    #[must_use]
    pub fn new(end: LineEnd) -> Self {
        Self { end, bytes: Vec::new() }
    }

    fn take(&mut self) -> String {
        let line = mem::take(&mut self.bytes);
        String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(&line)).into_owned()
    }
}

impl Parser for Line {
    type Answer = String;

    fn feed(&mut self, piece: &[u8]) -> Result<Step<String>, Malformed> {
        let newline = piece.iter().position(|&byte| byte == b'\n');
        let content = &piece[..newline.unwrap_or(piece.len())];
        // A CR that waits for its LF is not part of the line yet.
        let length = self.bytes.len() + content.len();
        let last = content.last().or(self.bytes.last());
        if length - usize::from(last == Some(&b'\r')) > LINE_BYTES_MAX {
            return Err(Malformed::TooLarge { what: "bytes in a line", limit: LINE_BYTES_MAX });
        }
        self.bytes.extend_from_slice(content);
        Ok(match newline {
            Some(at) => Step::Done { answer: self.take(), used: at + 1 },
            None => Step::More,
        })
    }

    fn finish(&mut self) -> Option<String> {
        match self.end {
            LineEnd::Newline => None,
            LineEnd::NewlineOrClose => (!self.bytes.is_empty()).then(|| self.take()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn done(answer: &str, used: usize) -> Result<Step<String>, Malformed> {
        Ok(Step::Done { answer: answer.into(), used })
    }

    #[test]
    fn lf_and_crlf_end_a_line_wherever_it_is_cut() {
        let mut parser = Line::new(LineEnd::Newline);
        assert_eq!(parser.feed(b"one\ntwo"), done("one", 4));
        assert_eq!(parser.feed(b"two\r"), Ok(Step::More));
        assert_eq!(parser.feed(b"\nthree"), done("two", 1));
    }

    #[test]
    fn closing_completes_a_line_only_where_that_is_allowed() {
        let mut strict = Line::new(LineEnd::Newline);
        let mut lenient = Line::new(LineEnd::NewlineOrClose);
        assert_eq!(lenient.finish(), None);
        assert_eq!(strict.feed(b"cut"), Ok(Step::More));
        assert_eq!(lenient.feed(b"cut"), Ok(Step::More));
        assert_eq!(strict.finish(), None);
        assert_eq!(lenient.finish(), Some("cut".into()));
    }

    #[test]
    fn the_longest_line_passes_and_one_more_byte_is_refused() {
        let longest = vec![b'a'; LINE_BYTES_MAX];
        let mut parser = Line::new(LineEnd::Newline);
        assert_eq!(parser.feed(&longest), Ok(Step::More));
        assert_eq!(parser.feed(b"\r"), Ok(Step::More));
        assert!(matches!(parser.feed(b"\n"), Ok(Step::Done { .. })));
        assert_eq!(parser.feed(&longest), Ok(Step::More));
        assert!(matches!(parser.feed(b"a"), Err(Malformed::TooLarge { .. })));
    }

    #[test]
    fn bytes_that_are_no_text_are_replaced() {
        assert_eq!(Line::new(LineEnd::Newline).feed(b"\xff\n"), done("\u{fffd}", 2));
    }
}
