//! Inline commands: a line split into arguments by redis' quoting rules.
//!
//! Source: `sdssplitargs` in redis 7.0 `sds.c`. Arguments are separated by white space. Double quotes allow `\xHH`,
//! `\n`, `\r`, `\t`, `\b`, `\a` and any other escaped byte as itself; single quotes only `\'`. A quote may open inside
//! an argument; a closing one must end it.

use super::command::{Command, Span, Spans};

/// The line's quotes are not balanced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unbalanced;

/// Splits `line`, which has no line end. An empty line gives an empty command.
pub(super) fn split(line: &[u8]) -> Result<Command, Unbalanced> {
    // Unquoting only shortens, so all arguments fit here.
    let mut frame = Vec::with_capacity(line.len());
    let mut spans = Spans::default();
    let mut rest = skip_blanks(line);
    while !rest.is_empty() {
        let start = frame.len();
        rest = skip_blanks(one(rest, &mut frame)?);
        spans.push(Span::new(start, frame.len()));
    }
    Ok(Command::new(frame.into(), spans))
}

/// Appends the argument at the front of `rest`; returns what follows it.
fn one<'a>(mut rest: &'a [u8], argument: &mut Vec<u8>) -> Result<&'a [u8], Unbalanced> {
    loop {
        rest = match rest {
            [] => return Ok(rest),
            [byte, ..] if is_space(*byte) => return Ok(rest),
            [b'"', after @ ..] => return closed(double_quoted(after, argument)?),
            [b'\'', after @ ..] => return closed(single_quoted(after, argument)?),
            [byte, after @ ..] => {
                argument.push(*byte);
                after
            }
        }
    }
}

/// After a closing quote, only white space or the end may follow.
fn closed(rest: &[u8]) -> Result<&[u8], Unbalanced> {
    if rest.first().is_none_or(|byte| is_space(*byte)) { Ok(rest) } else { Err(Unbalanced) }
}

fn double_quoted<'a>(mut rest: &'a [u8], argument: &mut Vec<u8>) -> Result<&'a [u8], Unbalanced> {
    loop {
        let (byte, after) = match rest {
            [] => return Err(Unbalanced),
            [b'"', after @ ..] => return Ok(after),
            [b'\\', b'x', high, low, after @ ..]
                if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() =>
            {
                (hex(*high) << 4 | hex(*low), after)
            }
            [b'\\', escaped, after @ ..] => (unescape(*escaped), after),
            [byte, after @ ..] => (*byte, after),
        };
        argument.push(byte);
        rest = after;
    }
}

fn single_quoted<'a>(mut rest: &'a [u8], argument: &mut Vec<u8>) -> Result<&'a [u8], Unbalanced> {
    loop {
        let (byte, after) = match rest {
            [] => return Err(Unbalanced),
            [b'\'', after @ ..] => return Ok(after),
            [b'\\', b'\'', after @ ..] => (b'\'', after),
            [byte, after @ ..] => (*byte, after),
        };
        argument.push(byte);
        rest = after;
    }
}

fn unescape(byte: u8) -> u8 {
    match byte {
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'b' => 0x08,
        b'a' => 0x07,
        other => other,
    }
}

fn hex(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        _ => digit - b'A' + 10,
    }
}

/// White space as C's `isspace` has it; Rust's ASCII white space lacks the vertical tab.
fn is_space(byte: u8) -> bool {
    byte.is_ascii_whitespace() || byte == 0x0b
}

fn skip_blanks(line: &[u8]) -> &[u8] {
    let blanks = line.iter().take_while(|byte| is_space(**byte)).count();
    &line[blanks..]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(line: &[u8]) -> Vec<Vec<u8>> {
        split(line).unwrap().arguments().map(<[u8]>::to_vec).collect()
    }

    #[test]
    fn blanks_separate_arguments() {
        assert_eq!(arguments(b"  GET\t key \x0b"), [b"GET".to_vec(), b"key".to_vec()]);
        assert!(arguments(b" \t ").is_empty());
    }

    #[test]
    fn double_quotes_unescape() {
        let line = br#"set "a b" "\x41\xfF\n\r\t\b\a\"\\\q" x"y z" """#;
        let expected: [&[u8]; 5] = [b"set", b"a b", b"A\xff\n\r\t\x08\x07\"\\q", b"xy z", b""];
        assert_eq!(arguments(line), expected);
    }

    #[test]
    fn single_quotes_keep_backslashes() {
        let expected: [&[u8]; 2] = [b"a\\n", b"it's"];
        assert_eq!(arguments(br"'a\n' 'it\'s'"), expected);
    }

    #[test]
    fn unbalanced_quotes_are_refused() {
        for line in [&b"get \"a"[..], b"get 'a", b"get \"a\"b", b"get 'a'b", b"get \"a\\\""] {
            assert_eq!(split(line), Err(Unbalanced), "{}", line.escape_ascii());
        }
    }
}
