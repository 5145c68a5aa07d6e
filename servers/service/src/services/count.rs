//! Numbered lines, made in parts: an answer that is long, and shows whether it goes on.

use std::fmt::Write;

use bytes::BytesMut;

/// The most lines that are counted: 10^9.
pub const COUNT_LINES_MAX: u64 = 1_000_000_000;

/// Lines of one part, where nobody wants fewer: at 10 digits and a line end of two bytes less than 16 KiB.
pub(super) const PART_LINES: u64 = 1300;

/// The lines `1` to `lines`, of which one part is at hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Count {
    lines: u64,
    part_lines: u64,
    /// Where the part begins; the first line is 0.
    start: u64,
}

impl Count {
    /// A count to `lines` whose first part is at hand; each has at most `part_lines` lines.
    pub(super) fn new(lines: u64, part_lines: u64) -> Self {
        Self { lines, part_lines, start: 0 }
    }

    /// How many lines there are in all.
    #[must_use]
    pub fn lines(&self) -> u64 {
        self.lines
    }

    /// Whether no part follows.
    #[must_use]
    pub fn is_last_part(&self) -> bool {
        self.lines - self.start <= self.part_lines
    }

    /// Goes on to the next part. There must be one.
    pub(super) fn advance(&mut self) {
        self.start += self.part_lines;
    }

    /// Appends the part.
    pub(super) fn write(&self, line_end: &str, output: &mut BytesMut) {
        let end = self.lines.min(self.start + self.part_lines);
        for number in self.start + 1..=end {
            write!(output, "{number}{line_end}").expect("a buffer grows");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All lines, and the bytes of the largest part.
    fn written(mut count: Count) -> (String, usize) {
        let (mut output, mut peak) = (BytesMut::new(), 0);
        loop {
            let before = output.len();
            count.write("\r\n", &mut output);
            peak = peak.max(output.len() - before);
            if count.is_last_part() {
                return (String::from_utf8(output.to_vec()).unwrap(), peak);
            }
            count.advance();
        }
    }

    #[test]
    fn every_line_comes_once_however_it_is_divided() {
        for lines in [0, 1, 9, 10, 11, 20, 1000] {
            let expected: String = (1..=lines).map(|number| format!("{number}\r\n")).collect();
            for part_lines in [1, 10, PART_LINES] {
                assert_eq!(written(Count::new(lines, part_lines)).0, expected, "{lines}");
            }
        }
    }

    #[test]
    fn no_part_is_above_16_kib() {
        let mut count = Count::new(COUNT_LINES_MAX, PART_LINES);
        count.start = COUNT_LINES_MAX - 3 * PART_LINES;
        let (text, peak) = written(count);
        assert!(text.ends_with("999999999\r\n1000000000\r\n"), "{text}");
        assert!(peak <= 16 * 1024, "{peak}");
    }
}
