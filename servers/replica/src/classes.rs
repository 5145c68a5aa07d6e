//! Which names are of class cas: said by the name, so that every node and every client agrees without asking.

use bytes::Bytes;
use palco_rambo::Key;

/// A name that begins with one of these is of class cas: it can be compared and swapped, counted and appended to, at two
/// round trips for a change. All other names are registers.
pub const CAS_PREFIXES: [&[u8]; 2] = [b"cas:", b"counter:"];

/// The key of this name.
#[must_use]
pub fn key_of(name: Bytes) -> Key {
    if CAS_PREFIXES.iter().any(|prefix| name.starts_with(prefix)) {
        Key::cas(name)
    } else {
        Key::register(name)
    }
}

#[cfg(test)]
mod tests {
    use palco_rambo::Class;

    use super::*;

    #[test]
    fn the_name_says_the_class() {
        for (name, class) in [
            ("cas:x", Class::Cas),
            ("counter:", Class::Cas),
            ("cas", Class::Register),
            ("x:cas:", Class::Register),
            ("", Class::Register),
        ] {
            assert_eq!(key_of(name.into()).class, class, "{name}");
        }
    }
}
