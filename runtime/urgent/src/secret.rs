//! Keys that are computed, not kept: whoever has the secret can issue and check the key of any connection.

use std::fmt;

use constant_time_eq::constant_time_eq;
use hmac::{Hmac, KeyInit, Mac};
use palco_core::Key;
use serde::{Deserialize, Serialize};
use sha2::Sha256;

/// What keys are made from: 256 bits. It leads from a secret to the secrets derived from it, and from those to keys,
/// never back (HMAC-SHA-256, RFC 2104, as a key derivation function, NIST SP 800-108).
#[derive(Clone, Serialize, Deserialize)]
pub struct Secret([u8; 32]);

impl Secret {
    /// One that nobody knows.
    ///
    /// # Errors
    /// The kernel's, when it has no random numbers.
    pub fn random() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes)?;
        Ok(Self(bytes))
    }

    /// The secret of a part: whoever has it knows the keys of that part alone.
    #[must_use]
    pub fn derive(&self, part: &str) -> Self {
        Self(self.mac(b"part", part.as_bytes()))
    }

    /// The key of a connection.
    #[must_use]
    pub fn key(&self, connection: u64) -> Key {
        let mac = self.mac(b"key", &connection.to_be_bytes());
        let (first, _) = mac.split_first_chunk().expect("32 bytes begin with 16");
        Key::new(*first)
    }

    /// Whether this is the key of that connection; takes as long for any that is not.
    #[must_use]
    pub fn admits(&self, connection: u64, key: &Key) -> bool {
        constant_time_eq(self.key(connection).bytes(), key.bytes())
    }

    fn mac(&self, purpose: &[u8], text: &[u8]) -> [u8; 32] {
        let mut mac =
            <Hmac<Sha256> as KeyInit>::new_from_slice(&self.0).expect("any length will do");
        mac.update(purpose);
        mac.update(&[0]); // no purpose continues as another
        mac.update(text);
        mac.finalize().into_bytes().into()
    }
}

/// Not the secret itself: what is debugged ends up in logs.
impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_connection_of_each_part_of_each_secret_has_a_key_of_its_own() {
        let (one, other) = (Secret::random().unwrap(), Secret::random().unwrap());
        let key = one.derive("a").key(1);
        assert!(one.derive("a").admits(1, &key));
        let others =
            [one.derive("a").key(2), one.derive("b").key(1), one.key(1), other.derive("a").key(1)];
        assert!(others.iter().all(|other| *other != key));
        assert!(!one.derive("a").admits(2, &key));
        assert_eq!(format!("{one:?}"), "Secret(…)");
    }
}
