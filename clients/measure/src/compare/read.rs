//! A report from its file.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::report::{Report, SCHEMA};

/// Bytes of a file that are read at most; a report of a full run has less than 4 MiB.
const BYTES_MAX: u64 = 64 << 20;

/// Why a file is no report.
#[derive(thiserror::Error, Debug)]
pub enum ReadError {
    /// It cannot be read at all.
    #[error("cannot read {path}")]
    Io {
        /// The file.
        path: PathBuf,
        /// The kernel's reason.
        #[source]
        source: io::Error,
    },
    /// It is longer than any report.
    #[error("{path} has more than {BYTES_MAX} bytes: this is no report")]
    TooLong {
        /// The file.
        path: PathBuf,
    },
    /// It is no JSON, or ends too early.
    #[error(
        "{path}, line {line}, column {column}: this is no JSON, give the file that was written with `--json`"
    )]
    NotJson {
        /// The file.
        path: PathBuf,
        /// From 1 on.
        line: usize,
        /// From 1 on.
        column: usize,
        /// What was expected there.
        #[source]
        source: serde_json::Error,
    },
    /// It is JSON, and something else than a report.
    #[error("{path} is no report: {what}")]
    NotReport {
        /// The file.
        path: PathBuf,
        /// What is missing or wrong.
        what: String,
    },
    /// Another version of palco wrote it.
    #[error(
        "{path} has schema {found}, this palco reads {SCHEMA}: measure again, or use the palco that wrote it"
    )]
    Schema {
        /// The file.
        path: PathBuf,
        /// What it says.
        found: u64,
    },
}

/// Reads a report.
///
/// # Errors
/// [`ReadError`] names the file and, where it can, the place.
pub fn read(path: &Path) -> Result<Report, ReadError> {
    let path = path.to_owned();
    let mut bytes = Vec::new();
    let read = File::open(&path).and_then(|file| file.take(BYTES_MAX + 1).read_to_end(&mut bytes));
    match read {
        Err(source) => Err(ReadError::Io { path, source }),
        Ok(_) if bytes.len() as u64 > BYTES_MAX => Err(ReadError::TooLong { path }),
        Ok(_) => parse(path, &bytes),
    }
}

fn parse(path: PathBuf, bytes: &[u8]) -> Result<Report, ReadError> {
    let value: Value = match serde_json::from_slice(bytes) {
        Ok(value) => value,
        Err(source) => {
            let (line, column) = (source.line(), source.column());
            return Err(ReadError::NotJson { path, line, column, source });
        }
    };
    match value.get("schema").map(Value::as_u64) {
        None | Some(None) => {
            let what = "it has no number `schema`".to_owned();
            return Err(ReadError::NotReport { path, what });
        }
        Some(Some(found)) if found != u64::from(SCHEMA) => {
            return Err(ReadError::Schema { path, found });
        }
        Some(Some(_)) => {}
    }
    serde_json::from_value(value)
        .map_err(|error| ReadError::NotReport { path, what: error.to_string() })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn said(text: &str) -> String {
        parse(PathBuf::from("a.json"), text.as_bytes()).expect_err("no report").to_string()
    }

    #[test]
    fn what_is_no_report_is_named_with_its_place() {
        assert!(
            said("{\n  \"schema\": 1,\n  oops")
                .starts_with("a.json, line 3, column 3: this is no JSON")
        );
        assert!(said("").contains("line 1, column 0"));
        assert_eq!(said("[1]"), "a.json is no report: it has no number `schema`");
        assert_eq!(said("{\"schema\": \"1\"}"), "a.json is no report: it has no number `schema`");
        assert!(said("{\"schema\": 999}").starts_with("a.json has schema 999, this palco reads 1"));
        assert!(said("{\"schema\": 1}").contains("missing field `command`"));
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let error = read(&folder.path().join("none.json")).unwrap_err();
        assert!(error.to_string().contains("none.json"), "{error}");
        assert!(matches!(read(folder.path()), Err(ReadError::Io { .. })));
    }

    #[test]
    fn a_file_without_end_is_not_read_to_its_end() {
        assert!(matches!(read(Path::new("/dev/zero")), Err(ReadError::TooLong { .. })));
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes: Vec<u8>, text: String) {
            for bytes in [bytes, format!("{{\"schema\":1,\"rows\":{text}").into_bytes()] {
                prop_assert!(parse(PathBuf::from("a.json"), &bytes).is_err());
            }
        }
    }
}
