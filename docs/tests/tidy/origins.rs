//! What must not enter the repository: the paths of one machine, and packages from elsewhere.

use crate::tree::{File, Finding};

/// Folders at the root of somebody's machine, when a name follows.
const PRIVATE_FOLDERS: &[&str] = &["work", "root"];

const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// No absolute path that exists on one machine only.
pub(crate) fn check_paths(file: &File) -> Vec<Finding> {
    let lines = (1..).zip(file.text.lines());
    let private = lines.filter(|(_, line)| holds_private_path(line));
    private
        .map(|(number, _)| {
            Finding::new(&file.path, number, "a path of one machine: make it relative")
        })
        .collect()
}

fn holds_private_path(line: &str) -> bool {
    let begins_path =
        |before: &str| !before.ends_with(|c: char| c.is_alphanumeric() || "_-./}>*".contains(c));
    let names = |c: char| c == '.' || c.is_ascii_lowercase();
    let folder = PRIVATE_FOLDERS.iter().any(|folder| {
        let needle = format!("/{folder}/");
        line.match_indices(&needle)
            .any(|(at, _)| begins_path(&line[..at]) && line[at + needle.len()..].starts_with(names))
    });
    folder || line.contains(concat!("/tmp", "/target"))
}

/// Every package of the lock file with a source comes from crates.io.
pub(crate) fn check_registry(lock: &File) -> Vec<Finding> {
    let sources = (1..).zip(lock.text.lines()).filter_map(|(number, line)| {
        let source = line.strip_prefix("source = \"")?;
        Some((number, source.trim_end_matches('"')))
    });
    sources
        .filter(|(_, source)| *source != REGISTRY)
        .map(|(number, source)| {
            let advice =
                format!("`{source}` is not crates.io: lock again without a replaced registry");
            Finding::new(&lock.path, number, advice)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::assert_objects;

    #[test]
    fn objects_to_paths_of_a_machine() {
        let text = format!("see {0}work/main\nin `{0}root/.cargo`\n{0}tmp{0}target-x/debug\n", '/');
        assert_objects(&check_paths(&File::new("docs/TOUR.md", text)), &[1, 2, 3]);
    }

    #[test]
    fn routes_and_relative_paths_are_no_machine() {
        let text = format!(
            "GET {0}work{0}100\na{0}work{0}b.rs\n..{0}root{0}b.rs\nhttps:{0}{0}a.b{0}work{0}c\n",
            '/'
        );
        assert_objects(&check_paths(&File::new("docs/TOUR.md", text)), &[]);
    }

    #[test]
    fn objects_to_other_registries_and_to_git() {
        let text = format!(
            "[[package]]\nname = \"a\"\nsource = \"{REGISTRY}\"\n[[package]]\nname = \"own\"\n\
             source = \"registry+https://mirror.example/index\"\nsource = \"git+https://example.org/a#1\"\n"
        );
        assert_objects(&check_registry(&File::new("Cargo.lock", text)), &[6, 7]);
    }
}
