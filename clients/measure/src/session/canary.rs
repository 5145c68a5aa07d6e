//! A canary: a fixed piece of work that takes longer when somebody else uses the core, its sibling, or its clock.
//!
//! The kernel cannot tell a guest what the other hardware thread of its core does; only work that keeps the core's units
//! busy feels it. So several chains of multiplications run side by side, and none of them waits for memory.

use std::hint::black_box;
use std::time::Instant;

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;

/// As long as it must take to be timed well, and no longer.
const NANOS_MIN: u64 = 120_000;

/// Chains: as many as the units of a core can do at once.
const CHAINS: usize = 8;

/// Times a fixed amount of work, on the processor that is measured.
#[derive(Debug)]
pub(crate) struct Canary {
    steps: u64,
    processor: Option<usize>,
}

impl Canary {
    /// Finds out how much work takes about 150 µs. Sings on `processor`, or wherever the caller happens to run.
    pub(crate) fn new(processor: Option<usize>) -> Self {
        let mut steps = 1_000;
        while steps < 1 << 40 && (0..3).map(|_| time(steps)).min() < Some(NANOS_MIN) {
            steps += steps / 4;
        }
        Self { steps, processor }
    }

    /// Nanoseconds it took.
    pub(crate) fn sing(&self) -> u64 {
        let here = Pid::from_raw(0);
        let Some((processor, before)) = self.processor.zip(sched_getaffinity(here).ok()) else {
            return time(self.steps);
        };
        let mut there = CpuSet::new();
        // Where it may not go there it sings here: less telling, but still true.
        let _ = there.set(processor).and_then(|()| sched_setaffinity(here, &there));
        let nanos = time(self.steps);
        let _ = sched_setaffinity(here, &before);
        nanos
    }
}

fn time(steps: u64) -> u64 {
    let begin = Instant::now();
    let mut chains = [1_u64; CHAINS];
    for step in 0..black_box(steps) {
        for chain in &mut chains {
            *chain = chain.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(step);
        }
    }
    black_box(chains);
    u64::try_from(begin.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_canary_takes_its_time_and_leaves_the_thread_where_it_may_run() {
        let here = Pid::from_raw(0);
        let before = sched_getaffinity(here).unwrap();
        let own = (0..CpuSet::count()).find(|&processor| before.is_set(processor).unwrap());
        for processor in [own, None, Some(usize::MAX)] {
            let canary = Canary::new(processor);
            let best = (0..20).map(|_| canary.sing()).min().unwrap();
            assert!(best > 0);
            assert_eq!(sched_getaffinity(here).unwrap(), before);
        }
    }
}
