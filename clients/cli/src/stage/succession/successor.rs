//! SIGHUP: this program is started again, as it is on the disk now and with the same arguments, and takes over.

use std::env;
use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result};

use super::Heir;
use crate::output;
use crate::stage::{Stage, run};

/// What the kernel says behind the path of a program whose file has been replaced.
const DELETED: &[u8] = b" (deleted)";

/// Starts successors, one at a time.
pub(in crate::stage) struct Successor {
    control: PathBuf,
    stage: Arc<Stage>,
    is_starting: Arc<AtomicBool>,
}

impl Successor {
    /// They find `stage` at `control`.
    pub(in crate::stage) fn new(control: &Path, stage: &Arc<Stage>) -> Self {
        Self { control: control.to_owned(), stage: Arc::clone(stage), is_starting: Arc::default() }
    }

    /// Starts one, if none is being started. When it cannot start, this stage goes on and says so.
    pub(in crate::stage) fn start(&self) {
        if self.is_starting.swap(true, Ordering::AcqRel) {
            return;
        }
        if let Err(error) = self.try_start() {
            output::talk(format!("no successor: {error:#}"));
            self.is_starting.store(false, Ordering::Release);
        }
    }

    fn try_start(&self) -> Result<()> {
        let program = env::current_exe().context("cannot find this program")?;
        let program = on_disk(program);
        let arguments = arguments(env::args_os().skip(1), &self.control);
        let mut child = Command::new(&program)
            .args(arguments)
            .stdin(Stdio::null())
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        let (stage, is_starting) = (Arc::clone(&self.stage), Arc::clone(&self.is_starting));
        run::watch("palco-successor", move || {
            let ended = child.wait();
            let how = ended.map_or_else(|error| error.to_string(), |status| status.to_string());
            output::talk(match *stage.heir.lock() {
                Heir::Serves => format!("the successor has ended ({how}) after it had taken over"),
                _ => format!("the successor has failed ({how}); this stage goes on"),
            });
            is_starting.store(false, Ordering::Release);
        })
    }
}

/// The file that is at the path of this program now.
fn on_disk(program: PathBuf) -> PathBuf {
    match program.as_os_str().as_bytes().strip_suffix(DELETED) {
        Some(path) => OsString::from_vec(path.to_owned()).into(),
        None => program,
    }
}

/// Those of this process, and what makes a successor of it.
fn arguments(own: impl Iterator<Item = OsString>, control: &Path) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = own.filter(|word| word != "--take-over").collect();
    let is_control = |word: &OsString| word.as_bytes().starts_with(b"--control");
    let names_control = arguments.iter().any(is_control);
    // Without a command it is the stage of the binary.
    if !arguments.iter().any(|word| word == "up" || word == "serve") {
        arguments.push("up".into());
    }
    arguments.push("--take-over".into());
    if !names_control {
        arguments.extend(["--control".into(), control.as_os_str().to_owned()]);
    }
    arguments
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(own: &[&str]) -> Vec<OsString> {
        arguments(own.iter().map(OsString::from), Path::new("/run/x.sock"))
    }

    #[test]
    fn a_successor_is_told_where_its_predecessor_is() {
        assert_eq!(of(&[]), ["up", "--take-over", "--control", "/run/x.sock"]);
        let served = of(&["serve", "echo", "--control", "own", "--take-over"]);
        assert_eq!(served, ["serve", "echo", "--control", "own", "--take-over"]);
        let served = of(&["--control=own", "up", "file"]);
        assert_eq!(served, ["--control=own", "up", "file", "--take-over"]);
    }

    #[test]
    fn a_replaced_program_is_the_new_one() {
        assert_eq!(on_disk("/usr/bin/palco (deleted)".into()), Path::new("/usr/bin/palco"));
        assert_eq!(on_disk("/usr/bin/palco".into()), Path::new("/usr/bin/palco"));
    }
}
