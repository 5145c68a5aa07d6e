//! A value as `redis-cli` shows it to people.
//!
//! Deviation: control characters in simple strings and errors are escaped, because a server must not write to a
//! terminal what the terminal would obey. A line end follows no value.

use std::fmt::{self, Write};

use super::Value;

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_value(self, 0, f)
    }
}

/// Writes `value`, whose first line is already indented by `indent` columns.
fn write_value(value: &Value, indent: usize, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match value {
        Value::Simple(text) => write_line(text, f),
        Value::Error(text) => {
            f.write_str("(error) ")?;
            write_line(text, f)
        }
        Value::Integer(number) => write!(f, "(integer) {number}"),
        Value::Bulk(bytes) => write_quoted(bytes, f),
        Value::Null => f.write_str("(nil)"),
        Value::Array(values) if values.is_empty() => f.write_str("(empty array)"),
        Value::Array(values) => write_array(values, indent, f),
    }
}

fn write_array(values: &[Value], indent: usize, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let width = values.len().to_string().len();
    for (index, value) in values.iter().enumerate() {
        if index > 0 {
            write!(f, "\n{:indent$}", "")?;
        }
        write!(f, "{:>width$}) ", index + 1)?;
        write_value(value, indent + width + 2, f)?;
    }
    Ok(())
}

fn write_line(text: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for character in text.chars() {
        if character.is_control() {
            write!(f, "{}", character.escape_debug())?;
        } else {
            f.write_char(character)?;
        }
    }
    Ok(())
}

/// Source: `sdscatrepr`, in the C locale.
fn write_quoted(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_char('"')?;
    for &byte in bytes {
        match byte {
            b'\\' | b'"' => write!(f, "\\{}", char::from(byte))?,
            b'\n' => f.write_str("\\n")?,
            b'\r' => f.write_str("\\r")?,
            b'\t' => f.write_str("\\t")?,
            0x07 => f.write_str("\\a")?,
            0x08 => f.write_str("\\b")?,
            b' '..=b'~' => f.write_char(char::from(byte))?,
            _ => write!(f, "\\x{byte:02x}")?,
        }
    }
    f.write_char('"')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bulk(text: &str) -> Value {
        Value::Bulk(text.into())
    }

    #[test]
    fn single_values_look_as_in_redis_cli() {
        assert_eq!(Value::Simple("OK".into()).to_string(), "OK");
        assert_eq!(Value::Error("ERR no".into()).to_string(), "(error) ERR no");
        assert_eq!(Value::Integer(1).to_string(), "(integer) 1");
        assert_eq!(Value::Null.to_string(), "(nil)");
        assert_eq!(Value::Array(Vec::new()).to_string(), "(empty array)");
    }

    #[test]
    fn bulk_strings_are_quoted_and_escaped() {
        let value = Value::Bulk(b"a \"b\" \\ \n\r\t\x07\x08\0\x7f\xff".to_vec());
        assert_eq!(value.to_string(), r#""a \"b\" \\ \n\r\t\a\b\x00\x7f\xff""#);
    }

    #[test]
    fn arrays_are_numbered_and_nested_ones_are_indented() {
        let inner = Value::Array(vec![bulk("x"), Value::Array(vec![bulk("y"), bulk("z")])]);
        let value = Value::Array(vec![bulk("a"), inner, Value::Null]);
        let expected = "1) \"a\"\n2) 1) \"x\"\n   2) 1) \"y\"\n      2) \"z\"\n3) (nil)";
        assert_eq!(value.to_string(), expected);
    }

    #[test]
    fn numbers_of_a_long_array_are_aligned() {
        let text = Value::Array(vec![Value::Null; 10]).to_string();
        assert!(text.starts_with(" 1) (nil)\n 2) (nil)"), "{text}");
        assert!(text.ends_with("\n10) (nil)"), "{text}");
    }

    #[test]
    fn an_error_cannot_command_a_terminal() {
        let value = Value::Error("ERR \u{1b}[2J\u{9b}é".into());
        assert_eq!(value.to_string(), "(error) ERR \\u{1b}[2J\\u{9b}é");
    }
}
