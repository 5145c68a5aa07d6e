//! Patterns as `SCAN` and `CONFIG GET` take them.
//!
//! Source: redis' documentation of `KEYS`: `*` stands for any bytes, `?` for one, `[abc]`, `[a-c]` and `[^a]` for one of
//! a class, and a backslash takes what is special away from the next byte.

/// Whether `name` as a whole fits `pattern`. Remembers only the last star, so the time is at most pattern × name.
#[must_use]
pub fn matches(pattern: &[u8], name: &[u8]) -> bool {
    let (mut pattern_left, mut name_left) = (pattern, name);
    let mut star: Option<(&[u8], &[u8])> = None;
    loop {
        if let Some((b'*', after)) = pattern_left.split_first() {
            star = Some((after, name_left));
            pattern_left = after;
            continue;
        }
        let Some((byte, rest)) = name_left.split_first() else { return pattern_left.is_empty() };
        if let Some(after) = one(pattern_left, *byte) {
            (pattern_left, name_left) = (after, rest);
            continue;
        }
        // The last star takes one byte more.
        let Some((after, from)) = star else { return false };
        let Some(from) = from.get(1..) else { return false };
        star = Some((after, from));
        (pattern_left, name_left) = (after, from);
    }
}

/// What of the pattern follows the part that this byte fits; none if it does not fit.
fn one(pattern: &[u8], byte: u8) -> Option<&[u8]> {
    match pattern {
        [] => None,
        [b'?', after @ ..] => Some(after),
        [b'[', class @ ..] => one_of(class, byte),
        [b'\\', escaped, after @ ..] => (*escaped == byte).then_some(after),
        [literal, after @ ..] => (*literal == byte).then_some(after),
    }
}

/// A class that is not closed ends with the pattern.
fn one_of(class: &[u8], byte: u8) -> Option<&[u8]> {
    let (negated, mut left) = match class {
        [b'^', left @ ..] => (true, left),
        left => (false, left),
    };
    let mut found = false;
    loop {
        left = match left {
            [] => break,
            [b']', after @ ..] => {
                left = after;
                break;
            }
            [b'\\', escaped, after @ ..] => {
                found |= *escaped == byte;
                after
            }
            [first, b'-', last, after @ ..] if *last != b']' => {
                found |= (*first.min(last)..=*first.max(last)).contains(&byte);
                after
            }
            [literal, after @ ..] => {
                found |= *literal == byte;
                after
            }
        };
    }
    (found != negated).then_some(left)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn patterns_fit_what_redis_says_they_fit() {
        for (pattern, name, expected) in [
            ("*", "", true),
            ("*", "save", true),
            ("SAVE", "save", false),
            ("s?ve", "save", true),
            ("max*policy", "maxmemory-policy", true),
            ("*a*a*", "databases", true),
            ("save", "saves", false),
            ("?", "", false),
            ("*b", "save", false),
            ("[sS]ave", "Save", true),
            ("[^s]ave", "save", false),
            ("k[0-9]", "k7", true),
            ("k[9-0]", "k7", true),
            ("k[0-9]", "kk", false),
            ("k[a-]", "k-", true),
            ("k\\*", "k*", true),
            ("k\\*", "kk", false),
            ("k[\\]]", "k]", true),
            ("[ab", "b", true),
            ("k[", "k", false),
        ] {
            assert_eq!(matches(pattern.as_bytes(), name.as_bytes()), expected, "{pattern} {name}");
        }
    }

    proptest! {
        #[test]
        fn a_name_fits_itself_without_its_special_bytes(name: Vec<u8>) {
            let escaped: Vec<u8> = name.iter().flat_map(|byte| [b'\\', *byte]).collect();
            prop_assert!(matches(&escaped, &name));
        }

        #[test]
        fn any_pattern_comes_to_an_end(pattern in "[a\\[\\]^*?\\\\-]{0,24}", name in "[a\\]\\\\-]{0,24}") {
            let _ = matches(pattern.as_bytes(), name.as_bytes());
        }
    }
}
