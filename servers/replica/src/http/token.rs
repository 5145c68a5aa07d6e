//! Who may act: whoever knows the token.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use constant_time_eq::constant_time_eq;

/// Bytes of a random token: 128 bits.
const RANDOM_BYTES: usize = 16;
/// The shortest token that is taken from a person.
const CHARS_MIN: usize = 16;
/// The longest.
const CHARS_MAX: usize = 256;

/// The secret that whoever acts on a stage or on registers must show, as a bearer token (RFC 6750). Not shown by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

/// Why there is no token.
#[derive(thiserror::Error, Debug)]
pub enum TokenError {
    /// The kernel has no randomness to give.
    #[error("cannot get random bytes: {0}")]
    Random(getrandom::Error),
    /// It cannot be guessed hard enough, or not be sent in a header.
    #[error(
        "a token is {CHARS_MIN} to {CHARS_MAX} letters, digits or -._~; leave it out for a random one"
    )]
    Form,
    /// The file cannot be read.
    #[error("cannot read the token from {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The kernel's error.
        source: io::Error,
    },
    /// The file is no secret.
    #[error("{} can be read by others; make it yours alone: chmod 600 {}", path.display(), path.display())]
    Open {
        /// The file.
        path: PathBuf,
    },
}

impl Token {
    /// A token that nobody can guess.
    ///
    /// # Errors
    /// [`TokenError::Random`]
    pub fn random() -> Result<Self, TokenError> {
        let mut bytes = [0; RANDOM_BYTES];
        getrandom::fill(&mut bytes).map_err(TokenError::Random)?;
        Ok(Self(bytes.iter().map(|byte| format!("{byte:02x}")).collect()))
    }

    /// A token that a person has chosen. White space around it is left out.
    ///
    /// # Errors
    /// [`TokenError::Form`]
    pub fn parse(text: &str) -> Result<Self, TokenError> {
        let text = text.trim();
        let fits = (CHARS_MIN..=CHARS_MAX).contains(&text.len());
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        if fits && text.bytes().all(plain) {
            Ok(Self(text.to_owned()))
        } else {
            Err(TokenError::Form)
        }
    }

    /// The token in a file that only its owner can read.
    ///
    /// # Errors
    /// [`TokenError::File`], [`TokenError::Open`], [`TokenError::Form`]
    pub fn from_file(path: &Path) -> Result<Self, TokenError> {
        let failed = |source| TokenError::File { path: path.to_owned(), source };
        let file = File::open(path).map_err(failed)?;
        // Of the open file: its name may mean another one by now.
        let found = file.metadata().map_err(failed)?;
        if !found.is_file() {
            return Err(failed(io::Error::other("it is no file")));
        }
        let others = found.permissions().mode() & 0o077 != 0;
        if others || found.size() > 4096 {
            let path = path.to_owned();
            return Err(if others { TokenError::Open { path } } else { TokenError::Form });
        }
        let mut text = String::new();
        file.take(4096).read_to_string(&mut text).map_err(failed)?;
        Self::parse(&text)
    }

    /// The token, to be shown to whoever may act.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether this is it; how long that takes tells nothing but the length.
    #[must_use]
    pub fn is(&self, shown: &str) -> bool {
        constant_time_eq(self.0.as_bytes(), shown.as_bytes())
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};

    use super::*;

    #[test]
    fn random_tokens_differ_and_are_taken_again() {
        let (one, other) = (Token::random().unwrap(), Token::random().unwrap());
        assert_ne!(one, other);
        assert_eq!(Token::parse(one.reveal()).unwrap(), one);
        assert_eq!(one.reveal().len(), 32);
        assert!(one.is(one.reveal()) && !one.is(other.reveal()) && !one.is(""));
        assert_eq!(format!("{one:?}"), "Token(…)");
    }

    #[test]
    fn short_tokens_and_those_that_break_a_header_are_refused() {
        for text in [
            "",
            "short",
            "0123456789abcde",
            "0123456789abcdef;x",
            "0123456789 abcdef",
            "0123456789abcdé",
        ] {
            assert!(matches!(Token::parse(text), Err(TokenError::Form)), "{text}");
        }
        assert!(Token::parse(&"x".repeat(CHARS_MAX + 1)).is_err());
        assert_eq!(Token::parse(" 0123456789abcdef\n").unwrap().reveal(), "0123456789abcdef");
    }

    #[test]
    fn a_file_that_others_can_read_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("token");
        fs::write(&path, "0123456789abcdef\n").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(Token::from_file(&path), Err(TokenError::Open { .. })));
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        assert_eq!(Token::from_file(&path).unwrap().reveal(), "0123456789abcdef");
        assert!(matches!(Token::from_file(directory.path()), Err(TokenError::File { .. })));
        assert!(matches!(Token::from_file(&path.join("none")), Err(TokenError::File { .. })));
    }
}
