//! A signal to one thread, which takes it when it waits for it and not before.

use std::ffi::c_int;
use std::io;
use std::marker::PhantomData;
use std::ptr;

/// A signal that is blocked for the calling thread, and waited for; as it was before when this is dropped, and forgotten
/// if it is still pending then. Cannot leave its thread.
#[derive(Debug)]
pub struct AwaitedSignal {
    signal: c_int,
    was_blocked: bool,
    stays_on_its_thread: PhantomData<*const ()>,
}

impl AwaitedSignal {
    /// Blocks the signal for the calling thread.
    ///
    /// # Errors
    /// The kernel's: `EINVAL` for a number that no signal has.
    pub fn block(signal: i32) -> io::Result<Self> {
        let (set, mut before) = (set_of(signal)?, empty_set());
        // SAFETY: both sets live throughout the call.
        let error =
            unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, &raw const set, &raw mut before) };
        if error != 0 {
            return Err(io::Error::from_raw_os_error(error));
        }
        // SAFETY: the set is initialised, the number was found to be valid.
        let was_blocked = unsafe { libc::sigismember(&raw const before, signal) } == 1;
        Ok(Self { signal, was_blocked, stays_on_its_thread: PhantomData })
    }

    /// Waits until it comes, and takes it.
    ///
    /// # Errors
    /// `Interrupted` when a handler of another signal has run.
    pub fn wait(&self) -> io::Result<()> {
        let set = set_of(self.signal)?;
        // Not `sigwait`, which starts again by itself when it is interrupted.
        // SAFETY: the set lives throughout the call; what is known of the signal is not asked for.
        let taken = unsafe { libc::sigwaitinfo(&raw const set, ptr::null_mut()) };
        if taken < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }

    /// Takes it if it is pending.
    fn forget(&self) {
        let Ok(set) = set_of(self.signal) else { return };
        let now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: both live throughout the call.
        while unsafe { libc::sigtimedwait(&raw const set, ptr::null_mut(), &raw const now) } > 0 {}
    }
}

impl Drop for AwaitedSignal {
    fn drop(&mut self) {
        self.forget();
        if let (false, Ok(set)) = (self.was_blocked, set_of(self.signal)) {
            // SAFETY: the set lives throughout the call; the old one is not asked for.
            unsafe { libc::pthread_sigmask(libc::SIG_UNBLOCK, &raw const set, ptr::null_mut()) };
        }
    }
}

/// Sends a signal to one thread of a process.
///
/// # Errors
/// The kernel's: `ESRCH` when there is no such thread in that process, `EINVAL` for a number that no signal has, `EPERM`.
pub fn signal_thread(process: i32, thread: i32, signal: i32) -> io::Result<()> {
    // SAFETY: plain system call.
    let sent = unsafe { libc::syscall(libc::SYS_tgkill, process, thread, signal) };
    if sent < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

fn empty_set() -> libc::sigset_t {
    // SAFETY: sigset_t is a plain C struct for which all zeroes is a valid value: the empty set.
    unsafe { std::mem::zeroed() }
}

fn set_of(signal: c_int) -> io::Result<libc::sigset_t> {
    let mut set = empty_set();
    // SAFETY: the set lives throughout the call, which checks the number.
    if unsafe { libc::sigaddset(&raw mut set, signal) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(set)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scheduling::thread_id;

    #[test]
    fn a_signal_to_one_thread_is_taken_by_its_wait() {
        let process = i32::try_from(std::process::id()).unwrap();
        let here = thread_id();
        let own = AwaitedSignal::block(libc::SIGUSR2).unwrap();
        let other = std::thread::spawn(move || signal_thread(process, here, libc::SIGUSR2));
        own.wait().unwrap();
        other.join().unwrap().unwrap();
    }

    #[test]
    fn what_was_not_waited_for_does_no_harm() {
        let process = i32::try_from(std::process::id()).unwrap();
        let signal = AwaitedSignal::block(libc::SIGUSR2).unwrap();
        signal_thread(process, thread_id(), libc::SIGUSR2).unwrap();
        // Its default action would end this process.
        drop(signal);
    }

    #[test]
    fn what_is_not_there_is_told() {
        assert!(AwaitedSignal::block(4711).is_err());
        let process = i32::try_from(std::process::id()).unwrap();
        let gone = signal_thread(process, i32::MAX, libc::SIGUSR2).unwrap_err();
        assert_eq!(gone.raw_os_error(), Some(libc::ESRCH));
    }
}
