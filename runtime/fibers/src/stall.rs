//! What holds an LWP up: the words for it, and what the kernel tells about a thread.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::time::Duration;

/// An LWP that did not come to a scheduling point for longer than a millisecond.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stall {
    /// Which LWP.
    pub lwp: usize,
    /// What runs on it; of a name of more than [`NAME_BYTES_SHOWN`](crate::NAME_BYTES_SHOWN) bytes the end.
    pub running: String,
    /// For at least this long when it was noticed.
    pub since: Duration,
    /// What it does.
    pub state: StallState,
    /// Ready and suspended fibers and ready futures that cannot go on meanwhile.
    pub held: usize,
}

/// What a stalled LWP does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StallState {
    /// It waits in the kernel: a call that belongs into [`blocking`](crate::blocking).
    Blocked {
        /// In which call; none where the kernel does not say.
        system_call: Option<SystemCall>,
    },
    /// It uses its core, or waits for one: work that should yield now and then.
    Computing,
}

/// A system call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SystemCall {
    /// The number, of this architecture.
    pub number: u32,
    /// The name, of calls that are known to block.
    pub name: Option<&'static str>,
}

impl SystemCall {
    pub(crate) fn new(number: u32) -> Self {
        let name = NAMES.iter().find(|(known, _)| *known == number).map(|(_, name)| *name);
        Self { number, name }
    }
}

/// Calls that block (asm/unistd_64.h).
#[cfg(target_arch = "x86_64")]
const NAMES: &[(u32, &str)] = &[
    (0, "read"),
    (1, "write"),
    (7, "poll"),
    (17, "pread64"),
    (19, "readv"),
    (20, "writev"),
    (23, "select"),
    (34, "pause"),
    (35, "nanosleep"),
    (42, "connect"),
    (43, "accept"),
    (44, "sendto"),
    (45, "recvfrom"),
    (46, "sendmsg"),
    (47, "recvmsg"),
    (61, "wait4"),
    (73, "flock"),
    (74, "fsync"),
    (75, "fdatasync"),
    (128, "rt_sigtimedwait"),
    (202, "futex"),
    (230, "clock_nanosleep"),
    (232, "epoll_wait"),
    (247, "waitid"),
    (257, "openat"),
    (270, "pselect6"),
    (271, "ppoll"),
    (281, "epoll_pwait"),
    (288, "accept4"),
    (441, "epoll_pwait2"),
];

/// Calls that block (asm-generic/unistd.h).
#[cfg(not(target_arch = "x86_64"))]
const NAMES: &[(u32, &str)] = &[
    (22, "epoll_pwait"),
    (32, "flock"),
    (56, "openat"),
    (63, "read"),
    (64, "write"),
    (65, "readv"),
    (66, "writev"),
    (67, "pread64"),
    (72, "pselect6"),
    (73, "ppoll"),
    (82, "fsync"),
    (83, "fdatasync"),
    (95, "waitid"),
    (98, "futex"),
    (101, "nanosleep"),
    (115, "clock_nanosleep"),
    (137, "rt_sigtimedwait"),
    (202, "accept"),
    (203, "connect"),
    (206, "sendto"),
    (207, "recvfrom"),
    (211, "sendmsg"),
    (212, "recvmsg"),
    (242, "accept4"),
    (260, "wait4"),
    (441, "epoll_pwait2"),
];

/// Descriptors on what the kernel says about one thread, kept open: reading costs about a microsecond.
#[derive(Debug)]
pub(crate) struct Probe {
    thread: i32,
    stat: File,
    /// Not everywhere readable.
    call: Option<File>,
}

impl Probe {
    pub(crate) fn new(thread: i32) -> Option<Self> {
        let open = |file: &str| File::open(format!("/proc/self/task/{thread}/{file}"));
        Some(Self { thread, stat: open("stat").ok()?, call: open("syscall").ok() })
    }

    pub(crate) fn is_of(&self, thread: i32) -> bool {
        self.thread == thread
    }

    /// None for a thread that has ended.
    pub(crate) fn state(&self) -> Option<StallState> {
        let mut bytes = [0; 512];
        let length = self.stat.read_at(&mut bytes, 0).ok()?;
        match state_letter(&bytes[..length])? {
            b'S' | b'D' => Some(StallState::Blocked { system_call: self.system_call() }),
            _ => Some(StallState::Computing),
        }
    }

    fn system_call(&self) -> Option<SystemCall> {
        let mut bytes = [0; 256];
        let length = self.call.as_ref()?.read_at(&mut bytes, 0).ok()?;
        let text = std::str::from_utf8(&bytes[..length]).ok()?;
        text.split(' ').next()?.parse().ok().map(SystemCall::new)
    }
}

/// The letter behind the name, which is in parentheses and may hold anything (proc_pid_stat(5)).
fn state_letter(stat: &[u8]) -> Option<u8> {
    let close = stat.iter().rposition(|byte| *byte == b')')?;
    stat.get(close + 2).copied()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_bytes_are_read_as_a_state_or_as_none(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            let letter = state_letter(&bytes);
            prop_assert!(letter.is_none_or(|letter| bytes.contains(&letter)));
        }
    }

    #[test]
    fn a_name_with_parentheses_does_not_hide_the_state() {
        assert_eq!(state_letter(b"12 (a) R (b) S 1 2"), Some(b'S'));
        assert_eq!(state_letter(b"12 (a)"), None);
    }

    #[test]
    fn this_thread_computes_while_it_looks_at_itself() {
        let probe = Probe::new(palco_sys::thread_id()).unwrap();
        assert_eq!(probe.state(), Some(StallState::Computing));
    }
}
