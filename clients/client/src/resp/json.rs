//! A value as data, for `--json`.
//!
//! A reader tells errors and bytes from everything else because nothing else is an object.

use std::fmt::Write;

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::Value;

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Simple(text) => serializer.serialize_str(text),
            Self::Error(text) => entry("error", text, serializer),
            Self::Integer(number) => serializer.serialize_i64(*number),
            Self::Bulk(bytes) => match str::from_utf8(bytes) {
                Ok(text) => serializer.serialize_str(text),
                Err(_) => entry("hex", &hex(bytes), serializer),
            },
            Self::Null => serializer.serialize_none(),
            Self::Array(values) => serializer.collect_seq(values),
        }
    }
}

fn entry<S: Serializer>(key: &str, text: &str, serializer: S) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(1))?;
    map.serialize_entry(key, text)?;
    map.end()
}

fn hex(bytes: &[u8]) -> String {
    let mut digits = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        write!(digits, "{byte:02x}").expect("a string grows");
    }
    digits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_serialize_as_the_data_they_are() {
        let value = Value::Array(vec![
            Value::Simple("OK".into()),
            Value::Integer(-1),
            Value::Null,
            Value::Bulk("é\n".into()),
            Value::Array(Vec::new()),
        ]);
        assert_eq!(serde_json::to_string(&value).unwrap(), r#"["OK",-1,null,"é\n",[]]"#);
    }

    #[test]
    fn errors_and_bytes_serialize_as_objects() {
        let value = Value::Array(vec![Value::Error("ERR no".into()), Value::Bulk(vec![0, 0xff])]);
        let json = serde_json::to_string(&value).unwrap();
        assert_eq!(json, r#"[{"error":"ERR no"},{"hex":"00ff"}]"#);
    }
}
