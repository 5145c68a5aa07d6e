//! The parser: commands as arrays of bulk strings, or as a line.
//!
//! Incremental: it remembers how far it has parsed, so a large command that arrives in many pieces is looked at once.

use bytes::{Buf, BytesMut};

use super::command::{Command, Span, Spans};
use super::{Limits, inline, integer};
use crate::Malformed;

/// The longest line that announces a count or a length: 64 KiB, as in redis.
const HEADER_BYTES_MAX: usize = 64 * 1024;

/// Commands as redis 7 reads them. One parser reads one connection.
#[derive(Clone, Debug)]
pub struct Parser {
    limits: Limits,
    /// Bytes at the front of the input that are parsed: they belong to the command being read.
    position: usize,
    /// Bytes after `position` that hold no line end.
    scanned: usize,
    /// Arguments still to come; 0 between commands.
    expected: usize,
    /// Length of the argument at `position`, once its header has been read.
    bulk: Option<usize>,
    spans: Spans,
}

impl Parser {
    /// With these limits on arguments, lines and commands.
    #[must_use]
    pub fn new(mut limits: Limits) -> Self {
        // Places in a command are 32 bits; a header line fits beyond the limit.
        let ceiling = u32::MAX as usize - 2 * HEADER_BYTES_MAX;
        limits.command_bytes_max = limits.command_bytes_max.min(ceiling);
        limits.inline_bytes_max = limits.inline_bytes_max.min(ceiling);
        Self { limits, position: 0, scanned: 0, expected: 0, bulk: None, spans: Spans::default() }
    }

    /// Takes one command from the front of `input`, or returns `None` and leaves an incomplete one there. The command
    /// shares the bytes of `input`.
    ///
    /// # Errors
    /// Bytes that no command begins with, or a limit; this parser is of no use afterwards.
    pub fn read(&mut self, input: &mut BytesMut) -> Result<Option<Command>, Malformed> {
        loop {
            if self.expected == 0 {
                match input.first() {
                    None => return Ok(None),
                    Some(b'*') => match self.count(input)? {
                        None => return Ok(None),
                        // Redis skips empty commands without a word.
                        Some(0) => {
                            input.advance(self.position);
                            self.position = 0;
                            continue;
                        }
                        Some(count) => self.expected = count,
                    },
                    Some(_) => match self.inline(input)? {
                        None => return Ok(None),
                        Some(command) if command.is_empty() => continue,
                        Some(command) => return Ok(Some(command)),
                    },
                }
            }
            while self.expected > 0 {
                if !self.argument(input)? {
                    return Ok(None);
                }
            }
            let frame = input.split_to(self.position).freeze();
            self.position = 0;
            return Ok(Some(Command::new(frame, std::mem::take(&mut self.spans))));
        }
    }

    /// `*<count>\r\n`; a negative count is an empty command.
    fn count(&mut self, input: &[u8]) -> Result<Option<usize>, Malformed> {
        let Some(line) = self.header(input, "mbulk count string")? else { return Ok(None) };
        let count = integer::parse(&line[1..]).ok_or_else(|| syntax("invalid multibulk length"))?;
        let count = usize::try_from(count).unwrap_or(0);
        if count > self.limits.arguments_max {
            return Err(syntax("invalid multibulk length"));
        }
        Ok(Some(count))
    }

    /// `$<length>\r\n<bytes>\r\n`; false while it is incomplete.
    fn argument(&mut self, input: &[u8]) -> Result<bool, Malformed> {
        let length = match self.bulk {
            Some(length) => length,
            None => match self.length(input)? {
                Some(length) => *self.bulk.insert(length),
                None => return Ok(false),
            },
        };
        let end = self.position + length;
        let Some(line_end) = input.get(end..end + 2) else { return Ok(false) };
        if line_end != b"\r\n" {
            return Err(syntax("expected CRLF after a bulk string"));
        }
        self.spans.push(Span::new(self.position, end));
        self.position = end + 2;
        self.bulk = None;
        self.expected -= 1;
        Ok(true)
    }

    fn length(&mut self, input: &[u8]) -> Result<Option<usize>, Malformed> {
        match input.get(self.position) {
            None => return Ok(None),
            Some(b'$') => {}
            Some(byte) => return Err(syntax(format!("expected '$', got '{}'", printable(*byte)))),
        }
        let Some(line) = self.header(input, "bulk count string")? else { return Ok(None) };
        let length = integer::parse(&line[1..])
            .and_then(|length| usize::try_from(length).ok())
            .filter(|length| *length <= self.limits.argument_bytes_max)
            .ok_or_else(|| syntax("invalid bulk length"))?;
        let limit = self.limits.command_bytes_max;
        if self.position.saturating_add(length).saturating_add(2) > limit {
            return Err(Malformed::TooLarge { what: "command", limit });
        }
        Ok(Some(length))
    }

    /// The line at `position` without its end; moves past it.
    fn header<'a>(
        &mut self,
        input: &'a [u8],
        what: &'static str,
    ) -> Result<Option<&'a [u8]>, Malformed> {
        let rest = &input[self.position..];
        let Some(end) = self.find(rest, b'\r', HEADER_BYTES_MAX, what)? else { return Ok(None) };
        let Some(line_feed) = rest.get(end + 1) else { return Ok(None) };
        // Without its line feed, the carriage return is part of a number that is none.
        let line = if *line_feed == b'\n' { &rest[..end] } else { &rest[..=end] };
        self.position += end + 2;
        self.scanned = 0;
        Ok(Some(line))
    }

    /// One line to a command; an empty line gives an empty command.
    fn inline(&mut self, input: &mut BytesMut) -> Result<Option<Command>, Malformed> {
        let limit = self.limits.inline_bytes_max;
        let Some(end) = self.find(input, b'\n', limit, "inline request")? else { return Ok(None) };
        let line = input[..end].strip_suffix(b"\r").unwrap_or(&input[..end]);
        let command = inline::split(line).map_err(|_| syntax("unbalanced quotes in request"))?;
        if command.len() > self.limits.arguments_max {
            return Err(syntax("invalid multibulk length"));
        }
        input.advance(end + 1);
        self.scanned = 0;
        Ok(Some(command))
    }

    /// Where `wanted` is, at most `limit` bytes into `rest`; remembers what has been searched.
    fn find(
        &mut self,
        rest: &[u8],
        wanted: u8,
        limit: usize,
        what: &'static str,
    ) -> Result<Option<usize>, Malformed> {
        let window = &rest[..rest.len().min(limit + 1)];
        match window[self.scanned..].iter().position(|byte| *byte == wanted) {
            Some(offset) => {
                self.scanned += offset;
                Ok(Some(self.scanned))
            }
            None if window.len() > limit => Err(Malformed::TooLarge { what, limit }),
            None => {
                self.scanned = window.len();
                Ok(None)
            }
        }
    }
}

fn syntax(text: impl Into<String>) -> Malformed {
    Malformed::Syntax(text.into())
}

/// The byte as it looks in an error line.
fn printable(byte: u8) -> String {
    match byte {
        b'\r' | b'\n' => " ".into(),
        b' '..=b'~' => char::from(byte).into(),
        other => other.escape_ascii().to_string(),
    }
}
