//! NetBSD's directives: `.include` and `#@`.

use std::path::Path;

use crate::config::fault::{Fault, Read};
use crate::config::reading::Reading;
use crate::config::word::{check_line, shell_words};
use crate::spec::Origin;

use super::lines::Line;

/// Whether the line is a directive; then it has been followed.
pub(super) fn read(reading: &mut Reading<'_>, line: &Line, origin: &Origin) -> Read<bool> {
    if let Some(policy) = line.bytes.strip_prefix(b"#@") {
        if !policy.trim_ascii().is_empty() {
            let fault = Fault::new(
                "palco sets no IPsec policy: what `#@` says is not done",
                "set the policy of the port with `ip xfrm`",
            );
            reading.warn_once("ipsec", origin, fault);
        }
        return Ok(true);
    }
    if !line.bytes.starts_with(b".include") {
        return Ok(false);
    }
    check_line(&line.bytes)?;
    let words = shell_words(&line.bytes)?;
    let [_, pattern] = words.as_slice() else {
        return Err(Fault::new("`.include` takes one path", "write `.include \"path/*.conf\"`"));
    };
    let pattern = reading.beside(&pattern.path());
    include(reading, &pattern, origin)?;
    Ok(true)
}

/// Reads all files that a pattern means, in the order of their names. What is wrong with one of them is no fault of the others.
fn include(reading: &mut Reading<'_>, pattern: &Path, origin: &Origin) -> Read<()> {
    let name = pattern.file_name().unwrap_or_default().as_encoded_bytes();
    let paths = if name.iter().any(|byte| b"*?[".contains(byte)) {
        let directory = pattern.parent().unwrap_or(Path::new("/"));
        reading.names(directory, |found| matches(name, found))?
    } else {
        vec![pattern.to_path_buf()]
    };
    for path in paths {
        match reading.enter(&path) {
            Ok(bytes) => {
                super::read(reading, &bytes);
                reading.leave();
            }
            Err(fault) => reading.refuse(origin, None, fault),
        }
    }
    Ok(())
}

/// Whether a name is meant by a pattern with `*`, `?` and `[a-z]`. `*` and `?` do not take a leading dot.
///
/// Only the last `*` is ever tried again, so that the time is at most the product of the lengths.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    if name.starts_with(b".") && !pattern.starts_with(b".") {
        return false;
    }
    let (mut at_pattern, mut at_name) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while at_name < name.len() {
        if pattern.get(at_pattern) == Some(&b'*') {
            star = Some((at_pattern, at_name));
            at_pattern += 1;
        } else if let Some(width) = one(&pattern[at_pattern..], name[at_name]) {
            at_pattern += width;
            at_name += 1;
        } else if let Some((at_star, taken)) = star {
            star = Some((at_star, taken + 1));
            (at_pattern, at_name) = (at_star + 1, taken + 1);
        } else {
            return false;
        }
    }
    pattern[at_pattern..].iter().all(|byte| *byte == b'*')
}

/// How much of the pattern a byte matches.
fn one(pattern: &[u8], byte: u8) -> Option<usize> {
    match pattern.first()? {
        b'?' => Some(1),
        b'[' => {
            let end = 2 + pattern.get(2..)?.iter().position(|byte| *byte == b']')?;
            let (set, is_negated) = match &pattern[1..end] {
                [b'!' | b'^', set @ ..] => (set, true),
                set => (set, false),
            };
            (in_set(set, byte) != is_negated).then_some(end + 1)
        }
        first => (*first == byte).then_some(1),
    }
}

fn in_set(mut set: &[u8], byte: u8) -> bool {
    loop {
        match set {
            [] => return false,
            [low, b'-', high, rest @ ..] => {
                if (low..=high).contains(&&byte) {
                    return true;
                }
                set = rest;
            }
            [one, rest @ ..] => {
                if *one == byte {
                    return true;
                }
                set = rest;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_mean_names() {
        let table = [
            ("*.conf", "a.conf", true),
            ("*.conf", ".conf", false),
            (".*", ".conf", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("*a*b", "xaybzb", true),
            ("*a*b", "xaybz", false),
            ("[a-c]x", "bx", true),
            ("[!a-c]x", "bx", false),
            ("[]]x", "]x", true),
            ("[a", "a", false),
            ("**", "", true),
        ];
        for (pattern, name, expected) in table {
            assert_eq!(matches(pattern.as_bytes(), name.as_bytes()), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn many_stars_end_soon() {
        assert!(!matches(&b"*a".repeat(200), &[b'a'; 150]));
    }
}
