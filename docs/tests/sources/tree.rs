//! The files of the repository, and what a law says about one of them.

use std::{
    env, fmt, fs, io,
    path::{Path, PathBuf},
};

/// The folder that holds the workspace. Asked of cargo now, not when this was compiled: checkouts may share a target
/// folder.
pub(crate) fn root() -> PathBuf {
    let docs = env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it when it runs a test");
    PathBuf::from(docs).join("..")
}

/// A text file of the repository.
#[derive(Debug)]
pub(crate) struct File {
    /// Where it is, from the root, with `/` between the folders.
    pub(crate) path: String,
    /// What it holds.
    pub(crate) text: String,
}

impl File {
    pub(crate) fn new(path: impl Into<String>, text: impl Into<String>) -> Self {
        Self { path: path.into(), text: text.into() }
    }

    /// Is it Rust?
    pub(crate) fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }
}

/// A place that breaks a law, with what to do about it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    path: String,
    line: usize,
    advice: String,
}

impl Finding {
    /// Lines count from one.
    pub(crate) fn new(path: impl Into<String>, line: usize, advice: impl Into<String>) -> Self {
        Self { path: path.into(), line, advice: advice.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.advice)
    }
}

/// Every text file, hidden ones too, without `.git` and the folders that cargo marks as caches.
pub(crate) fn files() -> io::Result<Vec<File>> {
    let mut files = Vec::new();
    collect(&root(), "", &mut files)?;
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

fn collect(folder: &Path, prefix: &str, files: &mut Vec<File>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{prefix}{name}");
        let kind = entry.file_type()?;
        if kind.is_dir() {
            if name != ".git" && !entry.path().join("CACHEDIR.TAG").exists() {
                collect(&entry.path(), &format!("{path}/"), files)?;
            }
        } else if kind.is_file()
            && let Ok(text) = String::from_utf8(fs::read(entry.path())?)
        {
            files.push(File::new(path, text));
        }
    }
    Ok(())
}

/// Fails with one line per finding.
#[track_caller]
pub(crate) fn assert_kept(law: &str, findings: &[Finding]) {
    let lines: Vec<String> = findings.iter().map(|finding| format!("  {finding}")).collect();
    assert!(findings.is_empty(), "{law}\n{}\n", lines.join("\n"));
}

/// Fails unless the law objects in exactly these lines of the example.
#[track_caller]
pub(crate) fn assert_objects(findings: &[Finding], lines: &[usize]) {
    let found: Vec<usize> = findings.iter().map(|finding| finding.line).collect();
    assert_eq!(found, lines, "lines that the law objects to; it said {findings:#?}");
}
