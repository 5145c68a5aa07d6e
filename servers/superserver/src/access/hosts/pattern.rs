//! Whether a daemon or a client is meant.
//!
//! A word is compared anew for every caller, as libwrap does: what it is depends on where it stands.

use super::{NameWanted, Request, Side, UNKNOWN, octets};

/// Files that list files that list files: so deep.
const LISTS_DEEP_MAX: u8 = 8;

/// Whether a list has a word that is meant, and not one of those after its `EXCEPT`, which is a list in turn.
pub(super) fn is_listed(
    mut words: &[String],
    is_meant: impl Fn(&str) -> Result<bool, NameWanted>,
) -> Result<bool, NameWanted> {
    // What the list says if nothing more is found in it. Each `EXCEPT` turns it round.
    let mut unless_found = false;
    loop {
        let mut found = None;
        for (at, word) in words.iter().enumerate() {
            if is_except(word) {
                break;
            }
            if is_meant(word)? {
                found = Some(at);
                break;
            }
        }
        let Some(found) = found else { return Ok(unless_found) };
        unless_found = !unless_found;
        match words[found..].iter().position(|word| is_except(word)) {
            Some(except) => words = &words[found + except + 1..],
            None => return Ok(unless_found),
        }
    }
}

fn is_except(word: &str) -> bool {
    word.eq_ignore_ascii_case("EXCEPT")
}

/// `daemon` or `daemon@host`; a number is a port.
pub(super) fn is_daemon(word: &str, request: &Request<'_>) -> Result<bool, NameWanted> {
    let is_named = |word: &str| match port(word) {
        Some(port) => request.server.port == Some(port),
        None => fits(word, request.daemon),
    };
    match at_sign(word) {
        Some((daemon, host)) => Ok(is_named(daemon) && is_host(host, &request.server, request)?),
        None => Ok(is_named(word)),
    }
}

/// `host` or `user@host`.
pub(super) fn is_client(word: &str, request: &Request<'_>) -> Result<bool, NameWanted> {
    match at_sign(word) {
        Some((user, host)) => Ok(fits(user, UNKNOWN) && is_host(host, &request.client, request)?),
        None => is_host(word, &request.client, request),
    }
}

/// Parts around an `@` that is not the first character: that would be a netgroup.
pub(super) fn at_sign(word: &str) -> Option<(&str, &str)> {
    let second = word.chars().next()?.len_utf8();
    let (before, after) = split_at(&word[second..], '@')?;
    Some((&word[..second + before.len()], after))
}

/// Parts around the first of a character that is not within brackets.
pub(super) fn split_at(text: &str, delimiter: char) -> Option<(&str, &str)> {
    let mut brackets = 0_i32;
    for (at, c) in text.char_indices() {
        match c {
            '[' => brackets += 1,
            ']' => brackets -= 1,
            c if brackets == 0 && c == delimiter => return Some((&text[..at], &text[at + 1..])),
            _ => {}
        }
    }
    None
}

/// A port, read as `%u` of scanf(3) does, which wraps.
fn port(word: &str) -> Option<u16> {
    let digits = word.strip_prefix('+').unwrap_or(word);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let wide = digits.parse::<u64>().unwrap_or(u64::MAX);
    u16::try_from(wide as u32).ok()
}

/// Whether an end of the connection is meant.
fn is_host(word: &str, side: &Side, request: &Request<'_>) -> Result<bool, NameWanted> {
    is_host_at(word, side, request, 0)
}

fn is_host_at(
    word: &str,
    side: &Side,
    request: &Request<'_>,
    depth: u8,
) -> Result<bool, NameWanted> {
    if word.starts_with('@') {
        return Ok(false);
    }
    if word.starts_with('/') {
        if depth == LISTS_DEEP_MAX {
            tracing::warn!(
                file = word,
                deep = depth,
                "a list of hosts within lists of hosts is too deep; it is passed over"
            );
            return Ok(false);
        }
        for word in request.files.list(word.as_ref()).iter() {
            if is_host_at(word, side, request, depth + 1)? {
                return Ok(true);
            }
        }
        return Ok(false);
    }
    if word.eq_ignore_ascii_case("KNOWN") {
        return Ok(side.address.is_some() && side.known_name()?.is_some());
    }
    if word.eq_ignore_ascii_case("LOCAL") {
        return Ok(side.known_name()?.is_some_and(|name| !name.contains('.')));
    }
    if let Some((net, mask)) = split_at(word, '/') {
        return Ok(side.address.is_some_and(|address| octets::is_within(address, net, mask)));
    }
    if let (Some(wanted), Some(address)) = (octets::bracketed(word), side.address) {
        return Ok(address == wanted);
    }
    Ok(fits(word, &side.text) || (can_be_name(word) && fits(word, side.name()?)))
}

/// What has brackets or colons, or only digits and dots, is no name: none is looked up for it.
fn can_be_name(word: &str) -> bool {
    !word.contains(['[', ':'])
        && !word.bytes().all(|b| b.is_ascii_digit() || b == b'.' || b == b'/')
}

/// Whether a pattern fits a text, without regard to case.
pub(super) fn fits(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    if pattern.is_empty() {
        false
    } else if pattern.contains(&b'*') || pattern.contains(&b'?') {
        match pattern.strip_suffix(b"**") {
            // At the end of a text libwrap takes the first of several for one byte.
            Some(start) => fits_wildcards(&[start, b"?*"].concat(), text),
            None => fits_wildcards(pattern, text),
        }
    } else if pattern[0] == b'.' {
        let end = text.len().checked_sub(pattern.len()).filter(|at| *at > 0);
        end.is_some_and(|at| text[at..].eq_ignore_ascii_case(pattern))
    } else if pattern.eq_ignore_ascii_case(b"ALL") {
        true
    } else if pattern.eq_ignore_ascii_case(b"KNOWN") {
        text != UNKNOWN.as_bytes()
    } else if pattern.ends_with(b".") {
        text.get(..pattern.len()).is_some_and(|start| start.eq_ignore_ascii_case(pattern))
    } else {
        text.eq_ignore_ascii_case(pattern)
    }
}

/// `*` is any text, `?` any one byte. Where it fails, the last `*` takes one byte more.
fn fits_wildcards(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        if pattern.get(p) == Some(&b'*') {
            star = Some((p, t));
            p += 1;
        } else if pattern.get(p).is_some_and(|c| *c == b'?' || c.eq_ignore_ascii_case(&text[t])) {
            p += 1;
            t += 1;
        } else if let Some((at, from)) = star {
            star = Some((at, from + 1));
            p = at + 1;
            t = from + 1;
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|c| *c == b'*')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_except_takes_away_from_what_is_before_it() {
        let listed = |list: &str| {
            let words: Vec<String> = list.split(' ').map(str::to_owned).collect();
            is_listed(&words, |word| Ok(word == "d" || word == "ALL")).unwrap()
        };
        for list in [
            "d",
            "e d e",
            "d EXCEPT",
            "ALL EXCEPT e",
            "ALL EXCEPT e d EXCEPT d f",
            "d EXCEPT d EXCEPT d",
        ] {
            assert!(listed(list), "{list}");
        }
        for list in [
            "",
            "e",
            "EXCEPT d",
            "ALL EXCEPT d",
            "d e EXCEPT d",
            "ALL EXCEPT d EXCEPT e",
            "e EXCEPT e EXCEPT d",
        ] {
            assert!(!listed(list), "{list}");
        }
    }

    #[test]
    fn a_pattern_is_a_text_a_beginning_an_end_or_has_wildcards() {
        for (pattern, text) in [
            ("ALL", "x"),
            ("Host", "hOST"),
            (".org", "a.Org"),
            ("10.", "10.1.2.3"),
            ("*", ""),
            ("a*c", "ABBC"),
            (".*", ".x"),
            ("?.2.*", "1.2.3.4"),
            ("KNOWN", "x"),
            ("**b", "b"),
            ("a**", "ab"),
        ] {
            assert!(fits(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [
            ("", ""),
            ("", "x"),
            (".org", ".org"),
            ("10.", "1.1"),
            ("a?c", "ac"),
            ("KNOWN", "unknown"),
            ("*b", "bc"),
            ("a**", "a"),
            (".", "x"),
        ] {
            assert!(!fits(pattern, text), "{pattern} {text}");
        }
    }

    #[test]
    fn brackets_keep_what_is_between() {
        assert_eq!(split_at("[::1] a: b", ':'), Some(("[::1] a", " b")));
        assert_eq!(split_at("[::1 a: b", ':'), None);
        assert_eq!(at_sign("@a@b"), Some(("@a", "b")));
        assert_eq!(at_sign("@a"), None);
        assert_eq!(at_sign("é@b"), Some(("é", "b")));
    }

    proptest! {
        #[test]
        fn wildcards_agree_with_their_definition(pattern in "[ab*?]{0,8}", text in "[ab]{0,8}") {
            fn defined(pattern: &[u8], text: &[u8]) -> bool {
                match (pattern, text) {
                    ([], text) => text.is_empty(),
                    ([b'*', rest @ ..], text) => (0..=text.len()).any(|at| defined(rest, &text[at..])),
                    ([b'?', rest @ ..], [_, text @ ..]) => defined(rest, text),
                    ([c, rest @ ..], [t, text @ ..]) => c == t && defined(rest, text),
                    (_, []) => false,
                }
            }
            let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
            prop_assert_eq!(fits_wildcards(pattern, text), defined(pattern, text));
        }
    }
}
