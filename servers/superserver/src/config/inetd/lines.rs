//! Lines: which are comments, and which belong together.

use crate::config::Dialect;
use crate::config::word::LINE_BYTES_MAX;

/// The lines of a text that say something.
pub(super) struct Lines<'a> {
    rest: std::iter::Peekable<Numbered<'a>>,
    dialect: Dialect,
    carriage_returns: bool,
}

type Numbered<'a> =
    std::iter::Zip<std::ops::RangeFrom<u32>, std::slice::Split<'a, u8, fn(&u8) -> bool>>;

/// A line with those that continue it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// Of the first of them.
    pub(super) number: u32,
    pub(super) bytes: Vec<u8>,
    /// A line that continues this one but looks like a service of its own.
    pub(super) swallowed: Option<u32>,
}

impl<'a> Lines<'a> {
    pub(super) fn new(text: &'a [u8], dialect: Dialect) -> Self {
        let is_end: fn(&u8) -> bool = |byte| *byte == b'\n';
        Self { rest: (1..).zip(text.split(is_end)).peekable(), dialect, carriage_returns: false }
    }

    /// Whether a line ended as on Windows.
    pub(super) const fn has_carriage_returns(&self) -> bool {
        self.carriage_returns
    }

    /// The next line, whatever is in it, without its end.
    fn physical(&mut self) -> Option<(u32, &'a [u8])> {
        let (number, line) = self.rest.next()?;
        let stripped = line.strip_suffix(b"\r");
        self.carriage_returns |= stripped.is_some();
        Some((number, stripped.unwrap_or(line)))
    }

    /// Adds the next line that is no comment, whatever it begins with. False at the end of the text.
    pub(super) fn extend(&mut self, line: &mut Line) -> bool {
        while let Some((_, more)) = self.physical() {
            if !more.trim_ascii_start().starts_with(b"#") {
                append(&mut line.bytes, more);
                return true;
            }
        }
        false
    }

    /// Adds the lines that begin with a blank. GNU's inetd knows no such thing. An empty line ends them.
    fn add_continuations(&mut self, line: &mut Line) {
        if self.dialect == Dialect::Gnu {
            return;
        }
        while self
            .rest
            .peek()
            .is_some_and(|(_, next)| next.starts_with(b" ") || next.starts_with(b"\t"))
        {
            let Some((number, more)) = self.physical() else { return };
            // A comment is meant as one, though the incumbents would make arguments of it.
            if more.trim_ascii_start().starts_with(b"#") {
                continue;
            }
            if looks_like_service(more) {
                line.swallowed.get_or_insert(number);
            }
            append(&mut line.bytes, more);
        }
    }
}

impl Iterator for Lines<'_> {
    type Item = Line;

    fn next(&mut self) -> Option<Line> {
        loop {
            let (number, bytes) = self.physical()?;
            let bytes = bytes.trim_ascii();
            let is_directive = self.dialect == Dialect::Netbsd && bytes.starts_with(b"#@");
            if is_directive {
                return Some(Line { number, bytes: bytes.to_vec(), swallowed: None });
            }
            if bytes.is_empty() || bytes.starts_with(b"#") {
                continue;
            }
            let mut line = Line { number, bytes: bytes.to_vec(), swallowed: None };
            self.add_continuations(&mut line);
            return Some(line);
        }
    }
}

/// Joins two lines. A line that is too long stays so, but grows no more.
fn append(line: &mut Vec<u8>, more: &[u8]) {
    if line.len() <= LINE_BYTES_MAX {
        line.push(b' ');
        line.extend_from_slice(&more[..more.len().min(LINE_BYTES_MAX)]);
    }
}

/// Has the second and fourth column of a service.
fn looks_like_service(line: &[u8]) -> bool {
    let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let is_socket = matches!(words.nth(1), Some(b"stream" | b"dgram"));
    is_socket
        && words.nth(1).is_some_and(|word| word.starts_with(b"wait") || word.starts_with(b"nowait"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str, dialect: Dialect) -> Vec<(u32, String)> {
        let text_of = |line: Line| (line.number, String::from_utf8(line.bytes).unwrap());
        Lines::new(text.as_bytes(), dialect).map(text_of).collect()
    }

    #[test]
    fn a_line_that_begins_with_a_blank_continues_the_last_but_not_in_gnu() {
        let text = "# x\na b\n c\n\t# d\n\te\n\n f\ng\r\n";
        let bsd = [(2, "a b  c \te"), (7, "f"), (8, "g")];
        let gnu = [(2, "a b"), (3, "c"), (5, "e"), (7, "f"), (8, "g")];
        let owned = |lines: &[(u32, &str)]| -> Vec<(u32, String)> {
            lines.iter().map(|(number, text)| (*number, (*text).to_owned())).collect()
        };
        for dialect in [Dialect::Openbsd, Dialect::Freebsd, Dialect::Netbsd] {
            assert_eq!(lines(text, dialect), owned(&bsd));
        }
        assert_eq!(lines(text, Dialect::Gnu), owned(&gnu));
    }

    #[test]
    fn a_service_that_begins_with_a_blank_is_noticed() {
        let text = b"a stream tcp nowait root /x x\n b stream tcp nowait root /y y\n";
        let line = Lines::new(text, Dialect::Openbsd).next().unwrap();
        assert_eq!(line.swallowed, Some(2));
    }

    #[test]
    fn a_line_does_not_grow_without_end() {
        let text = format!("a{}", "\n b".repeat(1_000_000));
        let line = Lines::new(text.as_bytes(), Dialect::Openbsd).next().unwrap();
        assert!(line.bytes.len() > LINE_BYTES_MAX && line.bytes.len() < 2 * LINE_BYTES_MAX + 2);
    }
}
