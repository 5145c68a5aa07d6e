//! Takes Rust source apart into code and comments, so that a law about words reads neither strings nor prose.
//!
//! This is a scanner, not a parser: it knows comments, strings, characters and lifetimes, and nothing else.

/// One source in two layers. Both keep every line and column: what belongs to the other layer, or to a string or
/// character literal, is blank.
#[derive(Debug, Default)]
pub(crate) struct Layers {
    pub(crate) code: String,
    pub(crate) comments: String,
}

enum Kind {
    Code,
    Comment,
    Literal,
}

/// Separates code from comments.
pub(crate) fn split(text: &str) -> Layers {
    let chars: Vec<char> = text.chars().collect();
    let mut layers = Layers::default();
    let mut at = 0;
    while at < chars.len() {
        let (end, kind) = piece(&chars, at);
        for &c in &chars[at..end] {
            let blank = if c == '\n' { '\n' } else { ' ' };
            layers.code.push(if matches!(kind, Kind::Code) { c } else { blank });
            layers.comments.push(if matches!(kind, Kind::Comment) { c } else { blank });
        }
        at = end;
    }
    layers
}

/// The piece that starts at `at`: where it ends, and what it is.
fn piece(chars: &[char], at: usize) -> (usize, Kind) {
    let end = match (chars[at], chars.get(at + 1)) {
        ('/', Some('/')) => return (line_comment_end(chars, at), Kind::Comment),
        ('/', Some('*')) => return (block_comment_end(chars, at), Kind::Comment),
        ('"', _) => Some(quoted_end(chars, at, '"')),
        ('r', Some('"' | '#')) => raw_string_end(chars, at),
        ('\'', Some('\\')) => Some(quoted_end(chars, at, '\'')),
        ('\'', Some(_)) if chars.get(at + 2) == Some(&'\'') => Some(at + 3),
        _ => None,
    };
    end.map_or((at + 1, Kind::Code), |end| (end, Kind::Literal))
}

fn line_comment_end(chars: &[char], at: usize) -> usize {
    chars[at..].iter().position(|&c| c == '\n').map_or(chars.len(), |length| at + length)
}

/// Block comments nest.
fn block_comment_end(chars: &[char], mut at: usize) -> usize {
    let mut depth = 0;
    while at < chars.len() {
        match (chars[at], chars.get(at + 1)) {
            ('/', Some('*')) => depth += 1,
            ('*', Some('/')) => depth -= 1,
            _ => {
                at += 1;
                continue;
            }
        }
        at += 2;
        if depth == 0 {
            break;
        }
    }
    at.min(chars.len())
}

fn quoted_end(chars: &[char], start: usize, quote: char) -> usize {
    let mut at = start + 1;
    while at < chars.len() {
        match chars[at] {
            '\\' => at += 2,
            c if c == quote => return at + 1,
            _ => at += 1,
        }
    }
    chars.len()
}

/// `r"…"` and `r##"…"##`; `None` for the raw identifier `r#type`.
fn raw_string_end(chars: &[char], start: usize) -> Option<usize> {
    let hashes = chars[start + 1..].iter().take_while(|&&c| c == '#').count();
    let open = start + 1 + hashes;
    if chars.get(open) != Some(&'"') {
        return None;
    }
    let closes = |at: usize| {
        chars[at] == '"' && chars[at + 1..].iter().take_while(|&&c| c == '#').count() >= hashes
    };
    let close = (open + 1..chars.len()).find(|&at| closes(at));
    Some(close.map_or(chars.len(), |at| at + 1 + hashes))
}

/// Where `word` stands on its own in `text`, in bytes.
pub(crate) fn words<'a>(text: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    let joins = |c: char| c == '_' || c.is_alphanumeric();
    text.match_indices(word).map(|(at, _)| at).filter(move |&at| {
        !text[..at].ends_with(joins) && !text[at + word.len()..].starts_with(joins)
    })
}

/// The line that holds a byte of `text`, from one.
pub(crate) fn line_at(text: &str, offset: usize) -> usize {
    1 + text[..offset].matches('\n').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_literals_are_not_code() {
        let source = r##"a(/* unsafe /* nested unsafe */ unsafe */ "unsafe \" unsafe",
            r#"unsafe " "#, b"unsafe"); // unsafe"##;
        let layers = split(source);
        assert_eq!(words(&layers.code, "unsafe").count(), 0, "{}", layers.code);
        assert_eq!(words(&layers.comments, "unsafe").count(), 4, "{}", layers.comments);
        assert_eq!(layers.code.len(), source.len());
    }

    #[test]
    fn code_after_a_quote_character_or_a_lifetime_is_code() {
        let source = r"fn f<'a>(x: &'a str) {
            match c { '\'' => unsafe {}, '{' => r#type(unsafe {}), '/' => unsafe {} } }";
        let layers = split(source);
        assert_eq!(words(&layers.code, "unsafe").count(), 3, "{}", layers.code);
        assert_eq!(layers.code.matches('{').count(), 5, "the brace in quotes is no code");
    }

    #[test]
    fn an_open_end_does_not_run_past_the_text() {
        for source in ["/* a", "\"a\\", "r#\"a", "'\\", "'", "r", "//"] {
            assert_eq!(split(source).code.len(), source.len());
        }
    }

    #[test]
    fn a_word_is_whole_and_has_a_line() {
        let text = "unsafe_code\nmy_unsafe\n unsafe{";
        let lines: Vec<usize> = words(text, "unsafe").map(|at| line_at(text, at)).collect();
        assert_eq!(lines, [3]);
    }
}
