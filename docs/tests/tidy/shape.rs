//! The shape of a file: its length, its first line, its white space.

use crate::tree::{File, Finding};

const LINES_MAX: usize = 400;

/// A source file is short, and its first line says what it is.
pub(crate) fn check_source(file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !file.text.starts_with("//!") {
        findings.push(Finding::new(&file.path, 1, "begin with `//!`: what it is, and why"));
    }
    let lines = file.text.lines().count();
    if lines > LINES_MAX {
        let advice = format!("{lines} lines, {LINES_MAX} are allowed: give a part its own file");
        findings.push(Finding::new(&file.path, lines, advice));
    }
    findings
}

/// Files that people write, as opposed to those that tools write.
pub(crate) fn is_written_by_hand(file: &File) -> bool {
    [".rs", ".md", ".toml", ".js", ".css", ".html"].iter().any(|ending| file.path.ends_with(ending))
}

/// No tab anywhere, no space at the end of a line.
pub(crate) fn check_white_space(file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (number, line) in (1..).zip(file.text.split('\n')) {
        if line.contains('\t') {
            findings.push(Finding::new(
                &file.path,
                number,
                "a tab: indent with spaces, write `\\t` in a string",
            ));
        }
        if line.ends_with(char::is_whitespace) {
            findings.push(Finding::new(
                &file.path,
                number,
                "remove the spaces at the end of the line",
            ));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::assert_objects;

    #[test]
    fn objects_to_a_long_file() {
        let lines = |n| File::new("a.rs", format!("//! x\n{}", "\n".repeat(n - 1)));
        assert_objects(&check_source(&lines(LINES_MAX)), &[]);
        assert_objects(&check_source(&lines(LINES_MAX + 1)), &[LINES_MAX + 1]);
    }

    #[test]
    fn objects_to_a_file_that_does_not_say_what_it_is() {
        assert_objects(&check_source(&File::new("a.rs", "// x\nuse std::io;\n")), &[1]);
        assert_objects(&check_source(&File::new("a.rs", "")), &[1]);
    }

    #[test]
    fn objects_to_tabs_and_trailing_spaces() {
        let text = "//! x\n\tfn f() {}\nfn g() {} \nfn h() {}\r\n";
        assert_objects(&check_white_space(&File::new("a.rs", text)), &[2, 3, 4]);
        assert_objects(&check_white_space(&File::new("a.rs", "//! x\nfn f() {}\n")), &[]);
    }
}
