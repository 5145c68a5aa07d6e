//! From this machine into a namespace of its own, and what is reported from there.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

/// The first argument of this program when it is started inside; the second is the name of a scenario.
pub(crate) const INSIDE: &str = "--inside";

/// What came of each check, by its name: nothing, or why it failed.
pub(crate) type Report = BTreeMap<String, Option<String>>;

const SOURCES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/inetd");

/// Is there all that a namespace needs?
pub(crate) fn check() -> Result<()> {
    ensure!(nix::unistd::geteuid().is_root(), "only root makes such namespaces");
    let daemons = daemons();
    ensure!(
        daemons.join("complete").exists(),
        "the daemons are missing. As root: {SOURCES}/daemons {}",
        daemons.display()
    );
    Ok(())
}

/// Runs a scenario inside, and ends all that it has started there.
pub(crate) fn run(scenario: &str) -> Result<Report> {
    let program = std::env::current_exe()?;
    // Mounts, network and processes are the namespace's own; who is left in it is killed with its first process.
    let output = Command::new("unshare")
        .args(["--mount", "--net", "--pid", "--fork", "--kill-child", "--"])
        .arg(Path::new(SOURCES).join("enter"))
        .args([&daemons(), built()])
        .arg(program)
        .args([INSIDE, scenario])
        .stdin(Stdio::null())
        .output()
        .context("unshare, of the package util-linux")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{scenario} ended early ({}):\n{said}", output.status);
    serde_json::from_slice(&output.stdout).with_context(|| format!("{scenario}:\n{said}"))
}

/// The directory that the script `daemons` has filled: `$PALCO_DAEMONS`, or beside what cargo builds.
fn daemons() -> PathBuf {
    let default = || built().parent().expect("a profile has a directory").join("daemons");
    std::env::var_os("PALCO_DAEMONS").map_or_else(default, PathBuf::from)
}

/// Where `palco` and this program are: the directory of the profile.
fn built() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_palco")).parent().expect("a program is in a directory")
}
