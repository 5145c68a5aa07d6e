//! Which lines are compiled for tests only.

use std::ops::RangeInclusive;

use crate::scanner::{line_at, words};

/// Is the whole file test code: below a `tests` folder, or the `tests.rs` of a module?
pub(crate) fn is_test_file(path: &str) -> bool {
    path.contains("/tests/") || path.ends_with("/tests.rs")
}

/// The lines of items under `#[cfg(test)]`, `#[cfg(any(test, …))]` and the like, attribute included.
pub(crate) fn test_lines(code: &str) -> Vec<RangeInclusive<usize>> {
    let attributes = code.match_indices("#[cfg(");
    attributes
        .filter_map(|(start, _)| {
            let condition_end = start + code[start..].find(']')?;
            let condition = &code[start..condition_end];
            let is_test =
                words(condition, "test").next().is_some() && !condition.contains("not(test");
            is_test.then(|| line_at(code, start)..=line_at(code, item_end(code, condition_end)))
        })
        .collect()
}

/// The end of the item that follows: its semicolon, or the brace that closes it.
fn item_end(code: &str, from: usize) -> usize {
    let mut depth = 0_usize;
    for (at, c) in code[from..].char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth <= 1 => return from + at,
            '}' => depth -= 1,
            ';' if depth == 0 => return from + at,
            _ => {}
        }
    }
    code.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn test_items_end_with_their_brace_or_semicolon() {
        let code = "#[cfg(test)]\nmod laws;\nfn f() {}\n#[cfg(all(test, unix))]\n#[rustfmt::skip]\nmod tests {\n\
            fn g() { { } }\n}\nfn h() {}\n#[cfg(not(test))]\nfn i() {}\n#[cfg(feature)]\nfn j() {}\n";
        assert_eq!(test_lines(code), [1..=2, 4..=8]);
    }

    #[test]
    fn test_files_are_known_by_their_place() {
        assert!(is_test_file("runtime/core/tests/laws.rs"));
        assert!(is_test_file("runtime/core/src/ids/tests.rs"));
        assert!(!is_test_file("runtime/core/src/contests.rs"));
    }
}
