//! Copy a process that has one thread: as a child, or as a brother (`clone(CLONE_PARENT)`), when it forks for its parent.
//!
//! A brother is the child of the caller's parent, which alone can reap it and whose death its death signal follows.
//! A copy of a program with several threads would find locks held for ever by threads that it does not have; the caller
//! is therefore asked to prove that it has one, each time.

use std::ffi::{c_int, c_long, c_ulong};
use std::fs;
use std::io;
use std::ptr;

/// Who returns from [`fork_brother`] and [`fork_child`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forked {
    /// The caller: this is the new process's id.
    Original {
        /// The id.
        pid: i32,
    },
    /// The new process.
    Copy,
}

/// Copies the calling process. The copy has the same parent.
///
/// # Errors
/// `Deadlock` when the caller has more than one thread; otherwise the kernel's: `EAGAIN` at a limit of processes,
/// `ENOMEM`, `EINVAL` for the first process of a namespace, which has no parent.
pub fn fork_brother() -> io::Result<Forked> {
    refuse_several_threads()?;
    let mut flags = c_ulong::try_from(libc::CLONE_PARENT).map_err(io::Error::other)?;
    let thread_id = thread_id_word();
    if !thread_id.is_null() {
        flags |= (libc::CLONE_CHILD_SETTID | libc::CLONE_CHILD_CLEARTID) as c_ulong;
    }
    // SAFETY: without CLONE_VM and with no stack of its own the copy goes on here, on its copy of this stack. The caller
    // has one thread, so no lock or half-made change of another is copied. The word is the C library's own note of its
    // thread's id, which the copy needs renewed, as `fork` does. The architectures differ in which of the last two
    // arguments the word is; the other one is not looked at (no CLONE_SETTLS).
    let pid = unsafe {
        libc::syscall(
            libc::SYS_clone,
            flags,
            ptr::null_mut::<u8>(),
            ptr::null_mut::<c_int>(),
            thread_id,
            thread_id,
        )
    };
    who_returned(pid)
}

/// Copies the calling process. The copy is its child, which it must reap.
///
/// # Errors
/// As [`fork_brother`].
pub fn fork_child() -> io::Result<Forked> {
    refuse_several_threads()?;
    // SAFETY: the caller has one thread, so no lock or half-made change of another is copied; the C library puts its own
    // affairs in order in the copy.
    who_returned(c_long::from(unsafe { libc::fork() }))
}

fn refuse_several_threads() -> io::Result<()> {
    if is_single_threaded()? {
        return Ok(());
    }
    let text = "a process of several threads must not be copied: their locks would stay held";
    Err(io::Error::new(io::ErrorKind::Deadlock, text))
}

fn who_returned(pid: c_long) -> io::Result<Forked> {
    match pid {
        0 => Ok(Forked::Copy),
        error if error < 0 => Err(io::Error::last_os_error()),
        pid => Ok(Forked::Original { pid: i32::try_from(pid).map_err(io::Error::other)? }),
    }
}

/// Whether the calling thread is the process's only one.
///
/// # Errors
/// The kernel's, when it can be found out neither from it nor from `/proc`.
pub fn is_single_threaded() -> io::Result<bool> {
    // A kernel does nothing at all when a thread group of one is to be unshared, and refuses any other.
    // SAFETY: plain system call without effect on the process.
    if unsafe { libc::unshare(libc::CLONE_THREAD) } == 0 {
        return Ok(true);
    }
    match io::Error::last_os_error().raw_os_error() {
        Some(libc::EINVAL) => Ok(false),
        // A sandbox may forbid the call.
        _ => Ok(fs::read_dir("/proc/self/task")?.take(2).count() == 1),
    }
}

/// Ends the process at once, without what [`exit`](std::process::exit) does before: no handlers that somebody registered
/// for the end, no destructors of libraries, and nothing that is still buffered is written. A copy that inherited all of
/// that from its original would pay for copies of the pages it changes.
pub fn exit_at_once(status: i32) -> ! {
    // SAFETY: plain system call; nothing of this process runs any more.
    unsafe { libc::_exit(status) }
}

/// Where the C library keeps the calling thread's id, if the kernel tells; null otherwise.
fn thread_id_word() -> *mut c_int {
    let mut word: *mut c_int = ptr::null_mut();
    // SAFETY: `word` lives throughout the call; a kernel without the call leaves it alone.
    let told = unsafe { libc::prctl(libc::PR_GET_TID_ADDRESS, &raw mut word) } == 0;
    if !told || word.is_null() {
        return ptr::null_mut();
    }
    // SAFETY: the kernel clears this word of the calling thread when it ends, so it is writable memory of this process.
    let is_id = unsafe { word.read() == libc::gettid() };
    if is_id { word } else { ptr::null_mut() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pidfd::{End, open_pidfd, wait_pidfd};

    #[test]
    fn a_process_of_several_threads_is_not_copied() {
        // Test functions run on threads of their own.
        assert!(!is_single_threaded().unwrap());
        assert_eq!(fork_brother().unwrap_err().kind(), io::ErrorKind::Deadlock);
        assert_eq!(fork_child().unwrap_err().kind(), io::ErrorKind::Deadlock);
    }

    #[test]
    fn an_end_at_once_runs_no_handlers() {
        extern "C" fn handler() {
            // SAFETY: ends the copy.
            unsafe { libc::_exit(1) }
        }
        // SAFETY: the copy allocates nothing and takes no lock but that of `atexit`, which no other test uses.
        let pid = unsafe { libc::fork() };
        if pid == 0 {
            // SAFETY: the handler is a plain function.
            unsafe { libc::atexit(handler) };
            exit_at_once(7);
        }
        assert_eq!(wait_pidfd(open_pidfd(pid).unwrap()).unwrap(), End::Exited(7));
    }

    #[test]
    fn the_word_holds_the_id_of_the_thread() {
        let word = thread_id_word();
        // SAFETY: the word was found to be the calling thread's; gettid cannot fail.
        assert!(word.is_null() || unsafe { word.read() == libc::gettid() });
    }
}
