//! Notes down what the library was built with: compiler, flags, optimisation, and the commit of the repository.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The root of the repository, seen from here.
const ROOT: &str = "../..";

/// What the figures depend on: when a file here changes, it is asked again whether the commit still says it all.
const ROOMS: &[&str] = &["Cargo.lock", "runtime", "clients/measure"];

fn main() {
    let rustc = env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    note("RUSTC", &first_line(Command::new(rustc).arg("--version")).unwrap_or_default());
    note("OPT_LEVEL", &env::var("OPT_LEVEL").unwrap_or_default());
    note("TARGET", &env::var("TARGET").unwrap_or_default());
    let flags = env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    note("FLAGS", &flags.split('\u{1f}').collect::<Vec<_>>().join(" "));
    note("COMMIT", &commit().unwrap_or_default());
    println!("cargo::rerun-if-changed=build.rs");
    for path in ROOMS.iter().map(|room| Path::new(ROOT).join(room)).filter(|path| path.exists()) {
        println!("cargo::rerun-if-changed={}", path.display());
    }
}

fn note(name: &str, value: &str) {
    println!("cargo::rustc-env=PALCO_MEASURE_{name}={value}");
}

/// The commit that is checked out, with `+` if files were changed since; nothing outside a repository, or in somebody
/// else's that only happens to lie around this one.
fn commit() -> Option<String> {
    let top = PathBuf::from(git(&["rev-parse", "--show-toplevel"])?);
    if top.canonicalize().ok()? != Path::new(ROOT).canonicalize().ok()? {
        return None;
    }
    // In a worktree these are elsewhere. The log of HEAD grows with every commit, HEAD itself changes with the branch.
    for name in ["HEAD", "index", "logs/HEAD"] {
        let path = PathBuf::from(git(&["rev-parse", "--git-path", name])?);
        let path = if path.is_absolute() { path } else { Path::new(ROOT).join(path) };
        if path.exists() {
            println!("cargo::rerun-if-changed={}", path.display());
        }
    }
    let commit = git(&["rev-parse", "--short=12", "HEAD"])?;
    let changed = git(&["status", "--porcelain", "--untracked-files=no"]);
    Some(if changed.is_some() { commit + "+" } else { commit })
}

/// The first line that git prints; nothing where it fails or prints none. It takes no lock and so changes no file.
fn git(arguments: &[&str]) -> Option<String> {
    first_line(Command::new("git").arg("--no-optional-locks").arg("-C").arg(ROOT).args(arguments))
}

fn first_line(command: &mut Command) -> Option<String> {
    let output = command.output().ok().filter(|output| output.status.success())?;
    let text = String::from_utf8(output.stdout).ok()?;
    text.lines().next().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned)
}
