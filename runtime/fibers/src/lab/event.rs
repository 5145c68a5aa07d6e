//! What happens in a run, in nanoseconds since its start.

use std::fmt;
use std::time::Duration;

/// Fibers of one kind in a run at most.
pub const FIBERS_MAX: usize = 16;

/// Which fiber.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FiberId {
    /// Gives way again and again, and counts its turns: whoever stands in its way is seen.
    Ticker(u8),
    /// Makes the blocking calls.
    Sleeper(u8),
}

impl FiberId {
    fn bit(self) -> u32 {
        match self {
            Self::Ticker(number) => 1 << number,
            Self::Sleeper(number) => 1 << (FIBERS_MAX + usize::from(number)),
        }
    }
}

impl fmt::Display for FiberId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ticker(number) => write!(f, "ticker {number}"),
            Self::Sleeper(number) => write!(f, "sleeper {number}"),
        }
    }
}

/// A set of fibers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fibers(u32);

impl Fibers {
    /// This one and no other.
    #[must_use]
    pub fn only(fiber: FiberId) -> Self {
        Self(fiber.bit())
    }

    /// With this one too.
    #[must_use]
    pub fn with(self, fiber: FiberId) -> Self {
        Self(self.0 | fiber.bit())
    }

    /// Those of both.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether it is in here.
    #[must_use]
    pub fn contains(self, fiber: FiberId) -> bool {
        self.0 & fiber.bit() != 0
    }

    /// The fiber, when there is only one.
    #[must_use]
    pub fn single(self) -> Option<FiberId> {
        let mut fibers = self.iter();
        fibers.next().filter(|_| fibers.next().is_none())
    }

    /// Tickers first, by number.
    pub fn iter(self) -> impl Iterator<Item = FiberId> {
        let numbers = || (0_u8..).take(FIBERS_MAX);
        let all = numbers().map(FiberId::Ticker).chain(numbers().map(FiberId::Sleeper));
        all.filter(move |fiber| self.contains(*fiber))
    }
}

/// On which thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lane {
    /// A kernel thread that runs fibers.
    Lwp(u16),
    /// A kernel thread that makes calls for them.
    Helper(u16),
    /// The thread that looks after LWPs in calls.
    Watcher,
}

impl fmt::Display for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lwp(number) => write!(f, "LWP {number}"),
            Self::Helper(number) => write!(f, "helper {number}"),
            Self::Watcher => f.write_str("watcher"),
        }
    }
}

/// Something that happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// When, since the start of the run.
    pub at: Duration,
    /// Where.
    pub lane: Lane,
    /// What.
    pub what: What,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// These fibers were resumed and suspended here, `turns` times from `at` on. Turns of 50 ns are too many to be told
    /// one by one: a span holds those of one fiber, up to a millisecond, or of several that took turns within 50 µs. It
    /// ends when a call begins or ends here. Whether the kernel let the thread run all the time is not known.
    Ran {
        /// Whose turns.
        fibers: Fibers,
        /// How many.
        turns: u64,
        /// The end of the last.
        until: Duration,
    },
    /// This thread goes into the blocking call of a fiber.
    Blocked {
        /// Whose call.
        fiber: FiberId,
        /// Turns of all tickers so far.
        ticker_turns: u64,
    },
    /// The call has come back.
    Unblocked {
        /// Whose call.
        fiber: FiberId,
        /// Turns of all tickers so far: those since `Blocked` were had while the call blocked.
        ticker_turns: u64,
    },
    /// The call of a fiber was given to a helper, and the fiber waits.
    Shipped {
        /// Whose call.
        fiber: FiberId,
    },
    /// The processor of an LWP in a call was given to another.
    HandedOff {
        /// Who had it.
        from: u16,
        /// Who has it.
        to: u16,
    },
    /// The thread begins.
    Added,
    /// The thread has no fiber to run and waits.
    Parked,
    /// The thread ends.
    Ended,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_of_fibers_holds_what_was_put_in() {
        let all = (0..16).flat_map(|number| [FiberId::Ticker(number), FiberId::Sleeper(number)]);
        let mut set = Fibers::default();
        for fiber in all {
            assert!(!set.contains(fiber));
            set = set.with(fiber);
            assert!(set.contains(fiber));
            assert_eq!(Fibers::only(fiber).single(), Some(fiber));
        }
        assert_eq!(set.iter().count(), 32);
        assert_eq!((set.single(), Fibers::default().single()), (None, None));
    }
}
