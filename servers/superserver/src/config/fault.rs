//! What is wrong with a service, before it is known whose fault it is.

/// Something wrong, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    /// What, as a sentence without a full stop.
    pub(super) text: String,
    /// What to do about it.
    pub(super) remedy: String,
}

/// A result of reading a part of a service.
pub(super) type Read<T> = Result<T, Fault>;

impl Fault {
    pub(super) fn new(text: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { text: text.into(), remedy: remedy.into() }
    }
}

/// Most characters of a text that a remark repeats.
const QUOTED_MAX: usize = 60;

/// A word as a remark shows it: in backquotes, short, without control characters.
pub(super) fn quoted(word: &str) -> String {
    let mut shown = String::from("`");
    for (at, c) in word.chars().enumerate() {
        if at == QUOTED_MAX {
            shown.push('…');
            break;
        }
        if c.is_control() {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    shown.push('`');
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quoted_word_is_short_and_printable() {
        assert_eq!(quoted("a\tb\u{7}"), r"`a\tb\u{7}`");
        assert_eq!(quoted(&"x".repeat(1000)).chars().count(), QUOTED_MAX + 3);
    }
}
