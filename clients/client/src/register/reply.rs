//! What a reply says about the effect of the command.

use super::{Tagged, Versioned};
use crate::resp::Value;

/// What a node says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// An answer.
    Answer(Value),
    /// `-TRYAGAIN`: it did not happen, and may work later.
    Again(String),
    /// `-UNKNOWN`: it may have happened.
    Unknown { text: String, tag: Option<String> },
    /// Any other error: it did not happen.
    Refused(String),
}

/// The code before the first space decides (RESP: "the first word is the kind of error").
pub(super) fn said(value: Value) -> Said {
    let Value::Error(text) = value else { return Said::Answer(value) };
    match text.split(' ').next().unwrap_or_default() {
        "TRYAGAIN" => Said::Again(text),
        "UNKNOWN" => {
            let tag = text.split_once("with the tag ").map(|(_, rest)| rest);
            let tag = tag.and_then(|rest| rest.split([':', ' ']).next()).map(str::to_owned);
            Said::Unknown { text, tag }
        }
        _ => Said::Refused(text),
    }
}

pub(super) fn bytes(value: &Value) -> Option<Option<Vec<u8>>> {
    match value {
        Value::Bulk(bytes) => Some(Some(bytes.clone())),
        Value::Null => Some(None),
        Value::Simple(_) | Value::Error(_) | Value::Integer(_) | Value::Array(_) => None,
    }
}

pub(super) fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::Integer(number) => Some(*number),
        Value::Simple(_) | Value::Error(_) | Value::Bulk(_) | Value::Null | Value::Array(_) => None,
    }
}

pub(super) fn count(value: &Value) -> Option<u64> {
    integer(value).and_then(|number| u64::try_from(number).ok())
}

pub(super) fn versioned(value: &Value) -> Option<Versioned> {
    let Value::Array(parts) = value else { return None };
    let [version, value] = &parts[..] else { return None };
    Some(Versioned { version: count(version)?, value: bytes(value)? })
}

/// A tag, or a version.
pub(super) fn tag_of(value: &Value) -> Option<Option<String>> {
    match value {
        Value::Integer(version) => Some(Some(version.to_string())),
        other => Some(bytes(other)?.map(|tag| String::from_utf8_lossy(&tag).into_owned())),
    }
}

pub(super) fn tagged(value: &Value) -> Option<Tagged> {
    let Value::Array(parts) = value else { return None };
    let [tag, value] = &parts[..] else { return None };
    Some(Tagged { tag: tag_of(tag)?, value: bytes(value)? })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn error(text: &str) -> Said {
        said(Value::Error(text.to_owned()))
    }

    #[test]
    fn the_first_word_of_an_error_says_what_is_known() {
        assert_eq!(said(Value::Null), Said::Answer(Value::Null));
        assert!(matches!(error("TRYAGAIN no quorum"), Said::Again(_)));
        assert!(matches!(error("TRYAGAINST x"), Said::Refused(_)));
        assert!(matches!(error("ERR UNKNOWN"), Said::Refused(_)));
        assert!(matches!(error(""), Said::Refused(_)));
        let text = "UNKNOWN outcome: it may have happened, with the tag 3.n2.1.0: read the key";
        let tag = Some("3.n2.1.0".to_owned());
        assert_eq!(error(text), Said::Unknown { text: text.to_owned(), tag });
        assert!(matches!(error("UNKNOWN outcome"), Said::Unknown { tag: None, .. }));
    }

    #[test]
    fn a_version_and_a_value_are_two_parts() {
        let parts = |parts: Vec<Value>| versioned(&Value::Array(parts));
        let found = parts(vec![Value::Integer(3), Value::Null]).unwrap();
        assert_eq!(found, Versioned { version: 3, value: None });
        assert_eq!(parts(vec![Value::Integer(-3), Value::Null]), None);
        assert_eq!(parts(vec![Value::Integer(3)]), None);
        assert_eq!(versioned(&Value::Null), None);
        let of_cas = Value::Array(vec![Value::Integer(3), Value::Null]);
        assert_eq!(tagged(&of_cas), Some(Tagged { tag: Some("3".to_owned()), value: None }));
        let plain = Value::Array(vec![Value::Bulk(b"1.n2.1.0".into()), Value::Bulk(b"v".into())]);
        let tag = Some("1.n2.1.0".to_owned());
        assert_eq!(tagged(&plain), Some(Tagged { tag, value: Some(b"v".into()) }));
        assert_eq!(tagged(&Value::Array(vec![Value::Null; 2])), Some(Tagged::default()));
        assert_eq!(tagged(&Value::Array(vec![Value::Null])), None);
    }

    proptest! {
        #[test]
        fn any_error_is_understood_somehow(text in "(UNKNOWN|TRYAGAIN)?[ -~é]{0,60}(with the tag )?[ -~]{0,9}") {
            prop_assert!(!matches!(error(&text), Said::Answer(_)));
        }
    }
}
