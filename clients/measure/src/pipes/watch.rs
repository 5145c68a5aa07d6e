//! Is a thread asleep, and did the kernel put this one to sleep? Both by the kernel's own word, never by a clock.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::time::Instant;

use nix::sys::resource::{UsageWho, getrusage};

use super::Blocked;

/// The state of another thread, of this process or of another.
#[derive(Debug)]
pub(super) struct Watched {
    /// Nothing if it had ended before anybody looked.
    stat: Option<File>,
}

/// What a thread is at, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pose {
    /// In a wait that a signal could interrupt (`S`): that of a full or an empty pipe.
    Asleep,
    /// On its way: it runs, wants to, or waits for something short.
    Awake,
    /// Ended.
    Gone,
}

impl Watched {
    /// The thread with this id.
    pub(super) fn of(thread: i32) -> io::Result<Self> {
        match File::open(format!("/proc/{thread}/stat")) {
            Ok(stat) => Ok(Self { stat: Some(stat) }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self { stat: None }),
            Err(error) => Err(error),
        }
    }

    pub(super) fn pose(&self) -> Pose {
        let mut line = [0; 256];
        // A thread that has ended has no line any more.
        let read = self.stat.as_ref().map(|stat| stat.read_at(&mut line, 0));
        let Some(Ok(len)) = read else { return Pose::Gone };
        match state(&line[..len]) {
            Some(b'S') => Pose::Asleep,
            Some(b'Z' | b'X') | None => Pose::Gone,
            Some(_) => Pose::Awake,
        }
    }
}

/// The letter behind the name, which may hold anything, parentheses too (proc_pid_stat(5)).
fn state(line: &[u8]) -> Option<u8> {
    let name_end = line.iter().rposition(|byte| *byte == b')')?;
    line.get(name_end + 2).copied()
}

/// Makes calls and notes which of them slept.
#[derive(Debug, Default)]
pub(super) struct Meter {
    pub(super) blocked: Blocked,
}

impl Meter {
    pub(super) fn call<T>(&mut self, call: impl FnOnce() -> T) -> io::Result<T> {
        let (before, begin) = (voluntary_switches()?, Instant::now());
        let answer = call();
        let (after, nanos) = (voluntary_switches()?, begin.elapsed().as_nanos());
        if after > before {
            let nanos = u64::try_from(nanos).unwrap_or(u64::MAX);
            self.blocked.calls += 1;
            self.blocked.longest_nanos = self.blocked.longest_nanos.max(nanos);
            self.blocked.total_nanos = self.blocked.total_nanos.saturating_add(nanos);
        }
        Ok(answer)
    }
}

/// How often the calling thread has given its processor up because it had to wait.
fn voluntary_switches() -> io::Result<i64> {
    Ok(getrusage(UsageWho::RUSAGE_THREAD)?.voluntary_context_switches())
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write, pipe};
    use std::sync::mpsc;
    use std::thread;

    use super::*;

    #[test]
    fn the_state_is_behind_the_last_parenthesis() {
        assert_eq!(state(b"17 (a) b) (c) S 1 17"), Some(b'S'));
        assert_eq!(state(b"17 (a"), None);
        assert_eq!(state(b"17 (a)"), None);
    }

    #[test]
    fn a_read_of_an_empty_pipe_is_seen_asleep_and_counted() {
        let (mut reader, mut writer) = pipe().unwrap();
        let (tell, told) = mpsc::channel();
        let blocked = thread::spawn(move || {
            tell.send(palco_sys::thread_id()).unwrap();
            let mut meter = Meter::default();
            meter.call(|| reader.read(&mut [0])).unwrap().unwrap();
            meter.blocked
        });
        let watched = Watched::of(told.recv().unwrap()).unwrap();
        while watched.pose() != Pose::Asleep {
            thread::yield_now();
        }
        writer.write_all(&[1]).unwrap();
        let blocked = blocked.join().unwrap();
        assert_eq!(blocked.calls, 1);
        assert!(blocked.longest_nanos > 0 && blocked.longest_nanos == blocked.total_nanos);
        while watched.pose() != Pose::Gone {
            thread::yield_now();
        }
    }

    #[test]
    fn a_call_that_returns_at_once_is_not_counted() {
        let mut meter = Meter::default();
        for _ in 0..1000 {
            meter.call(palco_sys::thread_id).unwrap();
        }
        assert_eq!(meter.blocked, Blocked::default());
    }
}
