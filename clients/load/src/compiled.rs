//! Baselines in C: compiled when they are needed, by the compiler that is there.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// A program, until dropped.
#[derive(Debug)]
pub(crate) struct Compiled {
    path: PathBuf,
    _directory: TempDir,
}

/// Why there is no such program.
#[derive(thiserror::Error, Debug)]
pub(crate) enum CompileError {
    #[error("there is no C compiler `cc`")]
    NoCompiler,
    #[error("`cc` refuses {name}.c: {why}")]
    Refused { name: String, why: String },
    #[error("cannot compile {name}.c")]
    Io {
        name: String,
        #[source]
        source: io::Error,
    },
}

impl Compiled {
    /// Compiles one file with `cc -O2`.
    pub(crate) fn new(name: &str, source: &str) -> Result<Self, CompileError> {
        Self::with(name, source, &[])
    }

    /// The same, and the program needs no library when it starts.
    pub(crate) fn statically(name: &str, source: &str) -> Result<Self, CompileError> {
        Self::with(name, source, &["-static"])
    }

    fn with(name: &str, source: &str, more: &[&str]) -> Result<Self, CompileError> {
        let failed = |source| CompileError::Io { name: name.to_owned(), source };
        let directory = tempfile::tempdir().map_err(failed)?;
        let path = directory.path().join(name);
        let file = path.with_extension("c");
        fs::write(&file, source).map_err(failed)?;
        let mut cc = Command::new("cc");
        cc.args(["-O2", "-Wall", "-Werror"]).args(more).arg("-o").args([&path, &file]);
        cc.stdin(Stdio::null());
        match cc.output() {
            Ok(output) if output.status.success() => Ok(Self { path, _directory: directory }),
            Ok(output) => {
                let why = String::from_utf8_lossy(&output.stderr).trim().to_owned();
                Err(CompileError::Refused { name: name.to_owned(), why })
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(CompileError::NoCompiler),
            Err(error) => Err(failed(error)),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_c_is_refused_with_the_reason() {
        match Compiled::new("nonsense", "this is no C") {
            Err(CompileError::NoCompiler) => {}
            Err(CompileError::Refused { why, .. }) => assert!(why.contains("nonsense.c"), "{why}"),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_program_runs_and_goes_when_it_is_dropped() {
        let Ok(program) = Compiled::new("seven", "int main(void) { return 7; }") else { return };
        let path = program.path().to_owned();
        assert_eq!(Command::new(&path).status().unwrap().code(), Some(7));
        drop(program);
        assert!(!path.exists());
    }
}
