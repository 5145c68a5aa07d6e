//! Paths as clients write them: `/` is the root of what is served, and nothing is above it.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use bytes::Bytes;

use super::refused::Refused;
use super::wire::Code;

/// The longest path: 4096 bytes, as the system has it.
const PATH_BYTES_MAX: usize = 4096;

/// The path relative to the root, empty for the root itself; `.` and `..` are taken out by name, and `..` at the root is
/// the root.
pub(super) fn within(path: &[u8]) -> Result<PathBuf, Refused> {
    if path.len() > PATH_BYTES_MAX {
        let text = format!("a path has {} bytes, the most is {PATH_BYTES_MAX}", path.len());
        return Err(Refused::new(Code::BadMessage, text));
    }
    if path.contains(&0) {
        return Err(Refused::new(Code::BadMessage, "a path contains a NUL"));
    }
    let mut within = PathBuf::new();
    for name in path.split(|byte| *byte == b'/') {
        match name {
            b"" | b"." => {}
            b".." => {
                within.pop();
            }
            name => within.push(OsStr::from_bytes(name)),
        }
    }
    Ok(within)
}

/// As clients see it.
pub(super) fn absolute(path: &Path) -> Bytes {
    [b"/", path.as_os_str().as_bytes()].concat().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_above_the_root() {
        for (path, expected) in [
            ("", "/"),
            (".", "/"),
            ("/", "/"),
            ("..", "/"),
            ("/../../etc/passwd", "/etc/passwd"),
            ("a//b/./c/", "/a/b/c"),
            ("a/b/../../../c", "/c"),
        ] {
            assert_eq!(absolute(&within(path.as_bytes()).unwrap()), expected, "{path}");
        }
        assert_eq!(within(b"a\0b").unwrap_err().code, Code::BadMessage);
        assert_eq!(within(&[b'x'; 65536]).unwrap_err().code, Code::BadMessage);
    }
}
