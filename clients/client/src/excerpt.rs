//! What has come of an answer that never became one.

use std::fmt;

/// The most bytes that an [`Excerpt`] keeps.
pub const EXCERPT_BYTES_MAX: usize = 160;

/// The beginning of what a server sent, for error messages.
///
/// Displayed as `nothing came`, `3 bytes came: "abc"` or `900 bytes came, beginning with "…"`, where everything but
/// printable ASCII is escaped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Excerpt {
    beginning: Vec<u8>,
    count: u64,
}

impl Excerpt {
    /// The first bytes, at most [`EXCERPT_BYTES_MAX`].
    #[must_use]
    pub fn beginning(&self) -> &[u8] {
        &self.beginning
    }

    /// How many bytes came.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// More has come.
    pub(crate) fn note(&mut self, bytes: &[u8]) {
        let kept = bytes.len().min(EXCERPT_BYTES_MAX - self.beginning.len());
        self.beginning.extend_from_slice(&bytes[..kept]);
        self.count += bytes.len() as u64;
    }
}

impl From<&[u8]> for Excerpt {
    fn from(bytes: &[u8]) -> Self {
        let mut excerpt = Self::default();
        excerpt.note(bytes);
        excerpt
    }
}

impl fmt::Display for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.count == 0 {
            return f.write_str("nothing came");
        }
        let unit = if self.count == 1 { "byte" } else { "bytes" };
        let whole = self.count == self.beginning.len() as u64;
        let link = if whole { ":" } else { ", beginning with" };
        write!(f, "{} {unit} came{link} \"{}\"", self.count, self.beginning.escape_ascii())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_says_how_much_came_and_how_it_begins() {
        assert_eq!(Excerpt::default().to_string(), "nothing came");
        assert_eq!(Excerpt::from(&b"a"[..]).to_string(), "1 byte came: \"a\"");
        assert_eq!(Excerpt::from(&b"\x1b\n"[..]).to_string(), "2 bytes came: \"\\x1b\\n\"");
    }

    #[test]
    fn a_long_excerpt_keeps_only_its_beginning() {
        let mut excerpt = Excerpt::from(&[b'a'; EXCERPT_BYTES_MAX][..]);
        excerpt.note(&[b'b'; 1000]);
        assert_eq!(excerpt.beginning(), [b'a'; EXCERPT_BYTES_MAX]);
        assert_eq!(excerpt.count(), 1160);
        assert!(excerpt.to_string().starts_with("1160 bytes came, beginning with \"aaa"));
    }
}
