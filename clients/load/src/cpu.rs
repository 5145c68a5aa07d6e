//! Processor time of this process: user and system, all threads, to the nanosecond.

use nix::time::ClockId;

/// Processor time used so far, in nanoseconds. Zero where the kernel does not tell.
pub(crate) fn process_nanos() -> u64 {
    // Finer than getrusage, which some kernels only count in ticks.
    nanos(ClockId::CLOCK_PROCESS_CPUTIME_ID)
}

/// Processor time that the calling thread has used so far, in nanoseconds.
pub(crate) fn thread_nanos() -> u64 {
    nanos(ClockId::CLOCK_THREAD_CPUTIME_ID)
}

/// What a clock of processor time shows, in nanoseconds.
pub(crate) fn nanos(clock: ClockId) -> u64 {
    let Ok(time) = clock.now() else { return 0 };
    let seconds = u64::try_from(time.tv_sec()).unwrap_or(0);
    let nanos = u64::try_from(time.tv_nsec()).unwrap_or(0);
    seconds * 1_000_000_000 + nanos
}

#[cfg(test)]
mod tests {
    use std::hint::black_box;

    use super::*;

    #[test]
    fn work_uses_processor_time() {
        let before = process_nanos();
        black_box((0..1_000_000_u64).fold(0, |sum, i| black_box(sum ^ i)));
        assert!(process_nanos() > before);
    }
}
