//! A trace: one moment a line, in seconds after the beginning; `#` begins a comment.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{LASTS_MAX, TRACE_MAX};

/// Why a trace cannot be used.
#[derive(thiserror::Error, Debug)]
pub enum TraceError {
    /// The file cannot be read.
    #[error("cannot read {}", .0.display())]
    Read(PathBuf, #[source] io::Error),
    /// A line is no moment.
    #[error("{}, line {line}: {why}", .path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// What is wrong, and what it should be.
        why: String,
    },
}

/// Reads the moments of a file.
///
/// # Errors
/// [`TraceError`] says which line is wrong.
pub fn read(path: &Path) -> Result<Vec<Duration>, TraceError> {
    let unreadable = |error| TraceError::Read(path.to_owned(), error);
    let file = File::open(path).map_err(unreadable)?;
    let mut moments = Vec::new();
    for (number, text) in BufReader::new(file).lines().enumerate() {
        let wrong = |why| TraceError::Line { path: path.to_owned(), line: number + 1, why };
        let Some(moment) = moment(&text.map_err(unreadable)?).map_err(wrong)? else { continue };
        if moments.last().is_some_and(|last| moment < *last) {
            return Err(wrong("earlier than the line before: sort the file".to_owned()));
        }
        if moments.len() == TRACE_MAX {
            return Err(wrong(format!("more than {TRACE_MAX} moments")));
        }
        moments.push(moment);
    }
    Ok(moments)
}

/// The moment in a line, if it holds one; else what is wrong.
fn moment(line: &str) -> Result<Option<Duration>, String> {
    let text = line.split('#').next().unwrap_or_default().trim();
    if text.is_empty() {
        return Ok(None);
    }
    let most = LASTS_MAX.as_secs();
    let seconds: Option<f64> = text.parse().ok();
    let moment = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    match moment.filter(|moment| *moment <= LASTS_MAX) {
        Some(moment) => Ok(Some(moment)),
        None => Err(format!("`{text}` is no moment: seconds from 0 to {most}, such as 0.25")),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn file(text: &str) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        file
    }

    #[test]
    fn comments_and_empty_lines_are_left_out() {
        let file = file("# begun at noon\n0\n 0.25 # first\n\n1.5\n");
        let moments = read(file.path()).unwrap();
        assert_eq!(moments, [0, 250, 1500].map(Duration::from_millis));
    }

    #[test]
    fn an_error_names_the_line_and_what_is_wrong() {
        for (text, line, why) in [
            ("0\nsoon\n", 2, "`soon` is no moment"),
            ("-1\n", 1, "`-1` is no moment"),
            ("NaN\n", 1, "`NaN` is no moment"),
            ("# x\n2\n1\n", 3, "earlier than the line before"),
            ("1e9\n", 1, "`1e9` is no moment"),
        ] {
            let file = file(text);
            let told = read(file.path()).unwrap_err().to_string();
            assert!(told.contains(&format!("line {line}: {why}")), "{told}");
        }
    }

    #[test]
    fn any_text_is_read_or_refused_and_moments_are_as_written() {
        let mut chance = 3;
        for _ in 0..2000 {
            let length = super::super::schedule::next(&mut chance) % 12;
            let line: String = (0..length)
                .map(|_| {
                    let letters = b"0123456789.eE+-# \xc3inf";
                    let at = super::super::schedule::next(&mut chance) % letters.len() as u64;
                    char::from(letters[usize::try_from(at).unwrap()])
                })
                .collect();
            if let Ok(Some(moment)) = moment(&line) {
                let text = line.split('#').next().unwrap_or_default().trim();
                let seconds: f64 = text.parse().unwrap();
                assert!((moment.as_secs_f64() - seconds).abs() < 1e-6, "{line}");
            }
        }
    }
}
