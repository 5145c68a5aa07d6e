//! What the kernel counts of a thread, and whose processor time an operation costs.

use std::io;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use nix::time::{ClockId, clock_gettime};

use crate::Side;
use crate::sides::tally::Tally;

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

/// What was counted up to some moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counted {
    tally: Tally,
    cpu_nanos: u64,
}

impl Counted {
    /// Of the calling thread, now.
    ///
    /// # Errors
    /// The kernel's. Who counts nothing proves nothing.
    pub(crate) fn now(charged: Charged) -> io::Result<Self> {
        let tally = Tally::now()?;
        let cpu_nanos = match charged {
            Charged::Thread => tally.cpu_nanos,
            Charged::Process => process_nanos()?,
            Charged::Family => process_nanos()? + children_nanos()?,
        };
        Ok(Self { tally, cpu_nanos })
    }

    /// The side, from `before` to this.
    pub(crate) fn since(self, before: Self, strays: u64) -> Side {
        let between = self.tally - before.tally;
        Side {
            voluntary: between.voluntary,
            involuntary: between.involuntary,
            strays,
            migrations: between.migrations,
            // Nobody else can have run here without taking the processor away from this thread, which is counted.
            foreign: None,
        }
    }

    /// Processor time from `before` to this, in nanoseconds.
    pub(crate) fn cpu_since(self, before: Self) -> u64 {
        self.cpu_nanos.saturating_sub(before.cpu_nanos)
    }
}

fn process_nanos() -> io::Result<u64> {
    let time = clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID)?;
    u64::try_from(time.num_nanoseconds()).map_err(io::Error::other)
}

fn children_nanos() -> io::Result<u64> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let nanos = usage.user_time().num_nanoseconds() + usage.system_time().num_nanoseconds();
    u64::try_from(nanos).map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use std::hint::black_box;
    use std::process::Command;
    use std::thread;

    use super::*;

    fn work() {
        black_box((0..1_000_000_u64).fold(0, |sum, i| black_box(sum ^ i)));
    }

    #[test]
    fn a_thread_that_waits_has_switched_and_one_that_works_has_used_time() {
        let (before, after) = thread::spawn(|| {
            let before = Counted::now(Charged::Thread).unwrap();
            thread::park_timeout(std::time::Duration::from_millis(1));
            work();
            (before, Counted::now(Charged::Thread).unwrap())
        })
        .join()
        .unwrap();
        assert!(after.since(before, 0).voluntary > 0);
        assert!(after.cpu_since(before) > 0);
    }

    #[test]
    fn time_of_other_threads_and_of_children_is_charged_where_it_is_asked_for() {
        let before = [Charged::Thread, Charged::Process, Charged::Family]
            .map(|charged| Counted::now(charged).unwrap());
        let used = thread::spawn(|| {
            let before = Counted::now(Charged::Thread).unwrap();
            work();
            Counted::now(Charged::Thread).unwrap().cpu_since(before)
        })
        .join()
        .unwrap();
        assert!(Command::new("/bin/true").status().unwrap().success());
        assert!(Counted::now(Charged::Process).unwrap().cpu_since(before[1]) >= used);
        assert!(Counted::now(Charged::Family).unwrap().cpu_since(before[2]) >= used);
        assert!(Counted::now(Charged::Thread).unwrap().cpu_since(before[0]) > 0);
    }
}
