//! Say why a signal ends this process, in memory that another process reads.
//!
//! The handlers only read and write atomics, then let the signal do what it would have done.

use std::ffi::{c_int, c_void};
use std::io;
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU64, Ordering};

use crate::allocator::out_of_memory;

/// The word when an allocation has failed and the process was aborted.
pub const FATAL_OUT_OF_MEMORY: u64 = 1 << 32;
/// The word, less the system call's number in the low half, when a forbidden system call was made.
pub const FATAL_SYSTEM_CALL: u64 = 2 << 32;

static WORD: AtomicPtr<AtomicU64> = AtomicPtr::new(ptr::null_mut());

/// From now on, when `SIGABRT` or `SIGSYS` ends this process, `word` says why: [`FATAL_OUT_OF_MEMORY`], or
/// [`FATAL_SYSTEM_CALL`] plus the number of the system call. It is left alone by an abort for any other reason.
///
/// # Errors
/// The kernel's, when a handler cannot be installed.
pub fn on_fatal_signal(word: &'static AtomicU64) -> io::Result<()> {
    WORD.store(ptr::from_ref(word).cast_mut(), Ordering::Release);
    for signal in [libc::SIGABRT, libc::SIGSYS] {
        // SAFETY: sigaction is a plain C struct for which all zeroes is a valid value.
        let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
        action.sa_sigaction = note as *const () as usize;
        // On the alternative stack, if there is one; and the next time the default action is taken.
        action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_RESETHAND;
        // SAFETY: `action` is initialised, its handler has the signature that SA_SIGINFO asks for.
        if unsafe { libc::sigaction(signal, &raw const action, ptr::null_mut()) } != 0 {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(())
}

/// From now on `SIGSEGV` and `SIGBUS` end this process at once, whoever sends them. Rust's runtime catches both to report
/// an overflow of the stack, and thereby lets the first one pass that `kill` sends.
///
/// # Errors
/// The kernel's.
pub fn reset_memory_faults() -> io::Result<()> {
    for signal in [libc::SIGSEGV, libc::SIGBUS] {
        // SAFETY: sigaction is a plain C struct; all zeroes is the default action with no flags and an empty mask.
        let action: libc::sigaction = unsafe { std::mem::zeroed() };
        // SAFETY: `action` is initialised and has no handler.
        if unsafe { libc::sigaction(signal, &raw const action, ptr::null_mut()) } != 0 {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(())
}

/// The part of the kernel's siginfo that describes a system call.
#[repr(C)]
struct SystemCallInfo {
    signal: c_int,
    errno: c_int,
    code: c_int,
    padding: c_int,
    address: *const c_void,
    number: c_int,
    architecture: u32,
}

extern "C" fn note(signal: c_int, info: *mut libc::siginfo_t, _context: *mut c_void) {
    let reason = if signal == libc::SIGSYS {
        // SAFETY: the kernel's siginfo has 128 bytes; for SIGSYS the first of them are laid out like this.
        let number = unsafe { (*info.cast::<SystemCallInfo>()).number };
        FATAL_SYSTEM_CALL | u64::from(number.unsigned_abs())
    } else if out_of_memory() {
        FATAL_OUT_OF_MEMORY
    } else {
        0
    };
    // SAFETY: null, or a word that lives as long as the program.
    if let Some(word) = unsafe { WORD.load(Ordering::Acquire).as_ref() }
        && reason != 0
    {
        word.store(reason, Ordering::Release);
    }
    // SAFETY: plain system calls. The signal is blocked while its handler runs; afterwards the default action ends the
    // process before the interrupted code goes on.
    unsafe { libc::syscall(libc::SYS_tgkill, libc::getpid(), libc::gettid(), signal) };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::masked::unblock_all;
    use crate::pidfd::{End, open_pidfd, wait_pidfd};
    use crate::shared_words::SharedWords;

    /// Runs `act` in a copy of this process that has only this thread; returns how it ended and the word.
    fn end_of(act: fn()) -> (End, u64) {
        let words: &'static SharedWords = Box::leak(Box::new(SharedWords::create("t", 1).unwrap()));
        // SAFETY: the copy does what is allowed after a fork of a program with threads: it allocates nothing, takes no
        // lock, and ends by a signal.
        let pid = unsafe { libc::fork() };
        if pid == 0 {
            unblock_all();
            let installed = on_fatal_signal(&words.words()[0]).is_ok();
            if installed {
                act();
            }
            // SAFETY: ends the copy.
            unsafe { libc::_exit(9) };
        }
        let end = wait_pidfd(open_pidfd(pid).unwrap()).unwrap();
        (end, words.words()[0].load(Ordering::Acquire))
    }

    #[test]
    fn an_abort_keeps_being_one_and_has_no_reason() {
        // SAFETY: ends the copy.
        let (end, _) = end_of(|| unsafe { libc::abort() });
        assert!(matches!(end, End::Signaled { signal: libc::SIGABRT, .. }), "{end:?}");
    }

    #[test]
    fn a_memory_fault_that_somebody_sends_ends_the_process() {
        let (end, _) = end_of(|| {
            let reset = reset_memory_faults().is_ok();
            // SAFETY: plain system call; ends the copy.
            unsafe {
                libc::kill(libc::getpid(), if reset { libc::SIGSEGV } else { libc::SIGKILL })
            };
        });
        assert!(matches!(end, End::Signaled { signal: libc::SIGSEGV, .. }), "{end:?}");
    }

    #[test]
    fn a_forbidden_system_call_is_named() {
        let send = || {
            let info = SystemCallInfo {
                signal: libc::SIGSYS,
                errno: 0,
                code: -1,
                padding: 0,
                address: ptr::null(),
                number: 101,
                architecture: 0,
            };
            let mut padded = [0_u8; 128];
            // SAFETY: 128 bytes, as the kernel takes; a process may send itself any siginfo.
            unsafe {
                padded.as_mut_ptr().cast::<SystemCallInfo>().write_unaligned(info);
                let (pid, tid) = (libc::getpid(), libc::gettid());
                libc::syscall(libc::SYS_rt_tgsigqueueinfo, pid, tid, libc::SIGSYS, padded.as_ptr());
            }
        };
        let (end, word) = end_of(send);
        assert!(matches!(end, End::Signaled { signal: libc::SIGSYS, .. }), "{end:?}");
        assert_eq!(word & !0xffff_ffff, FATAL_SYSTEM_CALL);
    }
}
