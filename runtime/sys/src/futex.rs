//! Sleep until another thread or process says that a word has changed (futex(2)).

use std::io;
use std::ptr;
use std::sync::atomic::AtomicU32;
use std::time::Duration;

/// Who may sleep on a word and wake its sleepers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FutexScope {
    /// The threads of this process: the kernel finds them by the address alone.
    Private,
    /// Every process that maps the word.
    Shared,
}

/// Why a sleep ended, or did not begin. Whoever sleeps looks at the word again in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Woken {
    /// By a wake, or for no reason at all.
    Woken,
    /// The word was not as expected.
    Changed,
    /// By a signal.
    Interrupted,
    /// The time was over.
    TimedOut,
}

/// Sleeps as long as `word` holds `expected` and nobody wakes this thread; for ever without a timeout.
///
/// # Errors
/// The kernel's; none are known for a word that is mapped.
pub fn futex_wait(
    word: &AtomicU32,
    expected: u32,
    scope: FutexScope,
    timeout: Option<Duration>,
) -> io::Result<Woken> {
    let timeout = timeout.map(|timeout| libc::timespec {
        tv_sec: timeout.as_secs().try_into().unwrap_or(libc::time_t::MAX),
        tv_nsec: timeout.subsec_nanos().into(),
    });
    let timeout = timeout.as_ref().map_or(ptr::null(), ptr::from_ref);
    let operation = libc::FUTEX_WAIT | flag(scope);
    // SAFETY: `word` and `timeout` live throughout the call; the kernel reads the word atomically and does not write it.
    let result =
        unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), operation, expected, timeout) };
    if result == 0 {
        return Ok(Woken::Woken);
    }
    let error = io::Error::last_os_error();
    match error.raw_os_error() {
        Some(libc::EAGAIN) => Ok(Woken::Changed),
        Some(libc::EINTR) => Ok(Woken::Interrupted),
        Some(libc::ETIMEDOUT) => Ok(Woken::TimedOut),
        _ => Err(error),
    }
}

/// Wakes at most `most` of those who sleep on `word`; returns how many it woke.
///
/// # Errors
/// The kernel's; none are known for a word that is mapped.
pub fn futex_wake(word: &AtomicU32, most: u32, scope: FutexScope) -> io::Result<u32> {
    let most = most.min(i32::MAX.unsigned_abs());
    let operation = libc::FUTEX_WAKE | flag(scope);
    // SAFETY: `word` lives throughout the call, and the kernel uses no more than its address.
    let woken = unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), operation, most) };
    if woken < 0 {
        return Err(io::Error::last_os_error());
    }
    u32::try_from(woken).map_err(io::Error::other)
}

const fn flag(scope: FutexScope) -> i32 {
    match scope {
        FutexScope::Private => libc::FUTEX_PRIVATE_FLAG,
        FutexScope::Shared => 0,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;
    use std::thread;

    use super::*;

    #[test]
    fn who_finds_another_value_does_not_sleep() {
        let word = AtomicU32::new(1);
        assert_eq!(futex_wait(&word, 0, FutexScope::Private, None).unwrap(), Woken::Changed);
    }

    #[test]
    fn a_sleep_without_a_wake_ends_with_its_time() {
        let word = AtomicU32::new(0);
        let millisecond = Some(Duration::from_millis(1));
        assert_eq!(futex_wait(&word, 0, FutexScope::Shared, millisecond).unwrap(), Woken::TimedOut);
    }

    #[test]
    fn a_wake_ends_a_sleep_and_is_counted() {
        for scope in [FutexScope::Private, FutexScope::Shared] {
            let word = AtomicU32::new(0);
            thread::scope(|threads| {
                let sleeper = threads.spawn(|| futex_wait(&word, 0, scope, Some(Duration::MAX)));
                // The word does not change: only a wake ends this sleep.
                while futex_wake(&word, 1, scope).unwrap() == 0 {
                    thread::yield_now();
                }
                assert_eq!(sleeper.join().unwrap().unwrap(), Woken::Woken);
            });
            word.store(1, Ordering::Relaxed);
            assert_eq!(futex_wake(&word, u32::MAX, scope).unwrap(), 0, "nobody sleeps any more");
        }
    }
}
