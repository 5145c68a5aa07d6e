//! What becomes of a report: it is shown, and kept as a page.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use palco_measure::kept;

use crate::output;

/// The command line of this process, for the report.
pub(in crate::commands) fn command() -> String {
    env::args().skip(1).fold("palco".to_owned(), |line, word| line + " " + &word)
}

/// This very program, even if another file is at its path by now.
pub(super) fn program() -> PathBuf {
    PathBuf::from(format!("/proc/{}/exe", std::process::id()))
}

/// Shows `text` and keeps the report by its topic; `file` gets the page too.
pub(super) fn keep(
    topic: &str,
    text: &str,
    json: &str,
    page: &str,
    file: Option<&Path>,
) -> Result<()> {
    if let Some(file) = file {
        fs::write(file, page).with_context(|| format!("cannot write {}", file.display()))?;
    }
    let kept = kept::keep(&kept::directory(), topic, json, page);
    output::line(text.trim_end())?;
    match kept {
        Ok(page) => eprintln!("the page of this report: {}", page.display()),
        Err(error) => eprintln!("palco: the report is not kept: {error}"),
    }
    Ok(())
}
