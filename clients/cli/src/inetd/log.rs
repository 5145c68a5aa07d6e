//! Where START, EXIT and FAIL are written: one line each, with its time.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use palco_superserver::{Entry, Sink};
use parking_lot::RwLock;

/// A file, or standard error.
#[derive(Clone, Debug)]
pub(crate) enum Log {
    Stderr,
    File { path: Arc<Path>, file: Arc<RwLock<File>> },
}

impl Log {
    /// Appends to `path`, if one is given.
    pub(crate) fn open(path: Option<&Path>) -> Result<Self> {
        let Some(path) = path else { return Ok(Self::Stderr) };
        let file = append(path)?;
        Ok(Self::File { path: path.into(), file: Arc::new(RwLock::new(file)) })
    }

    /// Opens the file again: it may have been renamed, and another is to be begun.
    pub(crate) fn reopen(&self) -> Result<()> {
        if let Self::File { path, file } = self {
            *file.write() = append(path)?;
        }
        Ok(())
    }

    /// Writes a line about the superserver itself.
    pub(crate) fn say(&self, text: &str) {
        for line in text.lines() {
            let now = humantime::format_rfc3339_seconds(std::time::SystemTime::now());
            self.write(&format!("{now} {line}\n"));
        }
    }

    /// For the entries of a superserver.
    pub(crate) fn sink(&self) -> Sink {
        let log = self.clone();
        Arc::new(move |entry: &Entry| {
            let at = humantime::format_rfc3339_seconds(entry.at);
            log.write(&format!("{at} {entry}\n"));
        })
    }

    fn write(&self, line: &str) {
        // In one call, so that lines of several processes stay whole. A full disk must not stop a superserver.
        let _written = match self {
            Self::Stderr => io::stderr().write_all(line.as_bytes()),
            Self::File { file, .. } => (&*file.read()).write_all(line.as_bytes()),
        };
    }
}

fn append(path: &Path) -> Result<File> {
    let file = OpenOptions::new().create(true).append(true).open(path);
    file.with_context(|| format!("cannot write the log {}", path.display()))
}
