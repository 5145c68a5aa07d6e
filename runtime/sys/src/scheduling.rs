//! How the kernel shares out processors: real time for the calling thread, and the nice value of any (sched(7)).
//!
//! A nice value belongs to a thread, whatever POSIX says: the kernel takes a thread's id where a process is asked for.

use std::ffi::c_int;
use std::io;

/// How a thread is scheduled now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheduling {
    /// Real time, first in first out, with a priority from 1 to 99: before every thread that is not in real time.
    Fifo(u8),
    /// The usual way, with a nice value from -20 (most) to 19 (least).
    Usual(i8),
    /// In another way; the number is the kernel's.
    Another(i32),
}

/// The kernel's id of the calling thread.
#[must_use]
pub fn thread_id() -> i32 {
    // SAFETY: gettid takes no arguments and cannot fail.
    unsafe { libc::gettid() }
}

/// The calling thread becomes a real-time one of this priority, 1 to 99; what it starts does not.
///
/// # Errors
/// The kernel's: `EPERM` without the right to (`RLIMIT_RTPRIO` or `CAP_SYS_NICE`), or in a control group without
/// real-time budget; `EINVAL` for another priority.
pub fn become_fifo(priority: u8) -> io::Result<()> {
    schedule(0, libc::SCHED_FIFO | libc::SCHED_RESET_ON_FORK, priority)
}

/// The calling thread is scheduled in the usual way again, with the nice value it has.
///
/// # Errors
/// The kernel's.
pub fn become_usual() -> io::Result<()> {
    make_usual(0)
}

/// As [`become_usual`], for any thread; safe in a signal handler.
pub(crate) fn make_usual(thread: i32) -> io::Result<()> {
    // Who may be in real time by `RLIMIT_RTPRIO` alone may leave it, but not take back that children do not inherit it.
    schedule(thread, libc::SCHED_OTHER, 0)
        .or_else(|_| schedule(thread, libc::SCHED_OTHER | libc::SCHED_RESET_ON_FORK, 0))
}

fn schedule(thread: i32, policy: c_int, priority: u8) -> io::Result<()> {
    let parameter = libc::sched_param { sched_priority: priority.into() };
    // SAFETY: `parameter` lives throughout the call.
    if unsafe { libc::sched_setscheduler(thread, policy, &raw const parameter) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// How the thread is scheduled now; 0 is the calling one.
///
/// # Errors
/// The kernel's: `ESRCH` when there is no such thread.
pub fn scheduling_of(thread: i32) -> io::Result<Scheduling> {
    // SAFETY: plain system call.
    let policy = unsafe { libc::sched_getscheduler(thread) };
    if policy < 0 {
        return Err(io::Error::last_os_error());
    }
    match policy & !libc::SCHED_RESET_ON_FORK {
        libc::SCHED_FIFO => {
            let mut parameter = libc::sched_param { sched_priority: 0 };
            // SAFETY: `parameter` lives throughout the call.
            if unsafe { libc::sched_getparam(thread, &raw mut parameter) } != 0 {
                return Err(io::Error::last_os_error());
            }
            let priority = u8::try_from(parameter.sched_priority).map_err(io::Error::other)?;
            Ok(Scheduling::Fifo(priority))
        }
        libc::SCHED_OTHER => nice_of(thread).map(Scheduling::Usual),
        other => Ok(Scheduling::Another(other)),
    }
}

/// Sets the nice value of a thread; 0 is the calling one. Values outside -20 to 19 become the nearest of these.
///
/// # Errors
/// The kernel's: `EACCES` or `EPERM` when it may not be lowered ([`may_set_nice`]) or the thread is somebody else's,
/// `ESRCH` when there is no such thread.
pub fn set_nice(thread: i32, nice: i8) -> io::Result<()> {
    let who = u32::try_from(thread).map_err(|_| no_thread())?;
    // SAFETY: plain system call.
    if unsafe { libc::setpriority(libc::PRIO_PROCESS, who, nice.into()) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// The nice value of a thread; 0 is the calling one.
///
/// # Errors
/// The kernel's: `ESRCH` when there is no such thread.
pub fn nice_of(thread: i32) -> io::Result<i8> {
    let who = u32::try_from(thread).map_err(|_| no_thread())?;
    // By a raw call, which answers 40 to 1: the C library's own needs errno to tell -1 from an error.
    // SAFETY: plain system call.
    let answer = unsafe { libc::syscall(libc::SYS_getpriority, libc::PRIO_PROCESS, who) };
    if answer < 0 {
        return Err(io::Error::last_os_error());
    }
    i8::try_from(20 - answer).map_err(io::Error::other)
}

fn no_thread() -> io::Error {
    io::Error::from_raw_os_error(libc::ESRCH)
}

/// Whether the calling thread may lower a nice value to `nice`: by `RLIMIT_NICE`, or by `CAP_SYS_NICE`, which only counts
/// where the machine gave it and not a user namespace. Whoever raises one asks before, if it is to be undone.
///
/// # Errors
/// The kernel's.
pub fn may_set_nice(nice: i8) -> io::Result<bool> {
    // SAFETY: rlimit is a plain C struct for which all zeroes is a valid value.
    let mut limit: libc::rlimit = unsafe { std::mem::zeroed() };
    // SAFETY: `limit` lives throughout the call.
    if unsafe { libc::getrlimit(libc::RLIMIT_NICE, &raw mut limit) } != 0 {
        return Err(io::Error::last_os_error());
    }
    // getrlimit(2): the least nice value is 20 less the limit.
    let needed = u64::try_from(20 - i64::from(nice)).unwrap_or(0);
    Ok(limit.rlim_cur >= needed || has_cap_sys_nice()?)
}

/// The head of capget(2), which libc does not declare.
#[repr(C)]
struct CapabilityHead {
    version: u32,
    thread: c_int,
}

/// One half of 64 capabilities.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct CapabilityHalf {
    effective: u32,
    permitted: u32,
    inheritable: u32,
}

/// `_LINUX_CAPABILITY_VERSION_3`: two halves.
const CAPABILITY_VERSION: u32 = 0x2008_0522;
const CAP_SYS_NICE: u32 = 23;

fn has_cap_sys_nice() -> io::Result<bool> {
    let mut head = CapabilityHead { version: CAPABILITY_VERSION, thread: 0 };
    let mut halves = [CapabilityHalf::default(); 2];
    // SAFETY: both live throughout the call and are laid out as the version says.
    if unsafe { libc::syscall(libc::SYS_capget, &raw mut head, halves.as_mut_ptr()) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(halves[0].effective & (1 << CAP_SYS_NICE) != 0)
}

#[cfg(test)]
mod tests {
    use std::{fs, thread};

    use super::*;

    #[test]
    fn a_thread_gets_nicer_alone() {
        let before = nice_of(0).unwrap();
        let nicer = thread::spawn(|| {
            set_nice(thread_id(), 7).unwrap();
            (nice_of(0).unwrap(), scheduling_of(thread_id()).unwrap())
        });
        assert_eq!(nicer.join().unwrap(), (7, Scheduling::Usual(7)));
        assert_eq!(nice_of(thread_id()).unwrap(), before);
    }

    #[test]
    fn real_time_is_told_apart_and_given_back() {
        let seen = thread::spawn(|| {
            become_fifo(7)?;
            let obtained = scheduling_of(0)?;
            // What is started by it is not in real time.
            let child = thread::spawn(|| scheduling_of(0)).join().unwrap()?;
            become_usual()?;
            Ok::<_, io::Error>((obtained, child, scheduling_of(0)?))
        });
        match seen.join().unwrap() {
            Ok(seen) => assert_eq!(
                seen,
                (Scheduling::Fifo(7), Scheduling::Usual(0), Scheduling::Usual(nice_of(0).unwrap()))
            ),
            Err(error) => {
                assert_eq!(error.raw_os_error(), Some(libc::EPERM), "{error}");
                println!("real time is not permitted here: {error}");
            }
        }
    }

    #[test]
    fn who_has_lost_the_right_to_real_time_may_leave_it() {
        let left = thread::spawn(|| {
            become_fifo(7)?;
            let mut head = CapabilityHead { version: CAPABILITY_VERSION, thread: 0 };
            let none = [CapabilityHalf::default(); 2];
            // SAFETY: both live throughout the call; this thread alone loses its capabilities, and ends.
            let lost = unsafe { libc::syscall(libc::SYS_capset, &raw mut head, none.as_ptr()) };
            assert_eq!(lost, 0);
            become_usual()?;
            scheduling_of(0)
        });
        match left.join().unwrap() {
            Ok(scheduling) => assert_eq!(scheduling, Scheduling::Usual(nice_of(0).unwrap())),
            Err(error) => {
                assert_eq!(error.raw_os_error(), Some(libc::EPERM), "{error}");
                assert!(become_fifo(7).is_err(), "leaving real time takes no right");
            }
        }
    }

    #[test]
    fn what_is_said_about_rights_is_what_the_kernel_does() {
        let (said, done) = thread::spawn(|| {
            set_nice(0, 5).unwrap();
            (may_set_nice(-3).unwrap(), set_nice(0, -3))
        })
        .join()
        .unwrap();
        assert_eq!(said, done.is_ok(), "{done:?}");
        assert!(may_set_nice(19).unwrap() || !said);
    }

    #[test]
    fn capabilities_are_those_that_proc_shows() {
        let status = fs::read_to_string("/proc/thread-self/status").unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("CapEff:")).unwrap();
        let effective = u64::from_str_radix(line.trim(), 16).unwrap();
        assert_eq!(has_cap_sys_nice().unwrap(), effective & (1 << CAP_SYS_NICE) != 0);
    }

    #[test]
    fn a_thread_that_is_not_there_has_no_scheduling() {
        for thread in [-1, i32::MAX] {
            assert!(scheduling_of(thread).is_err());
            assert_eq!(nice_of(thread).unwrap_err().raw_os_error(), Some(libc::ESRCH));
            assert_eq!(set_nice(thread, 1).unwrap_err().raw_os_error(), Some(libc::ESRCH));
        }
        assert_eq!(become_fifo(0).unwrap_err().raw_os_error(), Some(libc::EINVAL));
    }
}
