//! One RESP2 value, and its bytes.

use std::fmt::Display;

/// One RESP2 value.
///
/// Displayed as `redis-cli` does; serialized so that JSON is readable: strings, numbers, `null` and arrays as
/// themselves, an error as `{"error": text}`, and bytes that are no UTF-8 as `{"hex": digits}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// `+text`: a status such as `OK`. Bytes that are not UTF-8 come as U+FFFD.
    Simple(String),
    /// `-text`: an error, which starts with its code. Bytes that are not UTF-8 come as U+FFFD.
    Error(String),
    /// `:number`
    Integer(i64),
    /// `$length` and the bytes.
    Bulk(Vec<u8>),
    /// The null bulk string or the null array.
    Null,
    /// `*count` and the values.
    Array(Vec<Value>),
}

impl Value {
    /// Appends the bytes of this value; null as the null bulk string.
    ///
    /// A line end inside a simple string or an error would be read as the next value, so it is written as a space.
    pub fn write(&self, output: &mut Vec<u8>) {
        match self {
            Self::Simple(text) => write_line(b'+', text, output),
            Self::Error(text) => write_line(b'-', text, output),
            Self::Integer(number) => write_header(b':', number, output),
            Self::Bulk(bytes) => write_bulk(bytes, output),
            Self::Null => output.extend_from_slice(b"$-1\r\n"),
            Self::Array(values) => {
                write_header(b'*', values.len(), output);
                for value in values {
                    value.write(output);
                }
            }
        }
    }
}

fn write_line(kind: u8, text: &str, output: &mut Vec<u8>) {
    output.push(kind);
    output.extend(text.bytes().map(|byte| if matches!(byte, b'\r' | b'\n') { b' ' } else { byte }));
    output.extend_from_slice(b"\r\n");
}

pub(super) fn write_bulk(bytes: &[u8], output: &mut Vec<u8>) {
    write_header(b'$', bytes.len(), output);
    output.extend_from_slice(bytes);
    output.extend_from_slice(b"\r\n");
}

pub(super) fn write_header(kind: u8, number: impl Display, output: &mut Vec<u8>) {
    output.push(kind);
    output.extend_from_slice(number.to_string().as_bytes());
    output.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_value_has_the_bytes_of_the_specification() {
        let value = Value::Array(vec![
            Value::Simple("OK".into()),
            Value::Error("ERR no".into()),
            Value::Integer(-7),
            Value::Bulk(b"a\r\nb".to_vec()),
            Value::Null,
            Value::Array(Vec::new()),
        ]);
        let mut bytes = Vec::new();
        value.write(&mut bytes);
        let expected = b"*6\r\n+OK\r\n-ERR no\r\n:-7\r\n$4\r\na\r\nb\r\n$-1\r\n*0\r\n";
        assert_eq!(bytes, expected);
    }

    #[test]
    fn a_line_end_in_a_simple_string_starts_no_second_value() {
        let mut bytes = Vec::new();
        Value::Simple("a\r\n:1".into()).write(&mut bytes);
        assert_eq!(bytes, b"+a  :1\r\n");
    }
}
