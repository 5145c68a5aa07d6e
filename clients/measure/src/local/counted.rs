//! What the kernel counts of a thread, and the clock that samples are read from.

use std::fs;
use std::time::Instant;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use nix::time::ClockId;
use palco_sys::{CycleClock, cycle_clock, cycles};

use crate::Side;

/// A clock of ticks: the processor's counter where it is one, else the machine's monotonic clock.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Ticks {
    Cycles(CycleClock),
    Since(Instant),
}

impl Ticks {
    /// The best there is. Measured once in a process: whoever forks asks before.
    pub(crate) fn new() -> Self {
        cycle_clock().map_or_else(|_| Self::Since(Instant::now()), Self::Cycles)
    }

    #[inline]
    pub(crate) fn now(self) -> u64 {
        match self {
            Self::Cycles(_) => cycles(),
            Self::Since(origin) => u64::try_from(origin.elapsed().as_nanos()).unwrap_or(u64::MAX),
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "53 bits of nanoseconds are months")]
    pub(crate) fn nanos(self, ticks: u64) -> f64 {
        match self {
            Self::Cycles(clock) => clock.nanos(ticks),
            Self::Since(_) => ticks as f64,
        }
    }

    pub(crate) fn ticks(self, nanos: u64) -> u64 {
        match self {
            Self::Cycles(clock) => clock.ticks(nanos),
            Self::Since(_) => nanos,
        }
    }
}

/// Whose processor time an operation costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Charged {
    /// The measured thread's.
    Thread,
    /// That of all threads of the process.
    Process,
    /// The same, and that of children that have been reaped.
    Family,
}

/// What was counted up to some moment. Zero where the kernel does not tell.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counted {
    voluntary: u64,
    involuntary: u64,
    migrations: Option<u64>,
    cpu_nanos: u64,
}

impl Counted {
    /// Of the calling thread, now.
    pub(crate) fn now(charged: Charged) -> Self {
        let usage = getrusage(UsageWho::RUSAGE_THREAD).ok();
        let count = |number: i64| u64::try_from(number).unwrap_or(0);
        Self {
            voluntary: usage.map_or(0, |usage| count(usage.voluntary_context_switches())),
            involuntary: usage.map_or(0, |usage| count(usage.involuntary_context_switches())),
            migrations: migrations(),
            cpu_nanos: cpu_nanos(charged),
        }
    }

    /// The side, from `before` to this.
    pub(crate) fn since(self, before: Self, strays: u64) -> Side {
        Side {
            voluntary: self.voluntary - before.voluntary,
            involuntary: self.involuntary - before.involuntary,
            strays,
            migrations: self.migrations.zip(before.migrations).map(|(now, then)| now - then),
            // Nobody else can have run here without taking the processor away from this thread, which is counted.
            foreign: None,
        }
    }

    /// Processor time from `before` to this, in nanoseconds.
    pub(crate) fn cpu_since(self, before: Self) -> u64 {
        self.cpu_nanos.saturating_sub(before.cpu_nanos)
    }
}

fn cpu_nanos(charged: Charged) -> u64 {
    match charged {
        Charged::Thread => clock_nanos(ClockId::CLOCK_THREAD_CPUTIME_ID),
        Charged::Process => clock_nanos(ClockId::CLOCK_PROCESS_CPUTIME_ID),
        Charged::Family => clock_nanos(ClockId::CLOCK_PROCESS_CPUTIME_ID) + children_nanos(),
    }
}

fn clock_nanos(clock: ClockId) -> u64 {
    clock.now().map_or(0, |time| u64::try_from(time.num_nanoseconds()).unwrap_or(0))
}

fn children_nanos() -> u64 {
    let Ok(usage) = getrusage(UsageWho::RUSAGE_CHILDREN) else { return 0 };
    let nanos = usage.user_time().num_nanoseconds() + usage.system_time().num_nanoseconds();
    u64::try_from(nanos).unwrap_or(0)
}

fn migrations() -> Option<u64> {
    migrations_in(&fs::read_to_string("/proc/thread-self/sched").ok()?)
}

/// `se.nr_migrations   :   5`
fn migrations_in(sched: &str) -> Option<u64> {
    let line = sched.lines().find(|line| line.starts_with("se.nr_migrations"))?;
    line.rsplit(':').next()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use std::hint::black_box;
    use std::thread;

    use super::*;

    #[test]
    fn migrations_are_found_where_the_kernel_tells_them() {
        let text = "x (1, #threads: 1)\n-----\nse.exec_start   :  5.0\nse.nr_migrations  :   17\n";
        assert_eq!(migrations_in(text), Some(17));
        assert_eq!(migrations_in("nothing"), None);
        assert_eq!(migrations_in("se.nr_migrations"), None);
    }

    #[test]
    fn a_thread_that_waits_has_switched_and_one_that_works_has_used_time() {
        let (before, after) = thread::spawn(|| {
            let before = Counted::now(Charged::Thread);
            thread::spawn(|| ()).join().unwrap();
            thread::park_timeout(std::time::Duration::from_millis(1));
            black_box((0..1_000_000_u64).fold(0, |sum, i| black_box(sum ^ i)));
            (before, Counted::now(Charged::Thread))
        })
        .join()
        .unwrap();
        assert!(after.since(before, 0).voluntary > 0);
        assert!(after.cpu_since(before) > 0);
    }

    #[test]
    fn ticks_go_forward_and_are_nanoseconds() {
        let clock = Ticks::new();
        let (ticks, begin) = (clock.now(), Instant::now());
        while begin.elapsed().as_millis() < 5 {}
        assert!(clock.nanos(clock.now() - ticks) >= 4.9e6);
        assert!(clock.nanos(clock.ticks(1_000_000)) <= 1_000_000.1);
    }
}
