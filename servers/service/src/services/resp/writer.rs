//! What replies and commands are made of, as bytes.

use bytes::{BufMut, BytesMut};

use super::integer;

/// Appends a command as clients send it: an array of bulk strings.
pub fn write_command<'a>(
    arguments: impl IntoIterator<Item = &'a [u8], IntoIter: ExactSizeIterator>,
    output: &mut BytesMut,
) {
    let arguments = arguments.into_iter();
    write_length(b'*', arguments.len(), output);
    for argument in arguments {
        write_bulk(argument, output);
    }
}

/// Appends a bulk string.
pub fn write_bulk(bytes: &[u8], output: &mut BytesMut) {
    write_length(b'$', bytes.len(), output);
    output.extend_from_slice(bytes);
    output.extend_from_slice(b"\r\n");
}

/// Appends a simple string (`+`) or an error (`-`); a line end inside would be read as the next reply and becomes a
/// space.
pub fn write_line(prefix: u8, text: &[u8], output: &mut BytesMut) {
    output.reserve(text.len() + 3);
    output.put_u8(prefix);
    let start = output.len();
    output.extend_from_slice(text);
    for byte in &mut output[start..] {
        if matches!(byte, b'\r' | b'\n') {
            *byte = b' ';
        }
    }
    output.extend_from_slice(b"\r\n");
}

/// Appends a prefix byte, a number and a line end: an integer (`:`) or the head of what has a length.
pub fn write_header(prefix: u8, value: i64, output: &mut BytesMut) {
    let text = integer::Text::new(value);
    let digits = text.as_bytes();
    let mut line = [0; integer::TEXT_BYTES_MAX + 3];
    line[0] = prefix;
    line[1..=digits.len()].copy_from_slice(digits);
    line[digits.len() + 1..digits.len() + 3].copy_from_slice(b"\r\n");
    output.extend_from_slice(&line[..digits.len() + 3]);
}

/// Appends a length as RESP writes it.
pub fn write_length(prefix: u8, length: usize, output: &mut BytesMut) {
    write_header(prefix, i64::try_from(length).unwrap_or(i64::MAX), output);
}
