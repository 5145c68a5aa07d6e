//! `unsafe` stands in `runtime/sys` and `runtime/fibers`, each time with the reason why it holds; every other crate
//! forbids it at its root.

use std::collections::BTreeSet;

use crate::{
    scanner::{self, Layers},
    tree::{File, Finding},
};

/// Where the keyword may stand.
const ROOMS: &[&str] = &["runtime/sys/", "runtime/fibers/"];

/// How far above the keyword the reason may begin.
const REASON_LINES_MAX: usize = 6;

/// What one file breaks; `roots` are the root files of all crates.
pub(crate) fn check(file: &File, roots: &BTreeSet<String>) -> Vec<Finding> {
    if !file.is_rust() {
        return Vec::new();
    }
    let layers = scanner::split(&file.text);
    let keywords = scanner::words(&layers.code, "unsafe");
    if ROOMS.iter().any(|room| file.path.starts_with(room)) {
        let unexplained = keywords.filter(|&at| !is_explained(&layers, at));
        return unexplained.map(|at| finding(file, &layers, at, EXPLAIN)).collect();
    }
    let mut findings: Vec<Finding> = keywords
        .map(|at| finding(file, &layers, at, "move it to runtime/sys, behind a safe function"))
        .collect();
    let dense: String = layers.code.split_whitespace().collect();
    if roots.contains(&file.path) && !dense.contains("#![forbid(unsafe_code)]") {
        findings.push(Finding::new(&file.path, 1, "a crate root says `#![forbid(unsafe_code)]`"));
    }
    findings
}

const EXPLAIN: &str =
    "say why it holds: `// SAFETY:` at most 6 lines above, or `# Safety` in the docs of the item";

fn finding(file: &File, layers: &Layers, at: usize, advice: &str) -> Finding {
    Finding::new(&file.path, scanner::line_at(&layers.code, at), advice)
}

fn is_explained(layers: &Layers, at: usize) -> bool {
    let after = layers.code[at + "unsafe".len()..].trim_start();
    if is_function_type(after) {
        return true;
    }
    let line = scanner::line_at(&layers.code, at) - 1;
    let comments: Vec<&str> = layers.comments.lines().collect();
    let near = &comments[line.saturating_sub(REASON_LINES_MAX)..=line];
    let is_contract = ["fn", "trait", "extern"].iter().any(|word| after.starts_with(word));
    near.iter().any(|comment| comment.contains("// SAFETY:"))
        || (is_contract && docs_above(layers, line).any(|comment| comment.contains("# Safety")))
}

/// `unsafe fn(…)` and `unsafe extern "C" fn(…)` are types; whoever calls one explains it.
fn is_function_type(after: &str) -> bool {
    let after = after.strip_prefix("extern").unwrap_or(after).trim_start();
    after.strip_prefix("fn").is_some_and(|rest| rest.trim_start().starts_with('('))
}

/// The comment lines above an item, over its attributes.
fn docs_above(layers: &Layers, line: usize) -> impl Iterator<Item = &str> {
    let code: Vec<&str> = layers.code.lines().take(line).collect();
    let comments: Vec<&str> = layers.comments.lines().take(line).collect();
    let pairs = code.into_iter().zip(comments).rev();
    pairs
        .take_while(|(code, comment)| match code.trim() {
            "" => !comment.trim().is_empty(),
            code => code.starts_with("#["),
        })
        .map(|(_, comment)| comment)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::assert_objects;

    fn check_at(path: &str, text: &str) -> Vec<Finding> {
        check(&File::new(path, text), &BTreeSet::from(["runtime/core/src/lib.rs".to_owned()]))
    }

    #[test]
    fn objects_to_unsafe_outside_its_rooms() {
        let text = "//! unsafe\nconst A: &str = \"unsafe\";\nfn f() { unsafe { g() } }\n#[unsafe(no_mangle)]\n";
        assert_objects(&check_at("runtime/actors/src/cell.rs", text), &[3, 4]);
        assert_objects(&check_at("runtime/core/tests/laws.rs", text), &[3, 4]);
        assert_objects(&check_at("docs/UNSAFE.md", text), &[]);
    }

    #[test]
    fn objects_to_a_root_that_does_not_forbid_it() {
        assert_objects(&check_at("runtime/core/src/lib.rs", "//! x\n"), &[1]);
        assert_objects(&check_at("runtime/core/src/lib.rs", "// #![forbid(unsafe_code)]\n"), &[1]);
        assert_objects(&check_at("runtime/core/src/lib.rs", "#![forbid(unsafe_code)]\n"), &[]);
        assert_objects(&check_at("runtime/core/src/ids.rs", "//! x\n"), &[]);
    }

    #[test]
    fn objects_to_unsafe_without_a_reason() {
        let bare = "fn f() { unsafe { g() } }\nunsafe impl Send for A {}\nunsafe extern \"C\" {}\nunsafe fn h() {}\n";
        assert_objects(&check_at("runtime/sys/src/spawn.rs", bare), &[1, 2, 3, 4]);
        let far = format!("// SAFETY: too far.{}unsafe {{ g() }}\n", "\n".repeat(7));
        assert_objects(&check_at("runtime/sys/src/spawn.rs", &far), &[8]);
        let docs_of_a_block =
            "/// # Safety\n\n/// x\nunsafe fn h() {}\nfn f() {\n/// # Safety\nunsafe { g() } }\n";
        assert_objects(&check_at("runtime/fibers/src/stack.rs", docs_of_a_block), &[4, 7]);
        let in_a_string = "let a = \"// SAFETY: no\";\nunsafe { g() }\n";
        assert_objects(&check_at("runtime/sys/src/spawn.rs", in_a_string), &[2]);
    }

    #[test]
    fn a_reason_is_enough() {
        let text = "// SAFETY: it holds,\n// because.\nunsafe impl Send for A {}\n\
            /// Does it.\n///\n/// # Safety\n///\n/// One.\n/// Two.\n/// Three.\n/// Four.\n/// Five.\n\
            #[must_use]\npub unsafe extern \"C\" fn h() {}\n\n\n\n\n\n\n\ntype Hook = unsafe extern \"C\" fn(i32);\n";
        assert_objects(&check_at("runtime/sys/src/spawn.rs", text), &[]);
    }
}
