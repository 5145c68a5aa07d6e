//! A round in a copy of this process: whatever it starts ends with it, and what it frees nobody is given again.
//!
//! Runtimes and systems have threads, and not all of them can be joined; some outlive their owner by a second. Whoever
//! forks afterwards needs a process of one thread. So a round runs in a forked copy, which tells what it saw through a
//! pipe and ends at once, with all its threads. The caller never has a second one.

use std::any::Any;
use std::io::{self, PipeReader, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::prctl;
use nix::sys::signal::Signal;
use palco_sys::{End, Forked, exit_at_once, fork_child, open_pidfd, signal_pidfd, wait_pidfd};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Raw, Unavailable};

/// How much longer than its budget a round may take before its copy is ended: it hangs then.
const GRACE: Duration = Duration::from_secs(60);

/// What a round ends with.
pub(crate) type Outcome = Result<Raw, Unavailable>;

/// Runs a round in a copy of this process.
///
/// # Errors
/// What `round` says; or that no copy can be made, since this process has several threads or has reached a limit.
pub(crate) fn apart(budget: Duration, round: impl FnOnce() -> Outcome) -> Outcome {
    match told_by_copy(budget + GRACE, round) {
        Ok(Told::Outcome(outcome)) => outcome,
        Ok(Told::Objection(text)) => Ok(Raw { objection: Some(text), ..Raw::default() }),
        Err(error) => Err(Unavailable(format!(
            "a round runs in a copy of this process, and there is none: {error}"
        ))),
    }
}

enum Told<T> {
    Outcome(T),
    /// Why there is nothing to be believed.
    Objection(String),
}

fn told_by_copy<T: Serialize + DeserializeOwned>(
    limit: Duration,
    work: impl FnOnce() -> T,
) -> io::Result<Told<T>> {
    let (reader, mut writer) = io::pipe()?;
    match fork_child()? {
        Forked::Copy => {
            drop(reader);
            // Should the original die, nobody would wait for this copy any more.
            let _ = prctl::set_pdeathsig(Signal::SIGKILL);
            let told = catch_unwind(AssertUnwindSafe(work)).map_err(|panic| text_of(&*panic));
            let told = serde_json::to_vec(&told).unwrap_or_default();
            let _ = writer.write_all(&told);
            exit_at_once(0)
        }
        Forked::Original { pid } => {
            drop(writer);
            let pidfd = open_pidfd(pid)?;
            let told = read_within(reader, limit);
            if told.is_err() {
                let _ = signal_pidfd(&pidfd, Signal::SIGKILL as i32);
            }
            let end = wait_pidfd(&pidfd)?;
            Ok(understood(told, end))
        }
    }
}

fn text_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "a panic".into())
}

fn understood<T: DeserializeOwned>(told: io::Result<Vec<u8>>, end: End) -> Told<T> {
    let told = match told {
        Ok(told) => told,
        Err(error) => return Told::Objection(format!("the copy that ran the round: {error}")),
    };
    match serde_json::from_slice::<Result<T, String>>(&told) {
        Ok(Ok(outcome)) => Told::Outcome(outcome),
        Ok(Err(panic)) => Told::Objection(format!("the round panicked: {panic}")),
        Err(_) => Told::Objection(match end {
            End::Exited(code) => {
                format!("the copy that ran the round ended with {code} and told nothing")
            }
            End::Signaled { signal, .. } => {
                format!("the copy that ran the round was ended by signal {signal}")
            }
        }),
    }
}

/// All that comes until the other end is closed.
fn read_within(reader: PipeReader, limit: Duration) -> io::Result<Vec<u8>> {
    let deadline = Instant::now() + limit;
    let mut reader =
        io::BufReader::with_capacity(1 << 16, std::fs::File::from(OwnedFd::from(reader)));
    let mut told = Vec::new();
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let mut fds = [PollFd::new(reader.get_ref().as_fd(), PollFlags::POLLIN)];
        match poll(&mut fds, PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX)) {
            Ok(0) => return Err(io::ErrorKind::TimedOut.into()),
            Ok(_) => {}
            Err(Errno::EINTR) => continue,
            Err(errno) => return Err(errno.into()),
        }
        let mut part = [0; 1 << 14];
        match reader.get_mut().read(&mut part)? {
            0 => return Ok(told),
            read => told.extend_from_slice(&part[..read]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_of_several_threads_is_told_that_it_cannot() {
        // Test functions run on threads of their own.
        let why = apart(Duration::ZERO, || unreachable!("nothing is copied")).unwrap_err();
        assert!(why.0.contains("threads"), "{why}");
    }

    fn objection(told: io::Result<Vec<u8>>, end: End) -> String {
        match understood::<u64>(told, end) {
            Told::Outcome(number) => panic!("{number} is believed"),
            Told::Objection(text) => text,
        }
    }

    #[test]
    fn a_copy_that_does_not_tell_to_the_end_is_not_believed() {
        let killed = End::Signaled { signal: 9, core: false };
        assert!(objection(Ok(Vec::new()), killed).contains("signal 9"));
        assert!(objection(Ok(b"{\"Ok\":1".to_vec()), End::Exited(0)).contains("told nothing"));
        assert!(objection(Ok(b"{\"Err\":\"why\"}".to_vec()), End::Exited(0)).contains("why"));
        let late = objection(Err(io::ErrorKind::TimedOut.into()), killed);
        assert!(late.contains("timed out"), "{late}");
        let told = understood::<u64>(Ok(b"{\"Ok\":1}".to_vec()), End::Exited(0));
        assert!(matches!(told, Told::Outcome(1)));
    }

    #[test]
    fn whoever_tells_nothing_is_not_waited_for_for_ever() {
        let (reader, mut writer) = io::pipe().unwrap();
        writer.write_all(b"one").unwrap();
        let error = read_within(reader, Duration::from_millis(1)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }
}
