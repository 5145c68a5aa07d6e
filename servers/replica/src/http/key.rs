//! The name of a register in a path: percent-encoded, because it may be any bytes (RFC 3986, section 2.1).

use std::fmt::Write;

use palco_rambo::{KEY_BYTES_MAX, Key};
use serde_json::json;

use super::kind::Kind;
use super::problem::Problem;
use crate::key_of;

/// What comes before the key.
pub(crate) const PREFIX: &str = "/v1/registers/";

/// The key that this path, as it was sent, names. A slash that is not encoded is part of the key.
pub(crate) fn of_path(path: &str) -> Result<Key, Problem> {
    let encoded = path
        .strip_prefix(PREFIX)
        .ok_or_else(|| Problem::new(Kind::NoRoute, format!("there is nothing at {path}")))?;
    let name = decode(encoded).map_err(|why| Problem::new(Kind::BadKey, why))?;
    if name.len() > KEY_BYTES_MAX {
        let detail = format!("a key of {} bytes, at most {KEY_BYTES_MAX} can be", name.len());
        return Err(Problem::new(Kind::KeyTooLong, detail).with("limit", json!(KEY_BYTES_MAX)));
    }
    Ok(key_of(name.into()))
}

/// Where a key is found: the inverse.
pub(crate) fn path_of(key: &Key) -> String {
    let mut path = PREFIX.to_owned();
    for byte in &key.name {
        // A name of points alone would be taken for a way through folders.
        if byte.is_ascii_alphanumeric() || b"-_~:".contains(byte) {
            path.push(char::from(*byte));
        } else {
            write!(path, "%{byte:02X}").expect("a string takes all that is written");
        }
    }
    path
}

fn decode(encoded: &str) -> Result<Vec<u8>, String> {
    if encoded.is_empty() {
        return Err("a path names a key of one byte at least".to_owned());
    }
    let mut name = Vec::with_capacity(encoded.len());
    let mut rest = encoded.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'%' {
            name.push(byte);
            continue;
        }
        let digit = |at: usize| after.get(at).and_then(|digit| char::from(*digit).to_digit(16));
        let (Some(high), Some(low)) = (digit(0), digit(1)) else {
            let at = encoded.len() - after.len();
            return Err(format!("after the % at byte {at} of the key are no two hex digits"));
        };
        name.push((high * 16 + low) as u8);
        rest = &after[2..];
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use palco_rambo::Class;
    use proptest::prelude::*;

    use super::*;

    fn name(path: &str) -> Vec<u8> {
        of_path(path).unwrap().name.to_vec()
    }

    #[test]
    fn a_path_names_any_bytes() {
        assert_eq!(name("/v1/registers/a/b%2Fc%00%ff+"), b"a/b/c\x00\xff+");
        assert_eq!(of_path("/v1/registers/cas%3ax").unwrap().class, Class::Cas);
    }

    #[test]
    fn what_is_no_key_is_refused_and_the_place_is_said() {
        for path in ["", "/v1/registers", "/v1/registers/", "/v1/registers/%", "/v1/registers/%4"] {
            assert!(of_path(path).is_err(), "{path}");
        }
        let said = of_path("/v1/registers/ab%zz").unwrap_err().to_string();
        assert_eq!(said, "after the % at byte 3 of the key are no two hex digits");
        let longest = format!("{PREFIX}{}", "%00".repeat(KEY_BYTES_MAX));
        assert!(of_path(&longest).is_ok());
        assert!(of_path(&format!("{longest}x")).is_err());
    }

    proptest! {
        #[test]
        fn every_key_has_a_path(name in prop::collection::vec(any::<u8>(), 1..100)) {
            let key = key_of(name.into());
            prop_assert_eq!(of_path(&path_of(&key)).unwrap(), key);
        }

        #[test]
        fn any_path_is_read_or_refused(path in "(/v1/registers/)?[%a-f0-9/é]{0,60}") {
            let _ = of_path(&path);
        }
    }
}
