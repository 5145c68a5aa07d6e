//! Paths as they are asked for.

use std::sync::Arc;

use super::FileError;

/// The longest path: 4096 bytes, as the system has it.
pub const PATH_BYTES_MAX: usize = 4096;

/// The path with one slash before each name, so that no file has two.
pub(super) fn checked(path: &str) -> Result<Arc<str>, FileError> {
    if path.len() > PATH_BYTES_MAX {
        return Err(FileError::Request("a path has at most 4096 bytes"));
    }
    if path.contains('\0') {
        return Err(FileError::Request("a path has no NUL"));
    }
    let mut whole = String::with_capacity(path.len() + 1);
    for name in path.split('/').filter(|name| !name.is_empty()) {
        if matches!(name, "." | "..") {
            return Err(FileError::Request("a path has no `.` and no `..`: write it without them"));
        }
        whole.push('/');
        whole.push_str(name);
    }
    if whole.is_empty() {
        whole.push('/');
    }
    Ok(whole.into())
}

/// Whether a path is in this directory, or in one that is.
pub(super) fn is_below(path: &str, directory: &str) -> bool {
    let directory = directory.strip_suffix('/').unwrap_or(directory);
    path.strip_prefix(directory).is_some_and(|rest| rest.len() > 1 && rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_a_directory_is_below_it() {
        for path in ["/a/b", "/a/b/c"] {
            assert!(is_below(path, "/a") && is_below(path, "/"), "{path}");
        }
        for path in ["/a", "/ab", "/b/a", "/"] {
            assert!(!is_below(path, "/a"), "{path}");
        }
    }

    #[test]
    fn a_file_has_one_path() {
        for (path, expected) in [("", "/"), ("/", "/"), ("a", "/a"), ("//a//b c/", "/a/b c")] {
            assert_eq!(&*checked(path).unwrap(), expected, "{path}");
        }
        for wrong in ["a\0", "..", "a/../b", "./a", &"x".repeat(PATH_BYTES_MAX + 1)] {
            assert!(matches!(checked(wrong), Err(FileError::Request(_))));
        }
    }
}
