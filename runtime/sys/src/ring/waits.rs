//! Waiting for the peer: first by looking, then asleep on a futex.

use std::io;
use std::sync::atomic::AtomicU64;
use std::thread;
use std::time::Duration;

/// What the word of a sleeper holds. The kernel looks at 32 bits of it: both halves are the same, so it does not matter
/// which half a machine keeps first.
pub(super) const ASLEEP: u64 = 1 << 32 | 1;

const ASLEEP_HALF: u32 = 1;

/// How many times to look before sleeping.
const SPINS: u32 = 2000;

/// How often an end should look for input before it sleeps: 0 when the process may use one core only, since the peer
/// cannot write while this end looks. Reads the affinity mask and the quota of the control group: ask once.
#[must_use]
pub fn spin_budget() -> u32 {
    spins_with(thread::available_parallelism().map_or(1, usize::from))
}

const fn spins_with(cores: usize) -> u32 {
    if cores > 1 { SPINS } else { 0 }
}

/// Sleeps while `word` is [`ASLEEP`]; returns at once if it is not, and also at a wake, at a signal and at the timeout.
pub(super) fn futex_wait(word: &AtomicU64, timeout: Option<Duration>) -> io::Result<()> {
    let timeout = timeout.map(|timeout| libc::timespec {
        tv_sec: timeout.as_secs().try_into().unwrap_or(libc::time_t::MAX),
        tv_nsec: timeout.subsec_nanos().into(),
    });
    let timeout = timeout.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
    // SAFETY: `word` and `timeout` live throughout the call; the first half of an aligned 64-bit word is an aligned 32-bit
    // word, which the kernel reads atomically and does not write. Not FUTEX_PRIVATE: the waker is another process.
    let result = unsafe {
        libc::syscall(libc::SYS_futex, word.as_ptr(), libc::FUTEX_WAIT, ASLEEP_HALF, timeout)
    };
    if result == 0 {
        return Ok(());
    }
    let error = io::Error::last_os_error();
    match error.raw_os_error() {
        Some(libc::EAGAIN | libc::EINTR | libc::ETIMEDOUT) => Ok(()),
        _ => Err(error),
    }
}

/// Wakes the one that sleeps on `word`, if it does.
pub(super) fn futex_wake(word: &AtomicU64) {
    // SAFETY: `word` lives throughout the call, and the kernel uses no more than its address. It cannot fail for an address
    // that is mapped and aligned.
    unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), libc::FUTEX_WAKE, 1) };
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use super::*;

    #[test]
    fn one_core_is_not_spent_on_looking() {
        assert_eq!(spins_with(1), 0);
        assert_eq!(spins_with(2), SPINS);
        assert!([0, SPINS].contains(&spin_budget()));
    }

    #[test]
    fn who_is_not_asleep_does_not_sleep() {
        futex_wait(&AtomicU64::new(0), None).unwrap();
    }

    #[test]
    fn a_sleep_without_a_wake_ends_with_its_time() {
        let word = AtomicU64::new(ASLEEP);
        futex_wait(&word, Some(Duration::from_millis(1))).unwrap();
        futex_wait(&word, Some(Duration::ZERO)).unwrap();
    }

    #[test]
    fn a_wake_ends_a_sleep_of_any_length() {
        for timeout in [None, Some(Duration::MAX)] {
            let word = AtomicU64::new(ASLEEP);
            thread::scope(|scope| {
                let sleeper = scope.spawn(|| futex_wait(&word, timeout));
                word.store(0, Ordering::SeqCst);
                while !sleeper.is_finished() {
                    futex_wake(&word);
                    thread::yield_now();
                }
                sleeper.join().unwrap().unwrap();
            });
        }
    }
}
