//! A test that sleeps is slow when it passes and wrong when the machine is slow: it waits for a condition instead.

use crate::{
    scanner::{line_at, split, words},
    test_code::{is_test_file, test_lines},
    tree::{File, Finding},
};

const SLEEPS: &[&str] = &["thread::sleep", "time::sleep"];

/// Marks, at the end of the line and with a reason, a sleep that is the subject of a test and not its clock.
const MARK: &str = "// not a wait:";

/// Sleeps in test code that carry no mark.
pub(crate) fn check(file: &File) -> Vec<Finding> {
    let layers = split(&file.text);
    let tests = test_lines(&layers.code);
    let comments: Vec<&str> = layers.comments.lines().collect();
    let sleeps = SLEEPS.iter().flat_map(|sleep| words(&layers.code, sleep));
    let mut lines: Vec<usize> = sleeps.map(|at| line_at(&layers.code, at)).collect();
    lines.sort_unstable();
    lines.retain(|line| is_test_file(&file.path) || tests.iter().any(|test| test.contains(line)));
    lines.retain(|line| !is_marked(comments[line - 1]));
    let advice =
        format!("wait for a condition with a deadline; if it is none, say so: `{MARK} <reason>`");
    lines.into_iter().map(|line| Finding::new(&file.path, line, &advice)).collect()
}

fn is_marked(comment: &str) -> bool {
    comment.split_once(MARK).is_some_and(|(_, reason)| !reason.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::assert_objects;

    const SLEEPY: &str = "fn f() {\n    std::thread::sleep(second);\n    tokio::time::sleep(second).await;\n\
        thread::sleep(second); // not a wait: the handler under test blocks\n\
        thread::sleep(second); // not a wait:\n\
        cx.sleep(second); time::sleep_until(then); // thread::sleep\n}\n";

    #[test]
    fn objects_to_sleeping_test_files() {
        assert_objects(&check(&File::new("runtime/actors/tests/lanes.rs", SLEEPY)), &[2, 3, 5]);
    }

    #[test]
    fn objects_to_sleeping_test_modules_only() {
        assert_objects(&check(&File::new("runtime/actors/src/lanes.rs", SLEEPY)), &[]);
        let text = format!("{SLEEPY}#[cfg(test)]\nmod tests {{\n{SLEEPY}}}\n");
        assert_objects(&check(&File::new("runtime/actors/src/lanes.rs", text)), &[11, 12, 14]);
    }
}
