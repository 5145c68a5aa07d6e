//! Programs that are started: nodes that last, and commands that end.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use palco_processes::{Child, Launch, Signal, Spawner};

use crate::VerifyError;

/// Between two looks.
pub(crate) const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Bytes of a program's last words that are shown, at most.
const WORDS_BYTES_MAX: usize = 600;

/// A process that lasts; killed and reaped when dropped, and by the kernel when this process ends in any other way.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    said: PathBuf,
    /// Where in the file its own words begin.
    from: u64,
}

impl Process {
    /// What it says is appended to a file.
    pub(crate) fn start(launch: Launch, said: &Path) -> Result<Self, VerifyError> {
        let open = || {
            let file = File::options().append(true).create(true).open(said);
            file.map_err(VerifyError::system(format!("write {}", said.display())))
        };
        let (out, error) = (open()?, open()?);
        let from = out.metadata().map_or(0, |of| of.len());
        let launch = launch
            .quiet_stdin()
            .new_session()
            .fd(1, out)
            .fd(2, error)
            .death_signal(Signal::SIGKILL);
        let spawner = Spawner::new().map_err(VerifyError::system("start programs"))?;
        let child = spawner.spawn_blocking(launch).map_err(|error| VerifyError::Command {
            command: "palco node".to_owned(),
            said: error.to_string(),
        })?;
        Ok(Self { child, said: said.to_owned(), from })
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    pub(crate) fn signal(&self, signal: Signal) -> Result<(), VerifyError> {
        self.child.signal(signal).map_err(VerifyError::system(format!("send {signal}")))
    }

    /// What it has said in this life.
    pub(crate) fn said(&self) -> String {
        let mut bytes = Vec::new();
        if let Ok(mut file) = File::open(&self.said)
            && file.seek(SeekFrom::Start(self.from)).is_ok()
        {
            let _ = file.read_to_end(&mut bytes);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Its last words, for people.
    pub(crate) fn last_words(&self) -> String {
        ending(&self.said())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Refused only when it has ended already. What is stopped can be killed too.
        let _ = self.child.signal(Signal::SIGKILL);
        let _ = self.child.wait();
    }
}

fn ending(text: &str) -> String {
    let text = text.trim();
    let mut from = text.len().saturating_sub(WORDS_BYTES_MAX);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    match &text[from..] {
        "" => "it has said nothing".to_owned(),
        words => words.to_owned(),
    }
}

/// Runs a command to its end, which it must reach within this time, and returns what it prints.
pub(crate) fn output(mut command: Command, within: Duration) -> Result<String, VerifyError> {
    let name = || {
        let words = std::iter::once(command.get_program()).chain(command.get_args());
        words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
    };
    let name = name();
    let failed = |source| VerifyError::System { what: format!("run `{name}`"), source };
    // Files take as much as it says, however late it is read.
    let (mut out, mut error) =
        (tempfile::tempfile().map_err(failed)?, tempfile::tempfile().map_err(failed)?);
    command.stdin(Stdio::null());
    command.stdout(out.try_clone().map_err(failed)?).stderr(error.try_clone().map_err(failed)?);
    let mut child = command.spawn().map_err(failed)?;
    let begun = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().map_err(failed)? {
            break Some(status);
        }
        if begun.elapsed() > within {
            let _ = child.kill();
            let _ = child.wait();
            break None;
        }
        sleep(LOOK_EVERY);
    };
    let read = |file: &mut File| {
        let mut bytes = Vec::new();
        file.rewind().and_then(|()| file.read_to_end(&mut bytes)).map_err(failed)?;
        Ok::<_, VerifyError>(String::from_utf8_lossy(&bytes).into_owned())
    };
    let (said, complained) = (read(&mut out)?, read(&mut error)?);
    match status {
        Some(status) if status.success() => Ok(said),
        Some(_) => Err(VerifyError::Command { command: name, said: ending(&(complained + &said)) }),
        None => Err(VerifyError::Late {
            what: format!("the end of `{name}`"),
            within,
            why: ending(&complained),
        }),
    }
}

/// Runs a program of the system by name, for at most half a minute.
pub(crate) fn run(words: &[&str]) -> Result<String, VerifyError> {
    let mut command = Command::new(words[0]);
    command.args(&words[1..]);
    output(command, Duration::from_secs(30))
}

/// Where a program of this name is, if it is somewhere in `PATH`, or where only root looks.
pub(crate) fn found(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let more = ["/usr/sbin", "/sbin"].map(PathBuf::from);
    let found = std::env::split_paths(&path).chain(more).map(|folder| folder.join(name));
    found.into_iter().find(|file| fs::metadata(file).is_ok_and(|file| file.is_file()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_says_what_it_printed_or_why_it_failed() {
        assert_eq!(run(&["sh", "-c", "echo yes"]).unwrap(), "yes\n");
        let error = run(&["sh", "-c", "echo no >&2; exit 3"]).unwrap_err().to_string();
        assert!(error.contains("sh -c") && error.contains("no"), "{error}");
    }

    #[test]
    fn a_command_that_does_not_end_is_ended() {
        let mut command = Command::new("sleep");
        command.arg("1000000");
        let error = output(command, Duration::from_millis(20)).unwrap_err();
        assert!(matches!(error, VerifyError::Late { .. }), "{error}");
    }

    #[test]
    fn a_process_is_gone_when_it_is_dropped_even_if_it_was_stopped() {
        let directory = tempfile::tempdir().unwrap();
        let launch = Launch::new("/bin/sleep").arg("1000000");
        let process = Process::start(launch, &directory.path().join("said")).unwrap();
        let folder = format!("/proc/{}", process.child.pid());
        process.signal(Signal::SIGSTOP).unwrap();
        assert!(Path::new(&folder).exists());
        drop(process);
        assert!(!Path::new(&folder).exists());
    }
}
