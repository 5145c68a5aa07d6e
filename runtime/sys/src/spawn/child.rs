//! What the child does between `clone` and `exec`, in its parent's memory.
//!
//! Only raw system calls: glibc's `setuid` and its siblings would change the ids of all threads of the parent, and a
//! library function may allocate, lock, or believe to be the parent.

use std::ffi::{c_int, c_long, c_void};
use std::io;
use std::sync::atomic::Ordering;

use super::{Ids, Prepared, Start, Step, restrictions};

/// Signals are 1 to this.
const SIGNALS: c_int = 64;
/// What the kernel takes for the size of a set of signals.
const SIGNAL_SET_BYTES: usize = 8;

/// The child's whole life in this program. `argument` is the parent's [`Prepared`].
pub(super) extern "C" fn run(argument: *mut c_void) -> c_int {
    // SAFETY: `start` passes a pointer to its `Prepared`, which lives until this function has ended.
    let prepared = unsafe { &mut *argument.cast::<Prepared<'_>>() };
    let Err((step, errno)) = become_program(prepared);
    let (number, place) = step.number();
    prepared.step.store(number, Ordering::Relaxed);
    prepared.place.store(place, Ordering::Relaxed);
    prepared.errno.store(errno, Ordering::Release);
    // SAFETY: ends this process, without any of the parent's exit handlers.
    unsafe { libc::syscall(libc::SYS_exit_group, 127) };
    127
}

pub(super) type Failed = (Step, i32);
enum Never {}

fn become_program(prepared: &mut Prepared<'_>) -> Result<Never, Failed> {
    reset_handlers();
    let start = prepared.start;
    prepared.environment.write_pid();
    prepared.renumbering.apply()?;
    set_scheduling(start)?;
    set_limits(start)?;
    if let Some(umask) = start.umask {
        // SAFETY: plain system call that cannot fail; the child has no file system state in common with the parent.
        unsafe { libc::syscall(libc::SYS_umask, umask) };
    }
    // As who starts it: groups and mounts take privileges that the ids may not have.
    if let Some(restrictions) = &start.restrictions {
        restrictions.join_groups(&prepared.renumbering)?;
        restrictions.mount_directories()?;
    }
    if let Some(ids) = &start.user {
        set_ids(ids)?;
    }
    if let Some(directory) = &start.directory {
        // SAFETY: a C string that lives throughout the call.
        check(Step::Chdir, unsafe { libc::syscall(libc::SYS_chdir, directory.as_ptr()) })?;
    }
    if let Some(signal) = start.death_signal {
        // After the ids: changing them takes it away.
        // SAFETY: plain system call.
        check(Step::DeathSignal, unsafe {
            libc::syscall(libc::SYS_prctl, libc::PR_SET_PDEATHSIG, c_long::from(signal), 0, 0, 0)
        })?;
    }
    unblock_signals();
    restrictions::restrict(start, &prepared.renumbering)?;
    // SAFETY: C strings and null-terminated arrays of them that live until the new program has taken this one's place.
    check(Step::Exec, unsafe {
        libc::syscall(
            libc::SYS_execve,
            start.program.as_ptr(),
            prepared.arguments.as_ptr(),
            prepared.environment.pointers(),
        )
    })?;
    Err((Step::Exec, libc::EIO))
}

/// Every signal gets its default action: ignored ones would otherwise stay ignored, and handlers are the parent's code.
fn reset_handlers() {
    // All zeroes mean SIG_DFL, no flags and an empty mask, in the layout of every architecture.
    let default = [0_u64; 4];
    for signal in 1..=SIGNALS {
        // SAFETY: `default` is at least as long as the kernel's structure. The child has a table of its own (no
        // CLONE_SIGHAND). SIGKILL and SIGSTOP are refused, which is as it should be.
        unsafe {
            libc::syscall(
                libc::SYS_rt_sigaction,
                c_long::from(signal),
                default.as_ptr(),
                0_usize,
                SIGNAL_SET_BYTES,
            )
        };
    }
}

fn unblock_signals() {
    let none = [0_u64; 1];
    // SAFETY: a set of signals of the size said; the old one is not asked for.
    unsafe {
        libc::syscall(
            libc::SYS_rt_sigprocmask,
            c_long::from(libc::SIG_SETMASK),
            none.as_ptr(),
            0_usize,
            SIGNAL_SET_BYTES,
        )
    };
}

fn set_scheduling(start: &Start) -> Result<(), Failed> {
    if start.new_session {
        // SAFETY: plain system call.
        check(Step::Setsid, unsafe { libc::syscall(libc::SYS_setsid) })?;
    }
    if let Some((policy, priority)) = start.scheduler {
        let parameter = [priority];
        // SAFETY: `sched_param` is one int; it lives throughout the call.
        check(Step::Scheduler, unsafe {
            libc::syscall(
                libc::SYS_sched_setscheduler,
                0_usize,
                c_long::from(policy),
                parameter.as_ptr(),
            )
        })?;
    }
    if let Some(nice) = start.nice {
        // SAFETY: plain system call on the calling process.
        check(Step::Nice, unsafe {
            libc::syscall(
                libc::SYS_setpriority,
                libc::PRIO_PROCESS as c_long,
                0_usize,
                c_long::from(nice),
            )
        })?;
    }
    Ok(())
}

fn set_limits(start: &Start) -> Result<(), Failed> {
    for (place, &(resource, soft, hard)) in start.limits.iter().enumerate() {
        let limit = [soft, hard];
        // SAFETY: `rlimit64` is two 64-bit words; they live throughout the call; the old ones are not asked for.
        check(Step::Limit(place), unsafe {
            libc::syscall(
                libc::SYS_prlimit64,
                0_usize,
                c_long::from(resource),
                limit.as_ptr(),
                0_usize,
            )
        })?;
    }
    Ok(())
}

/// Groups, group, user, in this order: after the user nothing else may be changed.
fn set_ids(ids: &Ids) -> Result<(), Failed> {
    let (uid, gid) = (ids.uid as usize, ids.gid as usize);
    // SAFETY: an array of the length said that lives throughout the call.
    check(Step::Setgroups, unsafe {
        libc::syscall(libc::SYS_setgroups, ids.groups.len(), ids.groups.as_ptr())
    })?;
    // SAFETY: plain system calls, which change the ids of this process alone.
    check(Step::Setgid, unsafe { libc::syscall(libc::SYS_setresgid, gid, gid, gid) })?;
    // SAFETY: as above.
    check(Step::Setuid, unsafe { libc::syscall(libc::SYS_setresuid, uid, uid, uid) })
}

/// The outcome of a system call in the child.
pub(super) fn check(step: Step, result: c_long) -> Result<(), Failed> {
    if result < 0 {
        return Err((step, io::Error::last_os_error().raw_os_error().unwrap_or(libc::EIO)));
    }
    Ok(())
}
