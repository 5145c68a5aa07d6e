//! Block every signal of the calling thread for a while, those of the C library too.

use std::ffi::c_long;

/// What the kernel takes for the size of a set of signals.
const SET_BYTES: usize = 8;

/// All signals are blocked until this is dropped; then they are as they were before.
pub(crate) struct AllSignalsBlocked {
    before: u64,
}

impl AllSignalsBlocked {
    pub(crate) fn new() -> Self {
        // By a raw call: the C library's own never blocks the signals that it keeps for itself.
        Self { before: set(u64::MAX) }
    }
}

impl Drop for AllSignalsBlocked {
    fn drop(&mut self) {
        set(self.before);
    }
}

/// For tests of what signals do, also where this program was started with signals blocked.
#[cfg(test)]
pub(crate) fn unblock_all() {
    set(0);
}

/// Sets the calling thread's mask and returns the one before.
fn set(mask: u64) -> u64 {
    let mut before = 0_u64;
    // SAFETY: two sets of signals of the size said that live throughout the call.
    unsafe {
        libc::syscall(
            libc::SYS_rt_sigprocmask,
            c_long::from(libc::SIG_SETMASK),
            &raw const mask,
            &raw mut before,
            SET_BYTES,
        )
    };
    before
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mask_is_restored() {
        let before = set(1 << (libc::SIGUSR1 - 1));
        drop(AllSignalsBlocked::new());
        let after = set(before);
        assert_eq!(after, 1 << (libc::SIGUSR1 - 1));
    }

    #[test]
    fn all_signals_are_blocked_but_the_two_that_cannot_be() {
        let blocked = AllSignalsBlocked::new();
        let mask = set(u64::MAX);
        drop(blocked);
        assert_eq!(!mask, 1 << (libc::SIGKILL - 1) | 1 << (libc::SIGSTOP - 1));
    }
}
