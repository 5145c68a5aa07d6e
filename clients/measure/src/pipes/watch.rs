//! Is a thread asleep, and did the kernel put this one to sleep? Both by the kernel's own word, never by a clock.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::time::Instant;

use nix::sys::resource::{UsageWho, getrusage};

use super::Blocked;

/// Another thread, of this process or of another, as `/proc` shows it.
#[derive(Debug)]
pub(super) struct Watched {
    /// Nothing if it had ended before anybody looked.
    status: Option<File>,
}

/// What a thread is at, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pose {
    /// In a wait that a signal could interrupt (`S`): that of a full or an empty pipe. The state alone proves no sleep: it
    /// is entered just before the processor is given up, and whoever is woken in between never gives it up. The count
    /// does.
    Asleep {
        /// Voluntary switches so far, by the kernel's count.
        switches: u64,
    },
    /// On its way: it runs, wants to, or waits for something short.
    Awake,
    /// Ended.
    Gone,
}

impl Watched {
    /// The thread with this id.
    pub(super) fn of(thread: i32) -> io::Result<Self> {
        match File::open(format!("/proc/{thread}/status")) {
            Ok(status) => Ok(Self { status: Some(status) }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self { status: None }),
            Err(error) => Err(error),
        }
    }

    pub(super) fn pose(&self) -> Pose {
        let mut text = [0; 4096];
        // A thread that has ended has no lines any more.
        let read = self.status.as_ref().map(|status| status.read_at(&mut text, 0));
        let Some(Ok(len)) = read else { return Pose::Gone };
        pose(&String::from_utf8_lossy(&text[..len]))
    }
}

/// By proc_pid_status(5). The first line is the name, which cannot contain a line's end.
fn pose(status: &str) -> Pose {
    let value = |name| status.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    let switches = value("voluntary_ctxt_switches:").and_then(|number| number.parse().ok());
    match (value("State:").and_then(|state| state.chars().next()), switches) {
        (Some('S'), Some(switches)) => Pose::Asleep { switches },
        (Some('Z' | 'X') | None, _) => Pose::Gone,
        (Some(_), _) => Pose::Awake,
    }
}

/// Makes calls and notes over which of them the thread's count of voluntary switches grew.
#[derive(Debug, Default)]
pub(super) struct Meter {
    pub(super) blocked: Blocked,
    /// The count up to which a call has been noted.
    pub(super) switches: u64,
}

impl Meter {
    /// What was counted up to now belongs to no call.
    pub(super) fn begin(&mut self) -> io::Result<()> {
        self.switches = voluntary_switches()?;
        Ok(())
    }

    /// A call, and nothing before it.
    pub(super) fn call<T>(&mut self, call: impl FnOnce() -> T) -> io::Result<T> {
        self.begin()?;
        self.next_call(call)
    }

    /// A call, and what was counted since the last one. So whoever sees a higher count than [`Meter::switches`] during it
    /// knows that it will be noted.
    pub(super) fn next_call<T>(&mut self, call: impl FnOnce() -> T) -> io::Result<T> {
        let begin = Instant::now();
        let answer = call();
        let (after, nanos) = (voluntary_switches()?, begin.elapsed().as_nanos());
        if after > self.switches {
            let nanos = u64::try_from(nanos).unwrap_or(u64::MAX);
            self.switches = after;
            self.blocked.calls += 1;
            self.blocked.longest_nanos = self.blocked.longest_nanos.max(nanos);
            self.blocked.total_nanos = self.blocked.total_nanos.saturating_add(nanos);
        }
        Ok(answer)
    }
}

/// How often the calling thread has given its processor up because it had to wait.
fn voluntary_switches() -> io::Result<u64> {
    let switches = getrusage(UsageWho::RUSAGE_THREAD)?.voluntary_context_switches();
    u64::try_from(switches).map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write, pipe};
    use std::sync::mpsc;
    use std::thread;

    use super::*;

    #[test]
    fn a_pose_is_a_state_and_a_count() {
        let status = "Name:\tState: Z\nState:\tS (sleeping)\nvoluntary_ctxt_switches:\t17\n";
        assert_eq!(pose(status), Pose::Asleep { switches: 17 });
        assert_eq!(pose("Name:\tx\nState:\tD (disk sleep)\n"), Pose::Awake);
        assert_eq!(pose("Name:\tx\nState:\tZ (zombie)\n"), Pose::Gone);
        assert_eq!(pose(""), Pose::Gone);
    }

    #[test]
    fn a_read_of_an_empty_pipe_is_seen_asleep_and_counted() {
        let (mut reader, mut writer) = pipe().unwrap();
        let (tell, told) = mpsc::channel();
        let blocked = thread::spawn(move || {
            let mut meter = Meter::default();
            meter.begin().unwrap();
            tell.send((palco_sys::thread_id(), meter.switches)).unwrap();
            meter.next_call(|| reader.read(&mut [0])).unwrap().unwrap();
            meter.blocked
        });
        let (thread, before) = told.recv().unwrap();
        let watched = Watched::of(thread).unwrap();
        while !matches!(watched.pose(), Pose::Asleep { switches } if switches > before) {
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
