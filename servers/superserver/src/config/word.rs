//! A word of a text: bytes, since paths and arguments may be any.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

use super::fault::{Fault, Read, quoted};

/// A word. It holds no NUL.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(super) struct Word(pub(super) Vec<u8>);

impl Word {
    /// The word where only text will do.
    pub(super) fn text(&self) -> Read<&str> {
        std::str::from_utf8(&self.0).map_err(|_| {
            Fault::new(format!("{} is no UTF-8 text", self.quoted()), "retype the line")
        })
    }

    /// The word as an argument.
    pub(super) fn os(&self) -> OsString {
        OsString::from_vec(self.0.clone())
    }

    /// The word as a path.
    pub(super) fn path(&self) -> PathBuf {
        PathBuf::from(OsStr::from_bytes(&self.0))
    }

    /// The word as a remark shows it.
    pub(super) fn quoted(&self) -> String {
        quoted(&String::from_utf8_lossy(&self.0))
    }
}

impl From<&[u8]> for Word {
    fn from(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }
}

/// Most words of one line.
pub(super) const WORDS_MAX: usize = 1024;
/// Most bytes of one line, with the lines that continue it.
pub(super) const LINE_BYTES_MAX: usize = 16 * 1024;

/// Objects to a line that is no text, or too long.
pub(super) fn check_line(line: &[u8]) -> Read<()> {
    if line.len() > LINE_BYTES_MAX {
        let text = format!("the line has {} bytes; {LINE_BYTES_MAX} are the most", line.len());
        return Err(Fault::new(text, "shorten it"));
    }
    if line.contains(&0) {
        return Err(Fault::new("the line holds a NUL byte", "remove it"));
    }
    let is_junk =
        |byte: &&u8| byte.is_ascii_control() && !byte.is_ascii_whitespace() && **byte != 0x0b;
    match line.iter().find(is_junk) {
        None => Ok(()),
        Some(byte) => Err(Fault::new(
            format!("the line holds a control character ({byte:#04x})"),
            "remove it",
        )),
    }
}

/// The words between blanks. Quotes are letters.
pub(super) fn plain_words(line: &[u8]) -> Read<Vec<Word>> {
    let words = line.split(|byte| is_blank(*byte)).filter(|word| !word.is_empty());
    bounded(words.map(Word::from))
}

/// The words between blanks; quotes of both kinds hold blanks together, and a backslash makes the next character a letter.
pub(super) fn shell_words(line: &[u8]) -> Read<Vec<Word>> {
    let mut words = Vec::new();
    let mut word: Option<Vec<u8>> = None;
    let mut quote = None;
    let mut bytes = line.iter().copied();
    while let Some(byte) = bytes.next() {
        match (quote, byte) {
            (None, b'"' | b'\'') => {
                quote = Some(byte);
                word.get_or_insert_default();
            }
            (Some(open), _) if byte == open => quote = None,
            (None | Some(b'"'), b'\\') => {
                word.get_or_insert_default().push(bytes.next().unwrap_or(b'\\'));
            }
            (None, _) if is_blank(byte) => words.extend(word.take().map(Word)),
            (None | Some(_), _) => word.get_or_insert_default().push(byte),
        }
    }
    if let Some(open) = quote {
        let text = format!("a quote ({}) is open at the end of the line", char::from(open));
        return Err(Fault::new(text, "close it"));
    }
    words.extend(word.map(Word));
    bounded(words.into_iter())
}

fn is_blank(byte: u8) -> bool {
    byte.is_ascii_whitespace() || byte == 0x0b
}

fn bounded(words: impl Iterator<Item = Word>) -> Read<Vec<Word>> {
    let words: Vec<_> = words.take(WORDS_MAX + 1).collect();
    if words.len() > WORDS_MAX {
        return Err(Fault::new(format!("more than {WORDS_MAX} words"), "shorten the line"));
    }
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(words: Read<Vec<Word>>) -> Vec<String> {
        words.unwrap().iter().map(|word| word.text().unwrap().to_owned()).collect()
    }

    #[test]
    fn quotes_hold_words_together_where_they_are_quotes() {
        let line = br#"a "b c" 'd "e' f\ g "" h"i"j"#;
        assert_eq!(texts(shell_words(line)), ["a", "b c", "d \"e", "f g", "", "hij"]);
        assert_eq!(texts(plain_words(b" \"b  c\"\t")), ["\"b", "c\""]);
        assert!(shell_words(b"a 'b").is_err());
    }

    #[test]
    fn lines_are_bounded_and_text() {
        assert!(check_line(&vec![b'a'; LINE_BYTES_MAX]).is_ok());
        assert!(check_line(&vec![b'a'; LINE_BYTES_MAX + 1]).is_err());
        assert!(check_line(b"a\0b").is_err());
        assert!(check_line(b"a\x07b").is_err());
        assert!(check_line(b"a\tb\r").is_ok());
        assert!(plain_words(&b"a ".repeat(WORDS_MAX + 1)).is_err());
    }

    #[test]
    fn bytes_that_are_no_text_are_an_argument_but_no_text() {
        let word = Word::from(&b"\xff"[..]);
        assert!(word.text().is_err());
        assert_eq!(word.os().as_bytes(), b"\xff");
    }
}
