//! Who holds up an LWP: looked for from outside, without the fiber's help.
//!
//! An LWP counts the pieces of work it takes. If the count stands still while something runs, the kernel is asked what
//! the thread does: `/proc/self/task/TID/stat` through a descriptor that is kept (1.25 µs a look), and for one that
//! waits, which system call it waits in.

use std::collections::HashMap;
use std::fmt;
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use crate::lwp::Home;
use crate::pool::start_spare;
use crate::shared::Shared;

/// How often LWPs are looked at while any of them runs.
const LOOK_EVERY: Duration = Duration::from_millis(1);

/// The same, while all have slept for a while.
const LOOK_RARELY: Duration = Duration::from_millis(10);

/// A longer turn than this is a stall.
const TURN_MAX: Duration = Duration::from_millis(2);

/// Names of which stalls are counted.
const NAMES_MAX: usize = 256;

/// A fiber that holds up its LWP.
#[derive(Clone, Debug)]
pub struct Stall {
    /// The fiber's name, or the actor's path.
    pub running: Arc<str>,
    /// The number of its LWP.
    pub lwp: usize,
    /// For how long it has had the LWP to itself.
    pub since: Duration,
    /// What it does.
    pub state: Standstill,
}

/// What a thread does that makes no progress through its queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standstill {
    /// It waits in the kernel, in this system call.
    Blocked {
        /// The call's name, or its number where palco knows no name.
        system_call: String,
    },
    /// It computes.
    Computing,
}

/// What has been noticed.
#[derive(Default)]
pub(crate) struct Stalls {
    now: AtomicUsize,
    counts: Mutex<HashMap<Arc<str>, u64>>,
    tell: Option<Tell>,
    ended: Mutex<bool>,
    has_ended: Condvar,
    is_started: AtomicBool,
}

pub(crate) type Tell = Arc<dyn Fn(&Stall) + Send + Sync>;

impl Stalls {
    pub(crate) fn new(tell: Option<Tell>) -> Self {
        Self { tell, ..Self::default() }
    }

    /// Whether an LWP is blocked now.
    pub(crate) fn are_there(&self) -> bool {
        self.now.load(Ordering::SeqCst) > 0
    }

    /// How often each name has stalled its LWP.
    pub(crate) fn counts(&self) -> Vec<(Arc<str>, u64)> {
        self.counts.lock().iter().map(|(name, count)| (Arc::clone(name), *count)).collect()
    }

    pub(crate) fn stop(&self) {
        *self.ended.lock() = true;
        self.has_ended.notify_all();
    }

    /// The watchdog's thread begins; true the first time.
    pub(crate) fn begin(&self) -> bool {
        !self.is_started.swap(true, Ordering::SeqCst)
    }

    fn note(&self, stall: &Stall) {
        {
            let mut counts = self.counts.lock();
            if counts.len() < NAMES_MAX || counts.contains_key(&stall.running) {
                *counts.entry(Arc::clone(&stall.running)).or_default() += 1;
            }
        }
        if let Some(tell) = &self.tell {
            tell(stall);
        }
    }

    /// Waits; false when the pool stops.
    fn pause(&self, duration: Duration) -> bool {
        let mut ended = self.ended.lock();
        if !*ended {
            self.has_ended.wait_for(&mut ended, duration);
        }
        !*ended
    }
}

/// One LWP as the watchdog last saw it.
struct Seen {
    turns: u64,
    since: Instant,
    /// It has been reported, and counts as stuck until it goes on.
    stuck: Option<Standstill>,
    stat: Option<(i32, File)>,
}

/// Looks at the LWPs until the pool stops.
pub(crate) fn watch(shared: &Arc<Shared>) {
    let now = Instant::now();
    let mut seen: Vec<Seen> = shared
        .homes
        .iter()
        .map(|_| Seen { turns: 0, since: now, stuck: None, stat: None })
        .collect();
    loop {
        let is_quiet = shared.homes.iter().all(|home| home.running().is_none());
        if !shared.stalls.pause(if is_quiet { LOOK_RARELY } else { LOOK_EVERY }) {
            return;
        }
        for (home, seen) in shared.homes.iter().zip(&mut seen) {
            look(shared, home, seen);
        }
    }
}

fn look(shared: &Arc<Shared>, home: &Home, seen: &mut Seen) {
    let (turns, running) = (home.turns(), home.running());
    let now = Instant::now();
    if turns != seen.turns || running.is_none() {
        seen.turns = turns;
        seen.since = now;
        if matches!(seen.stuck.take(), Some(Standstill::Blocked { .. })) {
            shared.stalls.now.fetch_sub(1, Ordering::SeqCst);
        }
        return;
    }
    let since = now - seen.since;
    if since < TURN_MAX || seen.stuck.is_some() {
        return;
    }
    let (Some(thread), Some(name)) =
        (home.thread(), running.and_then(|name| shared.names.of(name)))
    else {
        return;
    };
    let Some(state) = standstill(thread, &mut seen.stat) else { return };
    if home.turns() != turns {
        return; // it has gone on meanwhile
    }
    if matches!(state, Standstill::Blocked { .. }) {
        shared.stalls.now.fetch_add(1, Ordering::SeqCst);
        // What has not begun yet goes on elsewhere.
        let others =
            shared.homes.iter().filter(|other| !other.is_spare && other.index != home.index);
        let is_any_free =
            others.clone().any(|other| other.is_asleep() || other.running().is_none());
        if is_any_free {
            shared.rouse_one();
        } else {
            start_spare(shared);
        }
    }
    seen.stuck = Some(state.clone());
    shared.stalls.note(&Stall { running: name, lwp: home.index, since, state });
}

/// What the kernel says the thread does; nothing when it is gone.
fn standstill(thread: i32, kept: &mut Option<(i32, File)>) -> Option<Standstill> {
    if kept.as_ref().is_none_or(|(of, _)| *of != thread) {
        let stat = File::open(format!("/proc/self/task/{thread}/stat")).ok()?;
        *kept = Some((thread, stat));
    }
    let mut text = [0; 256];
    let (_, stat) = kept.as_ref()?;
    let read = stat.read_at(&mut text, 0).ok()?;
    match state_of(&text[..read])? {
        b'R' => Some(Standstill::Computing),
        b'S' | b'D' => {
            let call = fs::read_to_string(format!("/proc/self/task/{thread}/syscall"));
            let number = call.ok().and_then(|call| call.split(' ').next()?.parse().ok());
            let system_call = number.map_or_else(|| "an unknown call".to_owned(), name_of_call);
            Some(Standstill::Blocked { system_call })
        }
        _ => None,
    }
}

/// The state in a line of `stat`: the field behind the name, which may hold anything but ends at the last `)`.
fn state_of(stat: &[u8]) -> Option<u8> {
    let behind = stat.iter().rposition(|byte| *byte == b')')?;
    stat.get(behind + 2).copied()
}

/// Calls that block, by their numbers on this architecture.
fn name_of_call(number: i64) -> String {
    let known = [
        (libc::SYS_read, "read"),
        (libc::SYS_write, "write"),
        (libc::SYS_readv, "readv"),
        (libc::SYS_writev, "writev"),
        (libc::SYS_pread64, "pread64"),
        (libc::SYS_recvfrom, "recvfrom"),
        (libc::SYS_recvmsg, "recvmsg"),
        (libc::SYS_sendto, "sendto"),
        (libc::SYS_sendmsg, "sendmsg"),
        (libc::SYS_accept, "accept"),
        (libc::SYS_accept4, "accept4"),
        (libc::SYS_connect, "connect"),
        (libc::SYS_futex, "futex"),
        (libc::SYS_nanosleep, "nanosleep"),
        (libc::SYS_clock_nanosleep, "clock_nanosleep"),
        (libc::SYS_ppoll, "ppoll"),
        (libc::SYS_pselect6, "pselect6"),
        (libc::SYS_epoll_pwait, "epoll_pwait"),
        (libc::SYS_wait4, "wait4"),
        (libc::SYS_waitid, "waitid"),
        (libc::SYS_flock, "flock"),
        (libc::SYS_fcntl, "fcntl"),
        (libc::SYS_fsync, "fsync"),
        (libc::SYS_fdatasync, "fdatasync"),
        (libc::SYS_msgrcv, "msgrcv"),
        (libc::SYS_semtimedop, "semtimedop"),
        (libc::SYS_mq_timedreceive, "mq_timedreceive"),
        (libc::SYS_openat, "openat"),
        (libc::SYS_rt_sigtimedwait, "rt_sigtimedwait"),
    ];
    let name = known.iter().find(|(known, _)| *known == number).map(|(_, name)| *name);
    #[cfg(target_arch = "x86_64")]
    let name = name.or(match number {
        libc::SYS_poll => Some("poll"),
        libc::SYS_select => Some("select"),
        libc::SYS_epoll_wait => Some("epoll_wait"),
        libc::SYS_open => Some("open"),
        libc::SYS_pause => Some("pause"),
        _ => None,
    });
    name.map_or_else(|| format!("system call {number}"), str::to_owned)
}

/// The thread that watches.
pub(crate) fn start(shared: &Arc<Shared>) -> std::io::Result<thread::JoinHandle<()>> {
    let shared = Arc::clone(shared);
    palco_threads::spawn_named("palco-watchdog", palco_threads::STACK_BYTES_DEFAULT, move || {
        watch(&shared);
    })
}

impl fmt::Display for Standstill {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Blocked { system_call } => {
                write!(f, "blocked in {system_call}: wrap the call in `blocking`")
            }
            Self::Computing => f.write_str(
                "computes without a checkpoint: let it call one, or move it to a thread",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_is_found_behind_any_name() {
        assert_eq!(state_of(b"17 (palco-lwp-0) S 1 17"), Some(b'S'));
        assert_eq!(state_of(b"17 (a) R (b) D 1"), Some(b'D'));
        assert_eq!(state_of(b"17 (cut"), None);
        assert_eq!(state_of(b""), None);
    }

    #[test]
    fn calls_without_a_name_have_a_number() {
        assert_eq!(name_of_call(libc::SYS_read), "read");
        assert_eq!(name_of_call(99_999), "system call 99999");
    }
}
