//! The clock that hops are measured with: the processor's where it is one, else the kernel's.

use std::time::Instant;

use palco_sys::{CycleClock, cycle_clock, cycles};

/// Reads a clock in ticks, and tells what they are in nanoseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Stopwatch {
    /// The cycle counter.
    Cycles(CycleClock),
    /// The monotonic clock, in nanoseconds since this moment.
    Monotonic(Instant),
}

impl Stopwatch {
    /// The best clock of this machine. The first one of a process takes 10 ms.
    pub(crate) fn new() -> Self {
        cycle_clock().map_or_else(|_| Self::Monotonic(Instant::now()), Self::Cycles)
    }

    /// Now, in ticks.
    #[inline]
    pub(crate) fn now(self) -> u64 {
        match self {
            Self::Cycles(_) => cycles(),
            Self::Monotonic(begin) => u64::try_from(begin.elapsed().as_nanos()).unwrap_or(u64::MAX),
        }
    }

    /// So many ticks in nanoseconds.
    #[inline]
    #[expect(clippy::cast_precision_loss, reason = "53 bits of nanoseconds are a hundred days")]
    pub(crate) fn nanos(self, ticks: u64) -> f64 {
        match self {
            Self::Cycles(clock) => clock.nanos(ticks),
            Self::Monotonic(_) => ticks as f64,
        }
    }

    /// So many nanoseconds in ticks.
    pub(crate) fn ticks(self, nanos: u64) -> u64 {
        match self {
            Self::Cycles(clock) => clock.ticks(nanos),
            Self::Monotonic(_) => nanos,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_clocks_go_forward_and_count_nanoseconds() {
        for clock in [Stopwatch::new(), Stopwatch::Monotonic(Instant::now())] {
            let begin = clock.now();
            assert!(clock.now() >= begin);
            let there_and_back = clock.nanos(clock.ticks(1_000_000));
            assert!((there_and_back - 1e6).abs() < 10.0, "{there_and_back}");
        }
    }
}
