//! Values from bytes in pieces.
//!
//! No recursion: arrays that are not complete wait on a stack, whose height is bounded. Memory grows with the bytes
//! that have come; what a header announces is only compared with the limits.

use std::mem;

use super::Value;
use crate::{LINE_BYTES_MAX, Malformed, Parser, Step};

/// The deepest nesting: arrays in arrays, counted from the outermost.
pub const ARRAYS_NESTED_MAX: usize = 32;

/// The most values in one reply, at all depths: 1 Mi. A value takes more memory than its three bytes on the wire.
pub const VALUES_MAX: usize = 1024 * 1024;

/// Takes one RESP2 value.
///
/// A header that announces more than the limits allow is refused at once. Lines end in CRLF, nothing less.
#[derive(Clone, Debug)]
pub struct ValueParser {
    bytes_max: usize,
    state: State,
    /// Arrays that have begun, the outermost first.
    open: Vec<Open>,
    /// Values that have begun.
    values: usize,
}

#[derive(Clone, Debug)]
enum State {
    /// In the line that begins a value: what has come of it.
    Line(Vec<u8>),
    /// In a bulk string of this length: what has come of it and its CRLF.
    Bulk(usize, Vec<u8>),
}

#[derive(Clone, Debug)]
struct Open {
    /// Values to come; at least one.
    left: usize,
    values: Vec<Value>,
}

impl ValueParser {
    /// A parser that refuses bulk strings of more than `bytes_max` bytes.
    #[must_use]
    pub fn new(bytes_max: usize) -> Self {
        Self { bytes_max, state: State::Line(Vec::new()), open: Vec::new(), values: 0 }
    }

    /// Takes from the front of `piece` what belongs to the line or the bulk string; the value that this completes.
    fn take(&mut self, piece: &mut &[u8]) -> Result<Option<Value>, Malformed> {
        match &mut self.state {
            State::Line(line) => {
                if !take_line(line, piece)? {
                    return Ok(None);
                }
                let line = mem::take(line);
                self.header(&line)
            }
            State::Bulk(length, bytes) => {
                if !take_bulk(*length, bytes, piece)? {
                    return Ok(None);
                }
                let bytes = mem::take(bytes);
                self.state = State::Line(Vec::new());
                Ok(Some(Value::Bulk(bytes)))
            }
        }
    }

    /// Understands the line that begins a value; the value, if the line is all of it.
    fn header(&mut self, line: &[u8]) -> Result<Option<Value>, Malformed> {
        self.values += 1;
        if self.values > VALUES_MAX {
            return Err(too_many_values());
        }
        let [kind, text @ ..] = line else { return Err(Malformed::syntax("an empty line")) };
        Ok(Some(match kind {
            b'+' => Value::Simple(String::from_utf8_lossy(text).into_owned()),
            b'-' => Value::Error(String::from_utf8_lossy(text).into_owned()),
            b':' => Value::Integer(integer(text)?),
            b'$' => match length(text)? {
                Some(length) if length > self.bytes_max => {
                    return Err(Malformed::answer_bytes(self.bytes_max));
                }
                Some(length) => {
                    self.state = State::Bulk(length, Vec::new());
                    return Ok(None);
                }
                None => Value::Null,
            },
            b'*' => match length(text)? {
                Some(_) if self.open.len() == ARRAYS_NESTED_MAX => return Err(too_deep()),
                Some(0) => Value::Array(Vec::new()),
                Some(left) if left > VALUES_MAX => return Err(too_many_values()),
                Some(left) => {
                    self.open.push(Open { left, values: Vec::new() });
                    return Ok(None);
                }
                None => Value::Null,
            },
            _ => return Err(unknown_kind(*kind)),
        }))
    }

    /// Puts a value where it belongs; the reply, if that completes it.
    fn place(&mut self, mut value: Value) -> Option<Value> {
        while let Some(array) = self.open.last_mut() {
            array.values.push(value);
            array.left -= 1;
            if array.left > 0 {
                return None;
            }
            value = Value::Array(mem::take(&mut array.values));
            self.open.pop();
        }
        self.values = 0;
        Some(value)
    }
}

impl Parser for ValueParser {
    type Answer = Value;

    fn feed(&mut self, piece: &[u8]) -> Result<Step<Value>, Malformed> {
        let mut rest = piece;
        while !rest.is_empty() {
            let Some(value) = self.take(&mut rest)? else { continue };
            if let Some(answer) = self.place(value) {
                return Ok(Step::Done { answer, used: piece.len() - rest.len() });
            }
        }
        Ok(Step::More)
    }
}

/// Moves up to a line end from `piece` to `line`; whether the line is complete, and then without its CRLF.
fn take_line(line: &mut Vec<u8>, piece: &mut &[u8]) -> Result<bool, Malformed> {
    let newline = piece.iter().position(|&byte| byte == b'\n');
    let (taken, rest) = piece.split_at(newline.map_or(piece.len(), |at| at + 1));
    // Another protocol's first byte is refused now, because its line end may never come.
    if let Some(kind) = line.first().or(taken.first()).filter(|kind| !b"+-:$*".contains(kind)) {
        return Err(unknown_kind(*kind));
    }
    // The longest line still has room for CR LF after it.
    if line.len() + taken.len() > LINE_BYTES_MAX + 2 {
        return Err(Malformed::TooLarge { what: "bytes in a line", limit: LINE_BYTES_MAX });
    }
    line.extend_from_slice(taken);
    *piece = rest;
    if newline.is_none() {
        return Ok(false);
    }
    if !line.ends_with(b"\r\n") || line[..line.len() - 2].contains(&b'\r') {
        return Err(Malformed::syntax("a line does not end in CRLF"));
    }
    line.truncate(line.len() - 2);
    Ok(true)
}

/// Moves what belongs to the bulk string from `piece` to `bytes`; whether it is complete, and then without its CRLF.
fn take_bulk(length: usize, bytes: &mut Vec<u8>, piece: &mut &[u8]) -> Result<bool, Malformed> {
    let left = length.saturating_add(2) - bytes.len();
    let (taken, rest) = piece.split_at(left.min(piece.len()));
    bytes.extend_from_slice(taken);
    *piece = rest;
    if taken.len() < left {
        return Ok(false);
    }
    if !bytes.ends_with(b"\r\n") {
        return Err(Malformed::syntax("a bulk string does not end in CRLF"));
    }
    bytes.truncate(length);
    Ok(true)
}

fn integer(text: &[u8]) -> Result<i64, Malformed> {
    let number = str::from_utf8(text).ok().and_then(|text| text.parse().ok());
    number.ok_or_else(|| Malformed::syntax("an integer is no number of 64 bits"))
}

/// A length or a count; none is the null value's.
fn length(text: &[u8]) -> Result<Option<usize>, Malformed> {
    match integer(text)? {
        -1 => Ok(None),
        // A length above what the machine can address is above every limit too.
        length if length >= 0 => Ok(Some(usize::try_from(length).unwrap_or(usize::MAX))),
        _ => Err(Malformed::syntax("a length is negative")),
    }
}

fn unknown_kind(kind: u8) -> Malformed {
    Malformed::syntax(format!("a RESP2 value cannot begin with '{}'", kind.escape_ascii()))
}

fn too_deep() -> Malformed {
    Malformed::TooLarge { what: "arrays in one another", limit: ARRAYS_NESTED_MAX }
}

fn too_many_values() -> Malformed {
    Malformed::TooLarge { what: "values", limit: VALUES_MAX }
}

#[cfg(test)]
mod tests;
