//! What the kernel has counted for a thread, and for the processors of both sides.

use std::fs;
use std::io;
use std::ops::Sub;

use nix::sys::resource::{UsageWho, getrusage};
use nix::time::{ClockId, clock_gettime};
use palco_sys::SwitchCounter;

/// Counts of the calling thread at one moment, or between two.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) voluntary: u64,
    pub(crate) involuntary: u64,
    pub(crate) cpu_nanos: u64,
    /// Moves between processors; nothing where the kernel does not tell.
    pub(crate) migrations: Option<u64>,
}

impl Tally {
    /// Of the calling thread, until now.
    pub(crate) fn now() -> io::Result<Self> {
        let usage = getrusage(UsageWho::RUSAGE_THREAD)?;
        let count = |count: i64| u64::try_from(count).map_err(io::Error::other);
        let time = clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID)?;
        Ok(Self {
            voluntary: count(usage.voluntary_context_switches())?,
            involuntary: count(usage.involuntary_context_switches())?,
            cpu_nanos: count(time.tv_sec())? * 1_000_000_000 + count(time.tv_nsec())?,
            migrations: migrations(),
        })
    }

    /// Both kinds of switches.
    pub(crate) const fn switches(self) -> u64 {
        self.voluntary + self.involuntary
    }
}

impl Sub for Tally {
    type Output = Self;

    fn sub(self, earlier: Self) -> Self {
        let both = self.migrations.zip(earlier.migrations);
        Self {
            voluntary: self.voluntary.saturating_sub(earlier.voluntary),
            involuntary: self.involuntary.saturating_sub(earlier.involuntary),
            cpu_nanos: self.cpu_nanos.saturating_sub(earlier.cpu_nanos),
            migrations: both.map(|(now, earlier)| now.saturating_sub(earlier)),
        }
    }
}

/// By the scheduler's own account, which not every kernel shows.
fn migrations() -> Option<u64> {
    parse_migrations(&fs::read_to_string("/proc/thread-self/sched").ok()?)
}

fn parse_migrations(account: &str) -> Option<u64> {
    let line = account.lines().find(|line| line.starts_with("se.nr_migrations"))?;
    line.split_once(':')?.1.trim().parse().ok()
}

/// All switches of the processors of both sides, as far as the kernel lets them be counted.
#[derive(Debug)]
pub(crate) struct Processors {
    /// One, if both sides run on it.
    counters: Vec<SwitchCounter>,
}

impl Processors {
    /// Counts from now on; nothing where it may not.
    pub(crate) fn new(processors: [u32; 2]) -> Option<Self> {
        let [first, second] = processors;
        let all = if first == second { vec![first] } else { vec![first, second] };
        let counters = all.into_iter().map(SwitchCounter::of_processor);
        counters.collect::<io::Result<Vec<_>>>().ok().map(|counters| Self { counters })
    }

    /// Until now, of each side's processor.
    pub(crate) fn switches(&self) -> Option<[u64; 2]> {
        let first = self.counters.first()?.read().ok()?;
        let second = self.counters.get(1).map_or(Ok(first), SwitchCounter::read).ok()?;
        Some([first, second])
    }

    /// Of all that were counted, those that neither side made. `idles`: a side alone on its processor leaves it to the idle
    /// task whenever it blocks, and the way back counts as well.
    pub(crate) fn foreign(&self, all: [u64; 2], own: [u64; 2], idles: bool) -> [u64; 2] {
        let [first, second] = own;
        let known = match (self.counters.len(), idles) {
            (1, _) => [first + second; 2],
            (_, true) => own.map(|own| own * 2),
            (_, false) => own,
        };
        [all[0].saturating_sub(known[0]), all[1].saturating_sub(known[1])]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_a_voluntary_switch() {
        std::thread::spawn(|| {
            let before = Tally::now().unwrap();
            std::thread::sleep(std::time::Duration::from_millis(1)); // not a wait: the switch is the subject
            let after = Tally::now().unwrap() - before;
            assert!(after.voluntary >= 1, "{after:?}");
        })
        .join()
        .unwrap();
    }

    #[test]
    fn migrations_are_read_where_they_are_told() {
        let account = "cat (1, #threads: 1)\n---\nse.nr_migrations      :       12\n";
        assert_eq!(parse_migrations(account), Some(12));
        assert_eq!(parse_migrations("se.vruntime : 1"), None);
    }

    #[test]
    fn what_nobody_has_counted_before_is_not_counted_after() {
        let known = Tally { migrations: Some(3), ..Tally::default() };
        assert_eq!((known - Tally::default()).migrations, None);
        assert_eq!((known - known).migrations, Some(0));
    }
}
