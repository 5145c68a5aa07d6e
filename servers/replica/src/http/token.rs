//! The secret of those who may reconfigure.

use std::fmt;

use constant_time_eq::constant_time_eq;

/// The shortest token that is taken.
const CHARS_MIN: usize = 16;
/// The longest.
const CHARS_MAX: usize = 256;

/// A bearer token (RFC 6750). Not shown by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

/// A text that is no token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a token is {CHARS_MIN} to {CHARS_MAX} letters, digits or -._~")]
pub struct NotAToken;

impl Token {
    /// A token that a person or a program has chosen. White space around it is left out.
    ///
    /// # Errors
    /// Too short to be a secret, too long, or not to be sent in a header.
    pub fn parse(text: &str) -> Result<Self, NotAToken> {
        let text = text.trim();
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        if (CHARS_MIN..=CHARS_MAX).contains(&text.len()) && text.bytes().all(plain) {
            Ok(Self(text.to_owned()))
        } else {
            Err(NotAToken)
        }
    }

    /// Whether this is it; how long that takes tells nothing but the length.
    pub(crate) fn is(&self, shown: &str) -> bool {
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
    use super::*;

    #[test]
    fn a_token_is_long_enough_and_plain() {
        let token = Token::parse(" 0123456789abcdef\n").unwrap();
        assert!(token.is("0123456789abcdef") && !token.is("0123456789abcdeF") && !token.is(""));
        assert_eq!(format!("{token:?}"), "Token(…)");
        for text in ["", "short", "0123456789 abcdef", "0123456789abcdé0"] {
            assert_eq!(Token::parse(text), Err(NotAToken), "{text}");
        }
        assert!(Token::parse(&"x".repeat(CHARS_MAX + 1)).is_err());
    }
}
