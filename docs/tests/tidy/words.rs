//! Words that leave something undone, unseen or unnamed.

use crate::{
    scanner::{line_at, split, words},
    test_code::{is_test_file, test_lines},
    tree::{File, Finding},
};

const STUBS: &[(&str, &str)] = &[
    ("todo!(", "write it, or leave it out"),
    ("unimplemented!(", "write it, or make the type say that it does not exist"),
    ("#[ignore", "let the test run, or delete it"),
];

/// Lints that hide dead or doubtful code when they are silenced.
const LOUD_LINTS: &[&str] = &["dead_code", "unused", "clippy::"];

/// No stub, no ignored test, no silenced lint.
pub(crate) fn check_stubs(file: &File) -> Vec<Finding> {
    let code = split(&file.text).code;
    let mut findings = Vec::new();
    for (number, line) in (1..).zip(code.lines()) {
        for (_, advice) in STUBS.iter().filter(|(stub, _)| line.contains(stub)) {
            findings.push(Finding::new(&file.path, number, *advice));
        }
    }
    for at in words(&code, "allow") {
        let Some((lints, _)) = code[at..].split_once(')') else { continue };
        let mut lints =
            lints.trim_start_matches("allow").trim_start_matches('(').split(',').map(str::trim);
        if lints.any(|lint| LOUD_LINTS.iter().any(|loud| lint.starts_with(loud))) {
            let advice = "mend what the lint says instead of silencing it";
            findings.push(Finding::new(&file.path, line_at(&code, at), advice));
        }
    }
    findings
}

/// What test code may import whole: the module it tests, and what proptest's macros expect to find.
const TAKEN_WHOLE_IN_TESTS: [&str; 2] = ["use super::*", "use proptest::prelude::*"];

/// No glob import, except in test code as above.
pub(crate) fn check_imports(file: &File) -> Vec<Finding> {
    let code = split(&file.text).code;
    let tests = test_lines(&code);
    let mut findings = Vec::new();
    for at in words(&code, "use") {
        let statement = code[at..].split(';').next().unwrap_or_default();
        let line = line_at(&code, at);
        let is_of_test =
            is_test_file(&file.path) || tests.iter().any(|lines| lines.contains(&line));
        let is_import = !statement.starts_with("use<");
        let takes_all = is_import && statement.contains('*');
        if takes_all && !(is_of_test && TAKEN_WHOLE_IN_TESTS.contains(&statement)) {
            findings.push(Finding::new(&file.path, line, "name what you import"));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::assert_objects;

    #[test]
    fn objects_to_stubs() {
        let text = "fn f() { todo!() }\nfn g() { unimplemented!(\"later\") }\n\
            #[test]\n#[ignore = \"slow\"]\nfn h() {}\n\
            // todo!() in prose is prose\nconst A: &str = \"todo!()\";\n";
        assert_objects(&check_stubs(&File::new("a.rs", text)), &[1, 2, 4]);
    }

    #[test]
    fn objects_to_silenced_lints() {
        let text = "#[allow(dead_code)]\n#![allow(clippy::unwrap_used)]\n#[cfg_attr(x, allow(unused_mut))]\n\
            #[allow(missing_docs,\n    dead_code)]\n#[allow(missing_docs)]\nfn allow() {}\n";
        assert_objects(&check_stubs(&File::new("a.rs", text)), &[1, 2, 3, 4]);
    }

    #[test]
    fn objects_to_glob_imports() {
        let text = "use a::*;\nuse b::{self, *};\nuse super::*;\npub use c::{\n    d::*,\n    e};\n\
            fn f() -> impl Sized + use<> { y * z; }\n\
            #[cfg(test)]\nmod tests {\n    use super::*;\n    use proptest::prelude::*;\n}\n";
        assert_objects(&check_imports(&File::new("src/a.rs", text)), &[1, 2, 3, 4]);
    }

    #[test]
    fn a_test_file_takes_all_of_its_module() {
        let check_at = |path| check_imports(&File::new(path, "use super::*;\n"));
        assert_objects(&check_at("core/src/ids/tests.rs"), &[]);
        assert_objects(&check_at("core/src/ids/laws.rs"), &[1]);
        let prelude = File::new("core/src/ids.rs", "use proptest::prelude::*;\n");
        assert_objects(&check_imports(&prelude), &[1]);
    }
}
